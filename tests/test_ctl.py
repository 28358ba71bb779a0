"""cisternctl: its tables, its JSON, its exit codes."""

import json
import os
import socket
import subprocess
import tempfile
import threading

import controlcase
import daemon
import taptest


class Output(controlcase.ControlCase):
    def test_tables(self):
        self.echo()
        lines = self.ctl("listeners").splitlines()
        self.assertRegex(lines[0], "^NAME +PROTOCOL +STATE +CONNECTIONS ")
        self.assertEqual(len(lines), 4)
        self.assertRegex(lines[1], r"^echo +echo +accepting +1 +10000 +1 +0 +2 B +2 B +127\.")
        column = lines[0].index("STATE")
        self.assertEqual({line[column - 2:].split()[0] for line in lines}, {"STATE", "accepting"})

    def test_all_columns(self):
        few, every = (self.ctl(*words).splitlines()[0].split()
                      for words in (["listeners"], ["listeners", "--all"]))
        self.assertLess(set(few), set(every))
        self.assertIn("REFUSED_DAEMON_FULL", every)
        self.assertEqual(len(every), len(self.listener("echo")))

    def test_units(self):
        self.queue_client().call("RPUSH", "q", "x" * 3000)
        self.assertRegex(self.ctl("queues"), r" 2\.9 KiB ")
        self.assertRegex(self.ctl("status"), r"(?m)^started_at +20\d\d-\d\d-\d\d \d\d:\d\d:\d\d$")
        self.assertRegex(self.ctl("status"), r"(?m)^uptime_ms +\d")
        self.assertRegex(self.ctl("status"), r"(?m)^max_queued_bytes +-$")

    def test_nothing(self):
        self.assertEqual(self.ctl("queues"), "")
        self.assertEqual(self.ask("queues"), [])

    def test_json_of_everything(self):
        for words in (["status"], ["listeners"], ["connections"], ["queues"], ["config"],
                      ["loglevel"], ["help", "ping"], ["ping"], ["check"], ["kill", "idle=1h"]):
            kind = {"status": dict, "ping": str, "check": str, "kill": int}.get(words[0], list)
            self.assertIsInstance(self.ask(*words), kind, words)
        numbers = self.ask("connections")[0]
        self.assertIsInstance(numbers["age_ms"], int)
        self.assertIs(self.ask("status")["last_reload_error"], None)

    def test_names_that_clients_chose(self):
        """They can neither write to the terminal nor break the JSON."""
        client = self.queue_client()
        names = ["\x1b[31m", "a\tb\r\n", '"\\/', "\x7f", "\u00e9\u6c34\U0001f4a7", ""]
        for name in names:
            client.call("RPUSH", name, "x")
        client.call("RPUSH", b"\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82", "x")
        found = [row["name"] for row in self.ask("queues")]
        self.assertEqual(sorted(found[:-1]), sorted(names))
        self.assertEqual(set(found[-1]), {"\ufffd"})
        out = self.ctl("queues")
        self.assertEqual(len(out.splitlines()), 8)
        self.assertNotIn("\x1b", out)

    def test_options_stand_anywhere(self):
        for words in (["-j", "ping"], ["ping", "-j"], ["ping", "--json"], ["--js", "ping"]):
            self.assertEqual(self.ctl(*words), '"PONG"\n')
        self.assertEqual(self.ctl("ping", "--", "-j"), "-j\n")


