"""The control socket, by those who only ask: what it answers, in the protocol of Redis."""

import shutil
import time
import unittest

import controlcase
import daemon
import resp
import taptest
import terminal

COMMANDS = ["check", "config", "connections", "drain", "help", "kill", "listeners", "loglevel",
            "pause", "ping", "purge", "queues", "reload", "resume", "status", "stop"]


@unittest.skipUnless(shutil.which("redis-cli"), "redis-cli is not installed")
class RedisCli(controlcase.ControlCase):
    def test_asks_in_both_versions(self):
        self.assertEqual(self.redis_cli("ping"), "PONG\n")
        self.assertEqual(self.redis_cli("-3", "ping", "hello"), "hello\n")
        self.assertIn("configuration\n" + self.daemon.path, self.redis_cli("status"))
        self.assertIn("configuration " + self.daemon.path, self.redis_cli("-3", "status"))

    def test_errors(self):
        self.assertEqual(self.redis_cli("statsu").strip(),
                         'ERR unknown command "statsu", perhaps "status"')

    def test_by_hand(self):
        """On a terminal it asks what commands there are, and completes their names."""
        with terminal.Terminal("redis-cli", "-s", self.socket) as tool:
            tool.wait("> $")
            tool.type("resu\t")
            tool.wait("(?i)resume")
            tool.type(" echo\r")
            tool.wait("echo: resumed")
        self.assertNotIn("rror", tool.output)


class Greetings(controlcase.ControlCase):
    def test_what_libraries_say_first(self):
        client = self.connect()
        self.assertEqual(client.call("HELLO", "3")["proto"], 3)
        self.assertEqual(client.call("CLIENT", "SETINFO", "LIB-NAME", "x"), "OK")
        self.assertEqual(client.call("CLIENT", "SETNAME", "x"), "OK")
        self.assertGreater(client.call("client", "id"), 0)
        self.assertIn("CLIENT", client.call("CLIENT", "LIST"))
        self.assertEqual(client.call("SELECT", "0"), "OK")
        self.assertIn("DB index", client.call("SELECT", "1"))
        self.assertRegex(client.call("HELLO", "4"), "^NOPROTO ")
        self.assertEqual(client.call("HELLO", "2")[:2], ["server", "cistern"])
        self.assertEqual(client.call("QUIT"), "OK")
        self.assertEqual(client.receive_all(), b"")

    def test_docs(self):
        client = self.connect()
        docs = client.call("COMMAND", "DOCS")
        self.assertEqual(docs[::2], COMMANDS)
        self.assertEqual(docs[1][0], "summary")
        self.assertEqual(client.call("COMMAND", "DOCS", "Ping", "no-such")[::2], ["ping"])
        self.assertIsInstance(client.call("COMMAND"), resp.Error)

    def test_inline_requests(self):
        client = self.connect()
        client.send(b"ping\r\nping 'a b'\r\n")
        self.assertEqual([client.read(), client.read()], ["PONG", "a b"])

    def test_a_pipeline(self):
        client = self.connect()
        client.send(resp.encode("status") * 200 + resp.encode("ping", "end"))
        for _ in range(200):
            self.assertEqual(client.read()[0], "version")
        self.assertEqual(client.read(), "end")


