"""Rates: one connection is read from, and written to, so fast and no faster."""

import socket
import time
import unittest

import daemon
import taptest

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE
# Of server.conf, bytes a second, and how long it is measured, in seconds.
RATE = 10 * KIBIBYTE
SECONDS = 2


def listener(module, options, address="ADDRESS"):
    return f'listener "one" {{ listen = {{ "{address}" }} {options} {module} }}'


class Rates(unittest.TestCase):
    def start(self, *words):
        return self.enterContext(daemon.Daemon(listener(*words)))

    def assert_rate(self, count, seconds):
        """Somewhat about it, whatever the machine does; without a limit it is thousandfold."""
        self.assertGreater(count, RATE * seconds / 2)
        self.assertLess(count, RATE * seconds * 1.5)


class Reading(Rates):
    OPTIONS = 'read_rate = "10KiB/s"'

    def test_by_a_unix_socket(self):
        running = self.start("discard {}", self.OPTIONS, "unix:${DIRECTORY}/s")
        client = running.connect("one")
        begun = time.monotonic()
        client.send(bytes(SECONDS * RATE))
        client.wait_taken()
        self.assert_rate(SECONDS * RATE, time.monotonic() - begun)

    def test_by_tcp(self):
        """The answer comes when all has been read."""
        running = self.start("echo {}", self.OPTIONS)
        client = running.connect("one")
        begun = time.monotonic()
        self.assertEqual(len(client.exchange(bytes(SECONDS * RATE))), SECONDS * RATE)
        self.assert_rate(SECONDS * RATE, time.monotonic() - begun)

    def test_the_other_direction_is_not_limited(self):
        running = self.start("chargen {}", self.OPTIONS)
        client = running.connect("one")
        begun = time.monotonic()
        client.receive(8 * MEBIBYTE)
        self.assertLess(time.monotonic() - begun, 8 * MEBIBYTE / RATE / 10)

    def test_each_connection_has_its_own(self):
        running = self.start("echo {}", self.OPTIONS)
        clients = [running.connect("one") for _ in range(10)]
        begun = time.monotonic()
        for client in clients:
            client.send(bytes(RATE))
        for client in clients:
            self.assertEqual(len(client.receive(RATE)), RATE)
        self.assertLess(time.monotonic() - begun, 5)


class Writing(Rates):
    OPTIONS = 'write_rate = "10KiB/s"'

    def measure(self, client):
        client.receive(RATE // 2)  # what may have gathered before
        begun = time.monotonic()
        client.receive(SECONDS * RATE)
        self.assert_rate(SECONDS * RATE, time.monotonic() - begun)

    def test_by_tcp(self):
        self.measure(self.start("chargen {}", self.OPTIONS).connect("one"))

    def test_by_a_unix_socket(self):
        running = self.start("chargen {}", self.OPTIONS, "unix:${DIRECTORY}/s")
        self.measure(running.connect("one"))

    def test_the_other_direction_is_not_limited(self):
        """discard says nothing, so that nothing holds its reading up."""
        client = self.start("discard {}", self.OPTIONS).connect("one")
        begun = time.monotonic()
        client.send(bytes(8 * MEBIBYTE))
        client.half_close()
        self.assertEqual(client.receive_all(), b"")
        self.assertLess(time.monotonic() - begun, 8 * MEBIBYTE / RATE / 10)

    def test_reload_changes_it_for_new_connections(self):
        running = self.start("chargen {}", "")
        old = running.connect("one")
        old.receive(MEBIBYTE)
        self.assertTrue(running.reload(listener("chargen {}", self.OPTIONS)))
        begun = time.monotonic()
        old.receive(4 * MEBIBYTE)
        self.assertLess(time.monotonic() - begun, 4 * MEBIBYTE / RATE / 10)
        self.measure(running.connect("one"))


class Ends(Rates):
    """The last bytes arrive whole, and the end behind them."""

    BOTH = 'read_rate = "40KiB/s" write_rate = "20KiB/s"'
    DATA = bytes(range(256)) * 128

    def connect(self, module="echo {}", address="ADDRESS", options=BOTH):
        running = self.start(module, options, address)
        self.idle = len(running.descriptors())
        return running, running.connect("one")

    def assert_echo_to_the_end(self, address):
        running, client = self.connect(address=address)
        client.send(self.DATA)
        client.half_close()
        self.assertEqual(client.receive_all(), self.DATA)
        running.wait_descriptors(self.idle)

    def test_half_close_by_tcp(self):
        self.assert_echo_to_the_end("ADDRESS")

    def test_half_close_by_a_unix_socket(self):
        self.assert_echo_to_the_end("unix:${DIRECTORY}/s")

    def test_last_words_with_input_unread(self):
        """The daemon closes first, and what it has not read is no reset for the client."""
        running, client = self.connect("queue {}", options='read_rate = "1KiB/s"')
        client.send(b"PING\r\nQUIT\r\n" + bytes(32 * KIBIBYTE))
        self.assertEqual(client.receive_all(), b"+PONG\r\n+OK\r\n")
        running.wait_descriptors(self.idle)
        self.assertEqual(client.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0)

    def test_daemon_closes_and_the_client_does_not(self):
        """After a while it is forgotten all the same."""
        running, client = self.connect("daytime {}")
        self.assertTrue(client.receive_all().endswith(b"\r\n"))
        running.wait_descriptors(self.idle)
        client.close()

    def test_peer_that_leaves_while_its_module_waits(self):
        """Its input is full, so that nothing is read behind which the end stands."""
        running, client = self.connect("queue { max_request_bytes = 8KiB max_item_bytes = 1KiB }")
        client.send(b"BLPOP q 0\r\n")
        client.fill()
        self.assertEqual(len(running.descriptors()), self.idle + 1)
        client.reset()
        running.wait_descriptors(self.idle)

    def test_peer_that_resets(self):
        running, client = self.connect("chargen {}")
        client.receive(100)
        client.reset()
        running.wait_descriptors(self.idle)

    def test_stop_while_bytes_wait_for_their_turn(self):
        running, client = self.connect("echo {}", "unix:${DIRECTORY}/s", 'write_rate = "10KiB/s"')
        client.send(self.DATA)
        client.wait_taken()
        running.send_signal(15)
        self.assertEqual(client.receive_all(), self.DATA)
        running.wait_end()


if __name__ == "__main__":
    taptest.run()
