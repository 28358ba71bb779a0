"""Clients that wait for an item: who gets which, and that nobody takes what he cannot have."""

import random
import threading
import time
import unittest

import daemon
import resp
import taptest

CONFIG = """
    log_level = debug
    listener "jobs" {
        listen = { "ADDRESS", "unix:${DIRECTORY}/jobs.sock" }
        queue { max_items = 100 }
    }
"""


class Blocking(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(daemon.Daemon(CONFIG))
        self.client = self.connect()

    def connect(self, index=0):
        return self.daemon.connect("jobs", index, kind=resp.Client)

    def waiting(self, *words, total=1):
        """A client of which the daemon knows that it waits in the queue named first."""
        client = self.connect()
        client.ask(*words)
        self.client.wait_waiting(words[1], total)
        return client

    def push(self, *items, queue="q"):
        return self.client.call("RPUSH", queue, *items)

    # --- who is served -----------------------------------------------------------

    def test_first_come_first_served(self):
        waiting = [self.waiting("BLPOP", "q", 0, total=i + 1) for i in range(5)]
        for item in "abc":
            self.assertEqual(self.push(item), 1)
        self.assertEqual(self.push("d", "e"), 2)
        self.assertEqual([client.read() for client in waiting], [["q", c] for c in "abcde"])
        self.assertEqual(self.client.call("LLEN", "q"), 0)

    def test_each_gets_his_end(self):
        left = self.waiting("BLPOP", "q", 0)
        right = self.waiting("BRPOP", "q", 0, total=2)
        self.push("a", "b", "c")
        self.assertEqual(left.read(), ["q", "a"])
        self.assertEqual(right.read(), ["q", "c"])
        self.assertEqual(self.client.call("LRANGE", "q", 0, -1), ["b"])

    def test_first_queue_that_has_an_item_in_the_order_of_the_names(self):
        self.push("x", queue="c")
        self.push("y", queue="b")
        self.assertEqual(self.client.call("BLPOP", "a", "b", "c", 0), ["b", "y"])
        self.assertEqual(self.client.call("BLPOP", "a", "b", "c", 0), ["c", "x"])

    def test_one_who_waits_in_several_queues_is_served_once(self):
        waiting = self.waiting("BLPOP", "a", "b", "a", "c", 0, total=2)
        self.push("x", queue="b")
        self.push("y", queue="a")
        self.push("z", queue="c")
        self.assertEqual(waiting.read(), ["b", "x"])
        self.assertEqual(waiting.call("PING"), "PONG")
        for name in "abc":
            self.assertEqual(self.client.qinfo(name)["waiting_pop"], 0)
        self.assertEqual(self.client.call("EXISTS", "a", "b", "c"), 2)

    def test_one_item_serves_one_of_two(self):
        one = self.waiting("BLPOP", "q", 0)
        two = self.waiting("BLPOP", "q", 0, total=2)
        self.push("a")
        self.assertEqual(one.read(), ["q", "a"])
        self.assertEqual(self.client.qinfo("q")["waiting_pop"], 1)
        self.push("b")
        self.assertEqual(two.read(), ["q", "b"])

    def test_who_is_served_is_counted(self):
        waiting = self.waiting("BLPOP", "q", 0)
        self.assertRegex(self.client.call("INFO"), r"blocked_clients:1\b")
        self.push("a", "b")
        waiting.read()
        info = self.client.qinfo("q")
        self.assertEqual((info["pushed"], info["popped"], info["items"]), (2, 1, 1))
        self.assertRegex(self.client.call("INFO"), r"blocked_clients:0\b")

    # --- how long -------------------------------------------------------------------

    def test_timeout(self):
        waiting = self.waiting("BLPOP", "q", "0.3")
        begin = time.monotonic()
        self.assertIsNone(waiting.read())
        self.assertGreater(time.monotonic() - begin, 0.1)
        self.assertEqual(self.client.qinfo("q")["waiting_pop"], 0)
        self.push("a")
        self.assertEqual(waiting.call("BLPOP", "q", 1), ["q", "a"])

    def test_shortest_and_longest_timeout(self):
        self.assertIsNone(self.client.call("BLPOP", "q", "0.0000001"))
        waiting = self.waiting("BLPOP", "q", 9223372036854775)
        self.push("a")
        self.assertEqual(waiting.read(), ["q", "a"])

    def test_timeout_of_one_is_not_that_of_the_next(self):
        """Whose wait has ended by an item has no timer left."""
        waiting = self.waiting("BLPOP", "q", "0.2")
        self.push("a")
        self.assertEqual(waiting.read(), ["q", "a"])
        waiting.ask("BLPOP", "q", 0)
        self.client.wait_waiting("q", 1)
        time.sleep(0.3)
        self.assertEqual(waiting.unread(), 0)
        self.push("b")
        self.assertEqual(waiting.read(), ["q", "b"])

    def test_idle_timeout_is_not_for_who_waits(self):
        config = 'listener "jobs" { listen = { "ADDRESS" } idle_timeout = 100ms queue {} }'
        with daemon.Daemon(config) as running:
            waiting = running.connect("jobs", kind=resp.Client)
            waiting.ask("BLPOP", "q", 0)
            self.assertEqual(running.connect("jobs").receive_all(), b"")  # who just idles
            time.sleep(0.3)
            running.connect("jobs", kind=resp.Client).ask("RPUSH", "q", "a")
            self.assertEqual(waiting.read(), ["q", "a"])
            self.assertEqual(waiting.receive_all(), b"")  # idle now

    # --- what follows --------------------------------------------------------------------

    def test_commands_behind_it_wait_too(self):
        waiting = self.connect(1)
        waiting.send(resp.encode("PING") + resp.encode("BLPOP", "q", 0) +
                     resp.encode("RPUSH", "q", "mine") + resp.encode("LLEN", "q"))
        waiting.wait_taken()
        self.client.wait_waiting("q", 1)
        self.assertEqual(waiting.read(), "PONG")
        self.assertEqual(self.client.call("LLEN", "q"), 0)
        self.push("a")
        self.assertEqual([waiting.read() for _ in range(3)], [["q", "a"], 1, 1])

    def test_waits_in_a_row_in_one_pipeline(self):
        waiting = self.connect()
        waiting.send(resp.encode("BLPOP", "q", 0) * 3)
        self.client.wait_waiting("q", 1)
        self.push("a", "b", "c")
        self.assertEqual([waiting.read() for _ in range(3)], [["q", c] for c in "abc"])

    def test_half_closed_pipeline_gets_its_answers(self):
        self.push("a", "b")
        waiting = self.connect()
        waiting.send(resp.encode("BLPOP", "q", 0) * 2 + resp.encode("PING"))
        waiting.half_close()
        self.assertEqual([waiting.read() for _ in range(3)], [["q", "a"], ["q", "b"], "PONG"])
        self.assertEqual(waiting.receive_all(), b"")

    # --- who goes while he waits -------------------------------------------------------

    def assert_takes_nothing(self, leave):
        """The first of three goes: the item is for the second."""
        gone = self.waiting("BLPOP", "q", "r", 0)
        second = self.waiting("BLPOP", "q", 0, total=2)
        leave(gone)
        self.client.wait_waiting("q", 1)
        self.push("a", "b")
        self.push("c", queue="r")
        self.assertEqual(second.read(), ["q", "a"])
        self.assertEqual(self.client.call("LRANGE", "q", 0, -1), ["b"])
        self.assertEqual(self.client.call("LLEN", "r"), 1)

    def test_who_closes_takes_nothing(self):
        self.assert_takes_nothing(resp.Client.close)

    def test_who_resets_takes_nothing(self):
        self.assert_takes_nothing(resp.Client.reset)

    def test_who_half_closes_takes_nothing_and_is_let_go(self):
        def leave(client):
            client.half_close()
            self.assertEqual(client.receive_all(), b"")

        self.assert_takes_nothing(leave)

    def test_who_sends_more_and_closes_takes_nothing(self):
        """The FIN is behind bytes that the daemon does not want yet."""
        def leave(client):
            client.send(resp.encode("PING") * 100)
            client.close()

        self.assert_takes_nothing(leave)

    def test_who_sends_more_and_resets_takes_nothing(self):
        def leave(client):
            client.send(resp.encode("PING") * 100)
            client.reset()

        self.assert_takes_nothing(leave)

    def test_who_sends_more_than_is_kept_and_goes_takes_nothing(self):
        """The daemon does not read on for ever, and may end it; or it still has to notice."""
        def leave(client):
            try:
                client.fill(32 << 20)
            except ConnectionError:
                pass
            client.reset()

        self.assert_takes_nothing(leave)

    def test_storm_of_comers_and_goers_loses_no_item(self):
        """Every item goes to a live reader or stays; none goes twice."""
        goers = random.Random(1)
        for i in range(100):
            client = self.connect()
            client.ask(goers.choice(("BLPOP", "BRPOP")), "q", "r", 0)
            if goers.random() < 0.5:
                client.reset()
            else:
                client.close()
        self.client.wait_waiting("q", 0)
        readers = [self.waiting("BLPOP", "q", 0, total=i + 1) for i in range(10)]
        self.push(*range(20))
        got = [reader.read()[1] for reader in readers]
        left = self.client.call("LRANGE", "q", 0, -1)
        self.assertEqual(got + left, [str(i) for i in range(20)])

    def test_producers_and_consumers_exchange_every_item_once(self):
        count, threads_each = 1000, 3
        got = []
        failures = []

        def work(action):
            def run():
                try:
                    action(self.connect())
                except Exception as error:  # for the main thread to see
                    failures.append(repr(error))
            thread = threading.Thread(target=run, daemon=True)
            thread.start()
            return thread

        def produce(client):
            for i in range(count):
                daemon.wait_until(lambda: client.call("LLEN", "q") < 90, "there is room")
                client.call("RPUSH", "q", i)

        def consume(client):
            while (item := client.call("BLPOP", "q", 0)[1]) != "end":
                got.append(int(item))

        consumers = [work(consume) for _ in range(threads_each)]
        for thread in [work(produce) for _ in range(threads_each)]:
            thread.join()
        self.push(*["end"] * threads_each)
        for thread in consumers:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(sorted(got), sorted(list(range(count)) * threads_each))

    # --- limits --------------------------------------------------------------------------

    def test_most_queues_to_wait_in(self):
        names = [f"n{i}" for i in range(1024)]
        self.assertRegex(self.client.call("BLPOP", *names, "more", 0), "^TOOBIG ")
        waiting = self.waiting("BLPOP", *names, 0)
        self.push("a", queue="n1023")
        self.assertEqual(waiting.read(), ["n1023", "a"])

    def test_waiting_costs_no_processor(self):
        waiting = [self.waiting("BLPOP", "q", 0, total=i + 1) for i in range(20)]
        for client in waiting[:10]:
            client.send(b"PING\r\n")
        before = self.daemon.processor_seconds()
        time.sleep(1)
        self.assertLess(self.daemon.processor_seconds() - before, 0.3)


if __name__ == "__main__":
    taptest.run()
