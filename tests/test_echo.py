"""echo: every byte comes back, whatever the client does."""

import os
import shutil
import subprocess
import threading
import time
import unittest

import daemon
import taptest

CONFIG = """
    log_level = debug
    listener "echo" {
        listen = { "ADDRESS", "unix:${DIRECTORY}/echo.sock" }
        echo { buffer = 64KiB }
    }
"""
MEBIBYTE = 1 << 20


def send_in_background(client, data):
    """Sends, then half-closes."""
    def work():
        client.send(data)
        client.half_close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


class Echo(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(daemon.Daemon(CONFIG))

    def connect(self, **options):
        return self.daemon.connect("echo", 0, **options)

    def assert_serves(self):
        """New connections are served, and none of the old is left."""
        self.assertEqual(self.connect().exchange(b"still here"), b"still here")

    @unittest.skipUnless(shutil.which("nc"), "nc is not installed")
    def test_netcat(self):
        host, port = self.daemon.addresses("echo")[0].split(":")
        done = subprocess.run(["nc", "-N", host, port], input=b"hi", stdout=subprocess.PIPE,
                              timeout=daemon.DEADLINE, check=True)
        self.assertEqual(done.stdout, b"hi")

    @unittest.skipUnless(shutil.which("nc"), "nc is not installed")
    def test_netcat_on_a_unix_socket(self):
        path = self.daemon.addresses("echo")[1].removeprefix("unix:")
        done = subprocess.run(["nc", "-N", "-U", path], input=b"hi", stdout=subprocess.PIPE,
                              timeout=daemon.DEADLINE, check=True)
        self.assertEqual(done.stdout, b"hi")

    def test_random_stream_comes_back_intact(self):
        data = os.urandom(20 * MEBIBYTE)
        client = self.connect()
        sender = send_in_background(client, data)
        self.assertTrue(client.receive_all() == data)
        sender.join()

    def test_half_close_with_a_late_reader_loses_nothing(self):
        """All was sent, FIN included, before the first byte is read."""
        client = self.connect()
        sent = client.fill(8 * MEBIBYTE)
        client.half_close()
        self.assertGreater(len(sent), 64 * 1024)
        self.assertTrue(client.receive_all() == sent)

    def test_half_close_on_a_unix_socket_with_a_late_reader_loses_nothing(self):
        client = self.daemon.connect("echo", 1)
        sent = client.fill(8 * MEBIBYTE)
        client.half_close()
        self.assertTrue(client.receive_all() == sent)

    def test_half_close_of_a_long_stream_with_a_slow_reader_loses_nothing(self):
        block = os.urandom(MEBIBYTE)
        client = self.connect(receive_buffer=4096)
        sender = send_in_background(client, block * 64)
        for _ in range(50):
            self.assertEqual(len(client.receive(100)), 100)
            time.sleep(0.002)
        rest = client.receive_all()
        self.assertEqual(len(rest), 64 * MEBIBYTE - 5000)
        self.assertTrue(rest == (block * 64)[5000:])
        sender.join()

    def test_end_without_data_is_answered_with_the_end(self):
        client = self.connect()
        client.half_close()
        self.assertEqual(client.receive_all(), b"")

    def test_half_closed_client_that_does_not_read_costs_no_processor(self):
        """A FIN stays readable: who polls for it must not spin."""
        client = self.connect()
        client.fill(8 * MEBIBYTE)
        client.half_close()
        before = self.daemon.processor_seconds()
        time.sleep(1)
        self.assertLess(self.daemon.processor_seconds() - before, 0.3)

    def test_reset_in_the_middle(self):
        idle = len(self.daemon.descriptors())
        client = self.connect()
        client.fill(8 * MEBIBYTE)
        client.reset()
        self.daemon.wait_log("connection lost: ")
        self.daemon.wait_descriptors(idle)
        self.assert_serves()

    def test_reset_storm(self):
        idle = len(self.daemon.descriptors())
        witness = self.connect()
        for i in range(300):
            client = self.connect()
            if i % 3 > 0:
                client.send(b"x" * 1000)
            if i % 3 > 1:
                client.receive(1)
            client.reset()
        self.assertEqual(witness.exchange(b"unharmed"), b"unharmed")
        self.daemon.wait_descriptors(idle + 1)
        self.assert_serves()

    def test_client_that_vanishes_without_reading(self):
        idle = len(self.daemon.descriptors())
        for _ in range(20):
            client = self.connect()
            client.send(b"x" * 50000)
            client.close()
        self.daemon.wait_descriptors(idle)
        self.assert_serves()

    def test_many_connections_at_once_keep_their_bytes_apart(self):
        clients = [self.connect() for _ in range(200)]
        for i, client in enumerate(clients):
            client.send(b"%04d" % i * 100)
        for i, client in enumerate(clients):
            self.assertEqual(client.receive(400), b"%04d" % i * 100)


class IdleTimeout(unittest.TestCase):
    CONFIG = """
        log_level = debug
        listener "echo" { listen = { "ADDRESS" } idle_timeout = 2s echo {} }
    """

    def test_idle_connection_is_closed_and_an_active_one_is_not(self):
        with daemon.Daemon(self.CONFIG) as running:
            idle, active = running.connect("echo"), running.connect("echo")
            idle.socket.settimeout(0.1)
            begin = time.monotonic()
            while True:
                self.assertEqual(active.exchange(b"x"), b"x")
                try:
                    self.assertEqual(idle.socket.recv(1), b"")
                    break
                except TimeoutError:
                    self.assertLess(time.monotonic() - begin, daemon.DEADLINE)
            self.assertGreater(time.monotonic() - begin, 1.8)
            self.assertEqual(active.exchange(b"x"), b"x")
            running.wait_log("echo: [0-9.:]+: connection lost: .*idle")

    def test_client_that_does_not_take_its_bytes_is_idle_too(self):
        with daemon.Daemon(self.CONFIG.replace("2s", "200ms")) as running:
            idle = len(running.descriptors())
            running.connect("echo").fill(64 * MEBIBYTE)
            running.wait_descriptors(idle)
            running.wait_log("connection lost: .*idle")

    def test_client_that_takes_its_bytes_slowly_is_not_idle(self):
        """For longer than idle_timeout all that moves is what the daemon still holds."""
        with daemon.Daemon(self.CONFIG.replace("echo {}", "echo { buffer = 8MiB }")) as running:
            client = running.connect("echo", receive_buffer=4096)
            sent = client.fill(16 * MEBIBYTE)
            client.half_close()
            came = bytearray()
            for _ in range(60):
                came += client.receive(32 * 1024)
                time.sleep(0.05)
            self.assertTrue(came + client.receive_all() == sent)


if __name__ == "__main__":
    taptest.run()
