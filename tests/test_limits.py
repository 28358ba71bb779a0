"""Limits: who comes too much is refused, the rest is served, and it passes."""

import os
import resource
import time
import unittest

import daemon
import taptest

# As src/config.h has it: descriptors that are not for connections.
RESERVED = 64


class MaxConnections(unittest.TestCase):
    def assert_place_is_freed(self, running, clients, address):
        """One goes, and one may come."""
        clients.pop().close()
        client = daemon.wait_until(lambda: self.try_connect(running, address), "there is room")
        self.assertEqual(client.exchange(b"hi"), b"hi")
        clients.append(client)

    def try_connect(self, running, address):
        try:
            client = running.connect_to(address)  # which may be told already
            return client if client.exchange(b"hi") == b"hi" else None
        except ConnectionError:
            return None

    def assert_limit(self, running, address, limit):
        clients = [running.connect_to(address) for _ in range(limit)]
        for client in clients:
            self.assertEqual(client.exchange(b"hi"), b"hi")
        for _ in range(5):
            self.assertTrue(running.resets(address))
        for client in clients:
            self.assertEqual(client.exchange(b"hi"), b"hi")
        self.assert_place_is_freed(running, clients, address)
        self.assertTrue(running.resets(address))
        return clients

    def test_of_a_listener(self):
        config = """
            listener "few" { listen = { "ADDRESS", "ADDRESS" } max_connections = 3 echo {} }
            listener "many" { listen = { "ADDRESS" } echo {} }
        """
        with daemon.Daemon(config) as running:
            few = running.addresses("few")
            self.assert_limit(running, few[0], 3)
            self.assertTrue(running.resets(few[1]))
            self.assertEqual(running.connect("many").exchange(b"hi"), b"hi")
            self.assertEqual(running.log().count("max_connections of the listener"), 1)

    def test_of_the_daemon(self):
        config = """
            max_connections = 4
            listener "a" { listen = { "ADDRESS" } echo {} }
            listener "b" { listen = { "ADDRESS" } echo {} }
        """
        with daemon.Daemon(config) as running:
            a, b = (running.addresses(name)[0] for name in "ab")
            self.assert_limit(running, a, 4)
            self.assertTrue(running.resets(b))
            running.close_clients()
            self.assert_limit_again(running, b)

    def assert_limit_again(self, running, address):
        for _ in range(4):
            daemon.wait_until(lambda: self.try_connect(running, address), "there is room")
        self.assertTrue(running.resets(address))


class Descriptors(unittest.TestCase):
    CONFIG = 'log_level = debug listener "echo" { listen = { "ADDRESS" } echo {} }'

    def test_low_limit_lowers_max_connections(self):
        limit = RESERVED + 10

        def lower():
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

        with daemon.Daemon("workers = 1 " + self.CONFIG, preexec=lower) as running:
            running.wait_log("warning: max_connections = 10000 needs more file descriptors .* 10 ")
            clients = [running.connect("echo") for _ in range(10)]
            for client in clients:
                self.assertEqual(client.exchange(b"hi"), b"hi")
            self.assertTrue(running.resets(running.addresses("echo")[0]))

    def test_soft_limit_is_raised_to_the_hard_one(self):
        hard = RESERVED + 1000

        def lower():
            resource.setrlimit(resource.RLIMIT_NOFILE, (RESERVED, hard))

        with daemon.Daemon(self.CONFIG, preexec=lower) as running:
            self.assertEqual(resource.prlimit(running.pid, resource.RLIMIT_NOFILE), (hard, hard))

    def run_out(self, running, clients):
        """Takes the daemon's descriptors away but those that it has open."""
        count = max(int(name) for name in os.listdir(f"/proc/{running.pid}/fd")) + 1
        resource.prlimit(running.pid, resource.RLIMIT_NOFILE, (count, count))
        waiting = [running.connect("echo") for _ in range(5)]
        for client in waiting:
            client.send(b"late")
        running.wait_log("cannot accept connections: Too many open files")
        for client in clients:
            self.assertEqual(client.exchange(b"hi"), b"hi")
        return waiting

    def start(self):
        """A daemon with clients, and no free number below the highest descriptor."""
        running = self.enterContext(daemon.Daemon(self.CONFIG))
        clients = [running.connect("echo") for _ in range(10)]
        for client in clients:
            self.assertEqual(client.exchange(b"hi"), b"hi")
        return running, clients

    def test_out_of_descriptors_it_idles_and_serves_whom_it_has(self):
        running, clients = self.start()
        self.run_out(running, clients)
        before = running.processor_seconds()
        time.sleep(1)
        self.assertLess(running.processor_seconds() - before, 0.3)
        for client in clients:
            self.assertEqual(client.exchange(b"hi"), b"hi")
        self.assertEqual(running.log().count("cannot accept"), 1)

    def test_out_of_descriptors_it_recovers_when_clients_leave(self):
        running, clients = self.start()
        waiting = self.run_out(running, clients)
        for client in clients[:5]:
            client.close()
        for client in waiting:
            self.assertEqual(client.receive(4), b"late")
        for client in clients[5:]:
            self.assertEqual(client.exchange(b"hi"), b"hi")

    def test_out_of_descriptors_it_stops_in_good_order(self):
        running, clients = self.start()
        self.run_out(running, clients)
        running.stop()

    def test_out_of_descriptors_a_reload_fails_and_changes_nothing(self):
        running, clients = self.start()
        self.run_out(running, clients)
        running.send_signal(1)
        running.wait_log("reload failed, nothing has changed")
        for client in clients:
            self.assertEqual(client.exchange(b"hi"), b"hi")


class Accepting(unittest.TestCase):
    CONFIG = 'listener "echo" { listen = { "ADDRESS" } backlog = 512 echo {} }'

    def test_flood_of_connections_does_not_starve_who_is_connected(self):
        with daemon.Daemon(self.CONFIG) as running:
            client = running.connect("echo")
            for _ in range(10):
                flood = [running.connect("echo") for _ in range(100)]
                self.assertEqual(client.exchange(b"hi"), b"hi")
                for other in flood:
                    other.reset()


if __name__ == "__main__":
    taptest.run()