class Figures(controlcase.ControlCase):
    def test_help(self):
        rows = self.ask("help", "pause")
        self.assertEqual([row["command"] for row in rows], ["pause"])
        rows = self.call("help")
        self.assertEqual([row[1] for row in rows], COMMANDS)
        self.assertIn("no such command", self.refused("help", "me"))

    def test_status(self):
        status = self.ask("status")
        self.echo()
        after = self.ask("status")
        self.assertEqual(status["pid"], self.daemon.pid)
        self.assertEqual(status["state"], "serving")
        self.assertEqual(status["configuration"], self.daemon.path)
        self.assertEqual((status["generation"], status["last_reload"]), (1, "none"))
        self.assertIsNone(status["last_reload_at"])
        self.assertIsNone(status["last_reload_error"])
        self.assertEqual((status["listeners"], status["workers"]), (3, int(daemon.WORKERS or 1)))
        self.assertEqual((status["connections"], after["connections"]), (0, 1))
        self.assertEqual(after["descriptors"], status["descriptors"] + 1)
        self.assertLess(status["descriptors"], status["max_descriptors"])
        self.assertLess(abs(status["started_at"] - time.time()), daemon.DEADLINE)

    def test_queued_bytes(self):
        self.queue_client().call("RPUSH", "q", "x" * 1000)
        status = self.ask("status")
        self.assertEqual(status["queued_bytes"], 1016)
        self.assertIsNone(status["max_queued_bytes"])

    def test_listeners(self):
        first, _second = self.echo(), self.echo()
        first.close()
        self.wait_listener("echo", connections=1, lost_eof=1)
        echo = self.listener("echo")
        self.assertEqual((echo["protocol"], echo["state"]), ("echo", "accepting"))
        self.assertEqual(echo["addresses"], self.daemon.addresses("echo")[0])
        self.assertEqual((echo["accepted"], echo["peak"], echo["refused"]), (2, 2, 0))
        self.assertEqual((echo["bytes_received"], echo["bytes_sent"]), (4, 4))
        self.assertEqual(echo["max_connections"], 10000)
        control = self.listener("control")
        self.assertEqual(control["addresses"], f"unix:{self.socket}")
        self.assertIsNone(control["max_connections"])

    def test_refusals_are_counted_by_reason(self):
        self.start(controlcase.CONTROL + "max_connections = 2\n" +
                   'listener "echo" { listen = "ADDRESS" max_connections = 1 echo {} }' +
                   controlcase.JOBS)
        self.echo()
        self.assertTrue(self.daemon.resets(self.daemon.addresses("echo")[0]))
        self.queue_client().call("PING")
        self.assertTrue(self.daemon.resets(self.daemon.addresses("jobs")[0]))
        echo, jobs = self.listener("echo"), self.listener("jobs")
        self.assertEqual((echo["refused"], echo["refused_listener_full"]), (1, 1))
        self.assertEqual((jobs["refused"], jobs["refused_daemon_full"]), (1, 1))
        self.assertEqual((echo["accepted"], jobs["accepted"]), (1, 1))


