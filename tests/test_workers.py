"""workers: several threads serve, and nobody notices but by their speed."""

import os
import random
import signal
import threading
import unittest

import daemon
import resp
import taptest

WORKERS = 4
ECHO = 'listener "echo" { listen = { "ADDRESS" } echo {} }\n'
JOBS = 'listener "{0}" {{ listen = {{ "ADDRESS" }} queue {{ {1} }} }}\n'.format


def config(*listeners, workers=WORKERS, options=""):
    return f"workers = {workers} {options}\n" + "".join(listeners)


class Threads(unittest.TestCase):
    """A test's own, whose failures are the test's."""

    def setUp(self):
        self.stop = threading.Event()
        self.failures = []
        self.threads = []
        self.addCleanup(self.end)

    def spawn(self, action, *arguments):
        def run():
            try:
                action(*arguments)
            except Exception as error:  # for the main thread to see
                self.failures.append(f"{action.__name__}: {error!r}")
                self.stop.set()
        self.threads.append(threading.Thread(target=run, daemon=True))
        self.threads[-1].start()

    def end(self):
        self.stop.set()
        self.join()

    def join(self):
        for thread in self.threads:
            thread.join()
        self.threads.clear()
        self.assertEqual(self.failures, [])


class Number(unittest.TestCase):
    def start(self, workers, **options):
        return self.enterContext(daemon.Daemon(config(ECHO, workers=workers), **options))

    def test_default_is_one(self):
        self.assertRegex(daemon.run(ECHO, "--dump")[1], r"(?m)^workers += 1$")
        running = self.start(1)
        self.assertEqual(running.workers(), [running.pid])

    def test_as_many_as_it_says(self):
        self.assertEqual(len(self.start(3).workers()), 3)
        self.assertEqual(len(self.start(64).workers()), 64)

    def test_auto_is_the_processors_that_it_may_use(self):
        self.assertEqual(len(self.start("auto").workers()), len(os.sched_getaffinity(0)))
        one = min(os.sched_getaffinity(0))
        bound = self.start("auto", preexec=lambda: os.sched_setaffinity(0, {one}))
        self.assertEqual(bound.workers(), [bound.pid])

    def test_reload_leaves_it_and_says_so(self):
        running = self.start(2)
        before = running.workers()
        self.assertTrue(running.reload(config(ECHO, workers=3)))
        running.wait_log("warning: .*: workers has changed: that takes effect at the next start")
        self.assertEqual(running.workers(), before)
        self.assertTrue(running.reload(config(ECHO, workers=2)))
        self.assertEqual(running.log().count("workers has changed"), 1)


class Spreading(unittest.TestCase):
    def exchanging(self, client):
        def exchange():
            self.assertEqual(client.exchange(b"hi"), b"hi")
        return exchange

    def test_connections_are_spread_evenly(self):
        running = self.enterContext(daemon.Daemon(config(ECHO)))
        clients = [running.connect("echo") for _ in range(3 * WORKERS)]
        for client in clients:
            self.exchanging(client)()
        places = [running.worker_of(self.exchanging(client)) for client in clients]
        self.assertEqual({task: places.count(task) for task in running.workers()},
                         {task: 3 for task in running.workers()})

    def test_place_of_one_that_has_gone_is_taken(self):
        running = self.enterContext(daemon.Daemon(config(ECHO)))
        clients = [running.connect("echo") for _ in range(WORKERS)]
        for client in clients:
            self.exchanging(client)()
        idle = len(running.descriptors())
        place = running.worker_of(self.exchanging(clients[2]))
        clients[2].close()
        running.wait_descriptors(idle - 1)
        self.assertEqual(running.worker_of(self.exchanging(running.connect("echo"))), place)

    def test_queue_listener_has_one_place_and_several_have_several(self):
        names = [f"q{i}" for i in range(WORKERS)]
        running = self.enterContext(daemon.Daemon(config(*(JOBS(name, "") for name in names))))
        places = set()
        for name in names:
            clients = [running.connect(name, kind=resp.Client) for _ in range(3)]
            mine = {running.worker_of(lambda client=client: client.call("PING"))
                    for client in clients}
            self.assertEqual(len(mine), 1)
            places |= mine
        self.assertEqual(places, set(running.workers()))


