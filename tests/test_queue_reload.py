"""A reload of queues in use: new bounds, new policies, and who waits meanwhile."""

import daemon
import queuecase
import taptest

BLOCK = {"overflow": "block", "push_timeout": "forever"}


class Shrink(queuecase.QueueCase):
    """A bound is set below what is there."""

    def test_trim_or_drain(self):
        for policy, shrink, trims in (
                ("drop-oldest", "auto", True), ("drop-newest", "auto", False),
                ("reject", "auto", False), ("block", "auto", False),
                ("drop-oldest", "drain", False), ("drop-newest", "trim", True),
                ("reject", "trim", True), ("block", "trim", True)):
            with self.subTest(policy=policy, shrink=shrink):
                bound = {"overflow": policy, "shrink": shrink, "push_timeout": "none"}
                self.start(max_items=5, **bound)
                self.client.call("RPUSH", "q", *range(5))
                self.reload(max_items=2, **bound)
                self.assertEqual(self.items(), list("34" if trims else "01234"))
                self.assertEqual(self.figures("evicted_resize", "over_bound", "max_items"),
                                 (3, 0, 2) if trims else (0, 1, 2))
                self.assert_conserved()
                self.daemon.stop()

    def test_bytes(self):
        for shrink, left in ("trim", "cde"), ("drain", "abcde"):
            with self.subTest(shrink=shrink):
                self.start(max_bytes=10000, max_item_bytes=1000, shrink=shrink)
                for letter in "abcde":
                    self.client.call("RPUSH", "q", letter * 1000)
                self.reload(max_bytes=3100, max_item_bytes=1000, shrink=shrink)
                self.assertEqual("".join(item[0] for item in self.items()), left)
                self.daemon.stop()

    def test_the_older_end_is_trimmed(self):
        """Whoever pushes at the head has his oldest items at the tail."""
        self.start(max_items=5)
        for item in "ab":
            self.client.call("LPUSH", "q", item)
        daemon.wait_until(lambda: self.figures("oldest_age_ms") > (50,), "they are older")
        for item in "cde":
            self.client.call("LPUSH", "q", item)
        self.reload(max_items=3)
        self.assertEqual(self.items(), ["e", "d", "c"])

    def test_what_drains_is_full_until_it_is_below(self):
        self.start(max_items=5, overflow="reject")
        self.client.call("RPUSH", "q", *range(5))
        self.reload(max_items=3, overflow="reject")
        for left in 4, 3:
            self.assertRegex(self.client.call("RPUSH", "q", "x"),
                             f"^FULL queue 'q' holds {left + 1}/3 ")
            self.client.call("LPOP", "q")
        self.assertEqual(self.figures("over_bound"), (0,))
        self.assertRegex(self.client.call("RPUSH", "q", "x"), "^FULL ")
        self.client.call("LPOP", "q")
        self.assertEqual(self.client.call("RPUSH", "q", "x"), 3)
        self.assert_conserved()

    def test_many_items_in_many_queues_are_trimmed_bit_by_bit(self):
        """It takes more than one turn of the loop; others are served, and nothing is left."""
        names = [f"q{i}" for i in range(5)]
        self.start(max_items=20000)
        for name in names:
            for _ in range(2):
                self.client.call("RPUSH", name, *range(10000))
        self.reload(max_items=3)
        self.assertEqual(self.client.call("PING"), "PONG")
        for name in names:
            daemon.wait_until(lambda: self.client.call("LLEN", name) == 3, "it is trimmed")
            self.assertEqual(self.items(name), ["9997", "9998", "9999"])
            self.assertEqual(self.figures("evicted_resize", queue=name), (19997,))
        self.assert_conserved(*names)

    def test_half_trimmed_queue_is_within_its_new_bound_for_who_pushes(self):
        self.start(max_items=60000)
        for _ in range(6):
            self.client.call("RPUSH", "q", *range(10000))
        self.reload(max_items=10)
        self.assertLessEqual(self.client.call("RPUSH", "q", "x"), 10)
        daemon.wait_until(lambda: self.client.call("LLEN", "q") == 10, "it is trimmed")
        self.assertEqual(self.items()[-1], "x")
        self.assert_conserved()


