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
            self.assertRegex(ready, "^READY=1\nSTATUS=Serving 1 listeners, 0 connections$")

    def test_failed_reload_ends_with_ready_too_and_says_what_failed(self):
        with daemon.Daemon(CONFIG) as running:
            self.assertFalse(running.reload("\noops = 1\n" + CONFIG))
            self.assertRegex(running.messages[1], "^RELOADING=1\nMONOTONIC_USEC=")
            self.assertRegex(running.messages[2],
                             "^READY=1\nSTATUS=.*last reload failed: .*server.conf:2: oops")
            self.assertTrue(running.reload(CONFIG))
            self.assertNotIn("failed", running.messages[-1])

    def test_status_has_live_numbers(self):
        with daemon.Daemon(CONFIG) as running:
            for _ in range(2):
                running.connect("echo").exchange(b"hi")
            self.assertEqual(running.wait_message("STATUS="),
                             "STATUS=Serving 1 listeners, 2 connections")
            running.close_clients()
            self.assertEqual(running.wait_message("STATUS="),
                             "STATUS=Serving 1 listeners, 0 connections")
            self.assertFalse(running.reload("oops"))
            running.connect("echo").exchange(b"hi")
            self.assertRegex(running.wait_message("STATUS="),
                             "^STATUS=Serving 1 listeners, 1 connections; the last reload failed: ")

    def test_stopping_counts_down_and_asks_to_be_waited_for(self):
        """A client that takes nothing holds up the drain."""
        with daemon.Daemon("drain_timeout = 60s\n" + CONFIG) as running:
            client = running.connect("echo", receive_buffer=4096)
            client.fill()
            running.send_signal(signal.SIGTERM)
            pattern = (r"EXTEND_TIMEOUT_USEC=15000000\n"
                       r"STATUS=Finishing 1 connections, (\d+) s left$")
            first = re.search("^STOPPING=1\n" + pattern, running.wait_message("STOPPING=1"))
            second = re.search("^" + pattern, running.wait_message("EXTEND"))
            self.assertEqual(first[1], "60")
            self.assertLess(int(second[1]), 60)
            client.close()
            running.wait_end()

    def test_stopping_without_an_end_tells_of_none(self):
        with daemon.Daemon("drain_timeout = forever\n" + CONFIG) as running:
            client = running.connect("echo", receive_buffer=4096)
            client.fill()
            running.send_signal(signal.SIGTERM)
            self.assertRegex(running.wait_message("STOPPING=1"),
                             "\nEXTEND_TIMEOUT_USEC=.*\nSTATUS=Finishing 1 connections$")
            client.close()
            running.wait_end()

    def test_watchdog_is_fed_while_it_works(self):
        """Every third of the time; and around a reload."""
        env = {"WATCHDOG_USEC": "1000000"}
        with daemon.Daemon(CONFIG, env=env) as running:
            for _ in range(3):
                running.wait_message("WATCHDOG=1")
            running.messages.clear()
            self.assertTrue(running.reload())
            running.wait_message("WATCHDOG=1")
            kinds = [message.split("=")[0] for message in running.messages]
            reloading = kinds.index("RELOADING")
            self.assertEqual(kinds[reloading:reloading + 4],
                             ["RELOADING", "WATCHDOG", "READY", "WATCHDOG"])

    def test_watchdog_of_another_process_is_not_ours(self):
        env = {"WATCHDOG_USEC": "3000", "WATCHDOG_PID": "1"}
        with daemon.Daemon(CONFIG, env=env) as running:
            self.assertTrue(running.reload())
            self.assertEqual(len(running.messages), 3)

    def test_hung_loop_starves_the_watchdog(self):
        with daemon.Daemon(CONFIG, env={"WATCHDOG_USEC": "300000"}) as running:
            running.wait_message("WATCHDOG=1")
            running.send_signal(signal.SIGSTOP)
            running.notify.settimeout(1)
            with self.assertRaises(TimeoutError):
                for _ in range(20):  # what was sent before it was stopped
                    running.receive_message()
            running.send_signal(signal.SIGCONT)
            running.wait_message("WATCHDOG=1")

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
