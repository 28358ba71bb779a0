"""Conversations made at random get the same replies from cisternd as from Redis 7.0, to the byte.

CISTERN_SEQUENCES says how many are played (1000 if not given), SEED which is the first: one that
fails is printed with its own. What cisternd does otherwise is not asked for: an infinite timeout
(Redis calls it negative) or one just below zero (Redis takes it as 0), numbers that are none as
the cursor of SCAN, half of a wrong HELLO done, control characters inside of error texts, longer
names of connections than 128 bytes, and what would be long replies about Redis itself.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

import daemon
import differential
import resp
import taptest
from differential import Request, Step

# The program of redis-server is in redis-tools too: it is the one that checks dumps.
REDIS = shutil.which("redis-check-rdb")
# What redis-server reads of a client before it goes on with the requests of one who was blocked.
READ_AT_ONCE = 16 * 1024 - 100
SEQUENCES = int(os.environ.get("CISTERN_SEQUENCES", "1000"))
SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(10 ** 9))
# So many that differ are enough to see why.
MOST = 10

CONFIG = """
    listener "jobs" {
        listen = { "unix:${DIRECTORY}/jobs.sock" }
        queue {
            max_items = 1000000000 max_bytes = 8GiB max_total_bytes = 8GiB max_item_bytes = 512MiB
            max_request_bytes = 1GiB max_queues = 100000
        }
    }
"""

# --- words --------------------------------------------------------------------------

KEYS = [b"a", b"b", b"c", b"dd", b"", b"k\0y", b"\r\n", b"a b", b"h[llo", b"*", b"\xc3\xa9\xff"]
ITEMS = [b"x", b"y", b"z", b"", b"0", b"1", b"-1", b"007", b"a\0\r\nb", b"\xff", b"9" * 18,
         b"9223372036854775807", b"-9223372036854775808", b"q" * 63, b"q" * 64, b"r" * 5000]
NUMBERS = [b"0", b"1", b"2", b"3", b"-1", b"-2", b"-3", b"5", b"100", b"-100"]
ODD_NUMBERS = [b"", b"x", b"01", b"+1", b"-0", b" 1", b"1 ", b"1.0", b"1e3", b"0x1", b"1\0", b"--1",
               b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808",
               b"-9223372036854775809", b"99999999999999999999", b"2147483648", b"-2147483649"]
SHORT = [b"0.001", b"0.002", b"1e-3", b".001", b"+0.001", b"0x.01p-3", b"1e-300", b"0.0010000"]
FOREVER = [b"0", b"-0", b"0.0", b"1000", b"1e3", b"0x400", b"99999999999"]
NO_TIMEOUTS = [b"", b"x", b"-1", b"-1e9", b"nan", b"1 ", b" 1", b"1\0", b"0.1x", b"1,5",
               b"1e-5000"]
PATTERNS = [b"*", b"a*", b"?", b"??", b"[a-c]", b"[^a]", b"[c-a]*", b"\\*", b"h[llo", b"h\\[*",
            b"[", b"", b"**d", b"*\0*", b"[abc", b"\\", b"A*", b"[a\\]]", b"*?*"]


class Words:
    """Makes the words of requests. waits: none of them may block for ever."""

    def __init__(self, rng, waits):
        self.rng = rng
        self.waits = waits

    def key(self):
        return [self.rng.choice(KEYS[:4] if self.rng.random() < 0.8 else KEYS)]

    def keys(self):
        return [word for _ in range(self.rng.choice((1, 1, 1, 2, 3))) for word in self.key()]

    def numbered(self):
        keys = self.keys()
        return [b"%d" % len(keys), *keys]

    def item(self):
        return [self.rng.choice(ITEMS[:3] if self.rng.random() < 0.6 else ITEMS)]

    def text(self):
        """A word for other uses: Redis has no limit where we have one."""
        return [self.rng.choice(ITEMS[:-1])]

    def items(self):
        return [word for _ in range(self.rng.choice((1, 1, 2, 3, 4, 9))) for word in self.item()]

    def number(self):
        return [self.rng.choice(NUMBERS if self.rng.random() < 0.95 else ODD_NUMBERS)]

    def end(self):
        return [self.rng.choice((b"LEFT", b"RIGHT", b"left", b"Right"))]

    def timeout(self):
        if self.rng.random() < 0.05:
            return [self.rng.choice(NO_TIMEOUTS)]
        return [self.rng.choice(SHORT if self.waits else FOREVER)]

    def pattern(self):
        return [self.rng.choice(PATTERNS)]

    def id(self):
        return [differential.ID % self.rng.randrange(4)]

    def nobody(self):
        return [b"999999999999"]

    def make(self, row):
        """The words of a row of the tables below, at times with a mistake in them."""
        words = []
        for word in row.split():
            words += getattr(self, word, lambda: [word.encode()])()
        if self.rng.random() < 0.06 and row not in UNSPOILT:
            self.spoil(words)
        if self.rng.random() < 0.2:
            words[0] = self.rng.choice((words[0].lower(), words[0].title()))
        return words

    def spoil(self, words):
        at = self.rng.randrange(1, len(words) + 1)
        others = [b"x", b"", b"COUNT", b"LEFT"]
        if not words[0].startswith(b"B"):  # else it could become another timeout
            others += ITEMS[:-1] + ODD_NUMBERS
        match self.rng.randrange(4):
            case 0:
                words[0] = self.rng.choice((b"q" + words[0], words[0] + b"q"))
            case 1:
                words.insert(at, self.rng.choice(others))
            case 2:
                words[at:at + 1] = [self.rng.choice(others)]
            case 3:
                del words[at:]


def rows(text):
    return [row.strip() for line in text.strip().splitlines() for row in line.split("/")]


LISTS = rows("""
    RPUSH key items / RPUSH key items / LPUSH key items / LPUSH key items / RPUSH key items
    RPUSHX key items / LPUSHX key items
    LPOP key / RPOP key / LPOP key number / RPOP key number
    LMPOP numbered end / LMPOP numbered end COUNT number / LMPOP number keys end
    LLEN key / LINDEX key number / LRANGE key number number / LRANGE key 0 -1
    LTRIM key number number / LREM key number item / LREM key number item
    LMOVE key key end end / RPOPLPUSH key key