class Judged(queuecase.QueueCase):
    """Pushes that wait are judged anew by what holds now."""

    def start(self, **parameters):
        super().start(**{"max_items": 2} | BLOCK | parameters)
        self.client.call("RPUSH", "q", "a", "b")

    def test_raised_bound_admits_in_order(self):
        self.start()
        producers = [self.producer("RPUSH", "q", *items) for items in ("c", "de", "f", "g")]
        self.reload(max_items=6, **BLOCK)
        self.assertEqual([producer.read() for producer in producers[:3]], [3, 5, 6])
        self.assert_silent(producers[3])
        self.reload(max_items=7, **BLOCK)
        self.assertEqual(producers[3].read(), 7)
        self.assertEqual(self.items(), list("abcdefg"))
        self.assert_conserved()

    def test_raised_bytes_admit(self):
        self.start(max_items=100, max_bytes=1000, max_item_bytes=900)
        self.client.call("RPUSH", "q", "c" * 900)
        producer = self.producer("RPUSH", "q", "d" * 500)
        self.reload(max_items=100, max_bytes=2000, max_item_bytes=900, **BLOCK)
        self.assertEqual(producer.read(), 4)

    def test_reject(self):
        self.start()
        producers = [self.producer("RPUSH", "q", "c"), self.producer("LPUSH", "q", "d", "e")]
        insists = self.producer("BRPUSH", "q", "f", 0)
        self.reload(max_items=2, overflow="reject")
        for producer in producers:
            self.assertRegex(producer.read(), "^FULL queue 'q' holds 2/2 items")
        self.assert_silent(insists)  # it waits under every policy
        self.assertEqual(self.figures("rejected", "waiting_push", "pushed"), (3, 1, 2))
        self.client.call("LPOP", "q")
        self.assertEqual(insists.read(), 2)
        self.assert_conserved()

    def test_drop_oldest(self):
        self.start()
        producers = [self.producer("RPUSH", "q", item) for item in "cde"]
        self.reload(max_items=2, overflow="drop-oldest")
        self.assertEqual([producer.read() for producer in producers], [2, 2, 2])
        self.assertEqual(self.items(), ["d", "e"])
        self.assertEqual(self.figures("evicted", "waiting_push"), (3, 0))
        self.assert_conserved()

    def test_drop_newest(self):
        self.start()
        producers = [self.producer("RPUSH", "q", "c", "d"), self.producer("RPUSH", "q", "e")]
        self.reload(max_items=3, overflow="drop-newest")
        self.assertEqual([producer.read() for producer in producers], [3, 3])
        self.assertEqual(self.items(), ["a", "b", "c"])
        self.assertEqual(self.figures("dropped"), (2,))

    def test_batch_that_will_never_fit_any_more(self):
        self.start(max_items=3)
        self.client.call("RPUSH", "q", "c")
        producers = [self.producer("RPUSH", "q", "d", "e"),
                     self.producer("BRPUSH", "q", "f", "g", 0)]
        single = self.producer("RPUSH", "q", "h")
        self.reload(max_items=1, **BLOCK)
        for producer in producers:
            self.assertRegex(producer.read(), "^TOOBIG ")
        self.assert_silent(single)
        self.client.call("LPOP", "q", 3)
        self.assertEqual(single.read(), 1)

    def test_item_that_is_too_large_now(self):
        self.start()
        producer = self.producer("RPUSH", "q", "x" * 2000)
        self.reload(max_items=2, max_item_bytes="1KiB", **BLOCK)
        self.assertRegex(producer.read(), "^TOOBIG ")

    def test_move_that_waits_for_room(self):
        """To be refused by a policy that does not wait; to be done by one that makes room."""
        for policy, answer in (("reject", "^FULL queue 'q' holds 2/2 items"),
                               ("drop-oldest", "^x$"), ("drop-newest", "^FULL ")):
            with self.subTest(policy=policy):
                self.start()
                self.client.call("RPUSH", "s", "x")
                mover = self.producer("BLMOVE", "s", "q", "LEFT", "RIGHT", 0)
                self.reload(max_items=2, overflow=policy)
                self.assertRegex(str(mover.read()), answer)
                self.assertEqual(self.client.call("LLEN", "s") + self.client.call("LLEN", "q"),
                                 2 if policy == "drop-oldest" else 3)
                self.assert_conserved("s", "q")
                self.daemon.stop()

    def test_more_budget_admits_no_one_who_does_not_fit_and_refuses_no_one(self):
        self.start(max_total_bytes="1MiB")
        producer = self.producer("RPUSH", "q", "c")
        self.reload(max_items=2, max_total_bytes=128, max_item_bytes=64, max_bytes=128,
                    max_request_bytes="4KiB", **BLOCK)
        self.assert_silent(producer)
        self.client.call("LPOP", "q")
        self.assertEqual(producer.read(), 2)

    def test_consumers_go_on_waiting_through_all_of_it(self):
        self.start()
        self.client.call("DEL", "q")
        consumer = self.consumer("BLPOP", "q", 0)
        mover = self.consumer("BLMOVE", "q", "d", "LEFT", "LEFT", 0)
        for policy in "reject", "drop-newest", "block", "drop-oldest":
            self.reload(max_items=3, overflow=policy)
        self.assert_silent(consumer, mover)
        self.client.call("RPUSH", "q", "a", "b")
        self.assertEqual((consumer.read(), mover.read()), (["q", "a"], "b"))


