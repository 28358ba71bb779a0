"""BLMOVE: who waits for an item and for room, and what follows from one move to the next."""

import time

import queuecase
import resp
import taptest


class Moves(queuecase.QueueCase):
    """BLMOVE needs an item, and room for it."""

    def start(self, **parameters):
        super().start('match "d*" { max_items = 2 overflow = block push_timeout = none }',
                      'match "r" { max_items = 1 overflow = reject }',
                      'match "n" { max_items = 1 overflow = drop-newest }',
                      'match "o" { max_items = 1 }', **parameters)

    def move(self, source, destination, timeout=0, end="LEFT"):
        return ["BLMOVE", source, destination, end, "RIGHT", timeout]

    def test_waits_for_an_item(self):
        self.start()
        mover = self.consumer(*self.move("s", "d"), queue="s")
        self.client.call("RPUSH", "s", "a", "b")
        self.assertEqual(mover.read(), "a")
        self.assertEqual((self.items("s"), self.items("d")), (["b"], ["a"]))

    def test_waits_for_room(self):
        self.start()
        self.client.call("RPUSH", "d", "x", "y")
        self.client.call("RPUSH", "s", "a", "b")
        mover = self.producer(*self.move("s", "d"), queue="d")
        self.assertEqual(self.items("s"), ["a", "b"])
        self.client.call("LPOP", "d")
        self.assertEqual(mover.read(), "a")
        self.assertEqual((self.items("s"), self.items("d")), (["b"], ["y", "a"]))
        self.assert_conserved("s", "d")

    def test_waits_for_an_item_and_then_for_room(self):
        self.start()
        self.client.call("RPUSH", "d", "x", "y")
        mover = self.consumer(*self.move("s", "d"), queue="s")
        self.client.call("RPUSH", "s", "a")
        self.wait_in("d", "waiting_push", 1)
        self.assertEqual(self.figures("waiting_pop", queue="s"), (0,))
        self.client.call("LPOP", "d")
        self.assertEqual(mover.read(), "a")

    def test_item_goes_to_another_while_it_waits_for_room(self):
        self.start()
        self.client.call("RPUSH", "d", "x", "y")
        self.client.call("RPUSH", "s", "a")
        mover = self.producer(*self.move("s", "d"), queue="d")
        self.assertEqual(self.client.call("LPOP", "s"), "a")
        self.client.call("LPOP", "d")  # room, and no item any more
        self.wait_in("s", "waiting_pop", 1)
        self.assert_silent(mover)
        self.client.call("RPUSH", "s", "b")
        self.assertEqual(mover.read(), "b")
        self.assertEqual(self.items("d"), ["y", "b"])

    def test_smaller_item_comes_while_it_waits_for_room(self):
        """It has room as soon as it is the next one, in whatever way it comes to be that."""
        super().start('match "d" { max_item_bytes = 60 max_bytes = 100 overflow = block }')
        large = "x" * 60
        for words in ["LPOP", "s"], ["LPUSH", "s", "a"], ["LREM", "s", 1, large]:
            self.client.call("RPUSH", "d", "y" * 30)
            self.client.call("RPUSH", "s", large, "a")
            mover = self.producer(*self.move("s", "d"), queue="d")
            self.client.call(*words)
            self.assertEqual(mover.read(), "a")
            self.assertEqual(self.items("d"), ["y" * 30, "a"])
            self.client.call("DEL", "s", "d")
        self.assert_conserved("s", "d")

    def test_larger_item_comes_while_it_waits_for_room(self):
        super().start('match "d" { max_item_bytes = 60 max_bytes = 100 overflow = block }')
        self.client.call("RPUSH", "d", "y" * 60)
        self.client.call("RPUSH", "s", "x" * 20)
        mover = self.producer(*self.move("s", "d"), queue="d")
        self.client.call("LPUSH", "s", "x" * 30)
        self.assert_silent(mover)
        self.assertEqual(self.figures("waiting_push", queue="d"), (1,))
        self.client.call("LPOP", "d")
        self.assertEqual(mover.read(), "x" * 30)

    def test_producers_and_movers_stand_in_one_line(self):
        self.start()
        self.client.call("RPUSH", "d", "x", "y")
        self.client.call("RPUSH", "s", "a", "b")
        line = [self.producer("BRPUSH", "d", "p", 0, queue="d"),
                self.producer(*self.move("s", "d"), queue="d"),
                self.producer("BRPUSH", "d", "q", 0, queue="d"),
                self.producer("BRPOPLPUSH", "s", "d", 0, queue="d")]
        for i, answer in enumerate((2, "a", 2, "b")):
            self.assert_silent(*line[i:])
            self.client.call("LPOP", "d")
            self.assertEqual(line[i].read(), answer)
        self.assertEqual(self.items("d"), ["b", "q"])

    def test_full_destination_that_does_not_wait(self):
        """-FULL, and the item stays: whether it was there at first or came later."""
        self.start()
        for destination in "r", "n":
            self.client.call("RPUSH", destination, "x")
            mover = self.consumer(*self.move("s", destination), queue="s")
            self.client.call("RPUSH", "s", "a")
            self.assertRegex(mover.read(), f"^FULL queue '{destination}' holds 1/1 ")
            for words in (["LMOVE", "s", destination, "LEFT", "LEFT"],
                          ["RPOPLPUSH", "s", destination], self.move("s", destination),
                          ["BRPOPLPUSH", "s", destination, 0]):
                self.assertRegex(self.client.call(*words),
                                 f"^FULL queue '{destination}' holds 1/1 ")
            self.assertEqual((self.items("s"), self.items(destination)), (["a"], ["x"]))
            self.assertEqual(self.figures("rejected", queue=destination), (5,))
            self.client.call("DEL", "s")
        self.assert_conserved("s", "r", "n")

    def test_lmove_never_waits(self):
        self.start()
        self.client.call("RPUSH", "d", "x", "y")
        self.client.call("RPUSH", "s", "a")
        self.assertRegex(self.client.call("LMOVE", "s", "d", "LEFT", "LEFT"), "^FULL queue 'd' ")
        self.assertEqual((self.items("s"), self.items("d")), (["a"], ["x", "y"]))

    def test_drop_oldest_makes_room(self):
        self.start()
        self.client.call("RPUSH", "o", "x")
        mover = self.consumer(*self.move("s", "o"), queue="s")
        self.client.call("RPUSH", "s", "a")
        self.assertEqual(mover.read(), "a")
        self.assertEqual(self.items("o"), ["a"])
        self.assertEqual(self.figures("evicted", queue="o"), (1,))

    def test_item_that_the_destination_could_never_hold(self):
        """It is not waited for, in whatever way it comes to be the next one."""
        super().start('match "d" { max_item_bytes = 10 max_bytes = 64 overflow = block }')
        self.client.call("RPUSH", "s", "x" * 11)
        for words in self.move("s", "d"), ["LMOVE", "s", "d", "LEFT", "LEFT"]:
            self.assertRegex(self.client.call(*words), "^TOOBIG ")
        self.assertEqual(self.client.call("LPOP", "s"), "x" * 11)
        mover = self.consumer(*self.move("s", "d"), queue="s")
        self.client.call("RPUSH", "s", "x" * 11)
        self.assertRegex(mover.read(), "^TOOBIG ")
        self.client.call("LPUSH", "s", "fits")
        self.client.call("RPUSH", "d", "y" * 10, "z" * 10)
        mover = self.producer(*self.move("s", "d"), queue="d")
        self.client.call("LPOP", "s")
        self.client.call("LPOP", "d")
        self.assertRegex(mover.read(), "^TOOBIG ")
        self.assertEqual(self.items("s"), ["x" * 11])

    def test_within_one_queue(self):
        self.start()
        mover = self.consumer(*self.move("d", "d"), queue="d")
        self.client.call("RPUSH", "d", "a", "b")
        self.assertEqual(mover.read(), "a")
        self.assertEqual(self.items("d"), ["b", "a"])
        self.assertEqual(self.client.call(*self.move("d", "d")), "b")  # though it is full
        self.assertEqual(self.items("d"), ["a", "b"])

    def test_time_is_up_wherever_it_waits(self):
        self.start()
        self.client.call("RPUSH", "d", "x", "y")
        self.assertIsNone(self.client.call(*self.move("s", "d", "0.1")))
        self.client.call("RPUSH", "s", "a")
        begin = time.monotonic()
        self.assertIsNone(self.client.call(*self.move("s", "d", "0.1")))
        self.assertGreaterEqual(time.monotonic() - begin, 0.1)
        self.assertEqual(self.items("s"), ["a"])
        self.assertEqual(self.figures("waiting_push", queue="d"), (0,))

    def test_changing_lines_does_not_begin_the_time_anew(self):
        self.start()
        self.client.call("RPUSH", "d", "x", "y")
        begin = time.monotonic()
        mover = self.consumer(*self.move("s", "d", "0.4"), queue="s")
        self.client.call("RPUSH", "s", "a")
        self.wait_in("d", "waiting_push", 1)
        self.assertIsNone(mover.read())
        self.assertGreaterEqual(time.monotonic() - begin, 0.4)

    def test_who_leaves_while_waiting_for_room_moves_nothing(self):
        self.start()
        for leave in queuecase.Client.close, queuecase.Client.reset, queuecase.Client.half_close:
            self.client.call("RPUSH", "d", "x", "y")
            self.client.call("RPUSH", "s", "a")
            mover = self.producer(*self.move("s", "d"), queue="d")
            behind = self.producer("BRPUSH", "d", "z", 0, queue="d")
            leave(mover)
            self.wait_in("d", "waiting_push", 1)
            self.client.call("LPOP", "d")
            self.assertEqual(behind.read(), 2)
            self.assertEqual((self.items("s"), self.items("d")), (["a"], ["y", "z"]))
            self.client.call("FLUSHALL")


