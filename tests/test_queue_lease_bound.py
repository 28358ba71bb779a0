"""Leased items count towards the bounds, and what else may happen while they are out."""

import random

import daemon
import queuecase
import resp
import taptest


class Bound(queuecase.QueueCase):
    """Leased items count towards the bound of their queue, and of all."""

    def test_items(self):
        for policy in "reject", "drop-newest", "drop-oldest":
            with self.subTest(policy=policy):
                self.start(max_items=3, overflow=policy)
                self.client.call("RPUSH", "q", *"abc")
                numbers, _, _ = self.take(count=2)
                answer = str(self.client.call("RPUSH", "q", "x"))
                if policy == "reject":
                    self.assertRegex(answer, "^FULL queue 'q' holds 3/3 items")
                self.assertEqual(self.items(), ["x"] if policy == "drop-oldest" else ["c"])
                self.client.call("QNACK", "q", *numbers)
                self.assertEqual(len(self.items()), 3)
                self.assertEqual(self.figures("high_items"), (3,))
                self.assert_conserved()
                self.daemon.stop()

    def test_bytes(self):
        self.start(max_bytes=1000, max_item_bytes=400, overflow="reject")
        self.client.call("RPUSH", "q", "x" * 400, "y" * 400)
        held = self.figures("bytes")
        numbers, _, _ = self.take(count=2)
        self.assertEqual(self.figures("bytes", "items"), (*held, 0))
        self.assertRegex(self.client.call("RPUSH", "q", "z" * 400),
                         f"^FULL queue 'q' holds 2/[0-9]+ items, {held[0]}/1000 bytes")
        self.assertEqual(self.client.call("QACK", "q", numbers[0]), 1)
        self.assertEqual(self.client.call("RPUSH", "q", "z" * 400), 1)

    def test_all_is_leased(self):
        """There is no room at all, and nothing to drop for it."""
        for policy in "reject", "drop-newest", "drop-oldest":
            with self.subTest(policy=policy):
                self.start(max_items=2, overflow=policy)
                self.client.call("RPUSH", "q", "a", "b")
                self.client.call("RPUSH", "s", "m")
                numbers, _, _ = self.take(count=2)
                self.client.call("RPUSH", "q", "x")
                self.assertRegex(self.client.call("LMOVE", "s", "q", "LEFT", "LEFT"), "^FULL ")
                self.assertEqual((self.items(), self.items("s")), ([], ["m"]))
                self.client.call("QNACK", "q", *numbers)
                self.assertEqual(self.items(), ["a", "b"])
                self.assert_conserved("q", "s")
                self.daemon.stop()

    def test_acknowledging_makes_room_for_who_waits(self):
        self.start(max_items=2, overflow="block", push_timeout="forever")
        self.client.call("RPUSH", "q", "a", "b")
        numbers, _, _ = self.take(count=2)
        producers = [self.producer("RPUSH", "q", item) for item in "cd"]
        self.assertEqual(self.client.call("QACK", "q", numbers[0]), 1)
        self.assertEqual(producers[0].read(), 1)
        self.assertEqual(self.client.call("QNACK", "q", numbers[1]), 1)
        self.assert_silent(producers[1])
        self.assertEqual(self.items(), ["b", "c"])
        self.client.call("LPOP", "q")
        self.assertEqual(producers[1].read(), 2)

    def test_budget(self):
        self.start(max_total_bytes=1000, max_item_bytes=900)
        self.client.call("RPUSH", "q", "x" * 900)
        numbers, _, _ = self.take()
        self.assertRegex(self.client.call("RPUSH", "r", "y" * 900), "^OOM ")
        self.assertEqual(self.totals()["used_memory"], str(self.figures("bytes")[0]))
        self.client.call("QACK", "q", *numbers)
        self.assertEqual(self.totals()["used_memory"], "0")
        self.assertEqual(self.client.call("RPUSH", "r", "y" * 900), 1)

    def test_queue_of_which_all_is_leased_is_not_forgotten(self):
        self.start(max_queues=1)
        self.client.call("RPUSH", "q", "a")
        numbers, _, _ = self.take()
        self.assertRegex(self.client.call("RPUSH", "r", "x"), "^NOQUEUE ")
        self.assertEqual(self.client.call("EXISTS", "q"), 0)
        self.client.call("QACK", "q", *numbers)
        self.assertEqual(self.client.call("RPUSH", "r", "x"), 1)