class Overrides(queuecase.QueueCase):
    """Match sections come and go; queues that exist get what holds for their name now."""

    def test_added_changed_and_removed(self):
        self.start(max_items=5)
        self.client.call("RPUSH", "a:1", *range(5))
        self.client.call("RPUSH", "b:1", *range(5))
        self.reload('match "a:*" { max_items = 3 }', max_items=5)
        self.assertEqual((self.items("a:1"), self.items("b:1")), (list("234"), list("01234")))
        self.reload('match "a:*" { max_items = 4 overflow = reject }', max_items=5)
        self.assertEqual(self.client.call("RPUSH", "a:1", "x"), 4)
        self.assertRegex(self.client.call("RPUSH", "a:1", "y"), "^FULL queue 'a:1' holds 4/4 ")
        self.reload(max_items=5)  # the default holds again, for each parameter
        self.assertEqual(self.figures("max_items", "policy", queue="a:1"), (5, "drop-oldest"))
        self.assertEqual(self.client.call("RPUSH", "a:1", "y", "z"), 5)
        self.assertEqual(self.items("a:1"), ["3", "4", "x", "y", "z"])
        self.assert_conserved("a:1", "b:1")

    def test_order_decides(self):
        one, two = 'match "a*" { max_items = 1 }', 'match "*b" { max_items = 2 }'
        self.start(one, two)
        self.client.call("RPUSH", "ab", "x", "y")
        self.assertEqual(self.items("ab"), ["y"])
        self.reload(two, one)
        self.assertEqual(self.client.call("RPUSH", "ab", "z"), 2)

    def test_removed_override_wakes_who_waited_under_it(self):
        self.start('match "q" { max_items = 1 overflow = block push_timeout = forever }')
        self.client.call("RPUSH", "q", "a")
        producer = self.producer("RPUSH", "q", "b")
        self.reload()
        self.assertEqual(producer.read(), 2)

    def test_auto_create_and_max_queues(self):
        self.start(max_queues=5)
        for name in "abcde":
            self.client.call("RPUSH", name, "x")
        self.reload('match "a" {}', max_queues=2, auto_create="no")
        self.assertEqual(self.client.call("DBSIZE"), 5)
        self.assertEqual(self.client.call("RPUSH", "e", "y"), 2)  # it is there
        self.assertEqual([self.client.call("LPOP", name) for name in "abcd"], ["x"] * 4)
        self.assertRegex(self.client.call("RPUSH", "f", "x"), "^NOQUEUE ")
        self.reload(max_queues=6)
        self.assertEqual(self.client.call("RPUSH", "f", "x"), 1)

    def test_lowered_budget(self):
        self.start(max_item_bytes=900, max_bytes=9000, max_total_bytes=9000)
        for _ in range(8):
            self.client.call("RPUSH", "q", "x" * 900)
        self.reload(max_item_bytes=900, max_bytes=9000, max_total_bytes=2000)
        self.assertRegex(self.client.call("RPUSH", "q", "y"), "^OOM ")
        self.client.call("LPOP", "q", 7)
        self.assertEqual(self.client.call("RPUSH", "q", "y"), 2)
        self.assertEqual(self.totals()["maxmemory"], "2000")


