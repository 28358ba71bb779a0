"""The log: one line an event, in the form that its reader wants."""

import re
import signal
import unittest

import daemon
import resp
import taptest

CONFIG = """
    log_level = {level}
    listener "echo" {{ listen = {{ "unix:${{DIRECTORY}}/echo.sock" }} {options} echo {{}} }}
"""
TIMESTAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}"


class Log(unittest.TestCase):
    def log_of(self, level="debug", **options):
        """Of a daemon that has a client, reloads, fails to, and stops."""
        good = CONFIG.format(level=level, options="")
        with daemon.Daemon(good, **options) as running:
            client = daemon.Client(f"unix:{running.directory}/echo.sock")
            self.assertEqual(client.exchange(b"hi"), b"hi")
            client.close()
            self.assertTrue(running.reload())
            self.assertFalse(running.reload("oops"))
            running.send_signal(signal.SIGTERM)
            running.wait_end()
            return running.log()

    def test_lines_begin_with_a_timestamp_and_the_level(self):
        for line in self.log_of().splitlines():
            self.assertRegex(line, f"^{TIMESTAMP} (error|warning|notice|info|debug): .")

    def test_lines_for_the_journal_begin_with_the_priority_instead(self):
        log = self.log_of(journal=True)
        for line in log.splitlines():
            self.assertRegex(line, "^<[3-7]>[^<]")
            self.assertNotRegex(line, TIMESTAMP)
        for expected in "<5>echo: echo on unix:", "<7>echo: unix: ", "<3>":
            self.assertRegex(log, re.compile(f"^{expected}", re.MULTILINE))

    def test_journal_of_somebody_else_is_none(self):
        """The variable is inherited by who has another stderr."""
        for value in "1:1", "nonsense":
            for line in self.log_of(env={"JOURNAL_STREAM": value}).splitlines():
                self.assertRegex(line, f"^{TIMESTAMP} ")

    def test_level_of_the_daemon(self):
        log = self.log_of(level="error")
        self.assertRegex(log, "error: .*reload failed")
        self.assertEqual(re.findall("(?:warning|notice|info|debug): ", log), [])

    def test_level_of_a_listener(self):
        """Debug lines of one listener, and of nobody else."""
        config = CONFIG + """
            listener "quiet" {{ listen = {{ "unix:${{DIRECTORY}}/quiet.sock" }} echo {{}} }}
        """
        with daemon.Daemon(config.format(level="info", options="log_level = debug")) as running:
            for name in "quiet", "echo":
                client = daemon.Client(f"unix:{running.directory}/{name}.sock")
                client.exchange(b"hi")
                client.close()
            running.wait_log("debug: echo: unix: connection lost: ")
            running.stop()
            self.assertNotIn("debug: quiet", running.log())

    def test_life_in_lines(self):
        log = self.log_of(level="info")
        lines = [line.partition(" ")[2] for line in log.splitlines()]
        patterns = (r"notice: echo: echo on unix:/.*/echo\.sock$", r"notice: /.*conf: reloaded$",
                    r"error: /.*conf:1: ", r"error: /.*conf: reload failed, nothing has changed$",
                    r"notice: stopping: 0 connections to finish$", r"notice: stopped$")
        self.assertEqual(len(lines), len(patterns), log)
        for line, pattern in zip(lines, patterns):
            self.assertRegex(line, f"^{pattern}")

    def test_clients_cannot_forge_a_line(self):
        config = """
            log_level = debug
            listener "jobs" { listen = { "ADDRESS" } queue {} }
        """
        with daemon.Daemon(config) as running:
            client = running.connect("jobs", kind=resp.Client)
            client.call("x\n2026-01-01T00:00:00.000+0000 error: forged", "\nforged\x1b[0m")
            client.send(b"*1\r\n$1\r\n\n2026 forged")
            client.receive_all()
            running.stop()
            self.assertNotRegex(running.log(), "(?m)^[^:]*forged")
            self.assertNotIn("\x1b", running.log())


if __name__ == "__main__":
    taptest.run()