""")
BLOCKING = rows("""
    BLPOP keys timeout / BRPOP keys timeout / BLMOVE key key end end timeout
    BRPOPLPUSH key key timeout / BLMPOP timeout numbered end / BLPOP key timeout
    BLMPOP timeout numbered end COUNT number
""")
WHOLE = rows("""
    DEL keys / UNLINK keys / EXISTS keys / TYPE key / DBSIZE / FLUSHDB / FLUSHALL ASYNC
    FLUSHDB SYNC / FLUSHALL text
""")
NAMES = rows("""
    KEYS pattern / KEYS pattern / SCAN 0 COUNT 1000 / SCAN 0 MATCH pattern COUNT 1000
    SCAN 0 COUNT 1000 TYPE list / SCAN 0 TYPE string COUNT 1000 / SCAN x
    SCAN 0 COUNT number / SCAN 0 text / SCAN 0 MATCH
""")
ABOUT = rows("""
    PING / PING text / ECHO text / SELECT 0 / SELECT number / ECHO
    AUTH text / AUTH text text / AUTH default text / AUTH text text text
    HELLO / HELLO 2 / HELLO 3 / HELLO number / HELLO 3 AUTH default text / HELLO 3 AUTH text text
    HELLO 2 SETNAME text / HELLO 3 SETNAME / HELLO 3 text / HELLO 3 AUTH default
    CLIENT GETNAME / CLIENT SETNAME text / CLIENT text / CLIENT UNBLOCK id
    CLIENT UNBLOCK id TIMEOUT / CLIENT UNBLOCK id ERROR / CLIENT UNBLOCK id text
    CLIENT UNBLOCK text / COMMAND text / CONFIG text
    RESET / QUIT / NOSUCH items / BLPOP / LMOVE