class Refused(queuecase.QueueCase):
    """Items would be out of reach: the reload fails as a whole, and nothing has changed."""

    ECHO = 'listener "echo" { listen = { "127.0.0.1:0" } echo {} }\n'

    def changes(self):
        """Configurations that a queue with items does not allow."""
        return (queuecase.config(scope="connection", max_items=3), self.ECHO,
                self.ECHO + queuecase.config().replace('"jobs"', '"other"'),
                queuecase.config().replace("queue {", "echo {"))

    def assert_refused(self, config, reason):
        before = self.daemon.log().count("reload failed")
        self.assertFalse(self.daemon.reload(config))
        self.assertEqual(self.daemon.log().count("reload failed"), before + 1)
        self.assertRegex(self.daemon.log(), reason)

    def test_with_items(self):
        self.start(max_items=5)
        self.client.call("RPUSH", "q", *range(5))
        consumer = self.consumer("BLPOP", "r", 0, queue="r")
        for config in self.changes():
            self.assert_refused(config, "still hold 5 items")
            self.assertEqual(self.client.call("RPUSH", "q", "x"), 5)
            self.assertEqual(self.figures("max_items"), (5,))
            self.assertEqual(self.connect().call("LLEN", "q"), 5)
        self.client.call("RPUSH", "r", "y")
        self.assertEqual(consumer.read(), ["r", "y"])
        self.assert_conserved()

    def test_with_leases_alone(self):
        self.start()
        self.client.call("RPUSH", "q", "a")
        (number, _, _), = self.client.call("QTAKE", "q", 1, 0, 60)
        for config in self.changes():
            self.assert_refused(config, "still hold 1 items")
        self.assertEqual(self.client.call("QACK", "q", number), 1)

    def test_scope_change_with_empty_queues(self):
        self.start(max_items=5)
        self.client.call("RPUSH", "q", "a")
        self.client.call("LPOP", "q")
        consumer = self.consumer("BLPOP", "q", 0)
        self.reload(scope="connection", max_items=3)
        private = self.connect()
        self.assertEqual(private.call("RPUSH", "q", "mine"), 1)
        # Connections of before share what they shared, within the new bound.
        self.assertEqual(self.client.call("RPUSH", "q", *"bcdef"), 3)
        self.assertEqual(consumer.read(), ["q", "d"])
        self.assertEqual(self.client.call("LPOP", "q", 9), ["e", "f"])
        self.reload(scope="listener", max_items=3)
        self.assertEqual(self.connect().call("RPUSH", "q", "shared"), 1)
        self.assertEqual(self.items(), ["shared"])
        self.assertEqual(private.call("LRANGE", "q", 0, -1), ["mine"])

    def test_removal_with_empty_queues(self):
        self.start()
        consumer = self.consumer("BLPOP", "q", 0)
        self.assertTrue(self.daemon.reload(self.ECHO))
        self.assertEqual(self.daemon.connect("echo").exchange(b"x"), b"x")
        consumer.close()
        self.assertTrue(self.daemon.reload(queuecase.config()))
        self.assertEqual(self.connect(-1).call("RPUSH", "q", "a"), 1)


