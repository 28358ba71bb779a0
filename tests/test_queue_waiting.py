"""Who waits for items: every way of waiting in one line, moves, and what ends a wait."""

import time

import queuecase
import resp
import taptest

UNBLOCKED = "UNBLOCKED client unblocked via CLIENT UNBLOCK"


class Line(queuecase.QueueCase):
    """First come, first served."""

    def test_all_ways_of_waiting_stand_in_one_line(self):
        self.start()
        waiting = [self.consumer("BLPOP", "q", 0),
                   self.consumer("BLMPOP", 0, 1, "q", "LEFT"),
                   self.consumer("BLMOVE", "q", "d", "LEFT", "RIGHT", 0),
                   self.consumer("QTAKE", "q", 1, 0, 60),
                   self.consumer("BRPOPLPUSH", "q", "d", 0),
                   self.consumer("BRPOP", "q", 0)]
        for i, item in enumerate("abcdef"):
            self.assert_silent(*waiting[i:])
            self.assertEqual(self.client.call("RPUSH", "q", item), 1)
        self.assertEqual([client.read() for client in waiting],
                         [["q", "a"], ["q", ["b"]], "c", [[1, "d", 1]], "e", ["q", "f"]])
        self.assertEqual(self.items("d"), ["e", "c"])
        self.assert_conserved("q", "d")

    def test_batch_is_shared_out_in_order(self):
        self.start()
        waiting = [self.consumer("BLMPOP", 0, 1, "q", "LEFT", "COUNT", 2) for _ in range(3)]
        self.assertEqual(self.client.call("RPUSH", "q", *"abcde"), 5)
        self.assertEqual([client.read() for client in waiting],
                         [["q", ["a", "b"]], ["q", ["c", "d"]], ["q", ["e"]]])

    def test_waiting_for_many_ends_with_one(self):
        self.start()
        many = self.consumer("BLMPOP", 0, 1, "q", "RIGHT", "COUNT", 100)
        self.client.call("RPUSH", "q", "a")
        self.assertEqual(many.read(), ["q", ["a"]])
        more = self.consumer("QTAKE", "q", 100, 0, 60)
        self.client.call("RPUSH", "q", "b", "c")
        self.assertEqual([item for _, item, _ in more.read()], ["b", "c"])

    def test_one_who_waits_for_several_queues_is_served_once(self):
        """Though all of them get items before anybody is served."""
        self.start()
        for wait in ["BLPOP", "a", "b", "a", "c", 0], ["BLMPOP", 0, 3, "a", "b", "c", "LEFT"]:
            waiting = self.consumer(*wait, queue="b")
            self.client.send(resp.encode("MULTI") + b"".join(
                resp.encode("RPUSH", name, name) for name in "cba") + resp.encode("EXEC"))
            self.assertEqual(self.client.reads(5)[-1], [1, 1, 1])
            queue, got = waiting.read()
            self.assertEqual("".join(got), queue)
            self.assertEqual(waiting.call("PING"), "PONG")
            self.assertEqual(sum(self.client.call("LLEN", name) for name in "abc"), 2)
            for name in "abc":
                self.assertEqual(self.figures("waiting_pop", queue=name), (0,))
            self.client.call("FLUSHALL")

    def test_thousand_wait_in_one_queue(self):
        queuecase.raise_descriptors(2500)
        self.start(listener="max_connections = 2000")
        waiting = [self.connect() for _ in range(1000)]
        for client in waiting:
            client.ask("BLPOP", "q", 0)
            self.assertEqual(client.unread(), 0)
        self.wait_in("q", "waiting_pop", 1000)
        self.assertEqual(self.totals()["blocked_clients"], "1000")
        self.assertEqual(self.client.call("RPUSH", "q", *range(1100)), 1100)
        got = [client.read() for client in waiting]
        # All asked at the same time: who was first is the daemon's to say, and not told.
        self.assertEqual(sorted(int(item) for _, item in got), list(range(1000)))
        self.assertEqual(self.figures("items", "popped", "waiting_pop"), (100, 1000, 0))
        self.assertEqual(self.totals()["blocked_clients"], "0")

    def test_waiters_go_in_any_order(self):
        self.start()
        waiting = [self.consumer("BLPOP", "q", "r", 0) for _ in range(9)]
        for i in 4, 0, 8:
            waiting[i].close()
        self.wait_in("q", "waiting_pop", 6)
        self.client.call("RPUSH", "q", *range(6))
        self.assertEqual([waiting[i].read()[1] for i in (1, 2, 3, 5, 6, 7)], list("012345"))