""")
# Of nobody: whether one who is killed still gets the reply before it is a matter of moments.
KILLS = rows("""
    CLIENT KILL ID nobody / CLIENT KILL SKIPME no ID nobody / CLIENT KILL ID x
    CLIENT KILL ID nobody SKIPME text / CLIENT KILL ID nobody ID / CLIENT KILL text
""")
TRANSACTION = rows("""
    MULTI / MULTI / EXEC / EXEC / EXEC / DISCARD
""")

# A mistake would have a reply of what differs; or leave half of HELLO done, as it does in Redis.
UNSPOILT = [row for row in NAMES + ABOUT + KILLS
            if re.search("SCAN|COMMAND|SETNAME text|KILL| id", row)]

# What a conversation is about: how often which of these.
SUBJECTS = [
    [(LISTS, 80), (BLOCKING, 8), (WHOLE, 8), (ABOUT, 4)],
    [(LISTS, 60), (BLOCKING, 36), (WHOLE, 4)],
    [(LISTS, 40), (WHOLE, 20), (NAMES, 40)],
    [(LISTS, 55), (BLOCKING, 8), (WHOLE, 10), (TRANSACTION, 22), (ABOUT, 5)],
    [(LISTS, 20), (ABOUT, 70), (KILLS, 10)],
]

# --- forms ---------------------------------------------------------------------------


def array(words):
    return resp.encode(*words)


def behind_nothing(words):
    return b"*0\r\n\r\n*-1\r\n  \r\n" + resp.encode(*words)


def escaped(word):
    return b'"' + b"".join(b"\\x%02x" % byte for byte in word) + b'"'


def quoted(word):
    if re.fullmatch(rb"[!#-&(-\[\]-~]+", word):
        return word
    if re.fullmatch(rb"[ -&(-\[\]-~]*", word):
        return b"'" + word + b"'"
    return escaped(word)


def as_line(line, words):
    """A line over 64 KiB is refused, by Redis only if it does not come all at once."""
    return line if len(line) < 60000 else array(words)


def inline(words):
    return as_line(b" ".join(map(quoted, words)) + b"\r\n", words)


def inline_otherwise(words):
    return as_line(b"\t " + b"\t ".join(map(escaped, words)) + b" \n", words)


FORMS = [array] * 6 + [behind_nothing, inline, inline, inline_otherwise]

# After these the server closes.
BROKEN = [
    b"*x\r\n", b"*\r\n", b"*1x\r\n", b"*+1\r\n", b"* 1\r\n", b"*01\r\n", b"*2147483648\r\n",
    b"*99999999999999999999\r\n", b"*" + b"1" * 70000, b"*1\r\n$" + b"1" * 70000,
    b"*2\r\n$4\r\nLLEN\r\n$x\r\n", b"*1\r\n$-1\r\n", b"*1\r\n$536870913\r\n", b"*1\r\n$\r\n",
    b"*1\r\n$ 4\r\n", b"*1\r\n$04\r\n", b"*1\r\nPING\r\n", b"*1\r\n:1\r\n", b"*1\r\n'1\r\n",
    b"*1\r\n\r\n", b"*1\r\n\n4\r\n", b'PING "a\r\n', b"PING 'a\r\n", b'PING "a"b\r\n',
    b"'PING'b\r\n", b'"\r\n', b'PING "a\\"\r\n', b"PING 'a\\'\r\n", b'PING "\\x4""\r\n',
    b"x" * 70000,
]


def breaking(rng):
    """With another that is not read any more."""
    data = rng.choice(BROKEN)
    ping = [Request([b"PING"], array)] if data.endswith(b"\n") else []
    return [Request([data], b"".join), *ping]


# --- conversations ---------------------------------------------------------------------


def make_request(rng, subject, waits):
    tables, weights = zip(*subject)
    row = rng.choice(rng.choices(tables, weights)[0])
    form = rng.choice(FORMS)
    return Request(Words(rng, waits).make(row), form)


def make_step(rng, subject, connections):
    connection = rng.randrange(connections)
    if rng.random() < 0.02:
        return Step(connection, [])
    waits = connections == 1 or rng.random() < 0.6
    requests = [make_request(rng, subject, waits) for _ in range(rng.choice((1, 1, 1, 2, 5)))]
    if rng.random() < 0.01:
        requests += breaking(rng)
    if sum(len(each.data({})) for each in requests) > READ_AT_ONCE:
        del requests[1:]
    return Step(connection, requests, waits)


def make_conversation(seed):
    rng = random.Random(seed)
    connections = rng.choice((1, 2, 3))
    subject = rng.choice(SUBJECTS)
    steps = []
    if rng.random() < 0.4:
        steps += [Step(i, [Request([b"HELLO", b"3"], array)]) for i in range(connections)]
    return steps + [make_step(rng, subject, connections) for _ in range(rng.randrange(5, 25))]


# --- the servers -----------------------------------------------------------------------


def redis_version():
    if REDIS is None:
        return "none"
    done = subprocess.run(["redis-server", "--version"], executable=REDIS, capture_output=True,
                          text=True, check=False)
    return re.search(r"v=(\S+)|$", done.stdout)[1] or "unknown"


class Redis:
    """A redis-server on a unix socket."""

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="cistern-")
        self.path = os.path.join(self.directory.name, "redis.sock")
        # hz: so often does it look whose time is up.
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--dir", self.directory.name,
             "--save", "", "--databases", "1", "--hz", "500", "--loglevel", "warning"],
            executable=REDIS, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            daemon.wait_until(lambda: os.path.exists(self.path), "redis-server listens")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.directory.cleanup()


VERSION = redis_version()


class Differential(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        assert VERSION.startswith("7.0."), f"redis-server 7.0 is needed, not {VERSION}"

    def setUp(self):
        redis = self.enterContext(Redis())
        running = self.enterContext(daemon.Daemon(CONFIG))
        path = running.addresses("jobs")[0].removeprefix("unix:")
        self.duel = differential.Duel(redis.path, path)

    def test_conversations(self):
        differences = []
        for seed in range(SEED, SEED + SEQUENCES):
            signal.alarm(taptest.TEST_SECONDS)  # each may take what a test may
            steps = make_conversation(seed)
            try:
                if self.duel.difference(steps) is not None:
                    steps, how = self.duel.cut_down(steps)
                    differences.append("\n".join([f"\nSEED={seed}", *map(str, steps), how]))
            except BaseException as error:
                error.add_note("\n".join([f"SEED={seed}", *map(str, steps)]))
                raise
            if len(differences) == MOST:
                break
        if differences:
            self.fail("\n".join(differences))

    def scan(self, player, *options):
        """The names that a whole iteration finds, as bulk strings."""
        names = set()
        cursor = None
        while cursor != b"0":
            reply = player.control.call(resp.encode("SCAN", cursor or b"0", *options))
            cursor, found = differential.elements(reply)
            cursor = cursor.split()[1]
            names.update(differential.elements(found))
        return names

    def test_iterations(self):
        names = [b"queue:%d" % i for i in range(1000)] + KEYS
        for player in self.duel.players:
            for name in names:
                player.control.call(resp.encode("RPUSH", name, "x"))
        for options in ((), ("COUNT", 1), ("COUNT", 7), ("MATCH", "queue:*1"), ("TYPE", "list"),
                        ("COUNT", 100, "MATCH", "[a-d]*"), ("TYPE", "string")):
            redis, cistern = [self.scan(player, *options) for player in self.duel.players]
            self.assertEqual(redis, cistern, options)


if __name__ == "__main__":
    taptest.run()