class Reload(Threads):
    def start(self, *listeners, options="max_connections = 1000"):
        self.daemon = self.enterContext(daemon.Daemon(config(*listeners, options=options)))

    def reload(self, *listeners, options="max_connections = 1000"):
        self.assertTrue(self.daemon.reload(config(*listeners, options=options)))

    def traffic(self, address, clients):
        while not self.stop.is_set():
            for client in clients:
                data = os.urandom(3000)
                assert client.exchange(data) == data, "bytes were lost"
            newcomer = daemon.Client(address)
            assert newcomer.exchange(b"hi") == b"hi"
            newcomer.close()

    def work(self, address):
        """Sends items through a queue, each of which has to come back."""
        client = resp.Client(address)
        number = 0
        while not self.stop.is_set():
            number += 1
            assert client.call("RPUSH", "q", number) > 0
            assert client.call("BLPOP", "q", 0)[0] == "q"
        client.close()

    def test_storm(self):
        """Under traffic, listeners come and go, and change their parameters; nobody is lost."""
        jobs = [JOBS("jobs", f"max_items = {i} overflow = block") for i in (10, 20)]
        self.start(ECHO, jobs[0])
        idle = len(self.daemon.descriptors())
        clients = [self.daemon.connect("echo") for _ in range(12)]
        for i in range(3):
            self.spawn(self.traffic, self.daemon.addresses("echo")[0], clients[i::3])
            self.spawn(self.work, self.daemon.addresses("jobs")[0])
        for i in range(100):
            extra = ECHO.replace('"echo"', f'"echo{i % 3}"') + JOBS(f"jobs{i % 3}", "")
            buffer = ECHO.replace("{}", f"{{ buffer = {1 + i % 4}KiB }}")
            self.reload(buffer, jobs[i % 2], extra)
            passing = self.daemon.connect(f"echo{i % 3}")
            self.assertEqual(passing.exchange(b"hi"), b"hi")
        self.reload(ECHO, jobs[0])
        self.end()
        for client in clients:
            self.assertEqual(client.exchange(b"hi"), b"hi")
        self.daemon.close_clients()
        self.daemon.wait_descriptors(idle)

    def test_another_protocol(self):
        """From all workers to one and back: who is there stays with what he began with."""
        address = daemon.free_address()
        echo, jobs = (text.replace("ADDRESS", address).replace('"jobs"', '"echo"')
                      for text in (ECHO, JOBS("jobs", "")))
        self.start(echo)
        old = [self.daemon.connect("echo") for _ in range(2 * WORKERS)]
        for _ in range(3):
            self.reload(jobs)
            clients = [self.daemon.connect_to(address, resp.Client) for _ in range(WORKERS)]
            for i, client in enumerate(clients):
                self.assertEqual(client.call("RPUSH", "q", "x"), i + 1)
            self.assertEqual(clients[0].call("DEL", "q"), 1)
            self.reload(echo)
            old += [self.daemon.connect("echo") for _ in range(WORKERS)]
            for client in old:
                self.assertEqual(client.exchange(b"hi"), b"hi")
            self.assertEqual([client.call("LLEN", "q") for client in clients], [0] * WORKERS)

    def test_removed_listener_goes_with_its_last_connection(self):
        self.start(ECHO, JOBS("jobs", ""))
        idle = len(self.daemon.descriptors())
        for _ in range(3):
            clients = [self.daemon.connect("echo") for _ in range(2 * WORKERS)]
            for client in clients:
                self.assertEqual(client.exchange(b"hi"), b"hi")
            self.reload(JOBS("jobs", ""))
            for client in clients:
                self.assertEqual(client.exchange(b"hi"), b"hi")
            self.daemon.close_clients()
            self.daemon.wait_descriptors(idle - 1)
            self.reload(ECHO, JOBS("jobs", ""))
            self.daemon.wait_descriptors(idle)

    def test_drain_timeout_ends_what_a_removed_listener_has_left(self):
        options = "max_connections = 1000 drain_timeout = 100ms"
        self.start(ECHO, JOBS("jobs", ""), options=options)
        clients = [self.daemon.connect("echo") for _ in range(2 * WORKERS)]
        for client in clients:
            self.assertEqual(client.exchange(b"hi"), b"hi")
        self.reload(JOBS("jobs", ""), options=options)
        for client in clients:
            with self.assertRaises(ConnectionError):  # while it is looked at, or before
                while client.exchange(b"hi") == b"hi":
                    pass
                raise ConnectionResetError


