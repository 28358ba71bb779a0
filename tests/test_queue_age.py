"""max_age: what has grown too old is dropped, at both ends, and is no use to anybody any more."""

import daemon
import queuecase
import resp
import taptest


class Age(queuecase.QueueCase):
    # Seconds. Items that have to be young for a test are asked for in the write that pushes them.
    MAX_AGE = 0.3

    def start(self, *sections, **parameters):
        super().start(*sections, **{"max_age": f"{int(self.MAX_AGE * 1000)}ms"} | parameters)

    def wait_old(self):
        """Until what was pushed until now is too old: a queue without max_age tells the time."""
        self.client.call("RPUSH", "clock", "tick")
        daemon.wait_until(
            lambda: self.figures("oldest_age_ms", queue="clock")[0] > self.MAX_AGE * 1000 * 1.1,
            "time has passed")
        self.client.call("DEL", "clock")

    def start_with_clock(self, **parameters):
        self.start('match "clock" { max_age = none }', **parameters)

    def test_each_command_sees_what_is_left(self):
        """Of every command that looks at a queue: what is too old is not there for it."""
        for words, answer in (
                (("LPOP", "q"), None), (("RPOP", "q", 3), None), (("LLEN", "q"), 0),
                (("LRANGE", "q", 0, -1), []), (("LINDEX", "q", 0), None), (("EXISTS", "q"), 0),
                (("TYPE", "q"), "none"), (("LREM", "q", 0, "a"), 0), (("LTRIM", "q", 0, 1), "OK"),
                (("DEL", "q"), 0), (("RPUSHX", "q", "x"), 0), (("LPUSHX", "q", "x"), 0),
                (("LMPOP", 1, "q", "LEFT"), None), (("LMOVE", "q", "r", "LEFT", "LEFT"), None),
                (("RPOPLPUSH", "q", "r"), None), (("RPUSH", "q", "new"), 1),
                (("LPUSH", "q", "new"), 1), (("BLPOP", "q", "0.01"), None),
                (("QTAKE", "q", 1, "0.01", 1), None)):
            with self.subTest(words=words):
                self.start('match "clock" { max_age = none }', max_age="1ms")
                self.client.call("RPUSH", "q", "a", "b")
                self.client.call("RPUSH", "clock", "x")
                daemon.wait_until(lambda: self.figures("oldest_age_ms", queue="clock") > (20,),
                                  "they are old")
                self.assertEqual(self.client.call(*words), answer)
                self.assertEqual(self.figures("expired"), (2,))
                self.assertIn(self.figures("items"), ((0,), (1,)))
                self.assert_conserved()
                self.daemon.stop()

    def test_keys_and_figures(self):
        self.start_with_clock()
        self.client.call("RPUSH", "q", "a")
        self.wait_old()
        self.assertEqual(self.figures("items", "bytes", "expired", "pushed", "oldest_age_ms"),
                         (0, 0, 1, 1, 0))
        self.assertEqual((self.client.call("KEYS", "*"), self.client.call("DBSIZE")), ([], 0))
        self.assertEqual(self.totals()["expired"], "1")

    def test_old_ones_go_and_young_ones_stay(self):
        self.start_with_clock()
        self.client.call("RPUSH", "q", "old", "older")
        self.wait_old()
        self.client.send(resp.encode("RPUSH", "q", "young") + resp.encode("LRANGE", "q", 0, -1))
        self.assertEqual(self.client.reads(2), [1, ["young"]])
        self.assertEqual(self.figures("expired"), (2,))

    def test_at_both_ends(self):
        """Who pushes at the head has his old items at the tail."""
        self.start_with_clock()
        self.client.call("LPUSH", "q", "a", "b")
        self.wait_old()
        self.client.send(resp.encode("LPUSH", "q", "c", "d") + resp.encode("LRANGE", "q", 0, -1))
        self.assertEqual(self.client.reads(2), [2, ["d", "c"]])
        self.assertEqual(self.figures("expired"), (2,))
        self.assert_conserved()

    def test_nothing_goes_before_its_time(self):
        self.start(max_age="1h")
        self.client.call("RPUSH", "q", *range(1000))
        self.client.call("LPUSH", "q", *range(1000))
        self.assertEqual(self.client.call("LLEN", "q"), 2000)
        self.assertEqual(self.figures("expired"), (0,))

    def test_age_goes_where_the_item_goes(self):
        """A move does not make it young again."""
        self.start_with_clock()
        self.client.call("RPUSH", "q", "a")
        self.wait_old()
        self.client.call("RPUSH", "clock", "b")  # no age there
        daemon.wait_until(lambda: self.figures("oldest_age_ms", queue="clock")[0] >
                          self.MAX_AGE * 1100, "it is old")
        self.assertEqual(self.client.call("LMOVE", "clock", "r", "LEFT", "LEFT"), "b")
        self.assertEqual(self.client.call("LLEN", "r"), 0)
        self.assertEqual(self.figures("expired", queue="r"), (1,))

    def test_by_itself(self):
        """Nobody looks at it, and it gives its bytes back."""
        self.start()
        self.client.call("RPUSH", "q", "x" * 1000)
        self.client.call("RPUSH", "r", *"abc")
        self.assertNotEqual(self.totals()["used_memory"], "0")
        daemon.wait_until(lambda: self.totals()["used_memory"] == "0", "all has expired")
        self.assertEqual(self.totals()["expired"], "4")

    def test_by_itself_after_a_reload(self):
        super().start()
        self.client.call("RPUSH", "q", "a")
        for max_age in "1h", "20ms":
            self.reload(max_age=max_age)
        daemon.wait_until(lambda: self.totals()["expired"] == "1", "it has expired")

    def test_by_itself_in_private_queues(self):
        self.start(scope="connection")
        self.client.call("RPUSH", "q", "a")
        daemon.wait_until(lambda: self.totals()["used_memory"] == "0", "it has expired")

    def test_waiting_producer_is_admitted(self):
        """There is room when items expire: nothing else happens."""
        self.start(max_items=2, overflow="block", push_timeout="forever")
        self.client.call("RPUSH", "q", "a", "b")
        producers = [self.producer("RPUSH", "q", "c"), self.producer("BRPUSH", "q", "d", 0)]
        self.assertEqual([producer.read() for producer in producers], [1, 2])
        info = self.client.qinfo("q")
        self.assertEqual((info["pushed"], info["blocked"], info["timed_out"]), (4, 2, 0))
        self.assert_conserved()

    def test_full_queue_takes_a_push_when_its_items_are_old(self):
        for policy in "reject", "drop-newest", "drop-oldest", "block":
            with self.subTest(policy=policy):
                self.start_with_clock(max_items=2, overflow=policy, push_timeout="none")
                self.client.call("RPUSH", "q", "a", "b")
                self.wait_old()
                self.client.send(resp.encode("RPUSH", "q", "c", "d") +
                                 resp.encode("LRANGE", "q", 0, -1))
                self.assertEqual(self.client.reads(2), [2, ["c", "d"]])
                self.assertEqual(self.figures("evicted", "dropped", "rejected"), (0, 0, 0))
                self.daemon.stop()

    def test_destination_of_a_move_has_room_when_its_items_are_old(self):
        self.start_with_clock(max_items=1, overflow="block")
        self.client.call("RPUSH", "d", "x")
        self.wait_old()
        self.client.send(resp.encode("RPUSH", "s", "a") +
                         resp.encode("BLMOVE", "s", "d", "LEFT", "LEFT", 0))
        self.assertEqual(self.client.reads(2), [1, "a"])

    def test_lease_outlives_it_and_what_comes_back_does_not(self):
        self.start_with_clock()
        self.client.call("RPUSH", "q", "a", "b")
        taken = self.client.call("QTAKE", "q", 2, 0, 60)
        self.wait_old()
        self.assertEqual(self.figures("leased", "expired"), (2, 0))
        waiting = self.consumer("BLPOP", "q", 0)
        self.assertEqual(self.client.call("QACK", "q", taken[0][0]), 1)
        self.assertEqual(self.client.call("QNACK", "q", taken[1][0]), 1)
        self.assert_silent(waiting)  # it is too old to be handed out again
        self.assertEqual(self.figures("leased", "expired", "popped", "items"), (0, 1, 1, 0))
        self.client.call("RPUSH", "q", "c")
        self.assertEqual(waiting.read(), ["q", "c"])
        self.assert_conserved()


if __name__ == "__main__":
    taptest.run()
