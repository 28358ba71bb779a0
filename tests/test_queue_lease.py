"""Leases: an item that was taken comes back unless it is acknowledged, and counts meanwhile."""

import time

import queuecase
import resp
import taptest


class Take(queuecase.QueueCase):
    """QTAKE, QACK and QNACK."""

    def test_take_and_acknowledge(self):
        self.start()
        self.client.call("RPUSH", "q", *"abc")
        self.assertEqual(self.client.call("QTAKE", "q", 2, 0, 60), [[1, "a", 1], [2, "b", 1]])
        self.assertEqual(self.figures("items", "leased", "popped"), (1, 2, 0))
        self.assertEqual(self.client.call("QACK", "q", 1, 2), 2)
        self.assertEqual(self.figures("items", "leased", "popped", "returned"), (1, 0, 2, 0))
        self.assert_conserved()

    def test_give_back(self):
        self.start()
        self.client.call("RPUSH", "q", *"abc")
        numbers, items, deliveries = self.take(count=2)
        self.assertEqual((items, deliveries), (("a", "b"), (1, 1)))
        self.assertEqual(self.client.call("QNACK", "q", *numbers), 2)
        self.assertEqual(self.items(), ["a", "b", "c"])
        again, items, deliveries = self.take(count=3)
        self.assertEqual((items, deliveries), (("a", "b", "c"), (2, 2, 1)))
        self.assertFalse(set(again) & set(numbers))
        self.assertEqual(self.figures("returned"), (2,))
        self.assert_conserved()

    def test_fewer_than_wanted(self):
        self.start()
        self.client.call("RPUSH", "q", "a")
        self.assertEqual(self.take(count=1000)[1], ("a",))
        self.assertIsNone(self.take(count=1000, timeout="0.05"))

    def test_any_connection_may_end_a_lease(self):
        """Whoever knows the number, as its work may be done by another."""
        self.start()
        self.client.call("RPUSH", "q", "a", "b")
        (first, second), _, _ = self.take(count=2)
        other = self.connect()
        self.assertEqual(other.call("QACK", "q", first), 1)
        self.assertEqual(other.call("QNACK", "q", second), 1)
        self.assertEqual(self.items(), ["b"])
        self.client.reset()
        self.client = other
        self.assertEqual(self.items(), ["b"])

    def test_numbers_that_are_none(self):
        self.start()
        self.client.call("RPUSH", "q", "a", "b")
        self.client.call("RPUSH", "r", "x")
        (first, second), _, _ = self.take(count=2)
        for words in (("QACK", "q", 999), ("QNACK", "q", 0), ("QACK", "q", -1),
                      ("QACK", "r", first), ("QNACK", "nonesuch", first), ("QACK", "q", 1 << 62)):
            self.assertEqual(self.client.call(*words), 0, words)
        self.assertEqual(self.client.call("QACK", "q", first, "x"),
                         "ERR value is not an integer or out of range")
        self.assertEqual(self.figures("leased"), (2,))
        self.assertEqual(self.client.call("QACK", "q", first, first, second, 999), 2)
        self.assertEqual(self.client.call("QACK", "q", first), 0)
        self.assertEqual(self.client.call("QNACK", "q", second), 0)
        self.assert_conserved()

    def test_words_that_are_wrong(self):
        self.start()
        self.client.call("RPUSH", "q", "a")
        for words, error in (
                (("QTAKE", "q", 1, 0), "ERR wrong number of arguments for 'qtake' command"),
                (("QACK", "q"), "ERR wrong number of arguments for 'qack' command"),
                (("QNACK", "q"), "ERR wrong number of arguments for 'qnack' command"),
                (("QTAKE", "q", "x", 0, 1), "ERR value is not an integer or out of range"),
                (("QTAKE", "q", 0, 0, 1), "ERR count should be greater than 0"),
                (("QTAKE", "q", -1, 0, 1), "ERR count should be greater than 0"),
                (("QTAKE", "q", 1, 0, 0), "ERR lease should be greater than 0"),
                (("QTAKE", "q", 1, 0, -1), "ERR lease is negative"),
                (("QTAKE", "q", 1, -1, 1), "ERR timeout is negative"),
                (("QTAKE", "q", 1, "x", 1), "ERR timeout is not a float or out of range"),
                (("QTAKE", "q", 1, 0, "nan"), "ERR lease is not a float or out of range")):
            self.assertEqual(self.client.call(*words), error)
        self.assertEqual(self.items(), ["a"])

    def test_longest_lease(self):
        self.start()
        self.client.call("RPUSH", "q", "a", "b")
        self.assertEqual(self.take(lease=9223372036854775)[1], ("a",))
        self.assertEqual(self.take(lease="0.05")[1], ("b",))
        self.wait_leased(1)  # the long one does not keep the short one
        self.assertEqual(self.items(), ["b"])

    def test_deliveries_are_counted(self):
        self.start()
        self.client.call("RPUSH", "q", "a", "")
        for count in range(1, 300):
            (number, _), items, deliveries = self.take(count=2)
            self.assertEqual((items, deliveries), (("a", ""), (min(count, 255), min(count, 255))))
            self.assertEqual(self.client.call("QNACK", "q", number, number + 1), 2)
        self.assertEqual(self.figures("returned"), (598,))

    def test_deliveries_go_where_the_item_goes(self):
        self.start()
        self.client.call("RPUSH", "q", "a")
        self.client.call("QNACK", "q", *self.take()[0])
        self.client.call("LMOVE", "q", "r", "LEFT", "RIGHT")
        self.assertEqual(self.take(queue="r")[2], (2,))

    def test_moving_and_leasing_large_items(self):
        self.start()
        items = [letter * 100000 for letter in "abc"]
        self.client.call("RPUSH", "q", *items)
        numbers, taken, _ = self.take(count=3)
        self.assertEqual(list(taken), items)
        self.client.call("QNACK", "q", *numbers)
        self.assertEqual(self.items(), items)

    def test_resp3(self):
        self.start()
        self.client.call("HELLO", 3)
        self.client.call("RPUSH", "q", "a")
        self.assertEqual(self.client.call("QTAKE", "q", 5, 0, 60), [[1, "a", 1]])
        self.assertEqual(self.client.call("QINFO", "q")["leased"], 1)
        self.client.ask("QTAKE", "q", 1, "0.05", 60)
        self.assertEqual(self.client.input.readline(), b"_\r\n")


