"""bench/: each mode of the load generator for a moment, do the counts add up? And the table."""

import json
import os
import subprocess
import sys
import unittest
import unittest.mock

import daemon
import resp
import taptest

sys.path.append(os.path.join(os.environ.get("top_srcdir", "."), "bench"))
import measure
import report

LOAD = os.path.join(os.path.dirname(daemon.CISTERND), "bench", "load")
RUN = os.path.join(os.environ.get("top_srcdir", "."), "bench", "run")
CONFIG = """
    listener "echo" { listen = { "ADDRESS" } echo { } }
    listener "short" { listen = { "ADDRESS" } idle_timeout = 100ms echo { } }
    listener "jobs" {
        listen = { "ADDRESS" }
        queue { match "q00000007" { overflow = reject max_items = 2 } }
    }
"""


class Bench(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(daemon.Daemon(CONFIG))

    def command(self, listener, mode, options):
        host, port = self.daemon.addresses(listener)[0].split(":")
        return [LOAD, mode, *options.split(), host, port]

    def load(self, listener, mode, options, status=0):
        """What it prints: figures, or what went wrong."""
        done = subprocess.run(self.command(listener, mode, options), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=daemon.DEADLINE, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return json.loads(done.stdout) if status == 0 else done.stderr

    def assert_counts(self, figures, messages, size=64, misses=0):
        found = figures["messages"], figures["bytes"], figures["misses"]
        self.assertEqual(found, (messages, messages * size, misses))

    def items(self, queue):
        return self.daemon.connect("jobs", kind=resp.Client).call("LLEN", queue)


class Echo(Bench):
    def test_counted(self):
        self.assert_counts(self.load("echo", "echo", "-c 5 -d 3 -m 200"), 200)

    def test_larger_than_buffers(self):
        figures = self.load("echo", "echo", "-c 2 -d 4 -s 3000000 -m 20")
        self.assert_counts(figures, 20, 3000000)

    def test_in_batches(self):
        self.assert_counts(self.load("echo", "echo", "-c 3 -d 8 -b -m 101"), 101)

    def test_for_a_time(self):
        def run():
            figures = self.load("echo", "echo", f"-c 4 -w 0.02 -t 0.03 -p {self.daemon.pid}")
            return figures if figures["messages"] > 0 else None
        figures = daemon.wait_until(run, "there was an answer within the time")
        self.assertEqual(figures["bytes"], 64 * figures["messages"])
        self.assertGreaterEqual(figures["seconds"], 0.03)
        self.assertGreater(figures["server_cpu"], 0)
        self.assertGreater(figures["own_cpu"], 0)
        self.assertGreater(figures["p50"], 0)
        self.assertLessEqual(figures["p50"], figures["p99"])
        self.assertLessEqual(figures["p99"], figures["p99.9"])

    def test_at_a_rate(self):
        figures = self.load("echo", "echo", "-c 4 -r 1000 -m 41")
        self.assert_counts(figures, 41)
        self.assertGreaterEqual(figures["seconds"], 0.04)

    def test_churn(self):
        before = len(self.daemon.descriptors())
        self.assert_counts(self.load("echo", "churn", "-c 4 -n 3 -m 30"), 30)
        self.daemon.wait_descriptors(before)

    def test_unknown(self):
        self.assertIn("no mode dance", self.load("echo", "dance", "", status=1))
        self.assertIn("usage", self.load("echo", "echo", "-x", status=64))
        self.assertIn("not a number", self.load("echo", "echo", "-c 0", status=1))


class Idle(Bench):
    def hold(self, listener, count):
        """count connections: they are there when this returns."""
        process = subprocess.Popen(self.command(listener, "idle", f"-c {count} -n 2"), text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "ready\n")
        return process

    def release(self, process):
        out, _ = process.communicate(timeout=daemon.DEADLINE)
        return json.loads(out)

    def test_held(self):
        before = len(self.daemon.descriptors())
        process = self.hold("echo", 20)
        self.assertEqual(len(self.daemon.descriptors()), before + 20)
        self.assertEqual(self.release(process), {"connections": 20, "lost": 0})
        self.daemon.wait_descriptors(before)

    def test_lost(self):
        before = len(self.daemon.descriptors())
        process = self.hold("short", 3)
        self.daemon.wait_descriptors(before)
        self.assertEqual(self.release(process), {"connections": 3, "lost": 3})


class Queue(Bench):
    def test_push(self):
        self.assert_counts(self.load("jobs", "push", "-c 4 -d 5 -b -m 100 -k 3"), 100)
        found = [self.items(f"q0000000{i}") for i in range(4)]
        self.assertEqual(found, [34, 33, 33, 0])

    def test_pop(self):
        self.load("jobs", "push", "-d 50 -b -m 100 -s 1000")
        self.assert_counts(self.load("jobs", "pop", "-c 3 -d 2 -m 60"), 60)
        self.assertEqual(self.items("q00000000"), 40)

    def test_pop_of_nothing(self):
        self.assert_counts(self.load("jobs", "pop", "-c 2 -m 10"), 10, misses=10)

    def test_both(self):
        self.load("jobs", "push", "-m 5")
        self.assert_counts(self.load("jobs", "both", "-c 3 -d 4 -b -m 50"), 50)
        self.assertEqual(self.items("q00000000"), 5)

    def test_handover(self):
        self.assert_counts(self.load("jobs", "handover", "-c 4 -m 41"), 41)
        self.assertEqual(self.items("q00000000"), 0)

    def test_refused_push_is_a_failure(self):
        error = self.load("jobs", "push", "-k 8 -m 100", status=1)
        self.assertIn("the server answers -", error)


class Report(unittest.TestCase):
    def test_verdicts(self):
        ratio, own = report.Goal("<=", 0.8), report.Goal("=", 1, absolute=True)
        for goal, options, verdict in [
                (ratio, {"ratios": [0.7, 0.79, 0.9], "wanted": 3}, "yes"),
                (ratio, {"ratios": [0.7, 0.81, 0.9], "wanted": 3}, "NO"),
                (ratio, {"ratios": [0.1, 0.1], "wanted": 3}, "noisy"),
                (ratio, {"cistern": None, "wanted": 3}, "noisy"),
                (ratio, {"reference": 2}, "yes"),
                (ratio, {"reference": 1}, "NO"),
                (own, {}, "yes"),
                (own, {"cistern": 1.01}, "NO"),
                (report.Goal(">=", 1.2), {"ratios": [1.2]}, "yes"),
                (None, {"ratios": [2]}, "")]:
            result = report.Result("name", "CPU", **{"cistern": 1, "goal": goal, **options})
            self.assertEqual(result.verdict, verdict, result)

    def test_table(self):
        results = [report.Result("echo-1", "CPU", "raw", 3, 2, [1.5, 1.4, 1.7], 4, 3,
                                 report.Goal("<=", 1.1))]
        self.assertEqual(report.as_text(results).splitlines()[1].split(),
                         "echo-1 CPU 3.00 raw 2.00 1.50 1.45-1.60 3/4 <= 1.1 NO".split())
        lines = report.as_markdown(results).splitlines()
        self.assertEqual([line.count("|") for line in lines], [11, 11, 11])


class Pairs(unittest.TestCase):
    def measured(self, others):
        """Pairs of sides whose runs are disturbed by these shares, in the order of the runs."""
        settings = measure.Settings(2, 0.1, 0, 1)
        order = []

        def sample(side, _settings, _cores):
            order.append(side)
            return measure.Sample({"value": {"a": 3, "b": 2}[side]}, others[len(order) - 1])
        self.enterContext(unittest.mock.patch.object(measure, "sample", sample))
        return measure.measure_pairs("a", "b", settings, None), "".join(order)

    def test_alternate(self):
        pairs, order = self.measured([0] * 4)
        self.assertEqual((order, len(pairs.kept), pairs.dropped), ("abba", 2, 0))
        self.assertEqual(pairs.ratios(lambda figures: figures["value"]), [1.5, 1.5])

    def test_disturbed_are_dropped(self):
        pairs, order = self.measured([0, 0.5, 0.5, 0, 0, 0, 0, 0])
        self.assertEqual((order, len(pairs.kept), pairs.dropped), ("abbaabba", 2, 2))

    def test_in_vain(self):
        pairs, _ = self.measured([0.5] * 16)
        self.assertEqual((len(pairs.kept), pairs.dropped), (0, 8))


class Run(unittest.TestCase):
    """bench/run itself needs the peers, and time."""

    def run_it(self, *words):
        return subprocess.run([sys.executable, RUN, *words], stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=daemon.DEADLINE, check=False)

    def test_lists_scenarios(self):
        done = self.run_it("--list", "--scenario", "echo-64,push-*")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        names = [line.split()[0] for line in done.stdout.splitlines()]
        self.assertEqual(names, ["echo-64", "push-1", "push-16", "push-instructions"])

    def test_unknown_scenario(self):
        done = self.run_it("--list", "--scenario", "echo-65")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no such scenario: echo-65", done.stderr)


if __name__ == "__main__":
    taptest.run()
