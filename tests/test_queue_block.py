"""overflow = block: pushes wait for room, in order, and nobody else's business waits for them."""

import time

import daemon
import queuecase
import resp
import taptest

FULL = "^FULL queue 'q' holds "


class Order(queuecase.QueueCase):
    """Who waits for room is admitted in the order in which he came."""

    def start(self, **parameters):
        return super().start(**{"overflow": "block", "push_timeout": "forever"} | parameters)

    def test_first_come_first_admitted(self):
        self.start(max_items=2)
        self.client.call("RPUSH", "q", "a", "b")
        producers = [self.producer("RPUSH", "q", item) for item in "cdefg"]
        got = []
        for i, producer in enumerate(producers):
            self.assert_silent(*producers[i:])
            got.append(self.client.call("LPOP", "q"))
            self.assertEqual(producer.read(), 2)
        self.assertEqual(got + self.items(), list("abcdefg"))
        self.assertEqual(self.figures("waiting_push", "blocked", "timed_out", "high_items"),
                         (0, 5, 0, 2))
        self.assert_conserved()

    def test_each_pushes_at_its_end(self):
        self.start(max_items=1)
        self.client.call("RPUSH", "q", "a")
        producers = [self.producer("LPUSH", "q", "b"), self.producer("BRPUSH", "q", "c", 0),
                     self.producer("BLPUSH", "q", "d", 0), self.producer("RPUSH", "q", "e")]
        self.reload_bound(4)
        self.assertEqual([producer.read() for producer in producers[:3]], [2, 3, 4])
        self.assertEqual(self.items(), ["d", "b", "a", "c"])
        self.client.call("LPOP", "q")
        self.assertEqual(producers[3].read(), 4)
        self.assertEqual(self.items(), ["b", "a", "c", "e"])

    def reload_bound(self, max_items):
        self.reload(overflow="block", push_timeout="forever", max_items=max_items)

    def test_one_pop_of_many_admits_many(self):
        self.start(max_items=3)
        self.client.call("RPUSH", "q", "a", "b", "c")
        producers = [self.producer("RPUSH", "q", item) for item in "defg"]
        self.assertEqual(self.client.call("LPOP", "q", 3), ["a", "b", "c"])
        self.assertEqual([producer.read() for producer in producers[:3]], [1, 2, 3])
        self.assert_silent(producers[3])
        self.assertEqual(self.client.call("DEL", "q"), 1)
        self.assertEqual(producers[3].read(), 1)

    def test_small_batch_does_not_overtake_a_large_one(self):
        self.start(max_items=4)
        self.client.call("RPUSH", "q", *"abcd")
        large = self.producer("RPUSH", "q", *"xyz")
        small = self.producer("RPUSH", "q", "s")
        for item in "ab":
            self.assertEqual(self.client.call("LPOP", "q"), item)
            self.assert_silent(large, small)  # though the small one would fit
        late = self.producer("RPUSH", "q", "late")  # and so would this one
        self.client.call("LPOP", "q")
        self.assertEqual(large.read(), 4)
        self.assert_silent(small, late)
        self.client.call("LPOP", "q", 2)
        self.assertEqual((small.read(), late.read()), (3, 4))
        self.assertEqual(self.items(), ["y", "z", "s", "late"])

    def test_large_batch_is_not_starved(self):
        """Others bring as much as is taken all the time: it has its turn all the same."""
        self.start(max_items=10)
        self.client.call("RPUSH", "q", *range(10))
        large = self.producer("RPUSH", "q", *["large"] * 10)
        small = []
        for _ in range(10):
            small.append(self.producer("RPUSH", "q", "small"))
            self.assert_silent(large, *small)
            self.client.call("LPOP", "q")
        self.assertEqual(large.read(), 10)
        self.assertEqual(self.client.call("LPOP", "q", 10), ["large"] * 10)
        self.assertEqual([client.read() for client in small], list(range(1, 11)))

    def test_room_is_counted_in_bytes_too(self):
        self.start(max_bytes=1000, max_item_bytes=500)
        self.client.call("RPUSH", "q", "x" * 400, "y" * 400)
        large = self.producer("RPUSH", "q", "l" * 450)
        small = self.producer("RPUSH", "q", "s")
        self.assertEqual(self.client.call("LPOP", "q"), "x" * 400)
        self.assertEqual((large.read(), small.read()), (2, 3))
        self.assertLessEqual(self.figures("high_bytes"), (1000,))

    def test_whatever_frees_room_admits(self):
        self.start(max_items=3)
        for free in (["LPOP", "q"], ["RPOP", "q", 1], ["BLPOP", "q", 0], ["BRPOP", "q", 0],
                     ["LMPOP", 1, "q", "LEFT"], ["BLMPOP", 0, 1, "q", "RIGHT"],
                     ["LREM", "q", 1, "b"], ["LTRIM", "q", 0, 1], ["DEL", "q"], ["UNLINK", "q"],
                     ["LMOVE", "q", "other", "LEFT", "RIGHT"], ["RPOPLPUSH", "q", "other"],
                     ["BLMOVE", "q", "other", "LEFT", "RIGHT", 0], ["FLUSHALL"], ["FLUSHDB"]):
            with self.subTest(free=free):
                self.client.call("FLUSHALL")
                self.client.call("RPUSH", "q", "a", "b", "c")
                producer = self.producer("RPUSH", "q", "d")
                self.client.call(*free)
                self.assertIn(producer.read(), (1, 3))
                self.assertIn("d", self.items())

    def test_consumer_and_producer_meet(self):
        """A pop that finds the queue full lets the next producer in, in the same turn."""
        self.start(max_items=1)
        self.client.call("RPUSH", "q", "a")
        producers = [self.producer("RPUSH", "q", item) for item in "bcd"]
        consumer = self.connect()
        consumer.send(resp.encode("BLPOP", "q", 0) * 4)
        self.assertEqual(consumer.reads(4), [["q", item] for item in "abcd"])
        self.assertEqual([producer.read() for producer in producers], [1, 1, 1])

    def test_push_that_fits_does_not_wait(self):
        self.start(max_items=2)
        self.assertEqual(self.client.call("RPUSH", "q", "a", "b"), 2)
        self.assertEqual(self.figures("blocked"), (0,))


