"""A daemon that takes its time to stop, and one that hangs."""

import os
import signal
import time
import unittest

import daemon
import service
import taptest

# Longer than any buffer between a daemon and a client that does not read.
MANY = 8 << 20


class Stop(service.Case):
    def hold(self):
        """A client with much to receive, which has not begun to."""
        self.configure('drain_timeout = 1m\n'
                       'listener "echo" { listen = { "127.0.0.1:7007" }'
                       ' echo { buffer = 16MiB } }\n')
        client = daemon.Client(service.ECHO, receive_buffer=4096)
        self.addCleanup(client.close)
        data = os.urandom(MANY)
        client.send(data)
        client.wait_taken()
        return client, data

    def test_drain_goes_on_past_the_time_that_systemd_gives(self):
        self.drop_in("[Service]\nTimeoutStopSec=1s\n")
        client, data = self.hold()
        service.run("systemctl", "stop", "--no-block", "cisternd.service")
        service.wait_show("ActiveState", "deactivating")
        # Until long after: the daemon asks for more time every five seconds.
        time.sleep(7)
        self.assertIn("connection", service.show("StatusText"))
        self.assertEqual(client.receive(len(data)), data)
        client.close()
        service.wait_show("ActiveState", "inactive")
        self.assertEqual(service.show("Result"), "success")

    def test_drain_timeout_is_the_end(self):
        client, _ = self.hold()
        self.edit("drain_timeout = 1m", "drain_timeout = 1s")
        service.run("systemctl", "reload", "cisternd.service")
        service.run("systemctl", "stop", "cisternd.service")
        self.assertEqual(service.show("Result"), "success")
        self.wait_log("drain_timeout")
        client.reset()

    def test_hang_is_ended_by_the_watchdog(self):
        self.drop_in("[Service]\nWatchdogSec=1s\nTimeoutStopSec=2s\nTimeoutAbortSec=1s\n")
        service.run("systemctl", "restart", "cisternd.service")
        process = service.show("MainPID")
        os.kill(int(process), signal.SIGSTOP)
        # Connected while it hangs, served by the next.
        client = daemon.Client(service.ECHO)
        self.addCleanup(client.close)
        client.send(b"hi")
        self.assertEqual(client.receive(2), b"hi")
        self.assertEqual(service.show("NRestarts"), "1")
        self.assertNotEqual(service.show("MainPID"), process)
        self.wait_log("Watchdog timeout")

    def test_watchdog_leaves_a_daemon_alone_that_works(self):
        self.drop_in("[Service]\nWatchdogSec=1s\n")
        service.run("systemctl", "restart", "cisternd.service")
        process = service.show("MainPID")
        client = daemon.Client(service.ECHO)
        self.addCleanup(client.close)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            service.run("systemctl", "reload", "cisternd.service")
            self.assertEqual(client.exchange(b"hi"), b"hi")
        self.assertEqual(service.show("MainPID"), process)

    def test_unit_has_a_watchdog(self):
        self.assertEqual(service.show("WatchdogUSec"), "30s")


if __name__ == "__main__":
    taptest.run()
