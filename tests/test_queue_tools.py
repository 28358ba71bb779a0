"""What people explore a server with: redis-cli by hand and by options, redis-benchmark, Python."""

import shutil
import subprocess
import unittest

import daemon
import resp
import taptest
import terminal

try:
    import redis
except ImportError:
    redis = None

CONFIG = """
    listener "jobs" {
        listen = { "ADDRESS" }
        queue { max_items = 100000 max_bytes = 64MiB }
    }
"""


class OnOneDaemon(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(daemon.Daemon(CONFIG))
        cls.host, cls.port = cls.daemon.addresses("jobs")[0].split(":")

    def setUp(self):
        self.client = self.daemon.connect("jobs", kind=resp.Client)
        self.client.call("FLUSHALL")

    def run_tool(self, tool, *words):
        """What it prints, when it says that all went well."""
        done = subprocess.run([tool, "-h", self.host, "-p", self.port, *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=daemon.DEADLINE, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout


@unittest.skipUnless(shutil.which("redis-cli"), "redis-cli is not installed")
class RedisCli(OnOneDaemon):
    def run_cli(self, *words):
        return self.run_tool("redis-cli", *words)

    def test_hello_in_resp3(self):
        out = self.run_cli("-3", "hello")
        self.assertIn("server cistern\n", out)
        self.assertIn("proto 3\n", out)

    def test_nulls_and_maps_in_resp3(self):
        self.assertEqual(self.run_cli("-3", "--no-raw", "lpop", "nothing"), "(nil)\n")
        self.assertRegex(self.run_cli("-3", "--no-raw", "config", "get", "save"),
                         r'1# "save" => ""\n')
        self.assertRegex(self.run_cli("-3", "info", "server"), "^# Server\nredis_version:")

    def test_biggest_queues(self):
        for i in range(50):
            self.client.call("RPUSH", f"queue:{i}", *"x" * (i + 1))
        out = self.run_cli("--bigkeys")
        self.assertIn("Sampled 50 keys in the keyspace!", out)
        self.assertRegex(out, r'Biggest +list found \'"queue:49"\' has 50 items')
        self.assertIn("50 lists with 1275 items", out)

    def test_names(self):
        names = {f"queue:{i}" for i in range(300)}
        for name in names:
            self.client.call("RPUSH", name, "x")
        self.client.call("RPUSH", "other", "x")
        out = self.run_cli("--scan", "--pattern", "queue:*")
        self.assertEqual(sorted(out.split()), sorted(names))

    def test_what_is_not_there_is_a_clear_error(self):
        for words in (["monitor"], ["subscribe", "x"], ["get", "x"]):
            self.assertRegex(self.run_cli(*words), f"^ERR unknown command '{words[0]}'")

    def test_figures_over_and_over(self):
        with subprocess.Popen(["redis-cli", "-h", self.host, "-p", self.port, "--stat", "-i",
                               "0.01"], stdout=subprocess.PIPE, text=True) as tool:
            lines = [tool.stdout.readline() for _ in range(5)]
            tool.terminate()
        # keys, memory, clients, blocked, requests (and how many more), connections
        self.assertRegex(lines[-1], r"^0 +\S+ +\d+ +0 +\d+ \(\+\d+\) +\d+ *\n")

    def test_repeated(self):
        self.client.call("RPUSH", "q", "a", "b", "c")
        self.assertEqual(self.run_cli("-r", "3", "lpop", "q"), "a\nb\nc\n")

    def test_docs_of_a_command(self):
        out = self.run_cli("command", "docs", "lpop")
        self.assertIn("Takes the first items", out)


@unittest.skipUnless(shutil.which("redis-cli"), "redis-cli is not installed")
class ByHand(OnOneDaemon):
    """redis-cli takes its completions and hints from COMMAND DOCS."""

    def setUp(self):
        super().setUp()
        self.terminal = self.enterContext(
            terminal.Terminal("redis-cli", "-h", self.host, "-p", self.port))
        self.terminal.wait("> $")

    def test_completes_names(self):
        self.terminal.type("qin\t")
        self.terminal.wait("QINFO")
        self.terminal.type(" nothing\r")
        self.terminal.wait(r"\(nil\)|\(empty array\)")

    def test_hints_at_arguments(self):
        self.terminal.type("rpush ")
        self.terminal.wait(r"rpush key element \[element \.\.\.\]")
        self.terminal.type("q ")
        self.terminal.wait(r"rpush q element \[element \.\.\.\]")
        self.terminal.type("a\r")
        self.terminal.wait(r"\(integer\) 1")

    def test_hints_at_subcommands(self):
        self.terminal.type("client setname ")
        self.terminal.wait(r"client setname <name>")

    def test_helps(self):
        self.terminal.type("help qtake\r")
        self.terminal.wait(r"QTAKE key count timeout lease\s+summary: Takes items under a lease")

    def test_transaction(self):
        for text, shown in (("multi", "OK"), ("rpush q x", "QUEUED"), ("lpop q", "QUEUED"),
                            ("exec", r'1\) \(integer\) 1\s+2\) "x"')):
            self.terminal.type(text + "\r")
            # And the next prompt: what is typed before it is thrown away.
            self.terminal.wait(shown + r"[^>]*> $")


@unittest.skipUnless(shutil.which("redis-benchmark"), "redis-benchmark is not installed")
class RedisBenchmark(OnOneDaemon):
    def test_pushes_and_pops_without_a_warning(self):
        out = self.run_tool("redis-benchmark", "-t", "rpush,lpop", "-n", "2000", "-c", "10")
        self.assertNotRegex(out, "(?i)warn|error")
        self.assertRegex(out, "====== RPUSH ======(?s:.*)====== LPOP ======")

    def test_any_command(self):
        out = self.run_tool("redis-benchmark", "-n", "1000", "-q", "lmove", "a", "b", "left",
                            "right")
        self.assertRegex(out, r"requests per second")


@unittest.skipUnless(redis, "python3-redis is not installed")
class PythonRedis(OnOneDaemon):
    def setUp(self):
        super().setUp()
        self.redis = redis.Redis(self.host, int(self.port), socket_timeout=daemon.DEADLINE,
                                 decode_responses=True)
        self.addCleanup(self.redis.close)

    def test_transaction(self):
        """What pipeline() makes unless told otherwise."""
        pipeline = self.redis.pipeline()
        pipeline.rpush("q", "a", "b").lmove("q", "r", "LEFT", "RIGHT").blpop("nothing", 0)
        self.assertEqual(pipeline.llen("q").execute(), [2, "a", None, 1])

    def test_error_inside_a_transaction(self):
        pipeline = self.redis.pipeline().rpush("q", "a").get("q").rpush("q", "b")
        with self.assertRaisesRegex(redis.ResponseError, r"Command # 2 .*unknown command"):
            pipeline.execute()
        self.assertEqual(self.redis.llen("q"), 0)

    def test_waits_of_all_kinds_end(self):
        self.redis.rpush("q", "a", "b", "c")
        self.assertEqual(self.redis.blmove("q", "r", 0, "LEFT", "RIGHT"), "a")
        self.assertEqual(self.redis.brpoplpush("q", "r", 0), "c")
        self.assertEqual(self.redis.blmpop(0, 2, "nothing", "q", direction="LEFT", count=5),
                         ["q", ["b"]])
        self.assertIsNone(self.redis.blmove("q", "r", 0.01))
        self.assertIsNone(self.redis.blmpop(0.01, 1, "q", direction="LEFT"))


if __name__ == "__main__":
    taptest.run()
