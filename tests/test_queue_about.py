"""Transcripts of the commands about the connection, the server and the commands."""

import unittest
from unittest.mock import ANY

import daemon
import resp
import taptest

CONFIG = """
    listener "jobs" {
        listen = { "ADDRESS" }
        queue { max_items = 5 max_item_bytes = 2KiB max_bytes = 64KiB max_queues = 20 }
    }
"""


class Commands(unittest.TestCase):
    """Each test has queues of its own, on one daemon."""

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(daemon.Daemon(CONFIG))

    def setUp(self):
        self.client = self.daemon.connect("jobs", kind=resp.Client)

    def talk(self, transcript):
        self.client.talk(transcript)

    def test_ping_echo_and_select(self):
        self.talk("""
            > PING
            < +PONG
            > pInG 'hello world'
            < $11
            < hello world
            > PING a b
            < -ERR wrong number of arguments for 'ping' command
            > ECHO ''
            < $0
            <
            > ECHO
            < -ERR wrong number of arguments for 'echo' command
            > SELECT 0
            < +OK
            > SELECT 1000
            < -ERR DB index is out of range
            > SELECT -1
            < -ERR DB index is out of range
            > SELECT x
            < -ERR value is not an integer or out of range
        """)

    def test_quit(self):
        self.client.send(resp.encode("PING") + resp.encode("QUIT") + resp.encode("PING"))
        self.assertEqual(self.client.receive_all(), b"+PONG\r\n+OK\r\n")

    def test_unknown_command(self):
        for words, told in ((["NONESUCH", "a", "b c", "d"], "'a' 'b c' 'd' "), (["lpo"], ""),
                            (["lpopp"], ""), ([""], "")):
            self.assertEqual(self.client.call(*words), f"ERR unknown command '{words[0]}', "
                                                       f"with args beginning with: {told}")

    def test_unknown_command_cannot_forge_a_reply(self):
        self.client.send(resp.encode("X\r\n:1\r\n", "y\r\nz") + resp.encode("PING"))
        self.assertIsInstance(self.client.read(), resp.Error)
        self.assertEqual(self.client.read(), "PONG")

    def test_unknown_command_is_repeated_only_in_part(self):
        answer = self.client.call("X" * 1000, *["y" * 100] * 10)
        self.assertEqual(answer, f"ERR unknown command '{'X' * 128}', with args beginning with: "
                                 f"'{'y' * 100}' '{'y' * 25}' ")

    def test_command(self):
        self.talk("""
            > COMMAND INFO lpop nonesuch
            < *2
            < *10
            < $4
            < lpop
            < :-2
            < *2
            < +write
            < +fast
            < :1
            < :1
            < :1
            < *0
            < *0
            < *0
            < *0
            < *-1
            > COMMAND NONESUCH
            < -ERR unknown subcommand 'NONESUCH'. Try COMMAND HELP.
        """)
        names = self.client.call("COMMAND", "LIST")
        self.assertEqual(len(names), self.client.call("COMMAND", "COUNT"))
        self.assertEqual([row[0] for row in self.client.call("COMMAND")], names)
        docs = self.client.call("COMMAND", "DOCS")
        self.assertEqual(docs[::2], names)
        self.assertEqual(self.client.call("COMMAND", "DOCS", "lpop")[0], "lpop")

    def test_info(self):
        self.client.call("RPUSH", "info", "a")
        fields = dict(line.split(":", 1) for line in self.client.call("INFO").split("\r\n")
                      if ":" in line)
        self.assertEqual(int(fields["process_id"]), self.daemon.pid)
        self.assertEqual(fields["loading"], "0")
        self.assertEqual(fields["role"], "master")
        self.assertEqual(fields["restored"], "0")
        self.assertGreaterEqual(int(fields["connected_clients"]), 1)
        self.assertGreaterEqual(int(fields["items"]), 1)
        self.assertRegex(fields["db0"], r"keys=\d+,")

    def test_qinfo(self):
        self.assertEqual(self.client.qinfo("qinfo"), {})
        self.client.call("RPUSH", "qinfo", *"abcdefg")
        self.client.call("LPOP", "qinfo")
        cost = self.client.qinfo("qinfo")["bytes"] // 4
        self.assertEqual(self.client.qinfo("qinfo"), {
            "items": 4, "bytes": 4 * cost, "leased": 0, "max_items": 5, "max_bytes": 65536,
            "policy": "drop-oldest", "pushed": 7, "popped": 1, "evicted": 2, "evicted_resize": 0,
            "expired": 0, "removed": 0, "dropped": 0, "rejected": 0, "blocked": 0,
            "timed_out": 0, "returned": 0, "waiting_pop": 0, "waiting_push": 0, "high_items": 5,
            "high_bytes": 5 * cost, "oldest_age_ms": ANY, "over_bound": 0})
        self.assertIsInstance(self.client.call("QINFO"), resp.Error)


class Names(unittest.TestCase):
    def test_nul_byte_in_the_name_of_a_command(self):
        with daemon.Daemon(CONFIG) as running:
            client = running.connect("jobs", kind=resp.Client)
            client.call("RPUSH", "q", "a")
            for name in b"lpop\0", b"LPOP\0x", b"\0", b"type\0\0\0\0":
                self.assertRegex(client.call(name, "q"), "ERR unknown command")
            self.assertEqual(client.call("LLEN", "q"), 1)


if __name__ == "__main__":
    taptest.run()
