"""The small modules: discard, chargen, daytime and time, over TCP and unix sockets."""

import datetime
import os
import time
import unittest

import daemon
import taptest

LISTENERS = ("discard", "chargen", "daytime", "time")
CONFIG = "".join(f"""
    listener "{name}" {{
        listen = {{ "ADDRESS", "unix:${{DIRECTORY}}/{name}.sock" }}
        {name} {{}}
    }}
""" for name in LISTENERS)
# Between 1900 and 1970, as RFC 868 has it.
TIME_OF_EPOCH = 2208988800


def chargen_lines():
    """RFC 864's pattern: 72 of the 95 printing characters, one further in each line."""
    printing = bytes(range(32, 127)) * 2
    while True:
        for first in range(95):
            yield printing[first:first + 72] + b"\r\n"


class Modules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(daemon.Daemon(CONFIG, env={"TZ": "UTC"}))

    def each_transport(self, name):
        return self.daemon.connect(name, 0), self.daemon.connect(name, 1)

    def test_discard_takes_all_and_answers_nothing(self):
        for client in self.each_transport("discard"):
            client.send(os.urandom(8 << 20))
            client.half_close()
            self.assertEqual(client.receive_all(), b"")

    def test_chargen_sends_the_pattern_without_a_gap(self):
        for client in self.each_transport("chargen"):
            lines = chargen_lines()
            expected = b"".join(next(lines) for _ in range(20000))
            self.assertTrue(client.receive(len(expected)) == expected)

    def test_chargen_goes_on_after_a_pause_of_the_reader(self):
        for client in self.each_transport("chargen"):
            lines = chargen_lines()
            time.sleep(0.2)
            for _ in range(3):
                expected = b"".join(next(lines) for _ in range(30000))
                self.assertTrue(client.receive(len(expected)) == expected)

    def test_chargen_ignores_what_is_sent(self):
        for client in self.each_transport("chargen"):
            client.send(b"ignore me\r\n")
            lines = chargen_lines()
            expected = b"".join(next(lines) for _ in range(5000))
            self.assertTrue(client.receive(len(expected)) == expected)

    def test_chargen_ends_after_a_half_close(self):
        for client in self.each_transport("chargen"):
            client.receive(1000)
            client.half_close()
            client.receive_all()

    def test_daytime_tells_the_time_and_closes(self):
        before = datetime.datetime.now(datetime.timezone.utc)
        for client in self.each_transport("daytime"):
            text = client.receive_all().decode()
            told = datetime.datetime.strptime(text, "%A, %B %d, %Y %H:%M:%S%z\r\n")
            after = datetime.datetime.now(datetime.timezone.utc)
            # A second is cut off, and the clock of time(2) is some milliseconds behind.
            self.assertLessEqual(before - datetime.timedelta(seconds=2), told)
            self.assertLessEqual(told, after)

    def test_time_tells_the_seconds_since_1900_and_closes(self):
        for client in self.each_transport("time"):
            before = int(time.time())
            data = client.receive_all()
            self.assertEqual(len(data), 4)
            told = int.from_bytes(data, "big")
            self.assertLessEqual((before - 1 + TIME_OF_EPOCH) % 2**32, told)
            self.assertLessEqual(told, (int(time.time()) + TIME_OF_EPOCH) % 2**32)

    def test_answers_come_though_the_client_has_sent_something(self):
        """Unread input must not turn the close into a reset that takes the answer along."""
        for name in "daytime", "time":
            for client in self.each_transport(name):
                client.send(b"x" * 1000)
                self.assertGreaterEqual(len(client.receive_all()), 4)


class ChargenAlone(unittest.TestCase):
    """On a daemon of its own, since it asks what that has open or takes."""

    CONFIG = 'listener "chargen" { listen = { "ADDRESS" } chargen {} }'

    def test_reader_that_stops_costs_no_processor(self):
        with daemon.Daemon(self.CONFIG) as running:
            client = running.connect("chargen", receive_buffer=4096)
            daemon.wait_until(client.unread, "it has sent something")
            time.sleep(0.5)
            before = running.processor_seconds()
            time.sleep(1)
            self.assertLess(running.processor_seconds() - before, 0.3)

    def test_ends_with_the_client(self):
        with daemon.Daemon(self.CONFIG) as running:
            idle = len(running.descriptors())
            client = running.connect("chargen")
            client.receive(1000)
            client.close()
            running.wait_descriptors(idle)


if __name__ == "__main__":
    taptest.run()
