"""SIGUSR1 logs the state, SIGUSR2 switches debug messages."""

import os
import re
import signal
import unittest

import daemon
import taptest

CONFIG = """
    log_level = error
    max_connections = 77
    listener "echo" { listen = { "unix:${DIRECTORY}/echo.sock" } max_connections = 7 echo {} }
    listener "jobs" { listen = { "unix:${DIRECTORY}/jobs.sock", "unix:${DIRECTORY}/2" } queue {} }
"""


class Signals(unittest.TestCase):
    def start(self, config=CONFIG):
        return daemon.Daemon(config)

    def connect(self, running, name):
        return running.connect_to(f"unix:{running.directory}/{name}.sock")

    def test_state(self):
        """Whatever the level: who asks wants to know."""
        with self.start() as running:
            client = self.connect(running, "echo")
            client.exchange(b"hello")
            running.send_signal(signal.SIGUSR1)
            running.wait_log("listens on unix:.*/2 .sockets: 1.")
            log = re.sub(r"^\S+ notice: ", "", running.log(), flags=re.MULTILINE)
            self.assertRegex(log, r"^state: configuration 1, 2 listeners; 1 connections of at most 77 ")
            self.assertRegex(log, r"\necho: echo: 1 connections of at most 7\n"
                                  r"echo: listens on unix:/.*/echo.sock \(sockets: 1\)\n"
                                  r"echo: unix: connection 1 is open: for [\d.]+ s, "
                                  r"5 bytes received, 5 sent, 0 to send\n"
                                  r"jobs: queue: 0 connections of at most 10000\n")
            self.assertEqual(client.exchange(b"hi"), b"hi")

    def test_state_of_many_connections_is_cut_short(self):
        config = CONFIG.replace("= 77", "= 1000").replace("= 7 ", "= 1000 ")
        with self.start(config) as running:
            for _ in range(103):
                self.connect(running, "echo").exchange(b"x")
            running.send_signal(signal.SIGUSR1)
            running.wait_log("notice: jobs: queue: ")
            self.assertEqual(running.log().count(" is open: "), 100)
            self.assertIn("notice: echo: and 3 connections more\n", running.log())

    def test_state_of_removed_listeners(self):
        with self.start() as running:
            self.connect(running, "echo").exchange(b"hello")
            config = re.sub('listener "echo".*', "", CONFIG)
            self.assertTrue(running.reload(config))
            running.send_signal(signal.SIGUSR1)
            running.wait_log("state: configuration 2, 1 listeners; 1 connections")
            running.wait_log("echo: echo, removed from the configuration: 1 connections")

    def test_debug_on_and_off(self):
        with self.start() as running:
            descriptors = len(running.descriptors())
            client = self.connect(running, "echo")
            client.exchange(b"hi")
            client.close()
            running.wait_descriptors(descriptors)
            running.send_signal(signal.SIGUSR2)
            running.wait_log("notice: debug messages are on")
            self.assertTrue(running.reload())  # it stays on
            client = self.connect(running, "echo")
            client.exchange(b"hi")
            client.close()
            running.wait_log("debug: echo: unix: connection lost: ")
            running.wait_descriptors(descriptors)
            running.send_signal(signal.SIGUSR2)
            running.wait_log("notice: debug messages are off")
            client = self.connect(running, "echo")
            client.exchange(b"hi")
            client.close()
            running.stop()
            self.assertEqual(running.log().count("debug: "), 1)

    def test_dump_is_repeatable_and_loses_nothing(self):
        with self.start() as running:
            client = self.connect(running, "echo")
            for _ in range(50):
                running.send_signal(signal.SIGUSR1)
                self.assertEqual(client.exchange(b"hi"), b"hi")
            before = len(os.listdir(f"/proc/{running.pid}/fd"))
            running.send_signal(signal.SIGUSR1)
            client.exchange(b"hi")
            self.assertEqual(len(os.listdir(f"/proc/{running.pid}/fd")), before)


if __name__ == "__main__":
    taptest.run()
