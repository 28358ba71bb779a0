"""Full queues, and a full daemon: what comes out of them all the same."""

import queuecase
import taptest


class Taking(queuecase.QueueCase):
    """Taking never fails because something is full."""

    def assert_all_take(self, fill):
        """fill() makes q full of the items a, b, c, d."""
        for words, answer in (
                (("LPOP", "q"), "a"), (("RPOP", "q"), "d"), (("LPOP", "q", 2), ["a", "b"]),
                (("RPOP", "q", 2), ["d", "c"]), (("BLPOP", "q", 0), ["q", "a"]),
                (("BRPOP", "q", 0), ["q", "d"]), (("LMPOP", 1, "q", "LEFT"), ["q", ["a"]]),
                (("BLMPOP", 0, 1, "q", "RIGHT", "COUNT", 2), ["q", ["d", "c"]]),
                (("LREM", "q", 0, "b"), 1), (("LTRIM", "q", 1, 2), "OK"),
                (("LMOVE", "q", "q", "LEFT", "RIGHT"), "a"), (("RPOPLPUSH", "q", "q"), "d"),
                (("BLMOVE", "q", "q", "RIGHT", "LEFT", 0), "d"), (("LLEN", "q"), 4),
                (("LRANGE", "q", 0, -1), list("abcd")), (("LINDEX", "q", 2), "c"),
                (("DEL", "q"), 1), (("FLUSHALL",), "OK")):
            fill()
            self.assertEqual(self.client.call(*words), answer, words)
            self.assertLessEqual(self.client.call("LLEN", "q"), 4)
            self.client.call("DEL", "q")

    def assert_all_leases_can_be_had(self, fill):
        fill()
        taken = self.client.call("QTAKE", "q", 2, 0, 60)
        self.assertEqual([item for _, item, _ in taken], ["a", "b"])
        self.assertEqual(self.client.call("QNACK", "q", taken[0][0]), 1)
        self.assertEqual(self.client.call("QACK", "q", taken[1][0]), 1)
        self.assertEqual(self.items(), ["a", "c", "d"])
        self.client.call("DEL", "q")

    def test_when_the_queue_is_full(self):
        def fill():
            self.client.call("RPUSH", "q", *"abcd")

        for policy in queuecase.POLICIES:
            with self.subTest(policy=policy):
                self.start(max_items=4, overflow=policy, push_timeout="none")
                self.assert_all_take(fill)
                self.assert_all_leases_can_be_had(fill)
                self.daemon.stop()

    def test_when_the_budget_is_spent(self):
        def fill():
            self.client.call("RPUSH", "q", *"abcd")
            self.client.call("RPUSH", "rest", "x" * (1000 - 5 * self.cost - 4))
            for name in "q", "rest", "new":
                self.assertEqual(self.client.call("RPUSH", name, "y"),
                                 "OOM command not allowed when used memory > 'max_total_bytes'.")

        for policy in queuecase.POLICIES:
            with self.subTest(policy=policy):
                self.start(max_total_bytes=1000, max_item_bytes=1000, overflow=policy)
                self.client.call("RPUSH", "q", "")
                self.cost, = self.figures("bytes")
                self.client.call("DEL", "q")
                self.assert_all_take(lambda: (self.client.call("DEL", "rest"), fill()))
                self.client.call("DEL", "rest")
                fill()
                self.assertEqual(self.client.call("LMOVE", "q", "new", "LEFT", "LEFT"), "a")
                self.assertEqual(self.client.call("RPOPLPUSH", "q", "new"), "d")
                self.assertEqual(self.items("new"), ["d", "a"])
                self.assertEqual(self.totals()["used_memory"], "1000")
                self.daemon.stop()

    def test_parked_push_for_which_the_budget_is_spent_meanwhile(self):
        """It waits for its queue, not for others: -OOM is told as it would have been before."""
        self.start(max_items=2, max_total_bytes=1000, max_item_bytes=900, overflow="block",
                   push_timeout="forever")
        self.client.call("RPUSH", "q", "a", "b")
        waiting = self.producer("RPUSH", "q", "x" * 200)
        self.client.call("RPUSH", "rest", "y" * 900)
        self.client.call("LPOP", "q")
        self.assertRegex(waiting.read(), "^OOM ")
        self.assertEqual(self.items(), ["b"])


if __name__ == "__main__":
    taptest.run()