class Return(queuecase.QueueCase):
    """What comes back stands at the head, in the order in which it was taken."""

    def start(self, **parameters):
        super().start(**parameters)
        self.client.call("RPUSH", "q", *"abcdef")

    def test_when_time_is_up(self):
        self.start()
        begin = time.monotonic()
        self.take(count=4, lease="0.15")
        self.assertEqual(self.items(), ["e", "f"])
        self.wait_leased(0)
        self.assertGreaterEqual(time.monotonic() - begin, 0.15)
        self.assertEqual(self.items(), list("abcdef"))
        self.assertEqual(self.figures("returned"), (4,))
        self.assert_conserved()

    def test_when_times_are_up_in_another_order(self):
        self.start()
        for lease in "0.25", "0.05", "0.15":
            self.take(lease=lease)
        self.wait_leased(0)
        self.assertEqual(self.items(), list("abcdef"))

    def test_when_times_are_up_that_end_together(self):
        """The first has the longer lease: both are over when the daemon looks."""
        self.start()
        self.client.send(b"".join(resp.encode("QTAKE", "q", 1, 0, lease)
                                  for lease in ("0.053", "0.052", "0.051")))
        self.client.reads(3)
        self.wait_leased(0)
        self.assertEqual(self.items(), list("abcdef"))

    def test_when_the_client_goes(self):
        self.start()
        for leave in queuecase.Client.close, queuecase.Client.reset, queuecase.Client.half_close:
            holder = self.connect()
            self.take(holder, count=2)
            self.take(holder)
            leave(holder)
            self.wait_leased(0)
            self.assertEqual(self.items(), list("abcdef"))
        self.assertEqual(self.take()[2], (4,))
        self.assert_conserved()

    def test_when_the_client_is_killed_or_quits(self):
        self.start()
        holder = self.connect()
        number = holder.number()
        self.take(holder, count=3)
        self.client.call("CLIENT", "KILL", "ID", number)
        self.wait_leased(0)
        holder = self.connect()
        self.take(holder, count=3)
        holder.call("QUIT")
        holder.close()
        self.wait_leased(0)
        self.assertEqual(self.items(), list("abcdef"))

    def test_given_back_one_by_one(self):
        self.start()
        numbers, _, _ = self.take(count=4)
        for i in 2, 0, 3, 1:
            self.assertEqual(self.client.call("QNACK", "q", numbers[i]), 1)
        self.assertEqual(self.items(), list("abcdef"))

    def test_given_back_at_once_in_another_order(self):
        self.start()
        numbers, _, _ = self.take(count=4)
        self.assertEqual(self.client.call("QNACK", "q", *reversed(numbers)), 4)
        self.assertEqual(self.items(), list("abcdef"))

    def test_holders_go_one_after_the_other(self):
        self.start()
        holders = [self.connect() for _ in range(3)]
        for holder in holders:
            self.take(holder, count=2)
        for i, holder in enumerate((holders[1], holders[2], holders[0])):
            holder.close()
            self.wait_leased(4 - 2 * i)
        self.assertEqual(self.items(), list("abcdef"))

    def test_what_was_not_taken_stays_behind(self):
        """And what was pushed at the head since is where its client wanted it."""
        self.start()
        numbers, _, _ = self.take(count=2)
        self.client.call("RPUSH", "q", "z")
        self.assertEqual(self.client.call("LPOP", "q"), "c")
        self.client.call("QNACK", "q", *numbers)
        self.assertEqual(self.items(), list("abdefz"))

    def test_to_whoever_waits(self):
        """In the order of the items and of those who wait."""
        self.start()
        holder = self.connect()
        self.take(holder, count=6)
        waiting = [self.consumer("BLPOP", "q", 0), self.consumer("QTAKE", "q", 2, 0, 60),
                   self.consumer("BLMOVE", "q", "r", "LEFT", "LEFT", 0)]
        holder.reset()
        self.assertEqual(waiting[0].read(), ["q", "a"])
        self.assertEqual([item[1:] for item in waiting[1].read()], [["b", 2], ["c", 2]])
        self.assertEqual(waiting[2].read(), "d")
        self.assertEqual(self.items(), ["e", "f"])
        self.assert_conserved()

    def test_lease_of_who_has_waited_begins_when_he_is_served(self):
        """Nothing may happen for a while before: the daemon's idea of the time grows old."""
        self.start()
        holder = self.connect()
        self.take(holder, count=6)
        waiting = self.consumer("QTAKE", "q", 1, 0, "0.9")
        time.sleep(1)
        begin = time.monotonic()
        holder.reset()
        number, = (each[0] for each in waiting.read())
        self.client.call("RPUSH", "r", "x")
        self.take(lease="0.01", queue="r")
        self.wait_leased(0, "r")  # so the daemon has looked for what has run out
        still = self.figures("leased") == (1,)
        if time.monotonic() - begin < 0.8:  # else it may well have
            self.assertTrue(still)
            self.assertEqual(waiting.call("QACK", "q", number), 1)
        self.assert_conserved()

    def test_acknowledged_in_time_does_not_come_back(self):
        self.start()
        numbers, _, _ = self.take(count=6, lease="0.2")
        self.client.call("QACK", "q", *numbers[::2])
        self.wait_leased(0)
        self.assertEqual(self.items(), list("bdf"))
        self.assertEqual(self.client.call("QACK", "q", *numbers), 0)  # too late
        self.assert_conserved()


