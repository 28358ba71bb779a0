"""Bounds: what a client does not take back does not pile up in the daemon."""

import select
import socket
import time
import unittest

import daemon
import resp
import taptest

KIBIBYTE = 1024
MEBIBYTE = 1024 * 1024


def tcp_queues():
    """(local address, remote address) -> bytes sent and not acknowledged, received and not read."""
    queues = {}
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table.readlines()[1:]:
            fields = line.split()
            queues[fields[1], fields[2]] = tuple(int(n, 16) for n in fields[4].split(":"))
    return queues


def kernel_name(address):
    host, port = address
    return f"{int.from_bytes(socket.inet_aton(host), 'little'):08X}:{port:04X}"


class Flood:
    """An echo client that sends what it can. It counts what is neither in its hands nor in the
    kernel's: that is what the daemon holds."""

    def __init__(self, client):
        self.client = client
        self.sent = 0
        self.received = 0
        here = kernel_name(client.socket.getsockname())
        there = kernel_name(client.socket.getpeername())
        self.rows = (here, there), (there, here)

    def fill(self):
        self.sent += len(self.client.fill())

    def take(self, count):
        self.received += len(self.client.receive(count))

    def snapshot(self):
        queues = tcp_queues()
        return queues[self.rows[0]] + queues[self.rows[1]]

    def held(self):
        """Once nothing moves any more: the queues of both sides are read one after the other."""
        last = None
        deadline = time.monotonic() + daemon.DEADLINE
        while (now := self.snapshot()) != last:
            assert time.monotonic() < deadline, "it never comes to rest"
            last = now
            time.sleep(0.1)
        return self.sent - self.received - sum(now)


class EchoBuffer(unittest.TestCase):
    def test_two_listeners_keep_their_own_bound(self):
        config = """
            listener "small" { listen = { "ADDRESS" } echo { buffer = 512 } }
            listener "large" { listen = { "ADDRESS" } echo { buffer = 64KiB } }
        """
        most = {}
        with daemon.Daemon(config) as running:
            for name in "small", "large":
                flood = Flood(running.connect(name, receive_buffer=4096))
                seen = []
                for _ in range(3):
                    flood.fill()
                    seen.append(flood.held())
                    flood.take(300 * KIBIBYTE)
                self.assertGreater(min(seen), 0)
                most[name] = max(seen)
        self.assertLessEqual(most["small"], 512)
        self.assertLessEqual(most["large"], 64 * KIBIBYTE)
        self.assertGreater(most["large"], 512)


class Memory(unittest.TestCase):
    """Of anonymous memory, so that the machine's speed does not matter. The allowance is for the
    allocator; who had no bound would take a multiple of it."""

    def test_slow_readers_of_echo(self):
        config = 'listener "echo" { listen = { "unix:${DIRECTORY}/s" } echo { buffer = 64KiB } }'
        with daemon.Daemon(config) as running:
            before = running.memory()
            clients = [running.connect("echo") for _ in range(50)]
            unsent = {client.socket: 4 * MEBIBYTE for client in clients}
            block = bytes(MEBIBYTE)
            for connection in unsent:
                connection.setblocking(False)
            while writable := select.select([], [c for c in unsent if unsent[c] > 0], [], 0.3)[1]:
                for connection in writable:
                    unsent[connection] -= connection.send(block[:unsent[connection]])
            self.assertGreater(min(unsent.values()), 0, "the bound was never reached")
            self.assertLess(running.memory() - before, 50 * 64 * KIBIBYTE + 8 * MEBIBYTE)

    def test_chargen_that_nobody_reads(self):
        config = 'listener "chargen" { listen = { "ADDRESS" } chargen {} }'
        with daemon.Daemon(config) as running:
            before = running.memory()
            clients = [running.connect("chargen", receive_buffer=4096) for _ in range(20)]
            for client in clients:
                daemon.wait_until(client.unread, "it has sent something")
            time.sleep(0.5)
            self.assertLess(running.memory() - before, 16 * MEBIBYTE)

    def test_client_of_a_queue_that_reads_no_replies(self):
        config = 'listener "jobs" { listen = { "ADDRESS" } queue {} }'
        with daemon.Daemon(config) as running:
            client = running.connect("jobs", kind=resp.Client)
            for _ in range(4):
                client.call("RPUSH", "q", b"x" * (MEBIBYTE // 4))
            before = running.memory()
            silent = running.connect("jobs", kind=resp.Client, receive_buffer=4096)
            silent.send(resp.encode("LRANGE", "q", 0, -1) * 200)
            daemon.wait_until(silent.unread, "it has been answered")
            self.assertEqual(client.call("LLEN", "q"), 4)
            self.assertLess(running.memory() - before, 16 * MEBIBYTE)

    def test_queue_client_that_does_not_read_is_not_read_from(self):
        config = 'listener "jobs" { listen = { "unix:${DIRECTORY}/jobs.sock" } queue {} }'
        with daemon.Daemon(config) as running:
            before = running.memory()
            silent = running.connect("jobs", kind=resp.Client)
            request = resp.encode("ECHO", b"x" * 1000)
            silent.socket.settimeout(0.3)
            with self.assertRaises(TimeoutError):
                for _ in range(50000):
                    silent.send(request)
            self.assertLess(running.memory() - before, 16 * MEBIBYTE)

    def test_announced_sizes_take_no_memory(self):
        """A header costs what came in, not what it promises."""
        config = """listener "jobs" { listen = { "ADDRESS" }
            queue { max_item_bytes = 256MiB max_bytes = 512MiB max_request_bytes = 512MiB } }"""
        with daemon.Daemon(config) as running:
            before = running.memory()
            for _ in range(50):
                client = running.connect("jobs", kind=resp.Client)
                client.send(b"*1048576\r\n$5\r\nRPUSH\r\n$1\r\nq\r\n$268435456\r\nx")
            self.assertEqual(running.connect("jobs", kind=resp.Client).call("PING"), "PONG")
            self.assertLess(running.memory() - before, 16 * MEBIBYTE)

    def test_storm_of_connections_leaves_nothing_behind(self):
        config = 'listener "echo" { listen = { "ADDRESS" } echo {} }'
        with daemon.Daemon(config) as running:
            idle = len(running.descriptors())

            def storm():
                for _ in range(500):
                    client = running.connect("echo")
                    client.exchange(b"x" * 100)
                    client.close()
                running.wait_descriptors(idle)

            for _ in range(3):  # until the allocator has what it needs
                storm()
            before = running.memory()
            for _ in range(3):
                storm()
            self.assertLess(running.memory() - before, MEBIBYTE // 2)


if __name__ == "__main__":
    taptest.run()
