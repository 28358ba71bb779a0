"""Restarts and upgrades under load: no connection refused, nothing acknowledged lost."""

import itertools
import os
import shutil
import signal
import threading
import unittest

import daemon
import resp
import service
import taptest

# More items than all restarts see.
CONFIG = """
listener "echo" { listen = { "127.0.0.1:7007", "unix:/run/cistern/echo.sock" } echo {} }
listener "jobs" {
    listen = { "127.0.0.1:7379" }
    queue { max_items = 10000000 overflow = reject }
}
"""


class Load:
    """Threads that work until left; what they did not expect is raised there."""

    def __init__(self, *works):
        self.works = works
        self.over = threading.Event()
        self.errors = []
        self.threads = [threading.Thread(target=self.run, args=[work]) for work in works]

    def run(self, work):
        try:
            while not self.over.is_set():
                work()
        except OSError as error:
            self.errors.append(error)

    def wait_progress(self):
        """Until each has been served once more, or one was not."""
        before = [work.served for work in self.works]
        daemon.wait_until(lambda: self.errors or all(
            work.served > count for work, count in zip(self.works, before)), "all are served")
        return not self.errors

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        for error in self.errors:
            raise error


class Connector:
    """Connects again and again. A connection may end before it is served, but not be refused."""

    def __init__(self, address):
        self.address = address
        self.served = 0

    def __call__(self):
        client = daemon.Client(self.address)
        try:
            self.served += client.exchange(b"x") == b"x"
        except ConnectionError:
            pass
        client.close()


class Producer:
    """Pushes numbers, and remembers those that were acknowledged."""

    def __init__(self, queue):
        self.queue = queue
        self.numbers = itertools.count()
        self.acknowledged = []

    @property
    def served(self):
        return len(self.acknowledged)

    def __call__(self):
        client = resp.Client(service.JOBS)
        try:
            for number in self.numbers:
                if isinstance(client.call("RPUSH", self.queue, number), int):
                    self.acknowledged.append(number)
                if number % 16 == 0:
                    break
        except (EOFError, ConnectionError):
            pass
        client.close()


def connectors():
    return Connector(service.ECHO), Connector("unix:/run/cistern/echo.sock")


def take_all(queue):
    client = resp.Client(service.JOBS)
    items = []
    while part := client.call("LPOP", queue, 1000):
        items += map(int, part)
    client.close()
    return items


class Restart(service.Case):
    def setUp(self):
        super().setUp()
        self.drop_in(service.ANY_NUMBER_OF_STARTS)
        self.configure(CONFIG)

    def check_kept(self, producer):
        """What was acknowledged is there once, in its order; what was not may be."""
        kept = take_all(producer.queue)
        self.assertTrue(kept == sorted(set(kept)), "items are out of order, or there twice")
        lost = set(producer.acknowledged) - set(kept)
        self.assertEqual(len(lost), 0, f"{len(lost)} of {len(producer.acknowledged)} are lost")

    def restart_under_load(self, times):
        producer = Producer("q")
        with Load(*connectors(), producer) as load:
            for _ in range(times):
                service.run("systemctl", "restart", "cisternd.service")
                if not load.wait_progress():
                    break
        self.check_kept(producer)

    def test_nothing_is_refused_or_lost_100_times(self):
        self.restart_under_load(100)

    def test_sockets_of_systemd_refuse_nobody_either(self):
        service.run("systemctl", "stop", "cisternd.service")
        shutil.copy(service.EXAMPLES + "/cisternd.socket", service.UNITS)
        service.run("systemctl", "daemon-reload")
        self.write_config(CONFIG.replace('"127.0.0.1:7379"', '"systemd:jobs"'))
        service.run("systemctl", "start", "cisternd.socket", "cisternd.service")
        self.restart_under_load(10)

    def test_upgrade_refuses_and_loses_nothing(self):
        producer = Producer("q")
        with Load(*connectors(), producer) as load:
            process = service.show("MainPID")
            service.install("--reinstall")
            load.wait_progress()
        self.assertNotEqual(service.show("MainPID"), process)
        self.check_kept(producer)

    def test_crash_refuses_nobody_and_says_that_the_queues_are_empty(self):
        client = resp.Client(service.JOBS)
        client.call("RPUSH", "q", "a")
        client.close()
        with Load(*connectors()) as load:
            os.kill(int(service.show("MainPID")), signal.SIGKILL)
            service.wait_show("NRestarts", "1")
            load.wait_progress()
        self.assertEqual(take_all("q"), [])
        self.wait_log("empty")

    def test_stop_for_good_gives_the_addresses_back(self):
        service.run("systemctl", "stop", "cisternd.service")
        self.assertTrue(service.is_refused(service.ECHO))


if __name__ == "__main__":
    taptest.run()