class Waiting(queuecase.QueueCase):
    """QTAKE waits for an item as BLPOP does."""

    def test_one_answer_for_many_items(self):
        """It is given what it asked for, once: the rest is for the next."""
        self.start()
        waiting = [self.consumer("QTAKE", "q", 2, 0, 60) for _ in range(2)]
        self.client.call("RPUSH", "q", *"abcde")
        self.assertEqual([[item for _, item, _ in client.read()] for client in waiting],
                         [["a", "b"], ["c", "d"]])
        self.assertEqual([client.call("PING") for client in waiting], ["PONG", "PONG"])
        self.assertEqual(self.figures("items", "leased"), (1, 4))

    def test_in_vain(self):
        self.start()
        begin = time.monotonic()
        self.assertIsNone(self.client.call("QTAKE", "q", 1, "0.1", 60))
        self.assertGreaterEqual(time.monotonic() - begin, 0.1)
        self.assertEqual(self.figures("leased", "waiting_pop"), (0, 0))

    def test_who_goes_takes_nothing(self):
        self.start()
        for leave in queuecase.Client.close, queuecase.Client.reset:
            leave(self.consumer("QTAKE", "q", 1, 0, 60))
            self.wait_in("q", "waiting_pop", 0)
        self.client.call("RPUSH", "q", "a")
        self.assertEqual(self.figures("items", "leased"), (1, 0))

    def test_taker_of_what_another_lets_run_out(self):
        self.start()
        self.client.call("RPUSH", "q", "a")
        self.take(lease="0.1")
        waiting = self.consumer("QTAKE", "q", 1, 0, 60)
        self.assertEqual(waiting.read()[0][1:], ["a", 2])

    def test_many_short_leases_of_many_clients(self):
        """Items whose leases run out go round until somebody acknowledges them."""
        self.start()
        self.client.call("RPUSH", "q", *range(20))
        clients = [self.connect() for _ in range(5)]
        for turn in range(100):
            client = clients[turn % 5]
            taken = client.call("QTAKE", "q", 3, "0.02", "0.01")
            if turn % 4 == 0 and taken:
                client.call("QACK", "q", taken[0][0])
        self.wait_leased(0)
        items = [int(item) for item in self.items()]
        self.assertEqual(items, sorted(items))
        info = self.client.qinfo("q")
        self.assertEqual(info["popped"] + info["items"], 20)


if __name__ == "__main__":
    taptest.run()
