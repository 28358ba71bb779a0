"""Who may use the control socket, how much of it, and when all else is full."""

import os
import resource
import shutil
import subprocess
import tempfile
import unittest

import controlcase
import daemon
import resp
import taptest

REQUEST_MAX = 64 * 1024
NOBODY = 65534


class Requests(controlcase.ControlCase):
    """What no well-meaning client sends."""

    def test_too_large(self):
        client = self.connect()
        client.send(resp.encode("ping", "x" * (REQUEST_MAX * 3)) + resp.encode("ping", "next"))
        self.assertRegex(client.read(), "^TOOBIG ")
        self.assertEqual(client.read(), "next")

    def test_as_large_as_allowed(self):
        request = resp.encode("ping", "x" * (REQUEST_MAX - 40))
        self.assertLessEqual(len(request), REQUEST_MAX)
        client = self.connect()
        client.send(request)
        self.assertEqual(len(client.read()), REQUEST_MAX - 40)

    def test_too_many_words(self):
        client = self.connect()
        client.send(resp.encode(*["ping"] * 65))
        self.assertRegex(client.read(), "^ERR Protocol error: invalid multibulk length")
        self.assertEqual(client.receive_all(), b"")

    def test_announced_and_never_sent(self):
        before = self.daemon.memory()
        clients = [self.connect() for _ in range(8)]
        for client in clients:
            client.send(b"*2\r\n$4\r\nping\r\n$536870912\r\n" + b"x" * 100000)
            client.wait_taken()
        self.assertLess(self.daemon.memory() - before, 8 * 1024 * 1024)
        self.assertEqual(self.echo().exchange(b"hi"), b"hi")

    def test_malformed(self):
        for request, error in [(b"*x\r\n", "invalid multibulk length"),
                               (b"*1\r\n:1\r\n", "expected '$', got ':'"),
                               (b"*1\r\n$-1\r\n", "invalid bulk length")]:
            client = self.connect()
            client.send(request)
            self.assertEqual(client.read(), "ERR Protocol error: " + error)
            self.assertEqual(client.receive_all(), b"")
            client.close()

    def test_any_bytes(self):
        client = self.connect()
        for words in [[b"\0"], [b"\xff\n\r"], [b"kill", b"1\0"], [b"pause", b"echo\0"],
                      [b"pause", b"x" * 60000], [b"queues", b"jobs", b"[" * 60000],
                      [b"connections", b"peer=" + b"*a" * 30000], [b"connections", b"=x"], [b""]]:
            client.send(resp.encode(*words))
            reply = client.input.readline()
            self.assertTrue(reply.startswith((b"-ERR ", b"-TOOBIG ")) or reply == b"*0\r\n", reply)
        self.assertEqual(client.call("ping"), "PONG")

    def test_a_client_that_asks_nothing(self):
        self.start(self.CONFIG.replace("control {}", "control { client_timeout = 100ms }"))
        self.assertEqual(self.connect().receive_all(), b"")

    def test_a_client_that_reads_nothing(self):
        """It is not listened to while its replies are not taken, and closed in the end."""
        self.start(self.CONFIG.replace("control {}", "control { client_timeout = 1s }"))
        client = self.connect()
        sent = client.fill(limit=4 * 1024 * 1024)
        del sent
        client.close()
        client = self.connect()
        client.socket.settimeout(0.2)
        try:
            while True:
                client.send(resp.encode("listeners") * 100)
        except (TimeoutError, ConnectionError):
            pass
        self.wait_listener("control", connections=1)
        self.assertLess(self.daemon.memory(), 64 * 1024 * 1024)


class Places(controlcase.ControlCase):
    def test_max_clients(self):
        self.start(self.CONFIG.replace("control {}", "control { max_clients = 2 }"))
        first, second = self.connect(), self.connect()
        self.assertEqual((first.call("ping"), second.call("ping")), ("PONG", "PONG"))
        third = self.connect()
        self.assertEqual(third.read(), "ERR max_clients are connected")
        self.assertEqual(third.receive_all(), b"")
        status, _, errors = self.run_ctl("ping")
        self.assertEqual(status, 69)
        self.assertIn("max_clients are connected", errors)
        third.close()
        second.close()
        daemon.wait_until(lambda: self.run_ctl("ping")[0] == 0, "there is room again")
        self.assertEqual(self.listener("control")["refused_by_protocol"], 2)

    def test_when_the_daemon_is_full(self):
        self.start("max_connections = 1\n" + self.CONFIG)
        self.echo()
        self.assertTrue(self.daemon.resets(self.daemon.addresses("jobs")[0]))
        self.assertEqual(self.ask("status")["connections"], 1)

    def test_its_own_count_for_nobody(self):
        self.start("max_connections = 1\n" + self.CONFIG)
        clients = [self.connect() for _ in range(4)]
        for client in clients:
            self.assertEqual(client.call("ping"), "PONG")
        self.echo()

    def test_unix_sockets_only(self):
        for address in "127.0.0.1:0", "*:0", "[::1]:0", "localhost:0":
            status, _, errors = daemon.run(
                f'listener "control" {{\n  listen = "{address}"\n  control {{}}\n}}', "--check")
            self.assertEqual(status, 78)
            self.assertIn('server.conf:2: listener "control": listen: its protocol is for unix '
                          "sockets only", errors)

    def test_worst_case(self):
        """What --check -v adds up is its own few clients."""
        status, out, _ = daemon.run(self.CONFIG, "--check", "-v")
        self.assertEqual(status, 0)
        line = next(line for line in out.splitlines() if line.startswith("control"))
        self.assertEqual(line.split()[1], "8")