class Time(queuecase.QueueCase):
    """How long a push waits."""

    def refusal(self, *words):
        """The answer, and how long it took."""
        begin = time.monotonic()
        answer = self.client.call(*words)
        return answer, time.monotonic() - begin

    def test_push_timeout_none_refuses_at_once(self):
        self.start(max_items=1, overflow="block", push_timeout="none")
        self.client.call("RPUSH", "q", "a")
        self.assertRegex(self.client.call("RPUSH", "q", "b"), FULL)
        self.assertEqual(self.figures("blocked", "timed_out", "rejected"), (0, 0, 1))

    def test_push_timeout_none_does_not_overtake(self):
        self.start(max_items=4, overflow="block", push_timeout="none")
        self.client.call("RPUSH", "q", "a", "b", "c")
        waiting = self.producer("BRPUSH", "q", "x", "y", 0)
        self.assertRegex(self.client.call("RPUSH", "q", "z"), FULL)
        self.client.call("LPOP", "q")
        self.assertEqual(waiting.read(), 4)

    def test_push_timeout_in_fractions_of_a_second(self):
        self.start(max_items=2, overflow="block", push_timeout="250ms")
        self.client.call("RPUSH", "q", "a")
        answer, took = self.refusal("RPUSH", "q", "b", "c")
        self.assertRegex(answer, FULL + "1/2 items")
        self.assertGreaterEqual(took, 0.25)
        self.assertLess(took, 20)
        self.assertEqual(self.items(), ["a"])
        self.assertEqual(self.figures("blocked", "timed_out", "rejected", "waiting_push"),
                         (2, 2, 0, 0))

    def test_push_timeout_forever_and_the_default(self):
        """The default is a second: who waits for ever is still there when that has passed."""
        self.start('match "ever" { push_timeout = forever }', max_items=1, overflow="block")
        for queue in "ever", "q":
            self.client.call("RPUSH", queue, "a")
        waiting = self.producer("RPUSH", "ever", "b", queue="ever")
        answer, took = self.refusal("RPUSH", "q", "b")
        self.assertRegex(answer, FULL)
        self.assertGreaterEqual(took, 1)
        self.assert_silent(waiting)
        self.client.call("LPOP", "ever")
        self.assertEqual(waiting.read(), 1)

    def test_who_gives_up_makes_way(self):
        self.start(max_items=3, overflow="block", push_timeout="forever")
        self.client.call("RPUSH", "q", "a", "b")
        large = self.producer("BRPUSH", "q", "x", "y", "0.2")
        small = self.producer("RPUSH", "q", "s")
        self.assertIsNone(large.read())
        self.assertEqual(small.read(), 3)
        self.assertEqual(self.figures("blocked", "timed_out"), (3, 2))
        self.assertEqual(large.call("PING"), "PONG")

    def test_waits_of_a_pipeline_end_one_after_the_other(self):
        self.start(max_items=1, overflow="block", push_timeout="50ms")
        self.client.call("RPUSH", "q", "a")
        begin = time.monotonic()
        self.client.send(resp.encode("RPUSH", "q", "b") * 3 + resp.encode("PING"))
        self.assertEqual([answer[:4] for answer in self.client.reads(4)],
                         ["FULL", "FULL", "FULL", "PONG"])
        self.assertGreaterEqual(time.monotonic() - begin, 0.15)


