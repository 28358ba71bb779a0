"""Clients that are killed, or go, while others are being served."""

import random

import daemon
import queuecase
import resp
import taptest


class Killed(queuecase.QueueCase):
    """Clients that end while others are being served: under ASan, nobody touches what is gone."""

    def waiters(self, count, *words, queue="q", wait=None):
        """Clients that wait, and their numbers."""
        clients = [self.connect() for _ in range(count)]
        numbers = [client.number() for client in clients]
        for client in clients:
            (wait or self.consumer)(*words, queue=queue, client=client)
        return clients, numbers

    def send(self, *requests):
        """In one write: the daemon reads them all in one turn."""
        self.client.send(b"".join(resp.encode(*request) for request in requests))
        return self.client.reads(len(requests))

    def test_second_is_killed_while_the_first_is_served(self):
        self.start()
        for words in ["BLPOP", "q", 0], ["BLMPOP", 0, 1, "q", "LEFT"], ["QTAKE", "q", 1, 0, 60]:
            clients, numbers = self.waiters(3, *words)
            self.assertEqual(self.send(["RPUSH", "q", "a"], ["CLIENT", "KILL", "ID", numbers[1]],
                                       ["RPUSH", "q", "b"]), [1, 1, 1])
            self.assertIn("a", str(clients[0].read()))
            self.assertEqual(clients[1].receive_all(), b"")
            self.assertIn("b", str(clients[2].read()))
            self.assertEqual(self.figures("items", "waiting_pop"), (0, 0))

    def test_killed_and_served_by_one_transaction(self):
        """At the end of it both happen to whoever is left: the killed one takes nothing."""
        self.start()
        for victim in range(3):
            clients, numbers = self.waiters(3, "BLPOP", "q", "other", 0)
            answers = self.send(["MULTI"], ["RPUSH", "q", "a", "b"],
                                ["CLIENT", "KILL", "ID", numbers[victim]], ["EXEC"])
            self.assertEqual(answers[-1], [2, 1])
            self.assertEqual(clients.pop(victim).receive_all(), b"")
            self.assertEqual([client.read() for client in clients], [["q", "a"], ["q", "b"]])

    def test_all_are_killed_in_one_turn(self):
        self.start()
        clients, numbers = self.waiters(20, "BLPOP", "q", "r", 0)
        self.send(["MULTI"], ["RPUSH", "q", *range(5)],
                  *[["CLIENT", "KILL", "ID", number] for number in numbers], ["EXEC"])
        for client in clients:
            self.assertEqual(client.receive_all(), b"")
        self.assertEqual(self.items(), list("01234"))

    def test_killed_and_unblocked(self):
        self.start()
        clients, numbers = self.waiters(3, "BLPOP", "q", 0)
        self.send(["CLIENT", "KILL", "ID", numbers[0]], ["CLIENT", "UNBLOCK", numbers[0]],
                  ["CLIENT", "UNBLOCK", numbers[1]], ["CLIENT", "KILL", "ID", numbers[1]],
                  ["RPUSH", "q", "a"])
        self.assertEqual(clients[0].receive_all(), b"")
        self.assertIn(clients[1].receive_all(), (b"", b"*-1\r\n"))
        self.assertEqual(clients[2].read(), ["q", "a"])

    def test_parked_producers_are_killed_while_others_are_admitted(self):
        self.start(max_items=2, overflow="block", push_timeout="forever")
        self.client.call("RPUSH", "q", "a", "b")
        clients, numbers = self.waiters(4, "RPUSH", "q", "x", wait=self.producer)
        self.assertEqual(self.send(["LPOP", "q"], ["CLIENT", "KILL", "ID", numbers[1]],
                                   ["LPOP", "q"], ["CLIENT", "KILL", "ID", numbers[3]],
                                   ["LPOP", "q"]), ["a", 1, "b", 1, "x"])
        self.assertEqual((clients[0].read(), clients[2].read()), (2, 2))
        self.assertEqual(clients[1].receive_all() + clients[3].receive_all(), b"")
        self.assertEqual(self.figures("items", "pushed", "waiting_push"), (1, 4, 0))

    def test_mover_is_killed_between_its_queues(self):
        self.start(max_items=1, overflow="block")
        self.client.call("RPUSH", "d", "x")
        clients, numbers = self.waiters(2, "BLMOVE", "s", "d", "LEFT", "LEFT", 0, queue="s")
        self.send(["RPUSH", "s", "a"], ["CLIENT", "KILL", "ID", numbers[0]], ["LPOP", "d"])
        self.assertEqual(clients[0].receive_all(), b"")
        self.assertEqual(clients[1].read(), "a")
        self.assertEqual((self.items("s"), self.items("d")), ([], ["a"]))

    def test_holder_of_leases_is_killed_while_others_wait(self):
        """Its items go, in order, to those who wait."""
        self.start()
        holder = self.connect()
        number = holder.number()
        self.client.call("RPUSH", "q", "a", "b")
        holder.call("QTAKE", "q", 2, 0, 60)
        clients, numbers = self.waiters(3, "BLPOP", "q", 0)
        self.assertEqual(self.send(["CLIENT", "KILL", "ID", number],
                                   ["CLIENT", "KILL", "ID", numbers[0]]), [1, 1])
        self.assertEqual([client.read() for client in clients[1:]], [["q", "a"], ["q", "b"]])
        self.assertEqual(clients[0].receive_all(), b"")

    def test_waiter_kills_itself_with_what_it_has_sent(self):
        self.start()
        client = self.connect(queuecase.UNIX)
        number = client.number()
        behind = self.connect()
        client.send(resp.encode("BLPOP", "q", 0) +
                    resp.encode("CLIENT", "KILL", "ID", number, "SKIPME", "no"))
        client.wait_taken()
        self.wait_in("q", "waiting_pop", 1)
        self.consumer("BLPOP", "q", 0, client=behind)
        self.send(["RPUSH", "q", "a"], ["RPUSH", "q", "b"])
        self.assertEqual(client.receive_all(), b"*2\r\n$1\r\nq\r\n$1\r\na\r\n:1\r\n")
        self.assertEqual(behind.read(), ["q", "b"])

    def test_storm(self):
        """Waiters of all kinds, killed, unblocked, gone and served at random."""
        self.start(max_items=3, overflow="block", push_timeout="50ms")
        kinds = (["BLPOP", "q", "r", 0], ["BLMOVE", "q", "r", "LEFT", "LEFT", "0.05"],
                 ["QTAKE", "r", 2, "0.05", "0.02"], ["RPUSH", "q", "x", "y"],
                 ["BRPUSH", "r", "z", 0], ["BLMOVE", "r", "q", "RIGHT", "LEFT", 0],
                 ["BLMPOP", 0, 2, "r", "q", "RIGHT"])
        dice = random.Random(3)
        for _ in range(15):
            clients = [self.connect() for _ in range(14)]
            numbers = [client.number() for client in clients]
            for client in clients:
                client.ask(*dice.choice(kinds))
            requests = [["RPUSHX", "q", "v"], ["LPOP", "r"], ["LPUSH", "r", "w"], ["RPOP", "q"]]
            for number in dice.sample(numbers, 8):
                requests.append(dice.choice((["CLIENT", "KILL", "ID", number],
                                             ["CLIENT", "UNBLOCK", number],
                                             ["CLIENT", "UNBLOCK", number, "ERROR"])))
            dice.shuffle(requests)
            self.client.ask("DEL", "q", "r")
            self.client.read()
            self.send(*requests)
            for client in clients:
                dice.choice((client.close, client.reset))()
        for line in "waiting_pop", "waiting_push":
            for queue in "qr":
                self.wait_in(queue, line, 0)
        daemon.wait_until(lambda: self.figures("leased", queue="r") == (0,), "leases are back")
        self.assert_conserved("q", "r")
        self.assertEqual(self.totals()["blocked_clients"], "0")


if __name__ == "__main__":
    taptest.run()
