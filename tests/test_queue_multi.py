"""MULTI, EXEC and DISCARD."""

import time

import queuecase
import resp
import taptest

ABORT = "EXECABORT Transaction discarded because of previous errors."


class Multi(queuecase.QueueCase):
    def run_all(self, *requests, client=None):
        """The answers to MULTI, the requests and EXEC: all of EXEC, after a look at the others."""
        client = client or self.client
        client.send(resp.encode("MULTI") + b"".join(resp.encode(*words) for words in requests) +
                    resp.encode("EXEC"))
        first, *queued, last = client.reads(len(requests) + 2)
        self.assertEqual((first, queued), ("OK", ["QUEUED"] * len(requests)))
        return last

    def test_answers_are_those_of_the_commands(self):
        self.start()
        self.assertEqual(
            self.run_all(["RPUSH", "q", "a", "b"], ["LPOP", "q"], ["LLEN", "q"], ["PING"],
                         ["LPOP", "none"], ["LPOP", "none", 2], ["LRANGE", "q", 0, -1],
                         ["TYPE", "q"], ["LPOP", "q", "x"]),
            [2, "a", 1, "PONG", None, None, ["b"], "list",
             "ERR value is out of range, must be positive"])
        self.assertEqual(self.run_all(), [])

    def test_nothing_happens_before_exec(self):
        self.start()
        other = self.connect()
        self.assertEqual(other.call("MULTI"), "OK")
        self.assertEqual(other.call("RPUSH", "q", "a"), "QUEUED")
        self.assertEqual(self.client.call("EXISTS", "q"), 0)
        self.client.call("RPUSH", "q", "first")
        self.assertEqual(other.call("EXEC"), [2])
        self.assertEqual(self.items(), ["first", "a"])

    def test_nobody_comes_between(self):
        """Who waits is served when all is done."""
        self.start()
        waiting = [self.consumer("BLPOP", "q", 0) for _ in range(2)]
        self.assertEqual(self.run_all(["RPUSH", "q", "a"], ["LPOP", "q"], ["RPUSH", "q", "b"],
                                      ["LLEN", "q"], ["RPUSH", "q", "c", "d"], ["RPOP", "q"]),
                         [1, "a", 1, 1, 3, "d"])
        self.assertEqual([client.read() for client in waiting], [["q", "b"], ["q", "c"]])

    def test_discard(self):
        self.start()
        for words, answer in ((["MULTI"], "OK"), (["RPUSH", "q", "a"], "QUEUED"),
                              (["DISCARD"], "OK"), (["EXISTS", "q"], 0),
                              (["DISCARD"], "ERR DISCARD without MULTI"),
                              (["EXEC"], "ERR EXEC without MULTI")):
            self.assertEqual(self.client.call(*words), answer)

    def test_reset_and_quit_are_not_kept(self):
        self.start()
        self.client.call("MULTI")
        self.client.call("RPUSH", "q", "a")
        self.assertEqual(self.client.call("RESET"), "RESET")
        self.assertEqual(self.client.call("EXEC"), "ERR EXEC without MULTI")
        self.client.call("MULTI")
        self.client.ask("QUIT")
        self.assertEqual(self.client.receive_all(), b"+OK\r\n")
        self.assertEqual(self.connect().call("EXISTS", "q"), 0)

    def test_nested(self):
        self.start()
        for words, answer in ((["MULTI"], "OK"), (["RPUSH", "q", "a"], "QUEUED"),
                              (["MULTI"], "ERR MULTI calls can not be nested"),
                              (["EXEC"], [1]), (["LLEN", "q"], 1)):
            self.assertEqual(self.client.call(*words), answer)

    def test_errors_before_exec_make_it_fail(self):
        for wrong, error in ((["NONESUCH", "x"], "^ERR unknown command"),
                             (["RPUSH", "q"], "^ERR wrong number of arguments for 'rpush' command"),
                             (["WATCH", "q"], "^ERR unknown command"),
                             (["CLIENT", "NONESUCH"], "^ERR unknown subcommand"),
                             (["RPUSH", "q", "x" * 10000], "^TOOBIG ")):
            with self.subTest(wrong=wrong[0]):
                self.start(max_request_bytes=4096, max_reply_bytes=4096, max_item_bytes=1024)
                self.client.call("MULTI")
                self.assertEqual(self.client.call("RPUSH", "q", "a"), "QUEUED")
                self.assertRegex(self.client.call(*wrong), error)
                self.assertEqual(self.client.call("RPUSH", "q", "b"), "QUEUED")
                self.assertEqual(self.client.call("EXEC"), ABORT)
                self.assertEqual(self.client.call("EXISTS", "q"), 0)
                self.assertEqual(self.run_all(["RPUSH", "q", "c"]), [1])  # the next is a new one
                self.daemon.stop()

    def test_errors_of_exec_do_not_stop_it(self):
        self.start(max_items=1, overflow="reject")
        answers = self.run_all(["RPUSH", "q", "a"], ["RPUSH", "q", "b"], ["LINDEX", "q", "x"],
                               ["RPUSH", "q", "b", "c"], ["SELECT", 5], ["LLEN", "q"])
        self.assertEqual([str(answer).split()[0] for answer in answers],
                         ["1", "FULL", "ERR", "TOOBIG", "ERR", "1"])

    def test_nothing_waits_inside(self):
        """Time is up at once, and a push that would wait is refused."""
        self.start(max_items=1, overflow="block", push_timeout="forever")
        self.client.call("RPUSH", "full", "x")
        begin = time.monotonic()
        answers = self.run_all(
            ["BLPOP", "q", 0], ["BRPOP", "q", "r", 0], ["BLMPOP", 0, 1, "q", "LEFT"],
            ["BLMOVE", "q", "r", "LEFT", "LEFT", 0], ["BRPOPLPUSH", "q", "r", 0],
            ["QTAKE", "q", 1, 0, 1], ["RPUSH", "full", "y"], ["BRPUSH", "full", "y", 0],
            ["RPUSH", "s", "z"], ["BLMOVE", "s", "full", "LEFT", "LEFT", 0], ["BLPOP", "s", 0],
            ["BRPUSH", "s", "v", 0], ["LLEN", "q"])
        self.assertLess(time.monotonic() - begin, 30)
        self.assertEqual(answers[:6], [None] * 6)
        for i in 6, 7, 9:
            self.assertRegex(answers[i], "^FULL queue 'full' holds 1/1 items")
        self.assertEqual(answers[8:9] + answers[10:], [1, ["s", "z"], 1, 0])
        self.assertEqual(self.figures("waiting_push", "blocked", "rejected", queue="full"),
                         (0, 0, 3))
        self.assertEqual(self.totals()["blocked_clients"], "0")

    def test_size_is_bounded(self):
        limit = 64 << 10
        self.start(max_request_bytes=limit, max_reply_bytes=limit, max_item_bytes=1024)
        before = self.daemon.memory()
        self.client.call("MULTI")
        item = "x" * 1000
        answers = []
        for _ in range(100):
            answers.append(self.client.call("RPUSH", "q", item))
        kept = answers.index("TOOBIG the transaction is over max_request_bytes")
        self.assertGreater(kept, 55)
        self.assertLess(kept, 66)
        self.client.send(resp.encode("RPUSH", "q", item) * 10000)
        for answer in self.client.reads(10000):
            self.assertRegex(answer, "^TOOBIG ")
        self.assertLess(self.daemon.memory() - before, 2 << 20)
        self.assertEqual(self.client.call("EXEC"), ABORT)
        self.assertEqual(self.run_all(*[["RPUSH", "q", item]] * (kept - 1))[-1], kept - 1)

    def test_many_small_requests(self):
        self.start()
        self.assertEqual(self.run_all(*[["RPUSH", "q", ""]] * 10000), list(range(1, 10001)))

    def test_words_of_any_bytes(self):
        self.start()
        names = "", "a b", "'", "\r\n", "*1", "\0"
        self.assertEqual(self.run_all(*[["RPUSH", name, name, ""] for name in names]), [2] * 6)
        self.assertEqual(self.run_all(*[["LPOP", name, 2] for name in names]),
                         [[name, ""] for name in names])

    def test_resp3(self):
        self.start()
        answers = self.run_all(["HELLO", 3], ["LPOP", "none"], ["LPOP", "none", 1],
                               ["BLPOP", "none", 0], ["QINFO", "none"])
        self.assertEqual(answers[0]["proto"], 3)
        self.assertEqual(answers[1:], [None] * 4)
        self.client.send(b"multi\r\nlpop none\r\nblpop none 0\r\nhello 2\r\nlpop none\r\nexec\r\n")
        self.client.reads(5)
        self.assertEqual([self.client.input.readline() for _ in range(3)],
                         [b"*4\r\n", b"_\r\n", b"_\r\n"])
        self.assertIn("cistern", self.client.read())
        self.assertEqual(self.client.input.readline(), b"$-1\r\n")

    def test_who_goes_in_between_has_done_nothing(self):
        self.start()
        for leave in queuecase.Client.close, queuecase.Client.reset:
            client = self.connect()
            client.call("MULTI")
            client.call("RPUSH", "q", "a")
            leave(client)
        client = self.connect()
        client.send(resp.encode("MULTI") + resp.encode("RPUSH", "q", "a"))
        client.half_close()
        self.assertEqual(client.receive_all(), b"+OK\r\n+QUEUED\r\n")
        self.assertEqual(self.client.call("EXISTS", "q"), 0)

    def test_who_kills_himself_inside(self):
        self.start()
        number = self.client.number()
        self.client.send(b"".join(resp.encode(*words) for words in (
            ["MULTI"], ["RPUSH", "q", "a"], ["CLIENT", "KILL", "ID", number, "SKIPME", "no"],
            ["RPUSH", "q", "b"], ["EXEC"])))
        self.assertTrue(self.client.receive_all().startswith(b"+OK\r\n+QUEUED\r\n"))
        self.assertIn(self.connect().call("LLEN", "q"), (1, 2))

    def test_figures(self):
        self.start()
        other = self.connect()
        other.call("MULTI")
        other.call("PING")
        line, = [line for line in self.client.call("CLIENT", "LIST").splitlines()
                 if " flags=x " in line]
        self.assertIn(" multi=1 ", line)
        other.call("EXEC")
        self.assertRegex(self.client.call("INFO", "commandstats"),
                         r"cmdstat_ping:calls=1,rejected_calls=0,failed_calls=0")


if __name__ == "__main__":
    taptest.run()
