"""The access log: a line at the end of each connection, where a listener wants it."""

import json
import re
import unittest

import daemon
import taptest

CONFIG = """
    log_level = error {options}
    listener "echo" {{
        listen = {{ "ADDRESS" }} access_log = yes access_log_rate = {rate} log_level = error
        echo {{}}
    }}
    listener "quiet" {{ listen = {{ "ADDRESS" }} echo {{}} }}
"""
NOISY = """
    listener "echo" { listen = { "unix:${DIRECTORY}/x.sock" } access_log = yes echo {} }
"""


class AccessLog(unittest.TestCase):
    def talk(self, running, address, data=b"hello"):
        client = running.connect_to(address)
        self.assertEqual(client.exchange(data), data)
        client.half_close()
        self.assertEqual(client.receive_all(), b"")
        client.close()

    def start(self, rate=100, options=""):
        """Its addresses are logged at a level that the lines of the access log are independent of."""
        running = daemon.Daemon(CONFIG.format(rate=rate, options=options).replace("= error", "= notice"))
        running.__enter__()
        self.addCleanup(running.__exit__, None, None, None)
        return running

    def test_line_at_the_end(self):
        running = self.start()
        for name in "quiet", "echo":
            self.talk(running, running.addresses(name)[0])
        running.wait_log(r"info: echo: 127\.0\.0\.1:\d+: closed after \d+\.\d{3} s, "
                         "5 bytes received, 5 sent: closed by peer\n")
        running.stop()
        self.assertEqual(running.log().count("closed after"), 1)

    def test_bytes_that_the_client_did_not_take_are_not_sent(self):
        running = self.start()
        client = running.connect("echo", receive_buffer=4096)
        sent = len(client.fill())
        client.reset()
        line = running.wait_log(r"closed after .*, (\d+) bytes received, (\d+) sent: connection reset")
        self.assertLessEqual(int(line[1]), sent)
        self.assertLess(int(line[2]), int(line[1]))
        self.assertGreater(int(line[2]), 0)

    def test_rate_is_bounded_and_what_is_left_out_is_counted(self):
        running = self.start(rate=1)
        address = running.addresses("echo")[0]
        talks = 0

        def tells():
            nonlocal talks
            self.talk(running, address)
            talks += 1
            return re.search(r"\((\d+) more closed since", running.log())

        daemon.wait_until(tells, "a line tells of those that were left out")
        running.stop()
        lines = re.findall(r"closed after .*?(?: \((\d+) more closed since.*\))?\n", running.log())
        left_out = sum(int(line) for line in lines if line)
        self.assertLessEqual(len(lines) + left_out, talks)
        self.assertLess(len(lines), talks)

    def test_reload_switches_it(self):
        with daemon.Daemon(NOISY) as running:
            address = f"unix:{running.directory}/x.sock"
            open_before = running.connect_to(address)
            open_before.exchange(b"x")
            self.assertTrue(running.reload(NOISY.replace("yes", "no")))
            open_before.close()
            self.talk(running, address)
            self.assertTrue(running.reload(NOISY))
            self.talk(running, address, b"third")
            running.wait_log("closed after .* 5 sent")
            running.stop()
            self.assertEqual(running.log().count("closed after"), 1)

    def test_json(self):
        with daemon.Daemon("log_format = json\n" + NOISY) as running:
            self.talk(running, f"unix:{running.directory}/x.sock")
            running.wait_log('"event":"closed"')
            self.assertTrue(running.reload(NOISY))
            running.stop()
            lines = running.log().splitlines()
        events = [json.loads(line) for line in lines if line.startswith("{")]
        closed = [event for event in events if event.get("event") == "closed"]
        self.assertEqual(len(closed), 1)
        expected = {"level": "info", "listener": "echo", "peer": "unix", "connection": 1,
                    "generation": 1, "bytes_received": 5, "bytes_sent": 5}
        self.assertEqual(closed[0] | expected, closed[0])
        self.assertRegex(closed[0]["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(events[0]["event"], "listening")
        self.assertNotIn("{", lines[-1])  # since the reload


if __name__ == "__main__":
    taptest.run()
