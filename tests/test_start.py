"""Starting: where the daemon listens, and how it says that it cannot."""

import os
import re
import shutil
import socket
import tempfile
import unittest

import daemon
import taptest

EX_UNAVAILABLE, EX_NOPERM, EX_CONFIG = 69, 77, 78
FIRST_UNPRIVILEGED_PORT = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
# Whoever runs the test, the daemon may then do nothing that needs a privilege.
WITHOUT_PRIVILEGES = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")


def prefix_without_privileges():
    return WITHOUT_PRIVILEGES if os.geteuid() == 0 else ()


def echo(*addresses):
    listen = ", ".join(f'"{address}"' for address in addresses)
    return f'listener "echo" {{ listen = {{ {listen} }} echo {{}} }}'


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            return True
    except OSError:
        return False


class Listens(unittest.TestCase):
    def assert_echoes(self, running, address):
        self.assertEqual(running.connect_to(address).exchange(b"hi"), b"hi")

    def test_it_says_on_which_address(self):
        with daemon.Daemon(echo("127.0.0.1:0", "127.0.0.2:0", "unix:${DIRECTORY}/s")) as running:
            addresses = running.addresses("echo")
            self.assertEqual(len(addresses), 3)
            for address in addresses:
                self.assert_echoes(running, address)

    @unittest.skipUnless(has_ipv6(), "no IPv6 here")
    def test_ipv6(self):
        with daemon.Daemon(echo("[::1]:0")) as running:
            self.assert_echoes(running, running.addresses("echo")[0])

    def test_host_name(self):
        with daemon.Daemon(echo("localhost:0")) as running:
            port = running.addresses("echo")[0].rpartition(":")[2]
            with socket.create_connection(("127.0.0.1", int(port)), daemon.DEADLINE) as client:
                client.sendall(b"hi")
                self.assertEqual(client.recv(2), b"hi")

    def test_every_address_of_both_families(self):
        with daemon.Daemon(echo("*:0")) as running:
            self.assertRegex(running.addresses("echo")[0], r"^\*:\d+$")
            port = running.addresses("echo")[0].rpartition(":")[2]
            self.assert_echoes(running, f"127.0.0.1:{port}")
            self.assert_echoes(running, f"127.0.0.9:{port}")
            if has_ipv6():
                self.assert_echoes(running, f"[::1]:{port}")

    def test_port_is_free_again_after_a_restart(self):
        """Though connections of the first still linger in TIME_WAIT."""
        with daemon.Daemon(echo("127.0.0.1:0")) as running:
            address = running.addresses("echo")[0]
            for _ in range(10):
                running.connect("echo").exchange(b"hi")
            running.clients, kept = [], running.clients
            running.stop()
            for client in kept:
                client.close()
        with daemon.Daemon(echo(address)) as running:
            self.assert_echoes(running, address)

    def test_no_descriptor_is_passed_on(self):
        """All are closed on exec; the standard ones are not ours."""
        with daemon.Daemon(echo("127.0.0.1:0", "unix:${DIRECTORY}/s")) as running:
            running.connect("echo", 0).exchange(b"hi")
            running.connect("echo", 1).exchange(b"hi")
            directory = f"/proc/{running.pid}/fdinfo"
            for name in set(os.listdir(directory)) - {"0", "1", "2"}:
                with open(os.path.join(directory, name), encoding="ascii") as info:
                    flags = int(re.search(r"flags:\s*(\d+)", info.read())[1], 8)
                self.assertTrue(flags & os.O_CLOEXEC, f"descriptor {name} is inherited")


class Fails(unittest.TestCase):
    def assert_fails(self, status, config, *reasons, **options):
        found, _, log = daemon.run(config, **options)
        self.assertEqual(found, status, log)
        for reason in reasons:
            self.assertIn(reason, log)

    def test_address_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            taken = f"127.0.0.1:{other.getsockname()[1]}"
            self.assert_fails(EX_UNAVAILABLE, echo(taken),
                              f'listener "echo": cannot listen on {taken}: Address already in use')

    def test_all_addresses_in_use_are_told(self):
        with (socket.create_server(("127.0.0.1", 0)) as one,
              socket.create_server(("127.0.0.1", 0)) as two):
            taken = [f"127.0.0.1:{other.getsockname()[1]}" for other in (one, two)]
            self.assert_fails(EX_UNAVAILABLE, echo(*taken), *taken)

    def test_address_that_is_not_ours(self):
        self.assert_fails(EX_UNAVAILABLE, echo("192.0.2.1:0"), "192.0.2.1:0: Cannot assign")

    def test_missing_configuration(self):
        status, _, log = daemon.run(None, "-f", "/nonexistent.conf")
        self.assertEqual(status, EX_CONFIG)
        self.assertIn("/nonexistent.conf: No such file or directory", log)

    @unittest.skipUnless(shutil.which("setpriv"), "setpriv is not installed")
    def test_unreadable_configuration(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "secret.conf")
            with open(path, "w", encoding="ascii") as file:
                file.write(echo("127.0.0.1:0"))
            os.chmod(path, 0)
            status, _, log = daemon.run(None, "-f", path, prefix=prefix_without_privileges())
        self.assertEqual(status, EX_CONFIG)
        self.assertIn("secret.conf: Permission denied", log)

    @unittest.skipUnless(shutil.which("setpriv"), "setpriv is not installed")
    def test_low_port_without_the_privilege(self):
        with open(FIRST_UNPRIVILEGED_PORT, encoding="ascii") as file:
            if int(file.read()) <= 1:
                self.skipTest("every port is unprivileged here")
        self.assert_fails(EX_NOPERM, echo("127.0.0.1:1"), "127.0.0.1:1: Permission denied",
                          prefix=prefix_without_privileges())

    @unittest.skipUnless(shutil.which("setpriv"), "setpriv is not installed")
    def test_unix_socket_in_a_directory_of_others(self):
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o555)
            self.assert_fails(EX_NOPERM, echo("unix:${DIRECTORY}/s"), "/s: Permission denied",
                              directory=directory, prefix=prefix_without_privileges())
            os.chmod(directory, 0o755)


if __name__ == "__main__":
    taptest.run()
