"""What a push does when there is no room, and the account of every item."""

import random
import unittest

import daemon
import resp
import taptest


def config(**parameters):
    text = " ".join(f"{name} = {value}" for name, value in parameters.items())
    return f'listener "jobs" {{ listen = {{ "ADDRESS" }} queue {{ {text} }} }}'


class Overflow(unittest.TestCase):
    def start(self, **parameters):
        self.daemon = self.enterContext(daemon.Daemon(config(**parameters)))
        return self.connect()

    def connect(self):
        return self.daemon.connect("jobs", kind=resp.Client)

    def item_cost(self, client):
        """What is charged for an item besides its bytes."""
        client.call("RPUSH", "probe", "")
        cost = client.qinfo("probe")["bytes"]
        client.call("DEL", "probe")
        self.assertGreater(cost, 0)
        return cost

    def items(self, client, name="q"):
        return client.call("LRANGE", name, 0, -1)

    def assert_figures(self, client, **figures):
        info = client.qinfo("q")
        self.assertEqual({name: info[name] for name in figures}, figures)
        self.assert_conserved(info)

    def assert_conserved(self, info):
        self.assertEqual(info["pushed"], info["popped"] + info["evicted"] +
                         info["evicted_resize"] + info["removed"] + info["items"])

    # --- policies ---------------------------------------------------------------

    def test_drop_oldest(self):
        client = self.start(max_items=3)
        self.assertEqual([client.call("RPUSH", "q", i) for i in range(5)], [1, 2, 3, 3, 3])
        self.assertEqual(self.items(client), ["2", "3", "4"])
        self.assert_figures(client, pushed=5, evicted=2, items=3, high_items=3)

    def test_drop_oldest_from_the_other_end(self):
        client = self.start(max_items=3)
        for i in range(5):
            client.call("LPUSH", "q", i)
        self.assertEqual(self.items(client), ["4", "3", "2"])

    def test_drop_oldest_keeps_the_last_items_of_a_batch(self):
        client = self.start(max_items=3)
        client.call("RPUSH", "q", "old")
        self.assertEqual(client.call("RPUSH", "q", *range(10)), 3)
        self.assertEqual(self.items(client), ["7", "8", "9"])
        self.assert_figures(client, pushed=11, evicted=8, items=3)

    def test_drop_oldest_is_python_s_deque_with_maxlen_1(self):
        client = self.start(max_items=1)
        for i in range(5):
            self.assertEqual(client.call("RPUSH", "q", i), 1)
        self.assertEqual(self.items(client), ["4"])

    def test_drop_newest_takes_the_leading_items_that_fit(self):
        client = self.start(max_items=3, overflow="drop-newest")
        self.assertEqual(client.call("RPUSH", "q", *range(2)), 2)
        self.assertEqual(client.call("RPUSH", "q", *range(2, 9)), 3)
        self.assertEqual(client.call("LPUSH", "q", "x"), 3)
        self.assertEqual(self.items(client), ["0", "1", "2"])
        self.assert_figures(client, pushed=3, dropped=7, evicted=0, items=3)

    def test_reject_takes_all_or_nothing(self):
        client = self.start(max_items=3, overflow="reject", max_bytes="64KiB",
                            max_item_bytes="1KiB")
        self.assertEqual(client.call("RPUSH", "q", "a", "b"), 2)
        used = 2 * (self.item_cost(client) + 1)
        self.assertEqual(client.call("RPUSH", "q", "c", "d"),
                         f"FULL queue 'q' holds 2/3 items, {used}/65536 bytes")
        self.assertEqual(client.call("LPUSH", "q", "c"), 3)
        self.assertRegex(client.call("RPUSH", "q", "x"), "^FULL ")
        self.assertRegex(client.call("RPUSH", "q", *"wxyz"), "^TOOBIG ")
        self.assertEqual(self.items(client), ["c", "a", "b"])
        self.assertEqual(client.call("LPOP", "q"), "c")
        self.assertEqual(client.call("RPUSH", "q", "x"), 3)
        self.assert_figures(client, pushed=4, popped=1, rejected=7, items=3)

    # --- bytes --------------------------------------------------------------------

    def test_max_bytes_drops_the_oldest(self):
        client = self.start(max_bytes=10000, max_item_bytes=5000)
        for letter in "abcd":
            client.call("RPUSH", "q", letter * 3000)
        self.assertEqual([item[0] for item in self.items(client)], ["b", "c", "d"])
        client.call("RPUSH", "q", "e" * 5000)
        self.assertEqual([item[0] for item in self.items(client)], ["d", "e"])
        self.assert_figures(client, pushed=5, evicted=3, bytes=8000 + 2 * self.item_cost(client))

    def test_max_bytes_rejects(self):
        client = self.start(max_bytes=10000, max_item_bytes=5000, overflow="reject")
        for letter in "abc":
            client.call("RPUSH", "q", letter * 3000)
        self.assertRegex(client.call("RPUSH", "q", "d" * 3000), "^FULL ")
        room = 10000 - 3 * 3000 - 4 * self.item_cost(client)
        self.assertRegex(client.call("RPUSH", "q", "d" * (room + 1)), "^FULL ")
        self.assertEqual(client.call("RPUSH", "q", "d" * room), 4)

    def test_max_item_bytes(self):
        for overflow in "drop-oldest", "drop-newest", "reject":
            client = self.start(max_item_bytes=1000, overflow=overflow)
            self.assertEqual(client.call("RPUSH", "q", "x" * 1000), 1)
            self.assertEqual(client.call("RPUSH", "q", "y", "x" * 1001),
                             "TOOBIG item of 1001 bytes is over max_item_bytes, 1000")
            self.assertEqual(self.items(client), ["x" * 1000])
            self.assert_figures(client, rejected=2, pushed=1)

    def test_name_that_is_too_long(self):
        client = self.start()
        self.assertEqual(client.call("RPUSH", "n" * 1024, "x"), 1)
        for words in ("RPUSH", "n" * 1025, "x"), ("BLPOP", "n" * 1025, 1):
            self.assertEqual(client.call(*words),
                             "TOOBIG name of 1025 bytes is over the limit, 1024")
        self.assertEqual(client.call("LLEN", "n" * 1025), 0)

    # --- all queues together ---------------------------------------------------------

    def test_max_queues(self):
        client = self.start(max_queues=3)
        for name in "abc":
            client.call("RPUSH", name, "x")
        self.assertRegex(client.call("RPUSH", "d", "x"), "^NOQUEUE ")
        self.assertRegex(client.call("BLPOP", "d", 1), "^NOQUEUE ")
        self.assertEqual(client.call("RPUSH", "a", "y"), 2)
        self.assertEqual(client.call("LLEN", "d"), 0)
        client.call("LPOP", "b")
        self.assertEqual(client.call("RPUSH", "d", "x"), 1)
        self.assertRegex(client.call("RPUSH", "b", "x"), "^NOQUEUE ")
        self.assertEqual(client.call("EXISTS", "a", "b", "c", "d"), 3)

    def test_queue_that_is_waited_in_is_not_forgotten_for_another(self):
        client = self.start(max_queues=2)
        waiting = self.connect()
        waiting.ask("BLPOP", "a", 0)
        client.wait_waiting("a", 1)
        client.call("RPUSH", "b", "x")
        self.assertRegex(client.call("RPUSH", "c", "x"), "^NOQUEUE ")
        client.call("RPUSH", "a", "y")
        self.assertEqual(waiting.read(), ["a", "y"])

    def test_forgotten_queues_are_still_in_the_account(self):
        client = self.start(max_queues=2)
        for i in range(10):
            client.call("RPUSH", f"q{i}", "x", "y")
            client.call("LPOP", f"q{i}", 2)
        info = dict(line.split(":") for line in client.call("INFO").split("\r\n") if ":" in line)
        self.assertEqual((info["pushed"], info["popped"], info["items"]), ("20", "20", "0"))

    def test_max_total_bytes_refuses_pushes_and_lets_pops_through(self):
        oom = "OOM command not allowed when used memory > 'max_total_bytes'."
        for overflow in "drop-oldest", "drop-newest", "reject":
            client = self.start(max_total_bytes=10000, max_item_bytes=4000, overflow=overflow)
            for name in "ab":
                self.assertEqual(client.call("RPUSH", name, "x" * 4000), 1)
            self.assertEqual(client.call("RPUSH", "c", "x" * 4000), oom)
            self.assertEqual(client.call("RPUSH", "a", "x" * 4000), oom)
            self.assertEqual(client.call("LPOP", "a"), "x" * 4000)
            self.assertEqual(client.call("RPUSH", "c", "x" * 4000), 1)
            self.assertEqual(client.call("BLPOP", "b", 0), ["b", "x" * 4000])
            self.assertEqual(client.call("DEL", "c"), 1)
            info = client.call("INFO")
            self.assertRegex(info, r"used_memory:0\b")

    def test_scope_connection_has_private_queues_within_common_limits(self):
        one = self.start(scope="connection", max_items=2, max_total_bytes=10000,
                         max_item_bytes=4000)
        two = self.connect()
        self.assertEqual(one.call("RPUSH", "q", "a", "b", "c"), 2)
        self.assertEqual(two.call("LLEN", "q"), 0)
        self.assertIsNone(two.call("LPOP", "q"))
        self.assertIsNone(two.call("BLPOP", "q", 0), "nobody else could bring an item")
        self.assertEqual(two.call("RPUSH", "q", "x" * 4000, "x" * 4000), 2)
        self.assertRegex(one.call("RPUSH", "r", "x" * 4000), "^OOM ")
        self.assertEqual(self.items(one), ["b", "c"])
        two.close()
        daemon.wait_until(lambda: one.call("RPUSH", "r", "x" * 4000) == 1,
                          "the queues of who left are gone")
        one.close()
        self.assertEqual(self.connect().call("EXISTS", "q"), 0)

    # --- the account -----------------------------------------------------------------

    def test_every_item_is_in_one_counter(self):
        for overflow in "drop-oldest", "drop-newest", "reject":
            client = self.start(max_items=7, max_bytes=600, max_item_bytes=100, overflow=overflow)
            model = {"offered": client.call("RPUSH", "q", "x"), "popped": 0}
            dice = random.Random(overflow)
            for _ in range(500):
                kind = dice.choice(("RPUSH", "LPUSH", "RPUSH", "LPOP", "RPOP", "BLPOP", "DEL"))
                if kind.endswith("PUSH"):
                    items = ["x" * dice.randrange(110) for _ in range(dice.randrange(1, 10))]
                    model["offered"] += len(items)
                    client.call(kind, "q", *items)
                elif kind == "BLPOP":
                    client.call("RPUSH", "q", "x")
                    model["offered"] += 1
                    model["popped"] += client.call(kind, "q", 0) is not None
                elif kind == "DEL":
                    if dice.random() < 0.1:
                        client.call("DEL", "q")
                else:
                    model["popped"] += len(client.call(kind, "q", dice.randrange(3)) or [])
                info = client.qinfo("q")
                self.assert_conserved(info)
                self.assertEqual(info["items"], client.call("LLEN", "q"))
                self.assertLessEqual(info["items"], 7)
                self.assertLessEqual(info["bytes"], 600)
            self.assertEqual(info["pushed"] + info["dropped"] + info["rejected"], model["offered"])
            self.assertEqual(info["popped"], model["popped"])


if __name__ == "__main__":
    taptest.run()
