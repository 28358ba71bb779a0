"""Native entries for the journal, received by a socket of the test."""

import os
import re
import signal
import socket
import tempfile
import unittest

import daemon
import taptest

CONFIG = """
    log_level = debug
    listener "echo" { listen = { "unix:${DIRECTORY}/echo.sock" } access_log = yes echo {} }
"""


class Journal(unittest.TestCase):
    def setUp(self):
        place = self.enterContext(tempfile.TemporaryDirectory(prefix="cistern-"))
        self.path = os.path.join(place, "journal")
        self.journal = self.enterContext(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        self.journal.bind(self.path)
        self.journal.settimeout(daemon.DEADLINE)

    def start(self, config=CONFIG):
        return daemon.Daemon(config, journal=True, env={"CISTERN_JOURNAL_SOCKET": self.path})

    def next(self, pattern):
        """The fields of the next entry whose message is like that."""
        while True:
            entry = dict(line.split("=", 1) for line in self.journal.recv(65536).decode().splitlines())
            self.assertEqual(entry["SYSLOG_IDENTIFIER"], "cisternd")
            if re.search(pattern, entry["MESSAGE"]):
                return entry

    def test_life_in_entries(self):
        with self.start() as running:
            entry = self.next("^echo: echo on unix:")
            self.assertEqual((entry["PRIORITY"], entry["CISTERN_LISTENER"]), ("5", "echo"))
            client = running.connect_to(f"unix:{running.directory}/echo.sock")
            client.exchange(b"hi")
            self.assertTrue(running.reload())
            reloaded = self.next("reloaded$")
            self.assertNotIn("CISTERN_LISTENER", reloaded)
            self.assertRegex(reloaded["MESSAGE_ID"], "^[0-9a-f]{32}$")
            client.close()
            self.assertEqual(self.next("connection lost")["PRIORITY"], "7")
            entry = self.next("^echo: unix: closed after")
            self.assertEqual({name: entry.get(name) for name in (
                "PRIORITY", "CISTERN_LISTENER", "CISTERN_PEER", "CISTERN_CONN",
                "CISTERN_GENERATION", "CISTERN_BYTES_RECEIVED", "CISTERN_BYTES_SENT")},
                {"PRIORITY": "6", "CISTERN_LISTENER": "echo", "CISTERN_PEER": "unix",
                 "CISTERN_CONN": "1", "CISTERN_GENERATION": "2", "CISTERN_BYTES_RECEIVED": "2",
                 "CISTERN_BYTES_SENT": "2"})
            self.assertFalse(running.reload("oops"))
            failed = self.next("reload failed")
            self.assertEqual(failed["PRIORITY"], "3")
            self.assertNotEqual(failed["MESSAGE_ID"], reloaded["MESSAGE_ID"])
            running.send_signal(signal.SIGTERM)
            self.next("^stopping")
            self.next("^stopped")
            running.wait_end()
            self.assertEqual(running.log(), "")

    def test_without_a_journal_lines_have_their_priority(self):
        with self.start() as running:
            self.journal.close()
            self.assertTrue(running.reload())
            self.assertRegex(running.log(), "(?m)^<5>/.*: reloaded$")

    def test_stderr_that_is_not_the_journal_is_written_to(self):
        with daemon.Daemon(CONFIG, env={"CISTERN_JOURNAL_SOCKET": self.path}) as running:
            self.assertIn("notice: echo: echo on ", running.log())
        self.journal.setblocking(False)
        with self.assertRaises(BlockingIOError):
            self.journal.recv(1)


if __name__ == "__main__":
    taptest.run()
