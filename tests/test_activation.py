"""Sockets of socket units: listen = { "systemd:NAME" }."""

import os
import socket
import tempfile
import unittest

import daemon
import taptest

EX_CONFIG = 78
BOTH = """
    listener "one" { listen = { "systemd:one" } echo {} }
    listener "two" { listen = { "systemd:two", "ADDRESS" } echo {} }
"""
ONLY_ONE = 'listener "one" { listen = { "systemd:one" } echo {} }'
ONLY_TWO = 'listener "two" { listen = { "ADDRESS" } echo {} }'
SWAPPED = """
    listener "one" { listen = { "systemd:two" } discard {} }
    listener "two" { listen = { "systemd:one" } echo {} }
"""


class Activation(unittest.TestCase):
    def setUp(self):
        place = self.enterContext(tempfile.TemporaryDirectory(prefix="cistern-"))
        self.path = os.path.join(place, "x.sock")
        self.one = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        self.two = self.enterContext(socket.socket(socket.AF_UNIX))
        self.two.bind(self.path)
        self.two.listen()
        self.passed = [("two", self.two), ("one", self.one)]

    def tcp(self):
        return "%s:%d" % self.one.getsockname()

    def start(self, config=BOTH, passed=None, **options):
        return daemon.Daemon(config, passed=passed or self.passed, **options)

    def assert_echo(self, running, address):
        self.assertEqual(running.connect_to(address).exchange(b"hi"), b"hi")

    def test_who_came_before_the_start_is_served(self):
        early = daemon.Client(self.tcp())
        early.send(b"hi")
        with self.start() as running:
            self.assertEqual(early.receive(2), b"hi")
            early.close()
            self.assert_echo(running, f"unix:{self.path}")
            self.assert_echo(running, running.addresses("two")[-1])
            self.assertEqual(running.addresses("one"), ["systemd:one"])
        self.assertTrue(os.path.exists(self.path))
        with self.start() as running:
            self.assert_echo(running, f"unix:{self.path}")

    def test_every_socket_of_a_name_is_taken(self):
        third = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        passed = [*self.passed, ("one", third)]
        config = ONLY_ONE + 'listener "two" { listen = { "systemd:two" } echo {} }'
        with self.start(config, passed) as running:
            self.assert_echo(running, self.tcp())
            self.assert_echo(running, "%s:%d" % third.getsockname())
            running.wait_log("info: systemd:one is %s:%d" % third.getsockname())

    def test_missing_name_is_an_error_of_the_configuration(self):
        status, _, log = daemon.run("\n\n" + ONLY_ONE)
        self.assertEqual(status, EX_CONFIG, log)
        self.assertRegex(log, r'server.conf:3: listener "one": cannot listen on systemd:one: no socket')
        status, out, log = daemon.run(ONLY_ONE, "--check")
        self.assertEqual((status, log), (0, ""), out)

    def test_missing_name_fails_a_reload(self):
        with self.start(ONLY_ONE, [("one", self.one)]) as running:
            self.assertFalse(running.reload("\n" + ONLY_ONE.replace("systemd:one", "systemd:no")))
            self.assertRegex(running.messages[-1], "server.conf:2: .*systemd:no")
            self.assert_echo(running, self.tcp())

    def test_what_is_no_listening_socket_is_refused(self):
        client = self.enterContext(socket.socket())
        with self.assertRaisesRegex(AssertionError, "ended with status 78"):
            with self.start(ONLY_ONE, [("one", client)]):
                pass

    def test_unclaimed_socket_is_closed_with_a_warning(self):
        with self.start(ONLY_ONE) as running:
            self.assertRegex(running.log(), 'warning: passed socket "two"')
            self.two.close()
            with self.assertRaises(ConnectionRefusedError):
                running.connect_to(f"unix:{self.path}")
            self.assert_echo(running, self.tcp())

    def test_name_that_is_dropped_can_come_back(self):
        with self.start() as running:
            count = len(running.descriptors())
            for _ in range(3):
                self.assertTrue(running.reload(ONLY_TWO))
                waiting = running.connect_to(self.tcp())  # the unit's socket is still there
                waiting.send(b"hi")
                self.assertTrue(running.reload(BOTH))
                self.assertEqual(waiting.receive(2), b"hi")
                waiting.close()
            running.wait_descriptors(count)

    def test_names_move_between_listeners(self):
        with self.start(BOTH.replace(', "ADDRESS"', "")) as running:
            self.assertTrue(running.reload(SWAPPED))
            self.assert_echo(running, self.tcp())
            running.connect_to(f"unix:{self.path}").send(b"discarded")

    def test_descriptors_are_closed_on_exec(self):
        """All but the standard ones, so that no program that ever is started gets one."""
        config = BOTH + 'listener "jobs" { listen = { "unix:${DIRECTORY}/jobs.sock" } queue {} }'
        with self.start(config) as running:
            running.connect("jobs").send(b"PING\r\n")
            self.assertTrue(running.reload())
            self.assertGreater(len(running.descriptors()), 8)
            for fd in set(os.listdir(f"/proc/{running.pid}/fdinfo")) - {"0", "1", "2"}:
                with open(f"/proc/{running.pid}/fdinfo/{fd}", encoding="ascii") as info:
                    flags = dict(line.split(":\t") for line in info if ":\t" in line)["flags"]
                self.assertTrue(int(flags, 8) & os.O_CLOEXEC, f"{fd} of {running.descriptors()}")


if __name__ == "__main__":
    taptest.run()
