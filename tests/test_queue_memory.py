"""What the daemon holds: for one client, and for the items. The bytes that are charged are the
bytes that are there, of anonymous memory, so that the machine's speed does not matter."""

import time
import unittest

import daemon
import queuecase
import resp
import taptest

KIBIBYTE = 1024
MEBIBYTE = 1024 * 1024

# The sanitizers' own allocator rounds up, and needs an eighth more to remember.
SLACK = 1.7 if queuecase.is_sanitized() else 1
# For the allocator, the buffers that all clients share, and what is used for the first time.
MARGIN = int(MEBIBYTE * 1.5 * SLACK)


class Held(queuecase.QueueCase):
    def start(self, *sections, **parameters):
        super().start(*sections, **parameters)
        self.client.call("RPUSH", "warm", "x" * 1000)
        self.client.call("LPOP", "warm")
        self.before = self.daemon.memory()

    def grown(self):
        return self.daemon.memory() - self.before


class Clients(Held):
    """One client's part is bounded, whatever it sends and does not read."""

    def unread_replies(self, client, request, total):
        """Asks again and again, and reads nothing, until nobody takes requests any more."""
        client.socket.settimeout(0.5)
        sent = 0
        try:
            while sent < total:
                sent += client.socket.send(request * 1000)
        except TimeoutError:
            pass
        client.socket.settimeout(daemon.DEADLINE)

    def test_who_does_not_read_his_replies_is_not_read_from(self):
        self.start(max_item_bytes="64KiB", max_request_bytes="128KiB", max_reply_bytes="128KiB",
                   reply_timeout="none")
        self.client.call("RPUSH", "q", "x" * 64000)
        self.before = self.daemon.memory()
        clients = [self.connect(queuecase.UNIX) for _ in range(5)]
        for client in clients:
            self.unread_replies(client, resp.encode("LRANGE", "q", 0, -1), 4 * MEBIBYTE)
        # Each: replies up to the watermark and one more, requests up to the limit.
        self.assertLess(self.grown(), (5 * (2 * 128 + 64 + 132) * KIBIBYTE) * SLACK + MARGIN)
        self.assertEqual(clients[0].read(), ["x" * 64000])
        self.assertEqual(self.client.call("PING"), "PONG")

    def test_who_does_not_read_for_too_long_is_closed(self):
        self.start(reply_timeout="300ms")
        self.client.call("RPUSH", "q", "x" * 100000)
        client = self.connect(queuecase.UNIX)
        client.send(resp.encode("LRANGE", "q", 0, -1) * 100)
        self.daemon.wait_log("does not read its replies")
        daemon.wait_until(lambda: "connected_clients:1\r" in self.client.call("INFO"), "it is gone")
        try:  # it has what the kernel had taken, and no more
            self.assertLess(len(client.receive_all()), 100 * 100000)
        except ConnectionResetError:
            pass

    def test_who_reads_slowly_is_not_closed(self):
        self.start(reply_timeout="1s")
        self.client.call("RPUSH", "q", "x" * 100000)
        client = self.connect(queuecase.UNIX)
        client.send(resp.encode("LRANGE", "q", 0, -1) * 30)
        for _ in range(15):
            time.sleep(0.1)
            self.assertEqual(len(client.receive(100000)), 100000)
        self.assertEqual(len(client.receive(30 * (100000 + 15) - 1500000)), 30 * 100015 - 1500000)
        self.assertEqual(client.call("PING"), "PONG")

    def test_transaction_with_large_replies(self):
        """All of its replies are one, and bounded."""
        self.start(max_item_bytes="64KiB", max_request_bytes="128KiB", max_reply_bytes="1MiB")
        self.client.call("RPUSH", "q", *["x" * 60000] * 2)
        self.before = self.daemon.memory()
        client = self.connect(queuecase.UNIX)
        client.send(resp.encode("MULTI") + resp.encode("LRANGE", "q", 0, -1) * 1000)
        self.assertEqual(client.reads(1001)[-1], "QUEUED")
        client.ask("EXEC")
        client.wait_taken()
        self.assertEqual(self.client.call("PING"), "PONG")
        self.assertLess(self.grown(), 3 * MEBIBYTE * SLACK + MARGIN)
        answers = client.read()
        self.assertEqual(answers[0], ["x" * 60000] * 2)
        self.assertRegex(answers[-1], "^TOOBIG ")

    def test_replies_that_repeat_themselves(self):
        """A short request for a long answer."""
        self.start(max_reply_bytes="1100KiB", max_request_bytes="2MiB")
        for subcommand in "DOCS", "INFO":
            answer = self.client.call("COMMAND", subcommand, *["lpop"] * 50000)
            self.assertRegex(str(answer)[:7], "^TOOBIG ")
        self.assertLess(self.grown(), 6 * MEBIBYTE * SLACK + MARGIN)

    def test_announced_sizes_are_not_allocated(self):
        self.start(max_item_bytes="512MiB", max_bytes="1GiB", max_request_bytes="1GiB",
                   max_reply_bytes="1GiB", max_total_bytes="1GiB")
        clients = []
        for start in (b"*1048576\r\n", b"*3\r\n$536870912\r\n", b"*1048576\r\n$5\r\nRPUSH\r\n",
                      b"*3\r\n$5\r\nRPUSH\r\n$1\r\nq\r\n$536000000\r\n" + b"x" * 1000):
            for _ in range(20):
                client = self.connect(queuecase.UNIX)
                client.send(start)
                client.wait_taken()
                clients.append(client)
        self.assertEqual(self.client.call("PING"), "PONG")
        self.assertLess(self.grown(), MARGIN)

    def test_many_arguments_that_really_come(self):
        """Of a request of some 2 MiB; afterwards they are forgotten."""
        self.start()
        self.client.call("EXISTS", *["q"] * 250000)
        once = self.grown()
        self.assertLess(once, 16 * MEBIBYTE * SLACK + MARGIN)
        for _ in range(10):
            client = self.connect()
            client.call("EXISTS", *["q"] * 250000)
        self.assertLess(self.grown(), once + 3 * MEBIBYTE * SLACK + MARGIN)

    def test_requests_up_to_the_limit(self):
        limit = 8192
        self.start(max_request_bytes=limit, max_reply_bytes=limit, max_item_bytes=5000)
        fill = limit - len(resp.encode("RPUSH", "q", "", "x" * 4000)) - 3
        for more, answer in ((0, 2), (1, "TOOBIG request is over max_request_bytes"), (-1, 2)):
            request = resp.encode("RPUSH", "q", "y" * (fill + more), "x" * 4000)
            self.assertEqual(len(request), limit + more)
            self.client.call("DEL", "q")
            for client in self.client, self.connect(queuecase.UNIX):
                client.call("DEL", "q")
                client.send(request[:limit // 2])
                if client is not self.client:
                    client.wait_taken()
                client.send(request[limit // 2:])
                self.assertEqual(client.read(), answer)
                self.assertEqual(client.call("PING"), "PONG")

    def test_ten_thousand_pushes_and_pops_in_one_write(self):
        self.start()
        client = self.connect(queuecase.UNIX)
        requests = b"".join(resp.encode("RPUSH", "q", i) + resp.encode("LPOP", "q")
                            for i in range(10000))
        client.socket.setblocking(False)
        answers = bytearray()
        while requests or len(answers) < 10000 * 4:
            try:
                requests = requests[client.socket.send(requests):]
            except BlockingIOError:
                pass
            try:
                answers += client.socket.recv(MEBIBYTE)
            except BlockingIOError:
                pass
        expected = b"".join(b":1\r\n" + b"$%d\r\n%d\r\n" % (len(str(i)), i) for i in range(10000))
        client.socket.setblocking(True)
        answers += client.receive(len(expected) - len(answers))
        self.assertEqual(bytes(answers), expected)
        self.assertLess(self.grown(), MARGIN)

    def test_waiting_clients_that_keep_sending(self):
        self.start(max_request_bytes="64KiB", max_reply_bytes="64KiB", max_item_bytes="32KiB")
        clients = [self.consumer("BLPOP", "q", 0, client=self.connect(queuecase.UNIX))
                   for _ in range(10)]
        for client in clients:
            client.fill(4 * MEBIBYTE, pause=0.1)
        self.assertLess(self.grown(), 10 * 2 * 66 * KIBIBYTE * SLACK + MARGIN)
        self.assertEqual(self.totals()["blocked_clients"], "10")


class Items(Held):
    """Items, and what is left when they have gone."""

    def push(self, size, total, queue="q"):
        """Until so many bytes are charged; returns how many are."""
        count = max(1, min(10000, 256 * KIBIBYTE // (size + 16)))
        request = resp.encode("RPUSH", queue, *["x" * size] * count)
        while (charged := self.figures_or_zero(queue)) < total:
            self.client.send(request)
            self.client.read()
        return charged

    def figures_or_zero(self, queue):
        return self.client.qinfo(queue).get("bytes", 0)

    def test_charged_bytes_are_the_bytes_held(self):
        total = 8 * MEBIBYTE
        for size in 0, 1, 13, 100, 1000, 4000, 5000, 60000, 500000:
            with self.subTest(size=size):
                self.start(max_items=10 ** 9)
                self.push(size, MEBIBYTE, "other")  # what one request of that kind needs
                self.client.call("DEL", "other")
                before = self.daemon.memory()
                charged = self.push(size, total)
                held = self.daemon.memory() - before
                self.assertLess(held, charged * 33 / 32 * SLACK + MARGIN)
                if size >= 100:
                    self.assertGreater(held, charged * 0.8 - MARGIN)
                self.daemon.stop()

    def test_bound_in_bytes_is_one_on_memory(self):
        """However items of all sizes come and go: besides them there are holes between them, and
        the requests that brought them, of which the largest is as large as the largest item."""
        self.start(max_items=10 ** 9, max_bytes="4MiB", max_item_bytes="300KiB")
        sizes = [0, 5, 30, 200, 900, 5000, 3, 70, 40000, 10, 300000]
        for i in range(3000):
            size = sizes[i % 11] // (1 + i % 3)
            count = 1 + i % 7 if size < 1000 else 1
            end = ("RPUSH", "LPUSH")[i // 500 % 2]
            self.client.send(resp.encode(end, "q", *["x" * size] * count))
            if i % 50 == 49:
                self.client.reads(50)
        self.assertLess(self.grown(), 4 * MEBIBYTE * 33 / 32 * SLACK + MARGIN + 5 * 256 * KIBIBYTE)
        self.assertGreater(self.figures("evicted")[0], 1000)

    @unittest.skipIf(queuecase.is_sanitized(), "the sanitizer keeps what is freed")
    def test_memory_goes_back_when_queues_empty(self):
        for size in 10, 1000, 5000, 200000:
            with self.subTest(size=size):
                self.start(max_items=10 ** 9, max_total_bytes="1GiB")
                for queue in "abc":
                    self.push(size, 12 * MEBIBYTE, queue)
                self.assertGreater(self.grown(), 10 * MEBIBYTE)
                while self.client.call("LPOP", "a", 1000):
                    pass
                self.client.call("DEL", "b")
                while self.client.call("RPOP", "c", 1000):
                    pass
                self.assertLess(self.grown(), 5 * MEBIBYTE)
                self.daemon.stop()

    def test_memory_is_used_again(self):
        self.start(max_items=10 ** 9)
        for size in 10, 3000, 40, 100000, 700, 10:
            self.push(size, 8 * MEBIBYTE)
            self.client.call("DEL", "q")
        self.assertLess(self.grown(), 2 * 8 * MEBIBYTE * SLACK + MARGIN)

    def test_queues_with_one_item_left_are_small(self):
        """Each has held many: the room of those must not stay for the one."""
        count = 1000
        items = resp.encode(*["x" * 50] * 3000).partition(b"\r\n")[2]
        for ends in "LL", "RR", "LR", "RL":
            with self.subTest(ends=ends):
                self.start(max_queues=count + 1)
                for i in range(count):
                    name = b"%04d" % i
                    self.client.send(b"*3002\r\n$5\r\nRPUSH\r\n$4\r\n" + name + b"\r\n" + items +
                                     resp.encode(ends[0] + "POP", name, 1000) +
                                     resp.encode(ends[1] + "POP", name, 1999))
                    # Of each, its first line and its length.
                    self.client.input.read(len(b":3000\r\n*1000\r\n*1999\r\n") + 2999 * 57)
                self.assertEqual(self.totals()["items"], str(count))
                self.assertLess(self.grown(), count * 3 * KIBIBYTE * SLACK + 2 * MARGIN)
                self.daemon.stop()

    def test_names_that_were_once_used(self):
        """Empty queues are forgotten above max_queues."""
        self.start(max_queues=500)
        for i in range(20):
            self.client.send(b"".join(
                resp.encode("RPUSH", f"{i}:{j}" + "n" * 900, "x") +
                resp.encode("LPOP", f"{i}:{j}" + "n" * 900) for j in range(500)))
            self.client.reads(1000)
        self.assertLess(self.grown(), 500 * 3 * KIBIBYTE * SLACK + MARGIN)

    def test_leased_items_are_there_once(self):
        self.start(max_items=10 ** 9)
        charged = self.push(20000, 8 * MEBIBYTE)
        for _ in range(charged // 20000 // 10 + 1):
            self.client.call("QTAKE", "q", 10, "0.01", 60)
        self.assertEqual(self.figures("items", "bytes"), (0, charged))
        self.assertLess(self.grown(), charged * 33 / 32 * SLACK + 2 * MARGIN)


if __name__ == "__main__":
    taptest.run()
