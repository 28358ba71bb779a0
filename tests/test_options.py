"""Options of a connection's socket, as the daemon's end has them."""

import ctypes
import os
import socket
import unittest

import daemon
import taptest

PIDFD_GETFD = 438  # the same on all architectures; Python has no name for it
CONFIG = 'listener "echo" { listen = { "ADDRESS" } keepalive = %s nodelay = %s echo {} }'


def copy_descriptor(process, fd):
    """One of another process's, as pidfd_getfd(2) gives it."""
    copy = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, process, fd, 0)
    if copy < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    return copy


def daemons_end(running, client):
    """The daemon's socket of the client's connection."""
    process = os.pidfd_open(running.pid)
    try:
        for name in os.listdir(f"/proc/{running.pid}/fd"):
            if not os.readlink(f"/proc/{running.pid}/fd/{name}").startswith("socket:"):
                continue
            end = socket.socket(fileno=copy_descriptor(process, int(name)))
            try:
                if end.getpeername() == client.socket.getsockname():
                    return end
            except OSError:  # it listens
                pass
            end.close()
    finally:
        os.close(process)
    raise AssertionError("the daemon has no such connection")


class Options(unittest.TestCase):
    def options(self, running):
        """Of a new connection: keepalive, nodelay."""
        client = running.connect("echo")
        client.exchange(b"x")
        with daemons_end(running, client) as end:
            return (end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0,
                    end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0)

    def test_connections_have_what_the_listener_says(self):
        for keepalive, nodelay in (True, False), (False, True):
            words = tuple("yes" if option else "no" for option in (keepalive, nodelay))
            with self.subTest(words), daemon.Daemon(CONFIG % words) as running:
                self.assertEqual(self.options(running), (keepalive, nodelay))

    def test_new_connections_have_them_after_a_reload(self):
        with daemon.Daemon(CONFIG % ("yes", "no")) as running:
            self.assertEqual(self.options(running), (True, False))
            self.assertTrue(running.reload(CONFIG % ("no", "yes")))
            self.assertEqual(self.options(running), (False, True))


if __name__ == "__main__":
    taptest.run()