class Limits(Threads):
    LIMIT = 24

    def compete(self, address, start, served):
        """Some clients at once; keeps those that are served."""
        clients = []
        start.wait()
        for _ in range(2 * self.LIMIT // 6):
            try:
                client = daemon.Client(address)
                if client.exchange(b"hi") == b"hi":
                    clients.append(client)
            except ConnectionError:
                pass
        served.extend(clients)

    def assert_exact(self, options, listener):
        running = self.enterContext(daemon.Daemon(config(
            ECHO.replace("echo {}", listener + " echo {}"), options=options)))
        idle = len(running.descriptors())
        for _ in range(5):
            served, start = [], threading.Barrier(6)
            for _ in range(6):
                self.spawn(self.compete, running.addresses("echo")[0], start, served)
            self.join()
            self.assertEqual(len(served), self.LIMIT)
            self.assertTrue(running.resets(running.addresses("echo")[0]))
            for client in served:
                self.assertEqual(client.exchange(b"hi"), b"hi")
                client.close()
            running.wait_descriptors(idle)

    def test_max_connections_of_the_daemon_is_exact(self):
        self.assert_exact(f"max_connections = {self.LIMIT}", "")

    def test_max_connections_of_a_listener_is_exact(self):
        self.assert_exact("", f"max_connections = {self.LIMIT}")


class Memory(Threads):
    """max_memory is one bound on all queues, of whatever worker."""

    LIMIT = 256 * 1024
    ITEM = b"x" * 1000

    def setUp(self):
        super().setUp()
        names = [f"q{i}" for i in range(WORKERS)]
        self.daemon = self.enterContext(daemon.Daemon(config(
            *(JOBS(name, "overflow = reject") for name in names),
            options=f"max_memory = {self.LIMIT}")))
        self.clients = [self.daemon.connect(name, kind=resp.Client) for name in names]

    def used(self):
        return sum(int(client.call("INFO", "memory").split("used_memory:")[1].split()[0])
                   for client in self.clients)

    def push(self, client):
        """Whether there was room."""
        answer = client.call("RPUSH", "q", self.ITEM)
        if isinstance(answer, int):
            return True
        assert answer == "OOM command not allowed when used memory > 'max_memory'.", answer
        return False

    def fill(self, client):
        while self.push(client):
            pass

    def churn(self, client, dice):
        """Pushes and pops at random; drop-oldest would do the same."""
        for _ in range(1500):
            if dice.random() < 0.6:
                self.push(client)
            else:
                client.call("LPOP", "q", dice.randrange(1, 5))

    def test_all_together_never_exceed_it(self):
        for client in self.clients:
            self.spawn(self.fill, client)
        self.join()
        self.assertLessEqual(self.used(), self.LIMIT)
        self.assertGreater(self.used(), self.LIMIT - 2 * len(self.ITEM))
        for round_ in range(3):
            for i, client in enumerate(self.clients):
                self.spawn(self.churn, client, random.Random(f"{round_} {i}"))
            self.join()
            self.assertLessEqual(self.used(), self.LIMIT)

    def test_room_that_one_was_told_of_is_there_for_all(self):
        self.fill(self.clients[0])
        for i in range(400):
            giver, taker = self.clients[i % WORKERS], self.clients[(i + 1) % WORKERS]
            while giver.call("LPOP", "q") is None:
                giver = self.clients[0]
            self.assertTrue(self.push(taker), "its place was not given back")
            self.assertFalse(self.push(taker))

    def test_lowered_it_admits_nobody_until_enough_has_gone(self):
        for client in self.clients:
            for _ in range(50):
                self.assertTrue(self.push(client))
        half = self.LIMIT // 2
        self.assertTrue(self.daemon.reload(config(
            *(JOBS(f"q{i}", "overflow = reject") for i in range(WORKERS)),
            options=f"max_memory = {half}")))
        giver = 0
        while self.used() + len(self.ITEM) > half:
            for client in self.clients:
                self.assertFalse(self.push(client))
            self.clients[giver % WORKERS].call("LPOP", "q", 3)
            giver += 1
        self.assertTrue(self.push(self.clients[0]))
        self.fill(self.clients[1])
        self.assertLessEqual(self.used(), half)


class Stopping(unittest.TestCase):
    def start(self, options=""):
        running = self.enterContext(daemon.Daemon(config(ECHO, JOBS("jobs", ""), options=options)))
        clients = [running.connect("echo") for _ in range(50)]
        for client in clients:
            self.assertEqual(client.exchange(b"hi"), b"hi")
        waiting = running.connect("jobs", kind=resp.Client)
        waiting.ask("BLPOP", "q", 0)
        running.connect("jobs", kind=resp.Client).wait_waiting("q", 1)
        return running, clients

    def test_all_are_let_go(self):
        for number in signal.SIGTERM, signal.SIGINT:
            running, clients = self.start()
            for client in clients:
                client.send(b"last words")
                self.assertEqual(client.receive(10), b"last words")
            running.send_signal(number)
            for client in clients:
                self.assertEqual(client.receive_all(), b"")
            running.close_clients()
            running.wait_end()

    def test_at_once(self):
        running, _ = self.start("drain_timeout = forever")
        running.send_signal(signal.SIGQUIT)
        running.wait_end()

    def test_drain_timeout(self):
        running = self.enterContext(daemon.Daemon(config(ECHO, options="drain_timeout = 200ms")))
        clients = [running.connect("echo", receive_buffer=4096) for _ in range(WORKERS)]
        for client in clients:
            client.fill(4 << 20, pause=0.1)
        running.send_signal(signal.SIGTERM)
        running.wait_end()
        running.wait_log(f"drain_timeout has passed: closing {WORKERS} connections")

    def test_while_they_come(self):
        running = self.enterContext(daemon.Daemon(config(ECHO)))
        address = running.addresses("echo")[0]
        stop = threading.Event()

        def come():
            while not stop.is_set():
                try:
                    daemon.Client(address).close()
                except OSError:
                    return

        threads = [threading.Thread(target=come) for _ in range(3)]
        for thread in threads:
            thread.start()
        daemon.wait_until(lambda: running.processor_seconds() > 0.05, "some have come")
        running.send_signal(signal.SIGTERM)
        running.wait_end()
        stop.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    taptest.run()
