"""Cost: what the kernel is asked for a message and for a connection, and the memory of one."""

import collections
import os
import re
import tempfile
import unittest

import daemon
import queuecase
import resp
import taptest

CONFIG = """
    listener "echo" { listen = { "ADDRESS" } echo {} }
    listener "daytime" { listen = { "ADDRESS" } daytime {} }
    listener "queue" { listen = { "ADDRESS" } queue {} }
"""
# "recvfrom(9, ...) = 64", "epoll_ctl(3, EPOLL_CTL_ADD, 9, ...) = 0", "accept4(8, ...) = 9"
CALL = re.compile(r"^(epoll_ctl|[a-z0-9]+)\((\d+)(?:, EPOLL_CTL_(\w+), (\d+))?.*\) += (\d+)",
                  re.MULTILINE)


class Traced(daemon.Daemon):
    """A daemon whose calls about sockets can be asked for. strace stays its grandchild."""

    def __init__(self, config):
        with tempfile.NamedTemporaryFile(prefix="cistern-", delete=False) as trace:
            self.trace = trace.name
        # LeakSanitizer does not work under ptrace.
        options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        super().__init__(config, env={"ASAN_OPTIONS": options}, prefix=(
            "strace", "-D", "-qq", "-o", self.trace, "-e", "signal=none", "-e",
            "trace=%network,close,epoll_ctl,poll,fcntl,ioctl"))

    def __exit__(self, *error):
        super().__exit__(*error)
        os.unlink(self.trace)

    def connections(self):
        """For each that was accepted and closed: how often which call was made for it."""
        calls, done = {}, []
        with open(self.trace, encoding="ascii", errors="replace") as trace:
            for name, fd, change, polled, result in CALL.findall(trace.read()):
                if name == "accept4":
                    calls[result] = collections.Counter()
                elif (polled or fd) in calls:
                    calls[polled or fd][f"epoll_ctl {change}" if change else name] += 1
                if name == "close" and fd in calls:
                    done.append(dict(calls.pop(fd)))
        return done

    def wait_connections(self, count):
        daemon.wait_until(lambda: len(self.connections()) >= count, f"{count} were closed")
        return self.connections()


class Calls(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Traced(CONFIG))

    def expect(self, count, **calls):
        calls.update({"epoll_ctl ADD": 1, "epoll_ctl DEL": 1, "close": 1})
        self.assertEqual(self.daemon.wait_connections(count), [calls] * count)

    def test_message_is_one_recv_and_one_send(self):
        clients = [self.daemon.connect("echo") for _ in range(20)]
        for _ in range(50):
            for client in clients:
                client.send(b"x" * 64)
            for client in clients:
                self.assertEqual(client.receive(64), b"x" * 64)
        self.daemon.close_clients()
        self.expect(20, recvfrom=51, sendto=50)

    def test_requests_that_come_together_are_answered_together(self):
        client = self.daemon.connect("queue", kind=resp.Client)
        for _ in range(10):
            client.send(resp.encode("RPUSH", "q", "x") * 16)
            for _ in range(16):
                client.read()
        client.close()
        self.expect(1, recvfrom=11, sendto=10)

    def test_connection_that_the_client_closes(self):
        for _ in range(3):
            client = self.daemon.connect("echo")
            self.assertEqual(client.exchange(b"hello"), b"hello")
            client.close()
        self.expect(3, recvfrom=2, sendto=1)

    def test_connection_that_the_daemon_closes(self):
        """It is polled no more often for that."""
        for _ in range(3):
            client = self.daemon.connect("daytime")
            self.assertTrue(client.receive_all().endswith(b"\r\n"))
            client.close()
        self.expect(3, sendto=1, shutdown=1, recvfrom=1)

    def test_connection_that_the_daemon_closes_when_asked_to(self):
        client = self.daemon.connect("queue", kind=resp.Client)
        self.assertEqual(client.call("QUIT"), "OK")
        self.assertEqual(client.receive_all(), b"")
        client.close()
        self.expect(1, recvfrom=2, sendto=1, shutdown=1)


@unittest.skipIf(queuecase.is_sanitized(), "the sanitizer's memory is its own")
class Memory(unittest.TestCase):
    """Anonymous memory of one connection, bytes."""

    COUNT = 800

    def per_connection(self, name, use=lambda client: None):
        with daemon.Daemon(CONFIG) as running:
            idle = len(running.descriptors())
            for _ in range(10):
                use(running.connect(name))
            running.close_clients()
            running.wait_descriptors(idle)
            before = running.memory()
            for _ in range(self.COUNT):
                use(running.connect(name))
            running.wait_descriptors(idle + self.COUNT)
            return (running.memory() - before) / self.COUNT

    def test_idle_connection(self):
        self.assertLessEqual(self.per_connection("echo"), 1350)

    def test_idle_connection_to_a_queue(self):
        self.assertLessEqual(self.per_connection("queue"), 1600)

    def test_large_message_leaves_nothing_behind(self):
        message = os.urandom(64 * 1024)
        self.assertLessEqual(self.per_connection("echo", lambda c: c.exchange(message)), 1350)


if __name__ == "__main__":
    taptest.run()
