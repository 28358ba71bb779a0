"""SIGHUP: a reload is done as a whole or not at all, and disturbs nobody."""

import os
import re
import socket
import threading
import unittest

import daemon
import taptest


def echo(name="echo", *addresses, options="", buffer="64KiB"):
    """A listener's text."""
    listen = ", ".join(f'"{address}"' for address in addresses or ["127.0.0.1:0"])
    return (f'listener "{name}" {{ listen = {{ {listen} }} {options} '
            f'echo {{ buffer = {buffer} }} }}\n')


class Refused(unittest.TestCase):
    """After a reload that fails all is as before, and the log says why."""

    GOOD = echo()

    def assert_refused(self, running, config, reason):
        before = sorted(running.descriptors())
        client = running.connect("echo")
        self.assertEqual(client.exchange(b"before"), b"before")
        self.assertFalse(running.reload(config))
        running.wait_log(reason)
        running.wait_log("reload failed, nothing has changed")
        self.assertEqual(client.exchange(b"after"), b"after")
        self.assertEqual(running.connect("echo").exchange(b"new"), b"new")
        running.close_clients()
        daemon.wait_until(lambda: sorted(running.descriptors()) == before,
                          "the descriptors are those of before")

    def test_typo(self):
        with daemon.Daemon(self.GOOD) as running:
            self.assert_refused(running, "# one\n# two\n\n" + self.GOOD.replace("buffer", "bufer"),
                                r'server\.conf:4: listener "echo": echo: bufer')
            self.assertTrue(running.reload(self.GOOD))

    def test_truncated_file(self):
        with daemon.Daemon(self.GOOD) as running:
            self.assert_refused(running, "\n\n" + self.GOOD[:-4], r"server\.conf:3: .*never closed")

    def test_lost_quote_spoils_no_later_reload(self):
        with daemon.Daemon(self.GOOD) as running:
            for _ in range(3):
                self.assert_refused(running, self.GOOD.replace('0" }', "0 }"),
                                    r"server\.conf:1: .*quote")
            self.assertTrue(running.reload(self.GOOD + echo("second", "127.0.0.2:0")))
            self.assertEqual(running.connect("second").exchange(b"hi"), b"hi")

    def test_missing_file(self):
        with daemon.Daemon(self.GOOD) as running:
            os.unlink(running.path)
            self.assert_refused(running, None, r"server\.conf: No such file")

    def test_directory_instead_of_the_file(self):
        with daemon.Daemon(self.GOOD) as running:
            os.unlink(running.path)
            os.mkdir(running.path)
            self.assert_refused(running, None, r"server\.conf: not a regular file")

    def test_port_of_somebody_else_fails_the_whole(self):
        """Nothing of the rest is done either: not the new buffer, not the other new address."""
        with socket.create_server(("127.0.0.1", 0)) as other, daemon.Daemon(self.GOOD) as running:
            taken = f"127.0.0.1:{other.getsockname()[1]}"
            path = f"{running.directory}/new.sock"
            self.assert_refused(running, echo("echo", "127.0.0.1:0", taken, buffer="512") +
                                echo("new", f"unix:{path}"),
                                re.escape(f'listener "echo": cannot listen on {taken}: Address'))
            self.assertFalse(os.path.exists(path))
            self.assertEqual(running.addresses("new"), [])

    def test_all_addresses_that_cannot_be_had_are_told(self):
        with socket.create_server(("127.0.0.1", 0)) as other, daemon.Daemon(self.GOOD) as running:
            taken = f"127.0.0.1:{other.getsockname()[1]}"
            missing = "unix:/nonexistent/x.sock"
            self.assert_refused(running, self.GOOD + echo("one", taken) + echo("two", missing),
                                f'"one": cannot listen on {taken}(.*\n)+.*"two".*{missing}')