class Ends(queuecase.QueueCase):
    """What ends a wait but an item."""

    # Every way to wait in the queue q: the words, what it is told when its time is up.
    WAITS = ((["BLPOP", "q", 0], None), (["BRPOP", "q", 0], None),
             (["BLMPOP", 0, 1, "q", "LEFT"], None), (["BLMOVE", "q", "d", "LEFT", "LEFT", 0], None),
             (["BRPOPLPUSH", "q", "d", 0], None), (["QTAKE", "q", 1, 0, 60], None))

    def test_unblock(self):
        self.start()
        for words, in_vain in self.WAITS:
            for how, answer in ([], in_vain), (["TIMEOUT"], in_vain), (["error"], UNBLOCKED):
                client = self.connect()
                number = client.number()
                self.consumer(*words, client=client)
                self.assertEqual(self.client.call("CLIENT", "UNBLOCK", number, *how), 1)
                self.assertEqual(client.read(), answer, words)
                self.assertEqual(self.client.call("CLIENT", "UNBLOCK", number, *how), 0)
                self.assertEqual(client.call("PING"), "PONG")
        self.assertEqual(self.figures("waiting_pop"), (0,))

    def test_unblock_of_pushes(self):
        self.start(max_items=1, overflow="block", push_timeout="forever")
        self.client.call("RPUSH", "q", "a")
        for words, pattern in (["RPUSH", "q", "b"], "^FULL "), (["BRPUSH", "q", "b", 0], "^None$"):
            for how, told in ([], pattern), (["TIMEOUT"], pattern), (["ERROR"], f"^{UNBLOCKED}$"):
                client = self.connect()
                number = client.number()
                self.producer(*words, client=client)
                self.assertEqual(self.client.call("CLIENT", "UNBLOCK", number, *how), 1)
                self.assertRegex(str(client.read()), told)
        self.assertEqual(self.items(), ["a"])
        self.assert_conserved()

    def test_unblock_of_nobody(self):
        self.start()
        for number in self.client.number(), 12345:
            self.assertEqual(self.client.call("CLIENT", "UNBLOCK", number), 0)
        self.assertRegex(self.client.call("CLIENT", "UNBLOCK", 1, "PLEASE"), "^ERR ")
        self.assertRegex(self.client.call("CLIENT", "UNBLOCK", "x"), "^ERR ")

    def test_unblocked_one_goes_on_with_what_it_has_sent(self):
        self.start()
        client = self.connect(queuecase.UNIX)
        number = client.number()
        client.send(resp.encode("BLPOP", "q", 0) + resp.encode("ECHO", "x") +
                    resp.encode("BLPOP", "r", 0))
        client.wait_taken()
        self.wait_in("q", "waiting_pop", 1)
        self.client.call("CLIENT", "UNBLOCK", number)
        self.assertEqual(client.reads(2), [None, "x"])
        self.wait_in("r", "waiting_pop", 1)

    def test_timeouts_are_never_early(self):
        self.start()
        waits = []
        for i, (words, _) in enumerate(self.WAITS * 4):
            seconds = 0.05 + 0.013 * i
            timed = [seconds if word == 0 else word for word in words]
            client = self.connect()
            waits.append((seconds, time.monotonic(), client))
            client.ask(*timed)
        for seconds, begin, client in waits:
            self.assertIsNone(client.read())
            took = time.monotonic() - begin
            self.assertGreaterEqual(took, seconds)
            self.assertLess(took, 20)
        self.assertEqual(self.figures("waiting_pop"), (0,))

    def test_timeouts_end_in_their_own_order(self):
        """Who came first and has more time is still there when the others have gone."""
        self.start()
        waiting = [self.consumer("BLPOP", "q", seconds) for seconds in (0, "0.3", "0.1")]
        self.assertIsNone(waiting[2].read())
        self.assertIsNone(waiting[1].read())
        self.assert_silent(waiting[0])
        self.client.call("RPUSH", "q", "a")
        self.assertEqual(waiting[0].read(), ["q", "a"])

    def test_who_is_served_in_the_last_moment_is_not_timed_out_too(self):
        self.start()
        client = self.connect()
        for i in range(20):
            client.ask("BLPOP", "q", "0.01")
            time.sleep(0.0095)
            self.client.call("RPUSH", "q", i)
            if (got := client.read()) is None:
                got = client.call("LPOP", "q")
            else:
                got = got[1]
            self.assertEqual(got, str(i))
        self.assertEqual(client.call("PING"), "PONG")

    def test_half_closed_pipeline_gets_its_answers(self):
        self.start(max_items=9)
        client = self.connect()
        client.send(resp.encode("RPUSH", "q", *"abcdef") + resp.encode("BLPOP", "q", 0) +
                    resp.encode("BLMPOP", 0, 1, "q", "RIGHT", "COUNT", 2) +
                    resp.encode("BLMOVE", "q", "d", "LEFT", "LEFT", 0) +
                    resp.encode("BRPUSH", "q", "z", 0) + resp.encode("QTAKE", "q", 1, 0, 60) +
                    b"PING\r\n")
        client.half_close()
        self.assertEqual(client.reads(7),
                         [6, ["q", "a"], ["q", ["f", "e"]], "b", 3, [[1, "c", 1]], "PONG"])
        self.assertEqual(client.receive_all(), b"")
        self.assertEqual(self.items(), ["c", "d", "z"])  # the lease went with the connection

    def test_half_close_while_waiting_is_a_farewell(self):
        self.start()
        for words, _ in self.WAITS:
            client = self.connect()
            client.send(resp.encode(*words) + resp.encode("RPUSH", "after", "x"))
            client.half_close()
            self.assertEqual(client.receive_all(), b"", words)
        self.client.call("RPUSH", "q", "a")
        self.assertEqual(self.items(), ["a"])
        self.assertEqual(self.client.call("EXISTS", "after", "d"), 0)
        self.assertEqual(self.figures("waiting_pop"), (0,))


if __name__ == "__main__":
    taptest.run()