class Insisting(queuecase.QueueCase):
    """BRPUSH and BLPUSH wait under every policy, as long as they say."""

    def start(self):
        matches = [f'match "{policy}" {{ overflow = {policy} }}' for policy in queuecase.POLICIES]
        super().start(*matches, max_items=2, push_timeout="none")

    def test_they_wait_for_room(self):
        self.start()
        for queue in queuecase.POLICIES:
            with self.subTest(queue=queue):
                self.client.call("RPUSH", queue, "a", "b")
                right = self.producer("BRPUSH", queue, "r", 0, queue=queue)
                left = self.producer("BLPUSH", queue, "l", 5, queue=queue)
                self.assertEqual(self.items(queue), ["a", "b"])
                self.assertEqual(self.client.call("LPOP", queue), "a")
                self.assertEqual(right.read(), 2)
                self.assertEqual(self.client.call("LPOP", queue), "b")
                self.assertEqual(left.read(), 2)
                self.assertEqual(self.items(queue), ["l", "r"])
                self.assertEqual(self.figures("blocked", "evicted", "dropped", "rejected",
                                              queue=queue), (2, 0, 0, 0))
                self.assert_conserved(queue)

    def test_they_wait_in_vain(self):
        self.start()
        for queue in queuecase.POLICIES:
            with self.subTest(queue=queue):
                self.client.call("RPUSH", queue, "a", "b")
                begin = time.monotonic()
                self.assertIsNone(self.client.call("BLPUSH", queue, "c", "d", "0.1"))
                self.assertGreaterEqual(time.monotonic() - begin, 0.1)
                self.assertEqual(self.items(queue), ["a", "b"])
                self.assertEqual(self.figures("timed_out", "rejected", queue=queue), (2, 0))

    def test_with_room_they_do_not_wait(self):
        self.start()
        for queue in queuecase.POLICIES:
            self.assertEqual(self.client.call("BRPUSH", queue, "b", 0), 1)
            self.assertEqual(self.client.call("BLPUSH", queue, "a", 0), 2)
            self.assertEqual(self.items(queue), ["a", "b"])

    def test_what_is_wrong_with_them(self):
        self.start()
        for words, answer in (
                (("BRPUSH", "q", "a"), "ERR wrong number of arguments for 'brpush' command"),
                (("BLPUSH", "q", "a", "x"), "ERR timeout is not a float or out of range"),
                (("BLPUSH", "q", "a", "-1"), "ERR timeout is negative")):
            self.assertEqual(self.client.call(*words), answer)
        self.assertEqual(self.client.call("EXISTS", "q"), 0)


class Impossible(queuecase.QueueCase):
    """What would never fit is refused at once, and does not wait for ever."""

    def start(self):
        super().start(max_items=3, max_bytes=1000, max_item_bytes=400, overflow="block",
                      push_timeout="forever")

    def assert_too_big(self):
        for items in ["x"] * 4, ["x" * 400] * 3, ["x" * 401], ["x", "y" * 401]:
            for words in ["RPUSH", "q", *items], ["LPUSH", "q", *items], \
                    ["BRPUSH", "q", *items, 0], ["BLPUSH", "q", *items, 0]:
                self.assertRegex(self.client.call(*words), "^TOOBIG ")

    def test_in_an_empty_queue(self):
        self.start()
        self.assert_too_big()
        self.assertEqual(self.figures("pushed", "rejected", "blocked"), (0, 4 * (4 + 3 + 1 + 2), 0))

    def test_in_a_full_queue_where_others_wait(self):
        self.start()
        self.client.call("RPUSH", "q", "a", "b", "c")
        waiting = self.producer("RPUSH", "q", "d")
        self.assert_too_big()
        self.client.call("LPOP", "q")
        self.assertEqual(waiting.read(), 3)

    def test_largest_that_fits_waits(self):
        self.start()
        self.client.call("RPUSH", "q", "a")
        cost = self.figures("bytes")[0] - 1
        waiting = self.producer("RPUSH", "q", "x" * 400, "y" * 400, "z" * (200 - 3 * cost))
        self.client.call("LPOP", "q")
        self.assertEqual(waiting.read(), 3)
        self.assertEqual(self.figures("bytes"), (1000,))