class ExitCodes(controlcase.ControlCase):
    def test_usage(self):
        for words, why in [
                ([], "a command is needed"),
                (["statsu"], 'unknown command "statsu", perhaps "status"'),
                (["status", "now"], "wrong arguments; it is: status"),
                (["pause"], "wrong arguments; it is: pause LISTENER"),
                (["connections", "idel=3s"], "wrong arguments; it is: connections"),
                (["--no-such", "ping"], "unrecognized option"),
                (["top", "more"], "top takes no arguments"),
                (["top", "--json"], "top takes no arguments"),
                (["top", "-d", "0"], "a delay is"),
                (["top", "-d", "x"], "a delay is"),
                (["top", "-n", "0"], "a count is"),
                (["ping"] * 100, "wrong arguments" if len(["ping"] * 100) < 65 else "too many")]:
            status, out, errors = self.run_ctl(*words)
            self.assertEqual((status, out), (64, ""), words)
            self.assertIn(why, errors)
            self.assertIn("--help", errors)

    def test_help_needs_no_daemon(self):
        for words in ["--help"], ["help"], ["-h"]:
            status, out, errors = self.run_ctl(*words, socket="/nowhere")
            self.assertEqual((status, errors), (0, ""))
            self.assertIn("connections [OPTION=VALUE ...]", out)
        self.assertRegex(self.ctl("--version"), r"^cisternctl \d+\.\d+\.\d+\n$")

    def test_nobody_is_there(self):
        with tempfile.TemporaryDirectory(prefix="cistern-") as directory:
            stale = os.path.join(directory, "stale.sock")
            with socket.socket(socket.AF_UNIX) as left:
                left.bind(stale)
            for place in "/nowhere", stale, directory, "/" + "x" * 200:
                status, out, errors = self.run_ctl("ping", socket=place)
                self.assertEqual((status, out), (69, ""), errors)
                self.assertIn(place, errors)

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            for words in ["status"], ["status", "-j"], ["listeners"], ["-h"], ["top", "-n", "1"]:
                done = subprocess.run([controlcase.CISTERNCTL, "-s", self.socket, *words],
                                      stdout=full, stderr=subprocess.PIPE, check=False,
                                      timeout=daemon.DEADLINE)
                self.assertEqual(done.returncode, 74, words)


class StrangeDaemons(controlcase.ControlCase):
    """What answers is not to be trusted either."""

    def setUp(self):
        directory = self.enterContext(tempfile.TemporaryDirectory(prefix="cistern-"))
        self.socket = os.path.join(directory, "c.sock")
        self.server = self.enterContext(socket.socket(socket.AF_UNIX))
        self.server.bind(self.socket)
        self.server.listen()

    def answers(self, *replies):
        """A daemon that takes a request for each of these, and closes."""
        def serve():
            connection, _ = self.server.accept()
            with connection:
                connection.settimeout(daemon.DEADLINE)
                for reply in replies:
                    connection.recv(1 << 16)
                    connection.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(thread.join)

    def test_no_control_socket(self):
        for reply in b"+OK\r\n", b"-ERR who\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"":
            self.answers(reply)
            self.assertEqual(self.run_ctl("ping")[0], 69, reply)

    def test_broken_answers(self):
        hello = b"%1\r\n+server\r\n+x\r\n", b"+OK\r\n"
        for reply in (b"$5\r\nab", b"*2\r\n:1\r\n", b":x\r\n", b"$-2\r\n", b"*-2\r\n", b"?\r\n",
                      b"%1\r\n:1\r\n:2\r\n", b"*1\r\n" * 100 + b":1\r\n", b"$99999999999\r\n",
                      b"*2147483648\r\n", b"+" + b"x" * 5000 + b"\r\n", b":1\n", b"$1\r\nxyz"):
            self.answers(*hello, reply)
            status, out, errors = self.run_ctl("status")
            self.assertEqual((status, out), (76, ""), (reply, errors))

    def test_unexpected_shapes(self):
        """A newer daemon may answer in another shape: it is printed, whatever it is."""
        hello = b"%1\r\n+server\r\n+x\r\n", b"+OK\r\n"
        for reply, expected in [
                (b"*2\r\n+a\r\n:2\r\n", ["a", 2]), (b"%1\r\n+a\r\n*0\r\n", {"a": []}),
                (b"~1\r\n_\r\n", [None]), (b"#t\r\n", True), (b"$-1\r\n", None),
                (b"=7\r\ntxt:abc\r\n", "txt:abc")]:
            self.answers(*hello, reply)
            status, out, _ = self.run_ctl("-j", "status")
            self.assertEqual((status, json.loads(out)), (0, expected))
            self.answers(*hello, reply)
            self.assertEqual(self.run_ctl("status")[0], 0, reply)
        self.answers(*hello, b"!9\r\nERR a\nb!!\r\n")
        self.assertEqual(self.run_ctl("status"), (1, "", "cisternctl: a\nb!!\n"))


if __name__ == "__main__":
    taptest.run()
