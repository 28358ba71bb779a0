"""What systemd is told: sd_notify(3) messages, here received by a socket of the test."""

import os
import re
import signal
import time
import unittest

import daemon
import taptest

CONFIG = 'listener "echo" { listen = { "ADDRESS" } echo {} }\n'


class Notify(unittest.TestCase):
    def test_ready_comes_when_every_listener_is_bound(self):
        config = CONFIG + 'listener "late" { listen = { "unix:${DIRECTORY}/late.sock" } echo {} }'
        with daemon.Daemon(config) as running:
            self.assertEqual(len(running.messages), 1)
            self.assertEqual(running.messages[0].splitlines()[0], "READY=1")
            self.assertRegex(running.messages[0], r"\nSTATUS=.*2 listeners")
            for name in "echo", "late":
                self.assertEqual(running.connect(name).exchange(b"hi"), b"hi")

    def test_name_in_the_abstract_name_space(self):
        name = f"@cistern-test-{os.getpid()}"
        with daemon.Daemon(CONFIG, notify=name) as running:
            self.assertTrue(running.messages[0].startswith("READY=1"))

    def test_reload(self):
        with daemon.Daemon(CONFIG) as running:
            before = time.monotonic_ns() // 1000
            self.assertTrue(running.reload())
            self.assertEqual(len(running.messages), 3)
            reloading, ready = running.messages[1:]
            told = int(re.search(r"\nMONOTONIC_USEC=(\d+)(\n|$)", reloading)[1])
            self.assertLessEqual(before, told)
            self.assertLessEqual(told, time.monotonic_ns() // 1000)
            self.assertRegex(ready, "^READY=1\nSTATUS=Serving 1 listeners$")

    def test_failed_reload_ends_with_ready_too_and_says_what_failed(self):
        with daemon.Daemon(CONFIG) as running:
            self.assertFalse(running.reload("\noops = 1\n" + CONFIG))
            self.assertRegex(running.messages[1], "^RELOADING=1\nMONOTONIC_USEC=")
            self.assertRegex(running.messages[2],
                             "^READY=1\nSTATUS=.*last reload failed: .*server.conf:2: oops")
            self.assertTrue(running.reload(CONFIG))
            self.assertNotIn("failed", running.messages[-1])

    def test_stopping(self):
        with daemon.Daemon(CONFIG) as running:
            client = running.connect("echo")
            client.exchange(b"hi")
            running.send_signal(signal.SIGTERM)
            self.assertRegex(running.wait_message("STOPPING=1"), "\nSTATUS=.*1 connections")
            client.close()
            running.wait_end()

    def test_nothing_is_told_before_a_start_that_fails(self):
        with self.assertRaisesRegex(AssertionError, "ended with status 78"):
            with daemon.Daemon("oops") as running:
                self.fail(f"it started: {running.messages}")

    def test_address_that_nobody_listens_on_is_no_obstacle(self):
        with daemon.Daemon(CONFIG) as running:
            running.notify.close()
            running.send_signal(signal.SIGHUP)
            running.wait_log("reloaded")
            self.assertEqual(running.connect("echo").exchange(b"hi"), b"hi")


if __name__ == "__main__":
    taptest.run()