class Parked(queuecase.QueueCase):
    """A client that waits for room."""

    def start(self, **parameters):
        super().start(max_items=2, overflow="block", push_timeout="forever", **parameters)
        self.client.call("RPUSH", "q", "a", "b")

    def test_what_it_sends_meanwhile_is_executed_later(self):
        self.start()
        waiting = self.connect(queuecase.UNIX)
        waiting.send(resp.encode("RPUSH", "q", "c") + resp.encode("LPUSH", "other", "x") +
                     resp.encode("PING"))
        waiting.wait_taken()
        self.wait_in("q", "waiting_push", 1)
        self.assertEqual(self.client.call("EXISTS", "other"), 0)
        self.client.call("LPOP", "q")
        self.assertEqual(waiting.reads(3), [2, 1, "PONG"])

    def test_it_is_not_read_without_bound(self):
        self.start(max_item_bytes="1KiB", max_request_bytes="16KiB")
        before = self.daemon.memory()
        waiting = self.producer("RPUSH", "q", "c", client=self.connect(queuecase.UNIX))
        ping = resp.encode("PING")
        sent = self.fill(waiting, ping * 8192)
        self.assertLess(sent, 2 << 20)  # 64 KiB, and what the kernel holds
        self.assertLess(self.daemon.memory() - before, 4 << 20)
        self.client.call("LPOP", "q")
        self.assertEqual(waiting.read(), 2)
        self.assertEqual(waiting.reads(sent // len(ping)), ["PONG"] * (sent // len(ping)))

    def fill(self, client, data):
        """Sends data again and again until nobody takes any more; returns how much was."""
        sent = 0
        client.socket.settimeout(0.3)
        try:
            while sent < 64 << 20:
                sent += client.socket.send(data[sent % len(data):])
        except TimeoutError:
            pass
        client.socket.settimeout(daemon.DEADLINE)
        return sent

    def assert_brings_nothing(self, leave):
        """The first in line leaves: the one behind it, who would fit, is admitted by that."""
        self.start()
        self.client.call("LPOP", "q")
        gone = self.connect()
        number = gone.number()
        self.producer("RPUSH", "q", "x", "y", client=gone)
        behind = self.producer("RPUSH", "q", "c")
        leave(gone, number)
        self.assertEqual(behind.read(), 2)
        self.assertEqual(self.items(), ["b", "c"])
        self.assertEqual(self.figures("waiting_push", "pushed"), (0, 3))
        self.assert_conserved()

    def test_who_closes_brings_nothing(self):
        self.assert_brings_nothing(lambda gone, _: gone.close())

    def test_who_resets_brings_nothing(self):
        self.assert_brings_nothing(lambda gone, _: gone.reset())

    def test_who_half_closes_brings_nothing_and_is_let_go(self):
        def leave(gone, _):
            gone.half_close()
            self.assertEqual(gone.receive_all(), b"")

        self.assert_brings_nothing(leave)

    def test_who_sends_more_and_goes_brings_nothing(self):
        def leave(gone, _):
            gone.send(resp.encode("RPUSH", "q", "z") * 100)
            gone.reset()

        self.assert_brings_nothing(leave)

    def test_who_is_killed_brings_nothing(self):
        self.assert_brings_nothing(
            lambda _, number: self.client.call("CLIENT", "KILL", "ID", number))

    def test_who_is_unblocked_brings_nothing(self):
        def leave(gone, number):
            self.assertEqual(self.client.call("CLIENT", "UNBLOCK", number), 1)
            self.assertRegex(gone.read(), FULL)

        self.assert_brings_nothing(leave)

    def test_who_goes_with_replies_unread_makes_way_at_once(self):
        """It may stay for long, until its replies are sent; it does not wait any more."""
        self.start(max_item_bytes="100KiB")
        self.client.call("LPOP", "q")
        gone = self.connect(queuecase.UNIX)
        number = gone.number()
        backlog = 0
        while backlog == 0:  # until the kernel takes no more replies
            gone.send(resp.encode("ECHO", "x" * 20000))
            gone.wait_taken()
            lines = self.client.call("CLIENT", "LIST").splitlines()
            line, = [line for line in lines if line.startswith(f"id={number} ")]
            backlog = int(line.partition("obl=")[2].split()[0])
        self.producer("RPUSH", "q", "x", "y", client=gone)
        behind = self.producer("RPUSH", "q", "c")
        gone.half_close()
        self.assertEqual(behind.read(), 2)


if __name__ == "__main__":
    taptest.run()