class Chains(queuecase.QueueCase):
    """What one client is given may be what another waits for."""

    def test_item_goes_through_all_queues_at_once(self):
        self.start()
        last = self.consumer("BLPOP", "e", 0, queue="e")
        movers = [self.consumer("BLMOVE", source, destination, "LEFT", "RIGHT", 0, queue=source)
                  for source, destination in ("de", "ab", "cd", "bc")]
        self.client.call("RPUSH", "a", "x")
        self.assertEqual([mover.read() for mover in movers], ["x"] * 4)
        self.assertEqual(last.read(), ["e", "x"])
        self.assertEqual(self.client.call("EXISTS", *"abcde"), 0)
        self.assert_conserved(*"abcde")

    def test_circle_ends(self):
        self.start()
        movers = [self.consumer("BLMOVE", source, destination, "LEFT", "RIGHT", 0, queue=source)
                  for source, destination in ("ab", "bc", "ca")]
        self.client.call("RPUSH", "a", "x")
        self.assertEqual([mover.read() for mover in movers], ["x"] * 3)
        self.assertEqual(self.items("a"), ["x"])

    def test_room_goes_through_all_queues_at_once(self):
        """Each queue is full, and each mover waits for room in the next: one pop moves them all."""
        self.start(max_items=1, overflow="block")
        for name in "abcd":
            self.client.call("RPUSH", name, name)
        movers = [self.producer("BLMOVE", source, destination, "LEFT", "RIGHT", 0,
                                queue=destination) for source, destination in ("ab", "cd", "bc")]
        producer = self.producer("BRPUSH", "a", "new", 0, queue="a")
        self.assertEqual(self.client.call("LPOP", "d"), "d")
        self.assertEqual([mover.read() for mover in movers], ["a", "c", "b"])
        self.assertEqual(producer.read(), 1)
        self.assertEqual([self.items(name) for name in "abcd"], [["new"], ["a"], ["b"], ["c"]])
        self.assert_conserved(*"abcd")

    def test_full_circle_stands_still(self):
        self.start(max_items=1, overflow="block")
        for name in "ab":
            self.client.call("RPUSH", name, name)
        movers = [self.producer("BLMOVE", source, destination, "LEFT", "RIGHT", 0,
                                queue=destination) for source, destination in ("ab", "ba")]
        self.assert_silent(*movers)
        self.client.call("LPOP", "a")
        self.assertEqual(movers[1].read(), "b")
        self.assertEqual(movers[0].read(), "b")  # back to b, which it has just left
        self.assertEqual((self.items("a"), self.items("b")), ([], ["b"]))

    def test_answers_before_a_move_that_waits_are_sent_in_order(self):
        """It is served inside its own turn: what stood before must not be lost."""
        self.start(max_items=1, overflow="block")
        self.client.call("RPUSH", "s", "a")
        self.client.call("RPUSH", "d", "x")
        mover = self.connect()
        mover.send(resp.encode("ECHO", "1") + resp.encode("BLMOVE", "s", "d", "LEFT", "RIGHT", 0) +
                   resp.encode("ECHO", "2"))
        self.assertEqual(mover.read(), "1")
        self.wait_in("d", "waiting_push", 1)
        self.client.call("LPOP", "d")
        self.assertEqual(mover.reads(2), ["a", "2"])


if __name__ == "__main__":
    taptest.run()