class Private(queuecase.QueueCase):
    """scope = connection: each connection has its own queues."""

    def start(self, *sections, **parameters):
        super().start(*sections, scope="connection", **parameters)

    def reload(self, *sections, **parameters):
        super().reload(*sections, scope="connection", **parameters)

    def test_nobody_else_sees_them(self):
        self.start(max_items=3)
        others = [self.connect() for _ in range(3)]
        for i, client in enumerate(others):
            client.call("RPUSH", "q", i)
        self.assertEqual([client.call("LRANGE", "q", 0, -1) for client in others],
                         [["0"], ["1"], ["2"]])
        self.assertEqual(self.client.call("EXISTS", "q"), 0)

    def test_nothing_waits(self):
        """Nobody else could end it. Time is up at once, and a push that would wait is refused."""
        self.start(max_items=1, overflow="block", push_timeout="forever")
        self.client.call("RPUSH", "full", "x")
        for words, answer in ((("BLPOP", "q", 0), "None"), (("BRPOP", "q", "r", 0), "None"),
                              (("BLMPOP", 0, 1, "q", "LEFT"), "None"),
                              (("BLMOVE", "q", "r", "LEFT", "LEFT", 0), "None"),
                              (("BRPOPLPUSH", "q", "r", 0), "None"),
                              (("RPUSH", "full", "y"), "FULL "),
                              (("BRPUSH", "full", "y", 0), "FULL "),
                              (("QTAKE", "full", 1, 0, 1), "ERR ")):
            self.assertRegex(str(self.client.call(*words)), f"^{answer}", words)
        self.client.call("RPUSH", "s", "y")
        self.assertRegex(self.client.call("BLMOVE", "s", "full", "LEFT", "LEFT", 0), "^FULL ")
        self.assertEqual(self.client.call("BLPOP", "full", 0), ["full", "x"])

    def test_new_bounds_reach_them_all(self):
        self.start(max_items=6)
        clients = [self.connect() for _ in range(20)]
        for client in clients:
            client.call("RPUSH", "q", *range(6))
        for max_items in 5, 3, 7, 2:
            self.reload('match "m*" { max_items = 1 }', max_items=max_items)
            for client in clients:
                self.assertLessEqual(client.call("RPUSH", "q", max_items), max_items)
                self.assertEqual(client.qinfo("q")["max_items"], max_items)
                client.call("RPUSH", f"m{max_items}", "x", "y")
            for client in clients[-5:]:
                client.close()
            clients[-5:] = [self.connect()]
        self.assertEqual(clients[0].call("RPUSH", "q", *"xyz"), 2)
        self.assertEqual(clients[0].call("LRANGE", "m7", 0, -1), ["y"])

    def test_lowered_bound_trims_them(self):
        self.start(max_items=6, overflow="reject", shrink="trim")
        self.client.call("RPUSH", "q", *range(6))
        self.reload(max_items=2, overflow="reject", shrink="trim")
        daemon.wait_until(lambda: self.items() == ["4", "5"], "it is trimmed")
        self.assertEqual(self.figures("evicted_resize", "over_bound"), (4, 0))

    def test_their_items_do_not_keep_the_listener(self):
        """They go with their connections: a reload that ends those loses nothing of others."""
        self.start()
        self.client.call("RPUSH", "q", "a")
        self.assertTrue(self.daemon.reload(queuecase.config(scope="listener")))
        self.assertEqual(self.items(), ["a"])
        self.assertEqual(self.connect().call("LLEN", "q"), 0)

    def test_budget_is_common_and_comes_back(self):
        self.start(max_total_bytes=1000, max_item_bytes=900)
        one = self.connect()
        one.call("RPUSH", "q", "x" * 900)
        self.assertRegex(self.client.call("RPUSH", "q", "y" * 900), "^OOM ")
        one.reset()
        daemon.wait_until(lambda: self.client.call("RPUSH", "q", "y" * 900) == 1, "there is room")


if __name__ == "__main__":
    taptest.run()