class Meanwhile(queuecase.QueueCase):
    """What else may happen while leases are out."""

    def start(self, **parameters):
        super().start(**parameters)
        self.client.call("RPUSH", "q", *"abcde")

    def test_deleting_is_for_what_is_there(self):
        """Leased items are not: they are acknowledged, or come back."""
        for words in (("DEL", "q"), ("UNLINK", "q"), ("FLUSHALL",), ("FLUSHDB",),
                      ("LTRIM", "q", 1, 0)):
            with self.subTest(words=words):
                self.start()
                numbers, _, _ = self.take(count=3)
                self.client.call(*words)
                self.assertEqual(self.figures("items", "leased", "removed"), (0, 3, 2))
                self.client.call("RPUSH", "q", "z")
                self.client.call("QACK", "q", numbers[0])
                self.client.call("QNACK", "q", *numbers[1:])
                self.assertEqual(self.items(), ["b", "c", "z"])
                self.assert_conserved()
                self.daemon.stop()

    def test_reload_keeps_them(self):
        self.start(max_items=10)
        numbers, _, _ = self.take(count=2)
        self.take(count=1, lease="0.1")
        self.reload(max_items=20)
        self.wait_leased(2)
        self.assertEqual(self.client.call("QACK", "q", numbers[0]), 1)
        self.reload(max_items=30)
        self.client.close()
        self.client = self.connect()
        self.wait_leased(0)
        self.assertEqual(self.items(), list("bcde"))
        self.assert_conserved()

    def test_lowered_bound(self):
        """Those that are out cannot be trimmed; when they come back they can."""
        self.start(max_items=10)
        numbers, _, _ = self.take(count=3)
        self.reload(max_items=2)
        self.assertEqual(self.figures("items", "leased", "over_bound"), (0, 3, 1))
        self.client.call("QNACK", "q", *numbers)
        daemon.wait_until(lambda: self.client.call("LLEN", "q") == 2, "it is trimmed")
        self.assertEqual(self.items(), ["b", "c"])
        self.assert_conserved()

    def test_lowered_bound_that_drains(self):
        self.start(max_items=10, overflow="reject")
        numbers, _, _ = self.take(count=3)
        self.reload(max_items=2, overflow="reject")
        self.client.call("QNACK", "q", *numbers)
        self.assertEqual(self.items(), list("abcde"))
        self.assertRegex(self.client.call("RPUSH", "q", "x"), "^FULL ")

    def test_transaction(self):
        self.start()
        self.client.send(b"".join(resp.encode(*words) for words in (
            ("MULTI",), ("QTAKE", "q", 1, 0, 60), ("QTAKE", "none", 1, 0, 60), ("QACK", "q", 1),
            ("EXEC",))))
        self.assertEqual(self.client.reads(5)[-1], [[[1, "a", 1]], None, 1])

    def test_storm_of_takers(self):
        """Clients take, acknowledge, give back and vanish: nothing is lost, nothing invented."""
        dice = random.Random(5)
        self.start()
        self.client.call("DEL", "q")
        self.client.call("RPUSH", "q", *range(200))
        acknowledged = []
        clients = [self.connect() for _ in range(6)]
        for _ in range(300):
            i = dice.randrange(6)
            taken = self.take(clients[i], count=dice.randrange(1, 5), timeout="0.01",
                              lease=dice.choice(("0.005", 60)))
            action = dice.random()
            if taken and action < 0.3:
                acknowledged += [item for number, item, _ in zip(*taken)
                                 if clients[i].call("QACK", "q", number) == 1]
            elif taken and action < 0.6:
                clients[i].call("QNACK", "q", *taken[0])
            elif action < 0.8:
                dice.choice((clients[i].close, clients[i].reset))()
                clients[i] = self.connect()
        for client in clients:
            client.close()
        self.wait_leased(0)
        self.assert_conserved()
        left = self.items()
        self.assertEqual(sorted(acknowledged + left, key=int), [str(i) for i in range(200)])


if __name__ == "__main__":
    taptest.run()
