"""Transcripts of the commands on queues. The replies are those of Redis 7.0, to the byte,
but for the texts of a few errors that Redis does not have, or words otherwise."""

import unittest

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

    def test_rpush(self):
        self.talk("""
            > RPUSH rpush a b c
            < :3
            > RPUSH rpush ''
            < :4
            > LRANGE rpush 0 -1
            < *4
            < $1
            < a
            < $1
            < b
            < $1
            < c
            < $0
            <
            > RPUSH rpush
            < -ERR wrong number of arguments for 'rpush' command
        """)

    def test_lpush(self):
        self.talk("""
            > LPUSH lpush a b c
            < :3
            > LRANGE lpush 0 -1
            < *3
            < $1
            < c
            < $1
            < b
            < $1
            < a
            > LPUSH lpush
            < -ERR wrong number of arguments for 'lpush' command
        """)

    def test_lpop_and_rpop(self):
        self.talk("""
            > RPUSH pop a b c d e
            < :5
            > LPOP pop
            < $1
            < a
            > RPOP pop
            < $1
            < e
            > LPOP pop 2
            < *2
            < $1
            < b
            < $1
            < c
            > LPOP pop 0
            < *0
            > RPOP pop 9
            < *1
            < $1
            < d
            > RPOP pop
            < $-1
            > LPOP pop
            < $-1
            > LPOP pop 0
            < *-1
            > RPOP pop 3
            < *-1
        """)

    def test_lpop_and_rpop_refuse(self):
        for name in "lpop", "rpop":
            self.talk(f"""
                > {name}
                < -ERR wrong number of arguments for '{name}' command
                > {name} pop 1 2
                < -ERR wrong number of arguments for '{name}' command
                > {name} pop -1
                < -ERR value is out of range, must be positive
                > {name} pop x
                < -ERR value is out of range, must be positive
                > {name} pop 99999999999999999999
                < -ERR value is out of range, must be positive
            """)

    def test_blpop_and_brpop_of_what_is_there(self):
        self.talk("""
            > RPUSH blpop a b c
            < :3
            > BLPOP blpop 0
            < *2
            < $5
            < blpop
            < $1
            < a
            > BRPOP empty blpop 0
            < *2
            < $5
            < blpop
            < $1
            < c
            > BLPOP blpop blpop 1.5
            < *2
            < $5
            < blpop
            < $1
            < b
            > BLPOP blpop 0.01
            < *-1
        """)

    def test_blpop_and_brpop_refuse(self):
        for name in "blpop", "brpop":
            self.talk(f"""
                > {name} q
                < -ERR wrong number of arguments for '{name}' command
                > {name} q -1
                < -ERR timeout is negative
                > {name} q x
                < -ERR timeout is not a float or out of range
                > {name} q ''
                < -ERR timeout is not a float or out of range
                > {name} q nan
                < -ERR timeout is not a float or out of range
                > {name} q inf
                < -ERR timeout is not a float or out of range
                > {name} q 1e400
                < -ERR timeout is not a float or out of range
            """)

    def test_llen(self):
        self.talk("""
            > LLEN llen
            < :0
            > RPUSH llen a b
            < :2
            > LLEN llen
            < :2
            > LLEN
            < -ERR wrong number of arguments for 'llen' command
            > LLEN a b
            < -ERR wrong number of arguments for 'llen' command
        """)

    def test_lrange(self):
        self.client.call("RPUSH", "lrange", *"abcde")
        for start, stop, expected in (
                (0, 0, "a"), (0, -1, "abcde"), (1, 3, "bcd"), (-2, -1, "de"), (-100, 100, "abcde"),
                (3, 1, ""), (5, 9, ""), (-1, -2, ""), (-9223372036854775808, 0, "a"),
                (0, 9223372036854775807, "abcde"), (-3, 2, "c"), (-9, -6, "")):
            self.assertEqual(self.client.call("LRANGE", "lrange", start, stop), list(expected),
                             (start, stop))
        self.talk("""
            > LRANGE nothing 0 -1
            < *0
            > LRANGE lrange a 1
            < -ERR value is not an integer or out of range
            > LRANGE lrange 0 9223372036854775808
            < -ERR value is not an integer or out of range
            > LRANGE lrange 0
            < -ERR wrong number of arguments for 'lrange' command
        """)

    def test_del_exists_and_type(self):
        self.talk("""
            > RPUSH del1 a b
            < :2
            > RPUSH del2 a
            < :1
            > EXISTS del1 del2 del3 del1
            < :3
            > TYPE del1
            < +list
            > TYPE del3
            < +none
            > DEL del1 del3 del2 del1
            < :2
            > EXISTS del1
            < :0
            > TYPE del1
            < +none
            > DEL
            < -ERR wrong number of arguments for 'del' command
            > EXISTS
            < -ERR wrong number of arguments for 'exists' command
            > TYPE
            < -ERR wrong number of arguments for 'type' command
        """)

    def test_any_byte_in_names_and_items(self):
        name = bytes(range(256))
        self.client.ask("RPUSH", name, name * 2)
        self.assertEqual(self.client.read(), 1)
        self.client.ask("BLPOP", name, 0)
        expected = b"*2\r\n$256\r\n" + name + b"\r\n$512\r\n" + name * 2 + b"\r\n"
        self.assertEqual(self.client.input.read(len(expected)), expected)


if __name__ == "__main__":
    taptest.run()