class Connections(controlcase.ControlCase):
    def test_filters(self):
        one, two, jobs = self.echo(), self.echo(), self.queue_client()
        self.assertEqual(jobs.call("PING"), "PONG")
        peers = ["%s:%d" % client.socket.getsockname() for client in (one, two, jobs)]
        rows = self.ask("connections")
        ids = [row["id"] for row in rows]
        self.assertEqual([row["peer"] for row in rows], peers + ["unix"])
        self.assertEqual([row["listener"] for row in rows], ["echo", "echo", "jobs", "control"])
        self.assertEqual({row["state"] for row in rows}, {"open"})
        self.assertEqual((rows[0]["bytes_received"], rows[0]["bytes_sent"]), (2, 2))

        def asked(*words):
            return [row["id"] for row in self.ask("connections", *words)]

        host = peers[0].rpartition(":")[0]
        self.assertEqual(asked("listener=echo"), ids[:2])
        self.assertEqual(asked("peer=" + peers[1]), ids[1:2])
        self.assertEqual(asked("peer=" + host), ids[:3])
        self.assertEqual(asked("peer=127.*"), ids[:3])
        self.assertEqual(asked("peer=10.*"), [])
        self.assertEqual(asked(f"id={ids[2]}"), ids[2:3])
        self.assertEqual(asked("limit=2"), ids[:2])
        self.assertEqual(asked("idle=1h"), [])
        self.assertEqual(asked("listener=jobs", "id=1", "peer=*"), ids[2:3] if ids[2] == 1 else [])

    def test_ipv6(self):
        self.start('listener "echo" { listen = "[::1]:0" echo {} }' + controlcase.CONTROL)
        self.echo()
        for pattern, count in [("::1", 1), ("[[]::1]*", 1), ("::2", 0)]:
            self.assertEqual(len(self.ask("connections", "peer=" + pattern)), count, pattern)

    def test_idle(self):
        self.echo()
        daemon.wait_until(lambda: self.ask("connections", "idle=50ms"), "it is idle")
        busy = self.echo()
        row = self.ask("connections", "idle=50ms")[0]
        self.assertGreaterEqual(row["idle_ms"], 50)
        self.assertGreaterEqual(row["age_ms"], row["idle_ms"])
        daemon.wait_until(lambda: len(self.ask("connections", "idle=50ms")) == 2, "both are")
        busy.exchange(b"x")
        self.assertLess(self.ask("connections", "listener=echo")[1]["idle_ms"],
                        self.ask("connections", "listener=echo")[0]["idle_ms"])

    def test_sorted(self):
        clients = [self.echo() for _ in range(6)]
        for index, client in enumerate(clients):
            client.exchange(b"x" * (10 + 7 * index % 5))
        rows = self.ask("connections", "listener=echo", "sort=bytes_received", "limit=3")
        self.assertEqual([row["bytes_received"] for row in rows], [2 + n for n in (14, 13, 12)])

    def test_nonsense(self):
        for words, why in [
                (["limit=0"], "limit: it has to be a number from 1 to 10000"),
                (["limit=10001"], "limit: it has to be a number from 1 to 10000"),
                (["limit=x"], "limit: it has to be a number from 1 to 10000"),
                (["id=-1"], "id: it has to be a number"),
                (["idle=5"], "idle: it has to be a duration"),
                (["idle=" + "9" * 100 + "s"], "idle: it has to be a duration"),
                (["listener=no"], 'there is no listener "no"'),
                (["sort=peer"], "sort: there is no such column"),
                (["sort="], "sort: there is no such column")]:
            self.assertTrue(self.refused("connections", *words).startswith(why), (words, why))


class Queues(controlcase.ControlCase):
    CONFIG = controlcase.ECHO + controlcase.CONTROL + """
        listener "jobs" { listen = "ADDRESS" queue { match "small:*" { max_items = 2 } } }
        listener "more" { listen = "ADDRESS" queue {} }
        listener "own" { listen = "ADDRESS" queue { scope = connection } }
    """

    def setUp(self):
        super().setUp()
        self.client = self.queue_client()

    def test_figures(self):
        self.client.call("RPUSH", "small:a", "1", "2", "3")
        self.client.call("LPOP", "small:a")
        self.daemon.connect("own", kind=resp.Client).call("RPUSH", "hidden", "x")
        row, = self.ask("queues")
        expected = {"listener": "jobs", "name": "small:a", "items": 1, "max_items": 2, "bytes": 17,
                    "policy": "drop-oldest", "pushed": 3, "popped": 1, "evicted": 1,
                    "over_bound": False}
        self.assertLessEqual(expected.items(), row.items())
        info = self.client.qinfo("small:a")
        self.assertEqual(list(row)[2:], list(info))
        info["oldest_age_ms"] = row["oldest_age_ms"]
        self.assertEqual(list(row.values())[2:], list(info.values()))

    def test_by_listener_and_pattern(self):
        for name in "a", "ab", "b", "b=1":
            self.client.call("RPUSH", name, "x")
        self.daemon.connect("more", kind=resp.Client).call("RPUSH", "a", "x")

        def asked(*words):
            return sorted(row["listener"] + "." + row["name"] for row in self.ask("queues", *words))

        self.assertEqual(len(asked()), 5)
        self.assertEqual(asked("more"), ["more.a"])
        self.assertEqual(asked("jobs", "a*"), ["jobs.a", "jobs.ab"])
        self.assertEqual(asked("jobs", "[b]"), ["jobs.b"])
        self.assertEqual(asked("jobs", "b=*"), ["jobs.b=1"])
        self.assertEqual(asked("echo"), [])
        self.assertIn('no listener "no"', self.refused("queues", "no"))

    def test_the_fullest(self):
        """Of many queues the few that are asked for, whatever the order in which they were made."""
        for index in range(200):
            self.client.call("RPUSH", f"q{index}", *["x"] * (index * 37 % 199 + 1))
        rows = self.ask("queues", "jobs", "sort=items", "limit=10")
        self.assertEqual([row["items"] for row in rows], list(range(199, 189, -1)))
        self.assertEqual(len(self.ask("queues", "limit=150")), 150)

    def test_expired_items_are_gone(self):
        self.start(controlcase.CONTROL +
                   'listener "jobs" { listen = "ADDRESS" queue { max_age = 1ms } }')
        self.queue_client().call("RPUSH", "q", "x")
        daemon.wait_until(lambda: self.ask("queues")[0]["expired"] == 1, "it is too old")

    def test_any_bytes(self):
        self.client.call("RPUSH", b'\xff\x00"\n\xc3\xa9', "x")
        self.assertEqual(self.ask("queues")[0]["name"], '\ufffd\0"\n\u00e9')
        self.assertIn('??"?\u00e9', self.ctl("queues"))


