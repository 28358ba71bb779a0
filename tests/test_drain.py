"""Stopping: what was begun is finished, within limits; and what signals do besides."""

import re
import signal
import unittest

import daemon
import resp
import taptest

ECHO = 'listener "echo" { listen = { "ADDRESS" } echo {} }\n'
QUEUE = ('listener "jobs" { listen = { "ADDRESS", "unix:${DIRECTORY}/jobs.sock" }\n'
         'queue { max_reply_bytes = 16MiB } }\n')


class Drain(unittest.TestCase):
    def ask_for_much(self, running):
        """A client to whom a reply of 8 MiB is due, which no socket's buffer takes in whole."""
        client = running.connect("jobs", index=1, kind=resp.Client)
        for _ in range(8):
            client.call("RPUSH", "q", b"x" * (1 << 20))
        client.ask("LPOP", "q", 8)
        client.wait_taken()
        return client

    def assert_idle_client_is_let_go(self, number):
        with daemon.Daemon(ECHO) as running:
            client = running.connect("echo")
            self.assertEqual(client.exchange(b"hi"), b"hi")
            address = running.addresses("echo")[0]
            running.send_signal(number)
            self.assertEqual(client.receive_all(), b"")
            with self.assertRaises(ConnectionRefusedError):
                daemon.Client(address)
            client.close()
            running.wait_end()
            running.wait_log("stopped")

    def test_sigterm_lets_an_idle_client_go(self):
        self.assert_idle_client_is_let_go(signal.SIGTERM)

    def test_sigint_lets_an_idle_client_go(self):
        self.assert_idle_client_is_let_go(signal.SIGINT)

    def test_big_reply_is_sent_to_the_end(self):
        for number in signal.SIGTERM, signal.SIGINT:
            with daemon.Daemon(QUEUE) as running:
                client = self.ask_for_much(running)
                running.send_signal(number)
                running.wait_log("stopping: 1 connections to finish")
                self.assertEqual(client.read(), ["x" * (1 << 20)] * 8)
                self.assertEqual(client.receive_all(), b"")
                client.close()
                running.wait_end()

    def test_bytes_that_an_echo_still_owes_are_sent(self):
        """Those that the daemon has read, that is: it reads no more."""
        with daemon.Daemon(ECHO) as running:
            client = running.connect("echo")
            sent = client.fill(8 << 20)
            running.send_signal(signal.SIGTERM)
            running.wait_log("stopping: ")
            came = bytearray()
            try:
                while part := client.socket.recv(1 << 16):
                    came += part
            except ConnectionResetError:  # for what it has not read
                pass
            self.assertTrue(sent.startswith(bytes(came)))
            self.assertGreater(len(came), 64 * 1024)
            running.wait_end()

    def test_drain_timeout_ends_a_client_that_never_reads(self):
        with daemon.Daemon("drain_timeout = 200ms\n" + QUEUE) as running:
            self.ask_for_much(running)
            running.send_signal(signal.SIGTERM)
            running.wait_end()
            running.wait_log("drain_timeout has passed: closing 1 connections")

    def test_drain_timeout_none_closes_at_once(self):
        with daemon.Daemon("drain_timeout = none\n" + QUEUE) as running:
            self.ask_for_much(running)
            running.send_signal(signal.SIGTERM)
            running.wait_end()

    def assert_second_signal_closes_at_once(self, first, second):
        with daemon.Daemon("drain_timeout = forever\n" + QUEUE) as running:
            self.ask_for_much(running)
            running.send_signal(first)
            running.wait_log("stopping: 1 connections")
            running.send_signal(second)
            running.wait_end()
            running.wait_log("stopping now")

    def test_second_sigterm_closes_at_once(self):
        self.assert_second_signal_closes_at_once(signal.SIGTERM, signal.SIGTERM)

    def test_sigint_after_sigterm_closes_at_once(self):
        self.assert_second_signal_closes_at_once(signal.SIGTERM, signal.SIGINT)

    def test_sigquit_closes_at_once(self):
        with daemon.Daemon("drain_timeout = forever\n" + QUEUE) as running:
            self.ask_for_much(running)
            running.send_signal(signal.SIGQUIT)
            running.wait_end()

    def test_sighup_while_stopping_reloads_nothing(self):
        with daemon.Daemon("drain_timeout = forever\n" + QUEUE) as running:
            client = self.ask_for_much(running)
            running.send_signal(signal.SIGTERM)
            running.wait_log("stopping: ")
            daemon.write_config(running.directory, ECHO)
            running.send_signal(signal.SIGHUP)
            self.assertEqual(len(client.read()), 8)
            client.close()
            running.wait_end()
            self.assertNotIn("reload", running.log())

    def test_waiting_client_is_let_go(self):
        with daemon.Daemon(QUEUE) as running:
            client = running.connect("jobs", kind=resp.Client)
            client.ask("BLPOP", "q", 0)
            running.connect("jobs", kind=resp.Client).wait_waiting("q", 1)
            running.send_signal(signal.SIGTERM)
            self.assertEqual(client.receive_all(), b"")
            running.close_clients()
            running.wait_end()

    def test_client_that_keeps_its_side_open_does_not_hold_up_the_end(self):
        with daemon.Daemon("drain_timeout = forever\n" + ECHO) as running:
            client = running.connect("echo")
            self.assertEqual(client.exchange(b"hi"), b"hi")
            running.send_signal(signal.SIGTERM)
            running.wait_end()

    def test_connections_of_a_removed_listener_are_finished_too(self):
        with daemon.Daemon(ECHO + QUEUE) as running:
            client = self.ask_for_much(running)
            self.assertTrue(running.reload(ECHO))
            running.send_signal(signal.SIGTERM)
            running.wait_log("stopping: 1 connections")
            self.assertEqual(len(client.read()), 8)
            client.close()
            running.wait_end()

    def test_many_connections_end_in_good_order(self):
        with daemon.Daemon(ECHO) as running:
            clients = [running.connect("echo") for _ in range(200)]
            for client in clients:
                client.send(b"last words")
            for client in clients:
                self.assertEqual(client.receive(10), b"last words")
            running.send_signal(signal.SIGTERM)
            for client in clients:
                self.assertEqual(client.receive_all(), b"")
            running.close_clients()
            running.wait_end()
            self.assertRegex(running.log(), re.compile("stopping: 200 connections"))


class OtherSignals(unittest.TestCase):
    def test_sigpipe_is_harmless(self):
        with daemon.Daemon(ECHO) as running:
            client = running.connect("echo")
            for _ in range(3):
                running.send_signal(signal.SIGPIPE)
                self.assertEqual(client.exchange(b"hi"), b"hi")

    def test_write_to_a_client_that_has_gone_is_harmless(self):
        with daemon.Daemon(QUEUE) as running:
            for _ in range(50):
                client = running.connect("jobs")
                client.send(b"PING\r\n" * 1000)
                client.reset()
            self.assertEqual(running.connect("jobs", kind=resp.Client).call("PING"), "PONG")


if __name__ == "__main__":
    taptest.run()
