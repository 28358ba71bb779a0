"""max_buffered: all connections together hold no more, whatever each of them may."""

import os
import select
import time
import unittest

import controlcase
import daemon
import queuecase
import resp
import taptest

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE
LIMIT = 4 * MEBIBYTE
CLIENTS = 50
# Of memory, for the allocator and what libevent takes in powers of two.
HEADROOM = 8 * MEBIBYTE
# As src/relief.h has it, seconds.
PATIENCE = 10


def config(workers, limit="4MiB"):
    return f"""
        workers = {workers}
        max_buffered = {limit}
        listener "echo" {{ listen = {{ "unix:${{DIRECTORY}}/echo" }} echo {{ buffer = 1MiB }} }}
        listener "chars" {{ listen = {{ "ADDRESS" }} chargen {{}} }}
        listener "jobs" {{ listen = {{ "unix:${{DIRECTORY}}/jobs" }}
            queue {{ max_items = 1000 max_request_bytes = 16MiB }} }}
    """ + controlcase.CONTROL


def flood(clients, most=MEBIBYTE):
    """Sends what is taken, so many bytes each at most, and reads nothing."""
    unsent = {client.socket: most for client in clients}
    block = bytes(64 * KIBIBYTE)
    for sock in unsent:
        sock.setblocking(False)
    while ready := select.select([], [sock for sock in unsent if unsent[sock] > 0], [], 0.3)[1]:
        for sock in ready:
            try:
                unsent[sock] -= sock.send(block[:unsent[sock]])
            except ConnectionError:
                unsent[sock] = 0
    for sock in unsent:
        sock.settimeout(daemon.DEADLINE)


