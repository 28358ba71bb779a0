"""The file of a unix socket: made at start, removed at stop, nobody else's touched."""

import contextlib
import fcntl
import os
import signal
import socket
import stat
import tempfile
import unittest

import daemon
import taptest

EX_UNAVAILABLE = 69
CONFIG = 'listener "echo" { listen = { "unix:${PLACE}/echo.sock" } echo {} }'


class UnixSocket(unittest.TestCase):
    def setUp(self):
        place = self.enterContext(tempfile.TemporaryDirectory(prefix="cistern-"))
        self.env = {"PLACE": place}
        self.path = os.path.join(place, "echo.sock")

    def start(self):
        return daemon.Daemon(CONFIG, env=self.env)

    def assert_refused(self):
        status, _, log = daemon.run(CONFIG, env=self.env)
        self.assertEqual(status, EX_UNAVAILABLE, log)
        self.assertIn("in use", log)
        self.assertIn(self.path, log)

    def test_removed_at_stop(self):
        with self.start() as running:
            self.assertTrue(stat.S_ISSOCK(os.stat(self.path).st_mode))
            self.assertEqual(running.connect("echo").exchange(b"hi"), b"hi")
        self.assertFalse(os.path.lexists(self.path))

    def test_stale_one_is_replaced(self):
        with self.start() as running:
            running.send_signal(signal.SIGKILL)
            running.wait_end(-signal.SIGKILL)
        self.assertTrue(os.path.exists(self.path))
        with self.start() as running:
            self.assertEqual(running.connect("echo").exchange(b"hi"), b"hi")

    def test_one_in_use_is_refused(self):
        with self.start() as running:
            self.assert_refused()
            self.assertEqual(running.connect("echo").exchange(b"hi"), b"hi")

    def test_one_in_use_with_a_full_backlog_is_refused(self):
        """To connect fails then with EAGAIN: somebody listens."""
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(self.path)
            other.listen(0)
            with socket.socket(socket.AF_UNIX) as waiting:
                waiting.connect(self.path)
                self.assert_refused()
        self.assertTrue(os.path.exists(self.path))

    def test_regular_file_in_its_place_is_left_alone(self):
        with open(self.path, "w", encoding="ascii") as file:
            file.write("precious")
        self.assert_refused()
        with open(self.path, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")

    def test_symbolic_link_in_its_place_is_left_alone(self):
        os.symlink("/nonexistent", self.path)
        self.assert_refused()
        self.assertTrue(os.path.islink(self.path))

    def test_file_that_somebody_else_put_there_meanwhile_is_left_alone(self):
        with self.start():
            os.unlink(self.path)
            with open(self.path, "w", encoding="ascii") as file:
                file.write("precious")
        with open(self.path, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")

    def test_missing_directory_is_an_error_of_the_configuration(self):
        status, _, log = daemon.run(CONFIG, env={"PLACE": "/nonexistent"})
        self.assertEqual(status, 78, log)

    def start_together(self, count):
        """So many daemons that stand at a gate, which is then opened."""
        with tempfile.NamedTemporaryFile(prefix="cistern-") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            at_gate = ("flock", "--shared", "--no-fork", gate.name)
            starters = [daemon.Daemon(CONFIG, env=self.env, prefix=at_gate) for _ in range(count)]
            for starter in starters:
                daemon.wait_until(starter.sleeps, "it waits at the gate")
            return starters

    def test_several_starters_at_once_leave_one_serving(self):
        """Whoever loses goes with 69, and does not take the winner's socket along."""
        for _ in range(20):
            with contextlib.ExitStack() as running:
                winners = []
                for starter in self.start_together(4):
                    try:
                        winners.append(running.enter_context(starter))
                    except AssertionError:
                        self.assertEqual(starter.process.returncode, EX_UNAVAILABLE)
                self.assertEqual(len(winners), 1)
                self.assertEqual(winners[0].connect("echo").exchange(b"hi"), b"hi")


if __name__ == "__main__":
    taptest.run()
