"""Real clients of Redis: redis-cli, redis-benchmark and python3-redis."""

import shutil
import subprocess
import threading
import unittest

import daemon
import resp
import taptest

try:
    import redis
except ImportError:
    redis = None

CONFIG = """
    listener "jobs" {
        listen = { "ADDRESS", "unix:${DIRECTORY}/jobs.sock" }
        queue { max_items = 100000 max_bytes = 64MiB }
    }
"""


class OnOneDaemon(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(daemon.Daemon(CONFIG))
        cls.host, cls.port = cls.daemon.addresses("jobs")[0].split(":")
        cls.path = cls.daemon.addresses("jobs")[1].removeprefix("unix:")

    def setUp(self):
        self.client = self.daemon.connect("jobs", 0, kind=resp.Client)


@unittest.skipUnless(shutil.which("redis-cli"), "redis-cli is not installed")
class RedisCli(OnOneDaemon):
    def run_cli(self, *words, typed=None):
        done = subprocess.run(["redis-cli", "-h", self.host, "-p", self.port, *words], input=typed,
                              capture_output=True, text=True, timeout=daemon.DEADLINE, check=True)
        self.assertEqual(done.stderr, "")
        return done.stdout

    def test_commands_as_arguments(self):
        self.assertEqual(self.run_cli("rpush", "cli", "a", "b", "c"), "3\n")
        self.assertEqual(self.run_cli("lrange", "cli", "0", "-1"), "a\nb\nc\n")
        self.assertEqual(self.run_cli("--no-raw", "lpop", "cli"), '"a"\n')
        self.assertEqual(self.run_cli("--no-raw", "lpop", "nothing"), "(nil)\n")
        self.assertEqual(self.run_cli("brpop", "cli", "0"), "cli\nc\n")
        self.assertIn("ERR unknown command", self.run_cli("hgetall", "x"))

    def test_commands_as_lines(self):
        self.assertEqual(self.run_cli(typed="rpush lines x\nllen lines\n"), "1\n1\n")

    def test_item_from_standard_input(self):
        self.assertEqual(self.run_cli("-x", "rpush", "input", typed="some text"), "1\n")
        self.assertEqual(self.client.call("LPOP", "input"), "some text")

    def test_mass_insertion(self):
        requests = b"".join(resp.encode("RPUSH", "mass", i) for i in range(5000))
        done = subprocess.run(["redis-cli", "-h", self.host, "-p", self.port, "--pipe"],
                              input=requests, capture_output=True, timeout=daemon.DEADLINE,
                              check=True)
        self.assertIn(b"errors: 0, replies: 5000", done.stdout)
        self.assertEqual(self.client.call("LLEN", "mass"), 5000)

    def test_unix_socket(self):
        done = subprocess.run(["redis-cli", "-s", self.path, "ping"], capture_output=True,
                              timeout=daemon.DEADLINE, check=True)
        self.assertEqual(done.stdout, b"PONG\n")


@unittest.skipUnless(shutil.which("redis-benchmark"), "redis-benchmark is not installed")
class RedisBenchmark(OnOneDaemon):
    def run_benchmark(self, tests, *options):
        done = subprocess.run(["redis-benchmark", "-h", self.host, "-p", self.port, "-t", tests,
                               "-q", *options], capture_output=True, text=True,
                              timeout=daemon.DEADLINE, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_pushes_and_pops_in_pipelines(self):
        out = self.run_benchmark("rpush,lpop", "-n", "20000", "-c", "20", "-P", "16")
        self.assertRegex(out, r"RPUSH: [\d.]+ requests per second")
        self.assertRegex(out, r"LPOP: [\d.]+ requests per second")
        info = self.client.qinfo("mylist")
        self.assertGreaterEqual(info["pushed"], 20000)
        self.assertEqual(info["popped"] + info["items"], info["pushed"])

    def test_all_that_it_has_for_us(self):
        out = self.run_benchmark("ping,lpush,rpop,lrange_100", "-n", "1000", "-c", "5")
        self.assertRegex(out, r"LRANGE_100 .*: [\d.]+ requests per second")


@unittest.skipUnless(redis, "python3-redis is not installed")
class PythonRedis(OnOneDaemon):
    def connect(self):
        client = redis.Redis(self.host, int(self.port), socket_timeout=daemon.DEADLINE,
                             decode_responses=True)
        self.addCleanup(client.close)
        return client

    def test_pushes_and_pops(self):
        client = self.connect()
        self.assertTrue(client.ping())
        self.assertEqual(client.rpush("py", "a", "b", "c", "d"), 4)
        self.assertEqual(client.lrange("py", 0, -1), ["a", "b", "c", "d"])
        self.assertEqual(client.lpop("py"), "a")
        self.assertEqual(client.rpop("py", 2), ["d", "c"])
        self.assertEqual((client.llen("py"), client.type("py")), (1, "list"))
        self.assertEqual((client.exists("py"), client.delete("py"), client.exists("py")), (1, 1, 0))
        self.assertIsNone(client.lpop("py"))

    def test_blocking_pops(self):
        client, other = self.connect(), self.connect()
        self.assertIsNone(client.blpop("blocking", timeout=0.05))
        got = []
        thread = threading.Thread(target=lambda: got.append(client.brpop(["x", "blocking"])),
                                  daemon=True)
        thread.start()
        self.client.wait_waiting("blocking", 1)
        other.rpush("blocking", "item")
        thread.join(daemon.DEADLINE)
        self.assertEqual(got, [("blocking", "item")])

    def test_pipeline(self):
        with self.connect().pipeline(transaction=False) as pipeline:
            for i in range(1000):
                pipeline.rpush("pipeline", i)
            pipeline.lpop("pipeline", 3)
            pipeline.llen("pipeline")
            answers = pipeline.execute()
        self.assertEqual(answers, [*range(1, 1001), ["0", "1", "2"], 997])

    def test_errors_are_exceptions(self):
        client = self.connect()
        with self.assertRaisesRegex(redis.ResponseError, "unknown command"):
            client.get("x")
        with self.assertRaisesRegex(redis.ResponseError, "TOOBIG"):
            client.rpush("big", "x" * (2 << 20))
        self.assertTrue(client.ping())

    def test_info_and_commands(self):
        client = self.connect()
        self.assertEqual(client.info()["process_id"], self.daemon.pid)
        self.assertEqual(client.command_count(), len(client.command()))


if __name__ == "__main__":
    taptest.run()