class Done(unittest.TestCase):
    def test_unchanged_file_keeps_the_sockets(self):
        config = echo("echo", "127.0.0.1:0", "unix:${DIRECTORY}/echo.sock")
        with daemon.Daemon(config) as running:
            before = sorted(running.descriptors())
            self.assertTrue(running.reload())
            self.assertEqual(sorted(running.descriptors()), before)

    def test_connections_in_the_backlog_survive(self):
        """Their sockets stay open: what waits to be accepted while the file is read is kept."""
        with daemon.Daemon(echo()) as running:
            clients = [running.connect("echo") for _ in range(20)]
            self.assertTrue(running.reload(echo(buffer="1KiB")))
            clients += [running.connect("echo") for _ in range(20)]
            for client in clients:
                self.assertEqual(client.exchange(b"hi"), b"hi")

    def test_new_connections_have_the_new_idle_timeout_and_old_ones_the_old(self):
        with daemon.Daemon(echo()) as running:
            old = running.connect("echo")
            self.assertEqual(old.exchange(b"hi"), b"hi")
            self.assertTrue(running.reload(echo(options="idle_timeout = 50ms")))
            self.assertEqual(running.connect("echo").receive_all(), b"")
            self.assertEqual(old.exchange(b"hi"), b"hi")

    def test_new_connections_have_the_new_protocol_and_old_ones_the_old(self):
        with daemon.Daemon(echo()) as running:
            old = running.connect("echo")
            self.assertEqual(old.exchange(b"hi"), b"hi")
            self.assertTrue(running.reload(echo().replace("echo { buffer = 64KiB }", "daytime {}")))
            self.assertRegex(running.connect("echo").receive_all(), rb"\d\r\n$")
            self.assertEqual(old.exchange(b"hi"), b"hi")

    def test_max_connections_holds_at_once(self):
        with daemon.Daemon(echo()) as running:
            old = [running.connect("echo") for _ in range(3)]
            for client in old:
                client.exchange(b"hi")
            self.assertTrue(running.reload(echo(options="max_connections = 3")))
            self.assertTrue(running.resets(running.addresses("echo")[0]))
            self.assertTrue(running.reload(echo(options="max_connections = 4")))
            self.assertEqual(running.connect("echo").exchange(b"hi"), b"hi")
            for client in old:
                self.assertEqual(client.exchange(b"hi"), b"hi")

    def test_log_level_holds_at_once(self):
        with daemon.Daemon("log_level = info\n" + echo()) as running:
            self.assertTrue(running.reload("log_level = debug\n" + echo()))
            running.connect("echo").close()
            running.wait_log("connection lost")

    def test_address_added(self):
        with daemon.Daemon(echo()) as running:
            before = running.descriptors()
            self.assertTrue(running.reload(echo("echo", "127.0.0.1:0", "127.0.0.2:0")))
            self.assertLess(set(before), set(running.descriptors()))
            self.assertEqual(len(running.descriptors()), len(before) + 1)
            for index in 0, 1:
                self.assertEqual(running.connect("echo", index).exchange(b"hi"), b"hi")

    def test_address_removed(self):
        path = "unix:${DIRECTORY}/echo.sock"
        with daemon.Daemon(echo("echo", "127.0.0.1:0", path, "127.0.0.2:0")) as running:
            clients = [running.connect("echo", index) for index in range(3)]
            for client in clients:
                client.exchange(b"hi")
            self.assertTrue(running.reload(echo("echo", "127.0.0.1:0")))
            for index in 1, 2:
                with self.assertRaises((ConnectionRefusedError, FileNotFoundError)):
                    running.connect("echo", index)
            clients.append(running.connect("echo", 0))
            for client in clients:
                self.assertEqual(client.exchange(b"hi"), b"hi")

    def test_address_moved_to_another_listener_stays_open(self):
        one, two, three = daemon.free_address(), "unix:${DIRECTORY}/two", daemon.free_address()
        with daemon.Daemon(echo("a", one, two) + echo("b", three)) as running:
            before = sorted(running.descriptors())
            moved = running.addresses("a")[1]
            client = running.connect_to(moved)
            client.exchange(b"hi")
            self.assertTrue(running.reload(echo("a", one) +
                                           echo("b", two, three, options="idle_timeout = 50ms")))
            self.assertIn(moved, running.addresses("b"))
            self.assertEqual(client.exchange(b"hi"), b"hi")
            self.assertEqual(running.connect_to(moved).receive_all(), b"", "it is not b's")
            running.close_clients()
            daemon.wait_until(lambda: sorted(running.descriptors()) == before, "no socket changed")

    def test_two_listeners_exchange_their_addresses(self):
        one, two = daemon.free_address(), "unix:${DIRECTORY}/two"
        discard = 'listener "discard" {{ listen = {{ "{}" }} discard {{}} }}\n'.format
        with daemon.Daemon(echo("echo", one) + discard(two)) as running:
            before = sorted(running.descriptors())
            addresses = [running.addresses(name)[0] for name in ("echo", "discard")]
            self.assertTrue(running.reload(discard(one) + echo("echo", two)))
            self.assertEqual(sorted(running.descriptors()), before)
            self.assertEqual([running.addresses(name)[1] for name in ("discard", "echo")],
                             addresses)
            self.assertEqual(running.connect_to(addresses[1]).exchange(b"hi"), b"hi")

    def test_renamed_listener_keeps_its_socket(self):
        address = daemon.free_address()
        with daemon.Daemon(echo("old", address)) as running:
            before = sorted(running.descriptors())
            client = running.connect("old")
            client.exchange(b"hi")
            self.assertTrue(running.reload(echo("new", address)))
            self.assertEqual(running.addresses("new"), running.addresses("old"))
            self.assertEqual(client.exchange(b"hi"), b"hi")
            self.assertEqual(running.connect("new").exchange(b"hi"), b"hi")
            running.close_clients()
            daemon.wait_until(lambda: sorted(running.descriptors()) == before, "no socket changed")

    def test_listeners_that_share_a_host_and_port_0_keep_their_own_sockets(self):
        """Port 0 is another port for each: what is equal in the file is not the same socket."""
        config = echo("a", "127.0.0.1:0") + echo("b", "127.0.0.1:0")
        with daemon.Daemon(config) as running:
            before = sorted(running.descriptors())
            self.assertTrue(running.reload())
            self.assertEqual(sorted(running.descriptors()), before)
            for name in "a", "b":
                self.assertEqual(running.connect(name, 0).exchange(b"hi"), b"hi")

    def test_removed_listener_serves_the_connections_it_has(self):
        with daemon.Daemon(echo("stays", "127.0.0.1:0") + echo("goes", "127.0.0.2:0")) as running:
            client = running.connect("goes")
            client.exchange(b"hi")
            self.assertTrue(running.reload(echo("stays", "127.0.0.1:0")))
            with self.assertRaises(ConnectionRefusedError):
                running.connect("goes")
            running.wait_log("goes: removed, 1 connections left")
            self.assertEqual(client.exchange(b"hi"), b"hi")
            self.assertTrue(running.reload())
            self.assertEqual(client.exchange(b"hi"), b"hi")

    def test_removed_listener_ends_its_connections_at_drain_timeout(self):
        rest = echo("stays", "127.0.0.1:0")
        with daemon.Daemon(rest + echo("goes", "127.0.0.2:0")) as running:
            client, witness = running.connect("goes"), running.connect("stays")
            client.exchange(b"hi")
            self.assertTrue(running.reload("drain_timeout = 100ms\n" + rest))
            self.assertEqual(client.socket.recv(1), b"")
            self.assertEqual(witness.exchange(b"hi"), b"hi")

    def test_listener_removed_and_added_again(self):
        stays, comes = echo("stays", "127.0.0.1:0"), echo("comes", "127.0.0.2:0")
        with daemon.Daemon(stays + comes) as running:
            client = running.connect("comes")
            for config in stays, stays + comes, comes, stays + comes:
                self.assertTrue(running.reload(config))
                self.assertEqual(client.exchange(b"hi"), b"hi")
            self.assertEqual(running.connect("comes").exchange(b"hi"), b"hi")


