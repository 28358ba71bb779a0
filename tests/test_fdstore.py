"""Our own listening sockets outlive us: the service manager keeps them, and nobody is refused."""

import os
import signal
import socket
import tempfile
import unittest

import daemon
import taptest

STORE = {"FDSTORE": "64"}


class Store(unittest.TestCase):
    def setUp(self):
        place = self.enterContext(tempfile.TemporaryDirectory(prefix="cistern-"))
        self.path = os.path.join(place, "x.sock")
        self.tcp = daemon.free_address()
        self.config = f"""
            listener "one" {{ listen = {{ "{self.tcp}", "unix:{self.path}" }} echo {{}} }}
            listener "any" {{ listen = {{ "ADDRESS" }} echo {{}} }}
        """

    def start(self, config=None, stored=None, **options):
        passed = list((stored or {}).items())
        return daemon.Daemon(config or self.config, env=STORE, passed=passed, **options)

    def take(self, running):
        """What the manager has, once the daemon is gone."""
        stored, running.stored = running.stored, {}
        for kept in stored.values():
            self.addCleanup(kept.close)
        return stored

    def assert_echo(self, running, address):
        self.assertEqual(running.connect_to(address).exchange(b"hi"), b"hi")

    def test_bound_sockets_are_stored(self):
        with self.start() as running:
            addresses = [kept.getsockname() for kept in running.stored.values()]
            host, port = self.tcp.split(":")
            self.assertCountEqual(addresses, [(host, int(port)), self.path])
            for name in running.stored:
                self.assertRegex(name, r"^listener\.[0-9a-f-]+$")

    def test_nothing_is_stored_where_nobody_stores(self):
        with daemon.Daemon(self.config) as running:
            self.assertEqual(running.stored, {})
            self.assertEqual(len(running.messages), 1)

    def end(self, running, number):
        running.send_signal(number)
        running.wait_end(-number if number == signal.SIGKILL else 0)
        stored = self.take(running)
        self.assertEqual(len(stored), 2)
        return stored

    def check_restart(self, number):
        """Who comes while nobody is there waits, and is served."""
        with self.start() as running:
            inodes = {os.fstat(kept.fileno()).st_ino for kept in running.stored.values()}
            stored = self.end(running, number)
            waiting = [daemon.Client(self.tcp), daemon.Client(f"unix:{self.path}")]
        with self.start(stored=stored) as running:
            for client in waiting:
                self.assertEqual(client.exchange(b"hi"), b"hi")
                client.close()
            self.assert_echo(running, self.tcp)
            self.assert_echo(running, f"unix:{self.path}")
            self.assertEqual(stored.keys(), running.stored.keys())
            self.assertTrue(inodes <= {int(link[8:-1]) for link in running.descriptors()
                                       if link.startswith("socket:")})
            self.assertNotIn("warning", running.log())

    def test_restart(self):
        self.check_restart(signal.SIGTERM)

    def test_quick_restart(self):
        self.check_restart(signal.SIGQUIT)

    def test_crash(self):
        self.check_restart(signal.SIGKILL)

    def test_hundred_restarts_refuse_nobody(self):
        stored = {}
        for _ in range(100):
            with self.start(stored=stored) as running:
                self.assert_echo(running, self.tcp)
                stored = self.end(running, signal.SIGQUIT)
            with daemon.Client(self.tcp).socket, daemon.Client(f"unix:{self.path}").socket:
                pass

    def test_reload_adds_and_removes(self):
        more = daemon.free_address()
        with self.start() as running:
            config = self.config.replace(f'"unix:{self.path}"', f'"{more}"')
            self.assertTrue(running.reload(config))
            names = {kept.getsockname()[1] for kept in running.stored.values()}
            self.assertEqual(names, {int(self.tcp.split(":")[1]), int(more.split(":")[1])})
            self.assertFalse(os.path.exists(self.path))
            self.assertTrue(running.reload(self.config))
            self.assertEqual(len(running.stored), 2)
            self.assert_echo(running, f"unix:{self.path}")

    def test_failed_reload_stores_nothing(self):
        with self.start() as running:
            before = len(running.messages)
            more = daemon.free_address()
            config = self.config.replace('"ADDRESS"', f'"{more}", "unix:/nowhere/at/all"')
            self.assertFalse(running.reload(config))
            self.assertEqual(len(running.messages), before + 2)
            self.assertEqual(len(running.stored), 2)

    def test_what_the_configuration_no_longer_has_leaves_the_store(self):
        with self.start() as running:
            stored = self.end(running, signal.SIGTERM)
        other = 'listener "any" { listen = { "ADDRESS" } echo {} }'
        with self.start(other, stored) as running:
            removals = [m for m in running.messages if m.startswith("FDSTOREREMOVE=1")]
            self.assertEqual(len(removals), 2)
            self.assertEqual(running.stored, {})

    def test_address_that_takes_in_a_stored_one(self):
        with socket.create_server(("0.0.0.0", 0)) as free:
            port = free.getsockname()[1]
        config = f'listener "one" {{ listen = {{ "127.0.0.1:{port}" }} echo {{}} }}'
        for wider, narrower in [("*", "127.0.0.1"), ("127.0.0.1", "*")]:
            before = config.replace("127.0.0.1", narrower)
            with self.start(before) as running:
                running.send_signal(signal.SIGTERM)
                running.wait_end()
                stored = self.take(running)
            after = self.start(config.replace("127.0.0.1", wider), stored)
            after.stored.update(stored)  # to be closed when the daemon says so
            with after as running:
                self.assert_echo(running, f"127.0.0.1:{port}")
                self.assertTrue(stored.keys().isdisjoint(running.stored.keys()))

    def test_start_that_fails_keeps_the_store(self):
        with self.start() as running:
            stored = self.end(running, signal.SIGTERM)
        with self.assertRaisesRegex(AssertionError, "ended with status 78"):
            with self.start('listener "x" { listen = { "systemd:x" } echo {} }', stored):
                pass
        with self.start(stored=stored) as running:
            self.assert_echo(running, self.tcp)

    def test_file_of_a_stored_socket_that_has_gone_is_made_again(self):
        with self.start() as running:
            stored = self.end(running, signal.SIGTERM)
        os.unlink(self.path)
        with self.start(stored=stored) as running:
            self.assert_echo(running, f"unix:{self.path}")
            self.assert_echo(running, self.tcp)


if __name__ == "__main__":
    taptest.run()
