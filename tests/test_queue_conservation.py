"""Many come and go at once, and no item is lost, doubled or invented that the account does not
explain.

An item is "PRODUCER:NUMBER". A client that resets its connection while it waits for an answer
does not know whether its push came in, or which items it has taken: those, and no other, may be
missing. SEED in the environment is the seed of all dice.
"""

import os
import random
import threading

import daemon
import queuecase
import taptest

SEED = int(os.environ.get("SEED", "1"))


class Account:
    """What the clients know, together."""

    def __init__(self):
        self.lock = threading.Lock()
        self.pushed = set()    # answered
        self.maybe = set()     # not answered
        self.got = []          # answered
        self.untold = 0        # items that may have been taken without an answer
        self.failures = []

    def push(self, items, answered):
        with self.lock:
            (self.pushed if answered else self.maybe).update(items)

    def take(self, items):
        with self.lock:
            self.got += items

    def lose(self, count):
        with self.lock:
            self.untold += count


class Conservation(queuecase.QueueCase):
    PRODUCERS, MESSAGES = 4, 1500

    def setUp(self):
        self.account = Account()
        self.over = threading.Event()
        print(f"# SEED={SEED}")

    def spawn(self, action, number):
        """Runs it in a thread with a die of its own, and keeps what it raises."""
        def run():
            try:
                action(number, random.Random(f"{SEED} {action.__name__} {number}"))
            except Exception as error:  # for the main thread to see
                self.account.failures.append(f"{action.__name__} {number}: {error!r}")
                self.over.set()
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def run_all(self, producer, *consumers):
        """Until every producer has pushed all of his, and the consumers find nothing any more."""
        producers = [self.spawn(producer, i) for i in range(self.PRODUCERS)]
        others = [self.spawn(consumer, i) for i, consumer in enumerate(consumers)]
        for thread in producers:
            thread.join()
        self.over.set()
        for thread in others:
            thread.join()
        self.assertEqual(self.account.failures, [])
        daemon.wait_until(lambda: self.totals()["connected_clients"] == "1", "all have gone")

    # --- clients -----------------------------------------------------------------------

    def produce(self, number, dice):
        """Batches of items with growing numbers; sometimes he does not wait for the answer."""
        client = self.connect()
        sent = 0
        while sent < self.MESSAGES and not self.account.failures:
            batch = [f"{number}:{sent + i}" for i in range(dice.choice((1, 1, 1, 2, 5)))]
            words = (["RPUSH", "q", *batch] if dice.random() < 0.7 else ["BRPUSH", "q", *batch, 0])
            client.ask(*words)
            if dice.random() < 0.05:
                self.leave(client, dice)
                client = self.connect()
                self.account.push(batch, False)
            else:
                answer = client.read()
                if isinstance(answer, int):
                    self.account.push(batch, True)
                elif answer[:4] != "FULL":
                    raise AssertionError(answer)
            sent += len(batch)
        client.close()

    def leave(self, client, dice):
        dice.choice((client.close, client.reset))()

    def consume(self, words, most, items_of):
        """A consumer that asks so, and may take so many without being told."""
        def consumer(number, dice):
            client = self.connect()
            last = {}
            while True:
                client.ask(*words)
                if dice.random() < 0.05:
                    self.leave(client, dice)
                    self.account.lose(most)
                    client, last = self.connect(), {}
                    continue
                answer = client.read()
                if isinstance(answer, str) and answer.startswith("FULL"):
                    continue
                if answer is None and self.over.is_set():
                    break
                self.check_order(items_of(answer) if answer else [], last)
            client.close()
        return consumer

    def check_order(self, items, last):
        """What one producer has pushed comes in that order to one consumer."""
        for item in items:
            producer, number = item.split(":")
            assert last.get(producer, -1) < int(number), f"{item} after {last}"
            last[producer] = int(number)
        self.account.take(items)

    def plain(self, queue):
        return self.consume(["BLPOP", queue, "0.1"], 1, lambda answer: answer[1:])

    def many(self, queue):
        return self.consume(["BLMPOP", "0.1", 1, queue, "LEFT", "COUNT", 3], 3,
                            lambda answer: answer[1])

    def mover(self, source, destination):
        """Takes nothing out: whether it is told or not, the item is in one of the queues."""
        def move(number, dice):
            client = self.connect()
            while True:
                client.ask("BLMOVE", source, destination, "LEFT", "RIGHT", "0.1")
                if dice.random() < 0.05:
                    self.leave(client, dice)
                    client = self.connect()
                elif client.read() is None and self.over.is_set():
                    break
            client.close()
        return move

    def leaser(self, number, dice):
        """Acknowledges most, one by one, and vanishes with the rest."""
        client = self.connect()
        while True:
            taken = client.call("QTAKE", "q", 3, "0.1", dice.choice(("0.02", 60)))
            if taken is None and self.over.is_set():
                break
            for lease, item, _ in taken or []:
                chance = dice.random()
                if chance < 0.1:
                    client.call("QNACK", "q", lease)
                elif chance < 0.15:
                    self.leave(client, dice)
                    client = self.connect()
                    break
                elif client.call("QACK", "q", lease) == 1:
                    self.account.take([item])
        client.close()

    # --- the balance -----------------------------------------------------------------------

    def assert_balance(self, *queues):
        account = self.account
        left = [item for queue in queues for item in self.items(queue)]
        for queue in queues:
            self.assertEqual(self.figures("leased", "waiting_pop", "waiting_push", queue=queue),
                             (0, 0, 0))
        self.assert_conserved(*queues)
        found = account.got + left
        self.assertEqual(len(found), len(set(found)), "an item came twice")
        self.assertEqual(set(found) - account.pushed - account.maybe, set(), "nobody pushed it")
        missing = account.pushed - set(found)
        self.assertLessEqual(len(missing), account.untold, f"lost: {sorted(missing)[:20]}")
        self.assertGreater(len(account.got), self.PRODUCERS * self.MESSAGES // 4)
        return missing

    def test_block(self):
        """Backpressure: what was answered comes out, but for who left without an answer."""
        self.start(max_items=8, overflow="block", push_timeout="20ms")
        self.run_all(self.produce, self.plain("q"), self.plain("q"), self.many("q"))
        self.assert_balance("q")
        self.assertGreater(self.figures("blocked")[0], 0)

    def test_moves_under_block(self):
        self.start('match "r" { max_items = 3 }', max_items=8, overflow="block",
                   push_timeout="forever")
        self.run_all(self.produce, self.mover("q", "r"), self.mover("q", "r"), self.plain("r"),
                     self.many("r"))
        self.assert_balance("q", "r")

    def test_nobody_leaves_without_an_answer(self):
        """Then nothing at all is missing."""
        self.start(max_items=5, overflow="block", push_timeout="forever")
        account = self.account

        def patient(number, dice):
            client = self.connect()
            for i in range(self.MESSAGES):
                assert client.call("RPUSH", "q", f"{number}:{i}") > 0
                account.push([f"{number}:{i}"], True)
            client.close()

        def reader(number, dice):
            client = self.connect()
            last = {}
            while (answer := client.call("BLPOP", "q", "0.1")) or not self.over.is_set():
                self.check_order(answer[1:] if answer else [], last)
            client.close()

        self.run_all(patient, reader, reader, reader)
        self.assertEqual(self.assert_balance("q"), set())
        self.assertEqual(len(account.got), self.PRODUCERS * self.MESSAGES)

    def test_leases(self):
        """At least once: what was answered is acknowledged, or is there."""
        self.start(max_items=20, overflow="block", push_timeout="50ms")
        self.run_all(self.produce, self.leaser, self.leaser, self.leaser)
        daemon.wait_until(lambda: self.figures("leased") == (0,), "all leases have ended")
        self.assertEqual(self.assert_balance("q"), set())
        self.assertGreater(self.figures("returned")[0], 0)

    def test_drop_oldest_explains_what_is_missing(self):
        self.start(max_items=8)
        self.run_all(self.produce, self.plain("q"), self.mover("q", "r"), self.plain("r"))
        evicted = sum(self.figures("evicted", queue=queue)[0] for queue in "qr")
        self.account.untold += evicted
        self.assert_balance("q", "r")

    def test_reloads_meanwhile(self):
        """Bounds and policies change all the time; what a smaller bound has dropped is counted."""
        self.start(max_items=8, overflow="block", push_timeout="20ms")

        def reload(number, dice):
            while not self.over.is_set():
                self.reload(max_items=dice.randrange(5, 20), push_timeout="20ms",
                            overflow=dice.choice(("block", "reject", "drop-oldest")))

        self.run_all(self.produce, self.plain("q"), self.many("q"), reload)
        evicted, resize = self.figures("evicted", "evicted_resize")
        self.account.untold += evicted + resize
        self.assert_balance("q")


if __name__ == "__main__":
    taptest.run()