class Storm(unittest.TestCase):
    def test_200_reloads_under_traffic_lose_no_connection(self):
        """Old connections, new ones, and configurations that are refused in between."""
        configs = [echo(buffer=buffer, options="max_connections = 1000") + extra
                   for buffer, extra in (("64KiB", ""), ("1KiB", echo("b", "127.0.0.2:0")),
                                         ("4KiB", echo("c", "127.0.0.2:0")), ("64KiB", "oops"))]
        with daemon.Daemon(configs[0]) as running:
            idle = len(running.descriptors())
            clients = [running.connect("echo") for _ in range(20)]
            address = running.addresses("echo")[0]
            stop = threading.Event()
            failures = []

            def traffic(clients):
                try:
                    while not stop.is_set():
                        for client in clients:
                            data = os.urandom(5000)
                            assert client.exchange(data) == data, "bytes were lost"
                        newcomer = daemon.Client(address)
                        assert newcomer.exchange(b"hi") == b"hi"
                        newcomer.close()
                except (OSError, AssertionError) as error:
                    failures.append(repr(error))

            threads = [threading.Thread(target=traffic, args=(clients[i::2],)) for i in range(2)]
            for thread in threads:
                thread.start()
            results = [running.reload(configs[i % 4]) for i in range(1, 201)]
            stop.set()
            for thread in threads:
                thread.join()
            self.assertEqual(failures, [])
            self.assertEqual(results, [i % 4 != 3 for i in range(1, 201)])
            for client in clients:
                self.assertEqual(client.exchange(b"hi"), b"hi")
            running.close_clients()
            running.wait_descriptors(idle)


if __name__ == "__main__":
    taptest.run()
