"""Deadlines: who sends half a request or takes no answer is closed, and nobody else."""

import time
import unittest

import controlcase
import daemon
import resp
import taptest

MEBIBYTE = 1024 * 1024
# A deadline that is to pass, and one that is not, in seconds; as server.conf has them.
SHORT, AMPLE = 0.3, 3
REQUEST = resp.encode("ECHO", b"x" * 100)


class RequestTimeout(unittest.TestCase):
    def start(self, timeout):
        return self.enterContext(daemon.Daemon(
            f'listener "jobs" {{ listen = {{ "ADDRESS" }} request_timeout = {timeout} queue {{}} }}'))

    def test_half_a_request(self):
        running = self.start("300ms")
        client = running.connect("jobs", kind=resp.Client)
        self.assertEqual(client.call("PING"), "PONG")
        begun = time.monotonic()
        client.send(REQUEST[:50])
        self.assertEqual(client.receive_all(), b"")
        self.assertGreaterEqual(time.monotonic() - begun, SHORT)

    def test_replies_of_what_was_whole_come_first(self):
        running = self.start("300ms")
        client = running.connect("jobs")
        client.send(b"PING\r\nPING\r\nPIN")
        self.assertEqual(client.receive_all(), b"+PONG\r\n+PONG\r\n")

    def test_dribble_is_no_excuse(self):
        running = self.start("300ms")
        client = running.connect("jobs")
        client.send(REQUEST[:1])
        with self.assertRaises(ConnectionError):
            for byte in REQUEST[1:] * 100:
                client.send(bytes([byte]))
                time.sleep(SHORT / 20)

    def test_who_says_nothing_is_not_late(self):
        running = self.start("300ms")
        silent = running.connect("jobs", kind=resp.Client)
        used = running.connect("jobs", kind=resp.Client)
        self.assertEqual(used.call("PING"), "PONG")
        time.sleep(3 * SHORT)
        self.assertEqual(silent.call("PING"), "PONG")
        self.assertEqual(used.call("PING"), "PONG")

    def test_who_sends_halves_in_time(self):
        """There is half a request at every moment, for longer than the deadline."""
        running = self.start(f"{AMPLE}s")
        client = running.connect("jobs", kind=resp.Client)
        begun = time.monotonic()
        client.send(REQUEST[:50])
        while time.monotonic() - begun < AMPLE * 1.3:
            time.sleep(AMPLE / 10)
            client.send(REQUEST[50:] + REQUEST[:50])
            self.assertEqual(client.read(), "x" * 100)

    def test_who_waits_for_an_item(self):
        """With half a request behind the one that waits."""
        running = self.start("300ms")
        client = running.connect("jobs", kind=resp.Client)
        client.send(resp.encode("BLPOP", "q", 0) + REQUEST[:50])
        time.sleep(3 * SHORT)
        other = running.connect("jobs", kind=resp.Client)
        self.assertEqual(other.call("RPUSH", "q", "x"), 1)
        self.assertEqual(client.read(), ["q", "x"])
        client.send(REQUEST[50:])
        self.assertEqual(client.read(), "x" * 100)

    def test_reload_changes_it_for_new_connections(self):
        running = self.start("none")
        old = running.connect("jobs", kind=resp.Client)
        old.send(REQUEST[:50])
        with open(running.path, encoding="utf-8") as file:
            config = file.read()
        self.assertTrue(running.reload(config.replace("timeout = none", "timeout = 300ms")))
        new = running.connect("jobs", kind=resp.Client)
        new.send(REQUEST[:50])
        self.assertEqual(new.receive_all(), b"")
        time.sleep(SHORT)
        old.send(REQUEST[50:])
        self.assertEqual(old.read(), "x" * 100)


class WriteTimeout(unittest.TestCase):
    def start(self, timeout, address="ADDRESS"):
        return self.enterContext(daemon.Daemon(f"""
            listener "chars" {{ listen = {{ "{address}" }} write_timeout = {timeout} chargen {{}} }}
        """))

    def assert_closed(self, address):
        """What the kernel had taken is all that comes."""
        running = self.start("300ms", address)
        idle = len(running.descriptors())
        begun = time.monotonic()
        client = running.connect("chars", receive_buffer=4096)
        running.wait_descriptors(idle + 1)
        running.wait_descriptors(idle)
        self.assertGreaterEqual(time.monotonic() - begun, SHORT)
        self.assertLess(len(client.receive_all()), 64 * MEBIBYTE)

    def test_who_takes_nothing(self):
        self.assert_closed("ADDRESS")

    def test_who_takes_nothing_by_a_unix_socket(self):
        self.assert_closed("unix:${DIRECTORY}/chars.sock")

    def test_who_takes_slowly(self):
        """For longer than the deadline, a little now and then."""
        running = self.start("2s")
        client = running.connect("chars", receive_buffer=4096)
        begun = time.monotonic()
        while time.monotonic() - begun < 5:
            self.assertEqual(len(client.receive(2048)), 2048)
            time.sleep(0.4)
        self.assertIn(b"0123456789", client.receive(1 << 18))

    def test_who_has_taken_all_may_be_silent(self):
        config = 'listener "echo" { listen = { "ADDRESS" } write_timeout = 2s echo {} }'
        with daemon.Daemon(config) as running:
            client = running.connect("echo")
            sent = client.fill()
            self.assertEqual(client.receive(len(sent)), sent)
            time.sleep(3)
            self.assertEqual(client.exchange(b"hi"), b"hi")


class Reasons(controlcase.ControlCase):
    """Each is counted under its name."""

    CONFIG = """
        listener "jobs" { listen = { "ADDRESS" } request_timeout = 100ms queue {} }
        listener "chars" { listen = { "ADDRESS" } write_timeout = 100ms chargen {} }
    """ + controlcase.CONTROL

    def test_they_are_counted(self):
        running = self.daemon
        running.connect("jobs").send(REQUEST[:50])
        running.connect("chars", receive_buffer=4096)
        daemon.wait_until(lambda: self.listener("jobs")["lost_request"] == 1, "it is late")
        daemon.wait_until(lambda: self.listener("chars")["lost_stalled"] == 1, "it has stalled")


if __name__ == "__main__":
    taptest.run()