class Config(controlcase.ControlCase):
    CONFIG = """drain_timeout = 7s
listener "jobs" {
    listen = { "ADDRESS", "unix:${DIRECTORY}/jobs.sock" }
    queue {
        max_items = 5
        match "a:*" {
            overflow = block
            max_items = 3
        }
    }
}
""" + controlcase.CONTROL

    def options(self, *words):
        return {(row["listener"], row["option"]): (row["value"], row["origin"])
                for row in self.ask("config", *words)}

    def test_values_and_origins(self):
        options = self.options()
        path = self.daemon.path
        self.assertEqual(options[None, "drain_timeout"], ("7s", f"{path}:1"))
        self.assertEqual(options[None, "max_connections"], ("10000", "default"))
        self.assertEqual(options["jobs", "listen"],
                         (f"127.0.0.1:0 unix:{self.daemon.directory}/jobs.sock", f"{path}:3"))
        self.assertEqual(options["jobs", "queue max_items"], ("5", f"{path}:5"))
        self.assertEqual(options["jobs", "queue max_bytes"], ("64MiB", "default"))
        self.assertEqual(options["jobs", 'queue match "a:*" overflow'], ("block", f"{path}:7"))
        self.assertEqual(options["jobs", 'queue match "a:*" max_items'], ("3", f"{path}:8"))
        self.assertNotIn(("jobs", 'queue match "a:*" max_bytes'), options)
        self.assertEqual(options["control", "control change"], ("owner", "default"))

    def test_of_one_listener(self):
        self.assertEqual({listener for listener, _ in self.options("control")}, {"control"})
        self.assertIn("no listener", self.refused("config", "no"))

    def test_what_holds_and_not_what_is_on_disk(self):
        daemon.write_config(self.daemon.directory, self.CONFIG.replace("7s", "8s"))
        self.assertEqual(self.options()[None, "drain_timeout"][0], "7s")

    def test_check_looks_at_the_disk(self):
        self.assertRegex(self.ctl("check"), r"server.conf: valid \(listeners: 2\)\n")
        bad = self.CONFIG.replace("7s", "7").replace("= 5", "= x")
        daemon.write_config(self.daemon.directory, bad)
        errors = self.refused("check").splitlines()
        self.assertRegex(errors[0], r"^/.*server.conf:1: drain_timeout: ")
        self.assertRegex(errors[1], r"^/.*server.conf:5: .*max_items: ")
        self.assertEqual(self.ask("status")["last_reload"], "none")


if __name__ == "__main__":
    taptest.run()