@unittest.skipUnless(os.geteuid() == 0, "only root can be somebody else")
class Permissions(controlcase.ControlCase):
    GROUP = 60123

    def setUp(self):
        """The programs have to be where everybody can get at them."""
        place = self.enterContext(tempfile.TemporaryDirectory(prefix="cistern-"))
        os.chmod(place, 0o755)
        self.program = shutil.copy(controlcase.CISTERNCTL, place)
        self.server = shutil.copy(daemon.CISTERND, place)

    def place(self, mode, group, change="owner"):
        """A daemon whose socket has that mode and group."""
        self.start(self.CONFIG.replace("control {}", f"control {{ change = {change} }}"))
        os.chmod(self.daemon.directory, 0o755)
        os.chown(self.socket, 0, group)
        os.chmod(self.socket, mode)

    def as_user(self, *words, group=NOBODY, groups=()):
        return self.run_ctl(*words, user=NOBODY, group=group, extra_groups=list(groups))

    def test_the_mode_keeps_out(self):
        self.place(0o600, 0)
        status, _, errors = self.as_user("ping")
        self.assertEqual(status, 77)
        self.assertIn("Permission denied", errors)

    def test_others_are_refused_whatever_the_mode(self):
        self.place(0o666, self.GROUP)
        status, _, errors = self.as_user("status")
        self.assertEqual(status, 77)
        self.assertIn("NOPERM", errors)
        self.assertEqual(self.listener("control")["refused_by_protocol"], 1)

    def test_the_group_may_ask(self):
        self.place(0o660, self.GROUP)
        for options in {"group": self.GROUP}, {"groups": [self.GROUP]}:
            self.assertEqual(self.as_user("ping", **options)[:2], (0, "PONG\n"))
            self.assertEqual(self.as_user("loglevel", **options)[0], 0)
            for words in (["pause", "echo"], ["reload"], ["kill", "1"], ["stop"],
                          ["purge", "jobs", "q"], ["loglevel", "debug"]):
                status, out, errors = self.as_user(*words, **options)
                self.assertEqual((status, out), (77, ""), words)
                self.assertIn("may change", errors)
        self.assertEqual(self.listener("echo")["state"], "accepting")

    def test_the_group_may_change_if_the_file_says_so(self):
        self.place(0o660, self.GROUP, change="group")
        self.assertEqual(self.as_user("pause", "echo", group=self.GROUP)[0], 0)
        self.assertEqual(self.listener("echo")["state"], "paused")

    def test_the_daemons_own_user(self):
        """He may everything, in whatever groups."""
        place = self.enterContext(tempfile.TemporaryDirectory(prefix="cistern-"))
        os.chown(place, NOBODY, NOBODY)
        os.chmod(place, 0o755)

        def become():
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)

        config = f'listener "control" {{ listen = "unix:{place}/c.sock" control {{}} }}'
        path = daemon.write_config(place, config)
        os.chmod(path, 0o644)
        process = subprocess.Popen([self.server, "-f", path], preexec_fn=become,
                                   stderr=subprocess.DEVNULL)
        try:
            self.socket = f"{place}/c.sock"
            daemon.wait_until(lambda: os.path.exists(self.socket), "it listens")
            daemon.wait_until(lambda: self.as_user("ping")[0] == 0, "it answers")
            status, out, errors = self.as_user("reload")
            self.assertEqual((status, errors), (0, ""), out)
        finally:
            process.terminate()
            self.assertEqual(process.wait(daemon.DEADLINE), 0)


class Descriptors(controlcase.ControlCase):
    def test_administrator_gets_in_when_they_are_out(self):
        clients = [self.echo() for _ in range(5)]
        count = max(int(name) for name in os.listdir(f"/proc/{self.daemon.pid}/fd")) + 1
        resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE, (count, count))
        waiting = self.daemon.connect("echo")
        waiting.send(b"late")
        self.daemon.wait_log("cannot accept connections: Too many open files")
        for _ in range(3):
            status = self.ask("status")
            self.assertEqual((status["connections"], status["descriptors"]), (5, count))
        self.assertEqual(self.listener("echo")["state"], "waiting")
        self.ctl("kill", str(self.ask("connections", "listener=echo", "limit=1")[0]["id"]))
        self.assertEqual(waiting.receive(4), b"late")
        for client in clients:
            client.half_close()
        self.assertEqual(sorted(client.receive_all() for client in clients), [b""] * 5)


if __name__ == "__main__":
    taptest.run()
