"""Limits on each source: connections at one time, and how fast they come."""

import time
import unittest

import controlcase
import daemon
import taptest


class Sources(controlcase.ControlCase):
    def setUp(self):
        pass

    def begin(self, options, address="ADDRESS"):
        self.config = (f'listener "echo" {{ listen = {{ "{address}" }} {options} echo {{}} }}' +
                       controlcase.CONTROL)
        self.start(self.config)
        return self.daemon.addresses("echo")[0]

    def come_from(self, source, address):
        """A client who is served, or None."""
        try:
            client = self.daemon.connect_to(address, source=source)
            return client if client.exchange(b"hi") == b"hi" else None
        except ConnectionError:
            return None

    def count_refused(self, reason):
        return self.listener("echo")[f"refused_{reason}"]

    def test_connections_of_each_source_are_limited(self):
        address = self.begin("max_connections_per_source = 2")
        first = [self.come_from("127.1.0.1", address) for _ in range(3)]
        second = [self.come_from("127.1.0.2", address) for _ in range(3)]
        self.assertEqual([client is None for client in first + second],
                         [False, False, True] * 2)
        self.assertEqual(self.count_refused("source_full"), 2)
        self.daemon.wait_log("refused: max_connections_per_source is reached")
        first[0].close()
        daemon.wait_until(lambda: self.come_from("127.1.0.1", address), "there is room again")
        self.assertIsNone(self.come_from("127.1.0.2", address))

    def test_prefix_makes_networks_of_addresses(self):
        address = self.begin("max_connections_per_source = 1 source_prefix_ipv4 = 24")
        kept = self.come_from("127.1.0.1", address)
        self.assertIsNotNone(kept)
        self.assertIsNone(self.come_from("127.1.0.200", address))
        self.assertIsNotNone(self.come_from("127.1.1.1", address))

    def test_rate_with_its_burst(self):
        address = self.begin('connect_rate = "1/h" connect_burst = 3')
        served = [self.come_from("127.1.0.1", address) is not None for _ in range(5)]
        self.assertEqual(served, [True] * 3 + [False] * 2)
        self.assertIsNotNone(self.come_from("127.1.0.2", address))
        self.assertEqual(self.count_refused("source_fast"), 2)
        self.daemon.wait_log("refused: connect_rate is reached")

    def test_rate_comes_back_in_time(self):
        address = self.begin('connect_rate = "10/s" connect_burst = 1')
        begun = time.monotonic()
        for _ in range(4):
            daemon.wait_until(lambda: self.come_from("127.1.0.1", address), "it is let in")
        self.assertGreater(time.monotonic() - begun, 0.25)

    def test_reload_changes_the_limits_and_forgets_nobody(self):
        address = self.begin("max_connections_per_source = 3")
        clients = [self.come_from("127.1.0.1", address) for _ in range(3)]
        self.assertTrue(self.daemon.reload(self.config.replace("= 3", "= 1")))
        self.assertTrue(all(client.exchange(b"hi") == b"hi" for client in clients))
        for client in clients[1:]:
            client.close()
        self.wait_listener("echo", connections=1)
        self.assertIsNone(self.come_from("127.1.0.1", address))
        self.assertTrue(self.daemon.reload(self.config.replace("= 3", "= none")))
        for _ in range(5):
            self.assertIsNotNone(self.come_from("127.1.0.1", address))

    def test_unix_peers_have_no_source(self):
        path = "unix:${DIRECTORY}/echo.sock"
        self.begin('max_connections_per_source = 1 connect_rate = "1/h" connect_burst = 1', path)
        address = path.replace("${DIRECTORY}", self.daemon.directory)
        for _ in range(5):
            self.assertEqual(self.daemon.connect_to(address).exchange(b"hi"), b"hi")

    def test_storm_from_several_sources_leaves_no_count_behind(self):
        address = self.begin("max_connections_per_source = 5")
        for _ in range(20):
            clients = [self.come_from(f"127.1.0.{host}", address)
                       for host in range(1, 6) for _ in range(5)]
            for client in filter(None, clients):
                client.reset()
        for host in range(1, 6):
            for _ in range(5):
                daemon.wait_until(lambda: self.come_from(f"127.1.0.{host}", address),
                                  "all are let in")
            self.assertIsNone(self.come_from(f"127.1.0.{host}", address))


if __name__ == "__main__":
    taptest.run()