class Limit(controlcase.ControlCase):
    WORKERS = 1
    CONFIG = config(WORKERS)

    def status(self):
        return self.ask("status")

    def closed(self):
        return sum(row["lost_buffered"] for row in self.ask("listeners"))

    def wait_relief(self):
        """Nothing more is held back."""
        daemon.wait_until(lambda: self.status()["buffered_bytes"] < LIMIT * 9 // 10, "there is room")

    def assert_bounded(self, before):
        self.assertGreater(self.status()["buffered_overruns"], 0)
        self.assertLessEqual(self.status()["buffered_bytes"], LIMIT * 1.1)
        if not queuecase.is_sanitized():
            self.assertLess(self.daemon.memory() - before, LIMIT * 1.1 + HEADROOM)

    def test_clients_of_echo_that_read_nothing(self):
        before = self.daemon.memory()
        clients = [self.daemon.connect("echo") for _ in range(CLIENTS)]
        flood(clients)
        self.assert_bounded(before)
        self.assertEqual(self.daemon.connect("echo").exchange(b"hi"), b"hi")
        self.assertEqual(self.daemon.log().count("max_buffered is reached"), 1)

    def test_requests_that_are_not_whole(self):
        before = self.daemon.memory()
        clients = [self.daemon.connect("jobs") for _ in range(CLIENTS)]
        head = b"*2\r\n$4\r\nECHO\r\n$15000000\r\n"
        for client in clients:
            client.send(head)
        flood(clients)
        self.assert_bounded(before)
        self.assertEqual(self.daemon.connect("jobs", kind=resp.Client).call("PING"), "PONG")

    def test_replies_that_nobody_reads(self):
        client = self.daemon.connect("jobs", kind=resp.Client)
        for _ in range(8):
            client.call("RPUSH", "q", b"x" * (MEBIBYTE // 8))
        before = self.daemon.memory()
        silent = [self.daemon.connect("jobs", kind=resp.Client) for _ in range(CLIENTS)]
        for other in silent:
            other.ask("LRANGE", "q", 0, -1)
        daemon.wait_until(lambda: self.closed() > 0, "some of them were closed")
        self.assert_bounded(before)
        self.assertEqual(client.call("LLEN", "q"), 8)

    def test_reading_goes_on_when_there_is_room(self):
        """Of many that share what there is, each gets all of its own back."""
        clients = [self.daemon.connect("echo") for _ in range(8)]
        data = os.urandom(2 * MEBIBYTE)
        sent = dict.fromkeys(clients, 0)
        received = {client: bytearray() for client in clients}
        by_socket = {client.socket: client for client in clients}
        for sock in by_socket:
            sock.setblocking(False)

        def send_all(sockets):
            while ready := select.select([], sockets, [], 0.3)[1]:
                for sock in ready:
                    client = by_socket[sock]
                    sent[client] += sock.send(data[sent[client]:sent[client] + 65536])
                sockets = [sock for sock in sockets if sent[by_socket[sock]] < len(data)]

        send_all(list(by_socket))
        self.assertGreater(self.status()["buffered_overruns"], 0)
        self.assertEqual(self.closed(), 0)
        deadline = time.monotonic() + daemon.DEADLINE
        while any(len(got) < len(data) for got in received.values()):
            self.assertLess(time.monotonic(), deadline)
            readable, writable, _ = select.select(
                list(by_socket), [s for s in by_socket if sent[by_socket[s]] < len(data)], [], 1)
            for sock in readable:
                received[by_socket[sock]] += sock.recv(65536)
            for sock in writable:
                client = by_socket[sock]
                sent[client] += sock.send(data[sent[client]:sent[client] + 65536])
        self.assertTrue(all(got == data for got in received.values()))
        self.assertEqual(self.closed(), 0)
        self.wait_relief()

    def test_largest_is_closed_and_the_others_live(self):
        small = [self.daemon.connect("echo") for _ in range(4)]
        for client in small:
            client.fill(600 * KIBIBYTE)
        self.assertEqual(self.status()["buffered_overruns"], 0)
        large = self.daemon.connect("jobs")
        large.send(b"*2\r\n$4\r\nECHO\r\n$15000000\r\n")
        flood([large], LIMIT)
        daemon.wait_until(lambda: self.closed() == 1, "somebody was closed")
        for client in small:
            self.assertEqual(len(client.receive(600 * KIBIBYTE)), 600 * KIBIBYTE)
        self.assertEqual(self.listener("jobs")["lost_buffered"], 1)

    def is_reached(self):
        return self.status()["buffered_overruns"] > 0

    def test_nobody_gives_way(self):
        """Halves of requests fill it, and are neither read on nor so much that one is closed."""
        half = b"*2\r\n$4\r\nECHO\r\n$2000000\r\n" + bytes(100 * KIBIBYTE)
        while not self.is_reached():
            held = self.status()["buffered_bytes"]
            self.daemon.connect("jobs").send(half)
            daemon.wait_until(
                lambda: self.status()["buffered_bytes"] >= held + len(half) or self.is_reached(),
                "it is read")
        begun = time.monotonic()
        self.assertEqual(self.closed(), 0)
        daemon.wait_until(self.closed, "it takes too long")
        self.assertGreater(time.monotonic() - begun, PATIENCE / 2)
        self.wait_relief()
        self.assertLess(self.closed(), 10)

    def test_reload(self):
        """On for connections that there are, and off again."""
        self.daemon.reload(config(self.WORKERS, limit="none"))
        clients = [self.daemon.connect("echo") for _ in range(8)]
        flood(clients)
        self.assertIsNone(self.status()["buffered_bytes"])
        self.assertTrue(self.daemon.reload(config(self.WORKERS, limit="1MiB")))
        self.assertLessEqual(self.status()["buffered_bytes"], 1.1 * MEBIBYTE)
        self.assertGreater(self.closed(), 0)
        closed = self.closed()
        self.assertTrue(self.daemon.reload(config(self.WORKERS, limit="none")))
        self.assertIsNone(self.status()["buffered_bytes"])
        self.assertEqual(self.daemon.connect("echo").exchange(b"hi"), b"hi")
        self.assertEqual(self.closed(), closed)


class Workers(Limit):
    """The same over several threads."""

    WORKERS = 2
    CONFIG = config(WORKERS)


if __name__ == "__main__":
    taptest.run()
