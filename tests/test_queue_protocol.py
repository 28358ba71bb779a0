"""The queue's protocol as bytes: however they come, and whatever they are."""

import random
import shutil
import subprocess
import threading
import unittest

import daemon
import resp
import taptest

CONFIG = """
    listener "jobs" {
        listen = { "ADDRESS", "unix:${DIRECTORY}/jobs.sock" }
        queue { max_item_bytes = 1KiB max_request_bytes = 4KiB }
    }
"""
UNIX = 1  # the index of its address: there the kernel tells what the daemon has read


class Stream(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(daemon.Daemon(CONFIG))

    def connect(self, index=0):
        return self.daemon.connect("jobs", index, kind=resp.Client)

    def assert_answers(self, request, answers, client=None):
        client = client or self.connect()
        client.send(request)
        client.half_close()
        self.assertEqual(client.receive_all(), answers)

    def test_every_message_split_at_every_byte(self):
        request = (resp.encode("DEL", "split") + resp.encode("RPUSH", "split", "", "a\r\nb") +
                   b"\r\n  echo 'in line' \r\n" + b"*0\r\n" + resp.encode("LPOP", "split", 2) +
                   b'ECHO "\\x41\\n"\n' + resp.encode("NONESUCH", "x") + resp.encode("PING"))
        answers = (b":0\r\n" b":2\r\n" b"$7\r\nin line\r\n" b"*2\r\n$0\r\n\r\n$4\r\na\r\nb\r\n"
                   b"$2\r\nA\n\r\n" b"-ERR unknown command 'NONESUCH', "
                   b"with args beginning with: 'x' \r\n" b"+PONG\r\n")
        client = self.connect(UNIX)
        for at in range(1, len(request)):
            client.send(request[:at])
            client.wait_taken()
            client.send(request[at:])
            self.assertEqual(client.input.read(len(answers)), answers, f"split at {at}")

    def test_one_byte_at_a_time(self):
        client = self.connect(UNIX)
        for byte in resp.encode("RPUSH", "slowly", "abc") + b"LPOP slowly\r\n":
            client.send(bytes([byte]))
            client.wait_taken()
        self.assertEqual((client.read(), client.read()), (1, "abc"))

    def test_ten_thousand_commands_in_one_write_are_answered_in_order(self):
        client = self.connect()
        request = b"".join(resp.encode("ECHO", i) for i in range(10000))
        thread = threading.Thread(target=client.send, args=(request,), daemon=True)
        thread.start()
        self.assertEqual([client.read() for _ in range(10000)], [str(i) for i in range(10000)])
        thread.join()

    def test_pipeline_before_a_half_close_is_answered(self):
        self.assert_answers(b"PING\r\n" * 10000, b"+PONG\r\n" * 10000)

    def test_replies_that_the_socket_does_not_take_are_sent_after_a_half_close(self):
        """The end of the requests comes when replies are left: of every amount up to the bound."""
        answer = b"$1000\r\n" + b"x" * 1000 + b"\r\n"
        for count in range(100, 400, 20):
            client = self.connect(UNIX)
            client.send(resp.encode("ECHO", b"x" * 1000) * count)
            client.half_close()
            self.assertTrue(client.receive(10) == answer[:10])
            self.assertTrue(client.receive_all() == (answer * count)[10:], count)

    def test_half_a_request_before_a_half_close_is_dropped(self):
        self.assert_answers(b"PING\r\n*2\r\n$4\r\nECHO\r\n$5\r\nab", b"+PONG\r\n")

    @unittest.skipUnless(shutil.which("nc"), "nc is not installed")
    def test_inline_commands_by_netcat(self):
        host, port = self.daemon.addresses("jobs")[0].split(":")
        typed = b"rpush nc a 'b c' \"d\\x21\"\nlrange nc 0 -1\r\n\n   \nblpop nc 0\nquit\nping\n"
        done = subprocess.run(["nc", "-N", host, port], input=typed, stdout=subprocess.PIPE,
                              timeout=daemon.DEADLINE, check=True)
        self.assertEqual(done.stdout, b":3\r\n*3\r\n$1\r\na\r\n$3\r\nb c\r\n$2\r\nd!\r\n"
                                      b"*2\r\n$2\r\nnc\r\n$1\r\na\r\n+OK\r\n")

    def test_empty_requests_are_not_answered(self):
        self.assert_answers(b"\r\n\n*0\r\n*-1\r\n   \r\nPING\r\n", b"+PONG\r\n")

    def test_too_large_request_is_thrown_away_and_the_connection_lives(self):
        too_big = b"-TOOBIG request is over max_request_bytes\r\n"
        for words in (("RPUSH", "big", b"x" * 5000), ("RPUSH", "big", b"x" * 1000000),
                      ("RPUSH", "big", *["x" * 100] * 50), (b"x" * 70000,)):
            self.assert_answers(resp.encode("PING") + resp.encode(*words) + resp.encode("PING"),
                                b"+PONG\r\n" + too_big + b"+PONG\r\n")
        self.assertEqual(self.connect().call("LLEN", "big"), 0)

    def test_too_large_request_in_pieces(self):
        client = self.connect(UNIX)
        request = resp.encode("RPUSH", "big", "y" * 10, "x" * 20000)
        for i in range(0, len(request), 1500):
            client.send(request[i:i + 1500])
            client.wait_taken()
        self.assertRegex(client.read(), "^TOOBIG")
        self.assertEqual(client.call("EXISTS", "big"), 0)

    def test_request_as_large_as_it_may_be(self):
        request = resp.encode("RPUSH", "fits", *["x" * 1000] * 4)
        client = self.connect()
        client.send(request[:-1])
        client.send(request[-1:])
        self.assertEqual(client.read(), 4)

    def test_protocol_errors_are_answered_and_then_the_connection_is_closed(self):
        """The words are Redis'; answers to what came before them are sent first."""
        for wrong, reason in (
                (b"*x\r\n", "invalid multibulk length"),
                (b"*99999999999999999999\r\n", "invalid multibulk length"),
                (b"*1\r\nPING\r\n", "expected '$', got 'P'"),
                (b"*1\r\n:1\r\n", "expected '$', got ':'"),
                (b"*1\r\n$x\r\n", "invalid bulk length"),
                (b"*1\r\n$-1\r\n", "invalid bulk length"),
                (b"*1\r\n$536870913\r\n", "invalid bulk length"),
                (b"*1\r\n$99999999999999999999\r\n", "invalid bulk length"),
                (b"echo 'a\r\n", "unbalanced quotes in request"),
                (b"echo \"a\"b\r\n", "unbalanced quotes in request"),
                (b"*1048577\r\n", "invalid multibulk length")):  # Redis: only above 2^31 - 1
            error = f"-ERR Protocol error: {reason}\r\n".encode()
            self.assert_answers(resp.encode("PING") + wrong + resp.encode("PING"),
                                b"+PONG\r\n" + error)

    def test_endless_lines_are_errors(self):
        """Headers and inline commands have a limit, so that no line is waited for forever."""
        for start, reason in ((b"", "too big inline request"),
                              (b"*", "too big mbulk count string"),
                              (b"*1\r\n$", "too big bulk count string")):
            client = self.connect()
            client.send(start + b"1" * 70000)
            self.assertEqual(client.receive_all(),
                             f"-ERR Protocol error: {reason}\r\n".encode())

    def test_bulk_without_its_end_of_line(self):
        client = self.connect()
        client.send(b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n")
        self.assertRegex(client.receive_all(), rb"^-ERR Protocol error: [^\r]*\r\n$")

    def test_random_bytes_harm_nobody_else(self):
        witness = self.connect()
        noise = random.Random(7)
        for _ in range(200):
            client = self.connect()
            client.send(noise.randbytes(noise.randrange(1, 3000)))
            client.close()
            mixed = self.connect()
            data = bytearray(resp.encode("RPUSH", "noise", "a", "b") * 20)
            for _ in range(5):
                data[noise.randrange(len(data))] = noise.randrange(256)
            mixed.send(data)
            mixed.close()
        self.assertEqual(witness.call("PING"), "PONG")


if __name__ == "__main__":
    taptest.run()
