"""The control socket, by those who change something: reload, listeners, connections, queues."""

import signal

import controlcase
import daemon
import resp
import taptest


class Reload(controlcase.ControlCase):
    def test_holds_when_it_is_answered(self):
        daemon.write_config(self.daemon.directory, self.CONFIG.replace("= 100 ", "= 7 "))
        self.assertRegex(self.ctl("reload"), r"^/.*server.conf: reloaded \(generation: 2\)\n$")
        self.queue_client().call("RPUSH", "q", *range(9))
        self.assertEqual(self.ask("queues")[0]["max_items"], 7)
        status = self.ask("status")
        self.assertEqual((status["generation"], status["last_reload"]), (2, "succeeded"))
        self.assertGreaterEqual(status["last_reload_at"], status["started_at"])
        self.assertEqual(status["last_reload_at"], status["loaded_at"])
        self.daemon.wait_message("RELOADING=1")
        self.daemon.wait_message("READY=1")

    def test_a_bad_file_changes_nothing_and_says_why(self):
        bad = self.CONFIG.replace("= 100 ", "= 0 ").replace("echo {}", "echo { bufer = 1KiB }")
        daemon.write_config(self.daemon.directory, bad)
        client = self.echo()
        errors = self.refused("reload").splitlines()
        self.assertEqual(len(errors), 2)
        self.assertRegex(errors[0], r'^/.*server.conf:1: listener "echo": echo: bufer: ')
        self.assertRegex(errors[1], r'^/.*server.conf:2: listener "jobs": queue: max_items: ')
        self.assertEqual(client.exchange(b"still"), b"still")
        status = self.ask("status")
        self.assertEqual((status["generation"], status["last_reload"]), (1, "failed"))
        self.assertEqual(status["last_reload_error"].splitlines(), errors)
        self.assertIn(errors[1], self.ctl("status"))
        self.daemon.wait_message("RELOADING=1")
        self.assertIn("failed", self.daemon.wait_message("READY=1"))
        # Somebody who takes no error of several lines gets all in one.
        error = self.call("reload")
        self.assertIsInstance(error, resp.Error)
        self.assertTrue(("INVALID " + "; ".join(errors)).startswith(error), error)
        self.assertIn("; /", error)

    def test_an_address_that_cannot_be_had(self):
        taken = daemon.free_address()
        host, port = taken.split(":")
        with daemon.socket.create_server((host, int(port))):
            echo = controlcase.ECHO.replace("ADDRESS", taken)
            daemon.write_config(self.daemon.directory,
                                echo + controlcase.JOBS + controlcase.CONTROL)
            self.assertIn("cannot listen on " + taken, self.refused("reload"))
        self.ctl("reload")
        self.assertIn(taken, self.listener("echo")["addresses"])

    def test_a_signal_counts_too(self):
        self.assertTrue(self.daemon.reload())
        self.assertEqual(self.ask("status")["generation"], 2)
        self.assertFalse(self.daemon.reload("nonsense"))
        self.assertIn("server.conf:1", self.ask("status")["last_reload_error"])
        self.assertTrue(self.daemon.reload(self.CONFIG))
        self.assertIsNone(self.ask("status")["last_reload_error"])

    def test_without_the_control_listener(self):
        """Its answer comes, and it is the last."""
        client = self.connect()
        self.daemon.reload("drain_timeout = none\n" + self.CONFIG)
        daemon.write_config(self.daemon.directory,
                            "drain_timeout = none\n" + controlcase.ECHO + controlcase.JOBS)
        self.assertRegex(client.call("reload"), "reloaded")
        self.assertEqual(client.receive_all(), b"")
        self.assertFalse(daemon.os.path.exists(self.socket))
        self.assertEqual(self.run_ctl("ping")[0], 69)

    def test_many(self):
        client = self.connect()
        echo = self.echo()
        before = len(self.daemon.descriptors())
        for index in range(200):
            daemon.write_config(self.daemon.directory,
                                self.CONFIG.replace("= 100 ", f"= {100 + index % 3} "))
            self.assertRegex(client.call("reload"), f"generation: {index + 2}")
            self.daemon.wait_message("READY=1")
        self.assertEqual(echo.exchange(b"hi"), b"hi")
        self.assertEqual(len(self.daemon.descriptors()), before)


class Listeners(controlcase.ControlCase):
    def test_pause_and_resume(self):
        client = self.echo()
        self.assertEqual(self.ctl("pause", "echo"), "echo: paused\n")
        self.assertEqual(self.listener("echo")["state"], "paused")
        waiting = self.daemon.connect("echo")
        waiting.send(b"later")
        self.assertEqual(client.exchange(b"hi"), b"hi")
        self.ctl("reload")  # does not end it
        self.assertEqual(self.listener("echo")["state"], "paused")
        self.assertEqual((self.listener("echo")["connections"], waiting.unread()), (1, 0))
        self.assertEqual(self.ctl("resume", "echo"), "echo: resumed\n")
        self.assertEqual(waiting.receive(5), b"later")
        self.assertEqual(self.listener("echo")["state"], "accepting")

    def test_drain(self):
        clients = [self.echo(), self.echo()]
        other = self.queue_client()
        self.assertEqual(self.ctl("drain", "echo"), "echo: draining (connections: 2)\n")
        for client in clients:
            self.assertEqual(client.receive_all(), b"")
            client.close()
        self.wait_listener("echo", connections=0, state="paused", lost_stopped=2)
        self.assertEqual(other.call("PING"), "PONG")
        self.ctl("resume", "echo")
        self.echo()

    def test_not_the_way_in(self):
        for command in "pause", "resume", "drain":
            self.assertIn("own way in", self.refused(command, "control"))
            self.assertIn('no listener "no"', self.refused(command, "no"))

    def test_loglevel(self):
        def levels(*words):
            return {row["listener"]: row["level"] for row in self.ask("loglevel", *words)}

        self.start('log_level = notice\nlistener "own" { listen = "ADDRESS" log_level = error '
                   "echo {} }\n" + self.CONFIG)
        self.assertEqual(levels(), {None: "notice", "echo": "notice", "jobs": "notice",
                                    "control": "notice", "own": "error"})
        self.assertEqual(levels("echo", "debug"), {"echo": "debug"})
        self.assertEqual(levels("own"), {"own": "error"})
        self.echo().close()
        self.daemon.wait_log("debug: echo: .*connection lost")
        self.assertEqual(levels("debug"), {None: "debug", "echo": "debug", "jobs": "debug",
                                           "control": "debug", "own": "error"})
        self.ctl("reload")
        self.assertEqual(levels()["echo"], "notice")
        self.assertIn('no log level "loud"', self.refused("loglevel", "echo", "loud"))
        self.assertIn('no listener "loud"', self.refused("loglevel", "loud"))


class Kill(controlcase.ControlCase):
    def ids(self, *words):
        return [row["id"] for row in self.ask("connections", *words)]

    def assert_lost(self, client):
        with self.assertRaises(ConnectionResetError):
            if client.socket.recv(1) == b"":
                raise ConnectionResetError

    def test_one(self):
        first, second = self.echo(), self.echo()
        self.assertEqual(self.ctl("kill", str(self.ids("listener=echo")[0])), "1\n")
        self.assert_lost(first)
        self.assertEqual(second.exchange(b"hi"), b"hi")
        self.assertEqual(self.listener("echo")["lost_killed"], 1)
        self.assertEqual(self.refused("kill", "999"), "there is no connection 999")

    def test_many(self):
        clients, other = [self.echo() for _ in range(5)], self.queue_client()
        self.assertEqual(other.call("PING"), "PONG")
        self.assertEqual(self.ask("kill", "listener=echo", "peer=127.*"), 5)
        for client in clients:
            self.assert_lost(client)
        self.assertEqual(other.call("PING"), "PONG")
        self.assertEqual(self.ask("kill", "idle=1h"), 0)
        self.assertEqual(self.ask("kill", "peer=127.*"), 1)
        self.assert_lost(other)

    def test_a_client_that_waits(self):
        """It stands in a line, which it leaves; the next one is served."""
        client, waits, behind = [self.queue_client() for _ in range(3)]
        for each in waits, behind:
            each.ask("BLPOP", "q", 0)
            client.wait_waiting("q", 1 if each is waits else 2)
        self.assertEqual(self.ask("kill", str(self.ids("listener=jobs")[1])), 1)
        client.call("RPUSH", "q", "x")
        self.assertEqual(behind.read(), ["q", "x"])

    def test_its_own(self):
        client = self.connect()
        own = client.call("CLIENT", "ID")
        self.assertEqual(client.call("kill", "listener=control"), 0)
        self.assertEqual(client.call("kill", own), 1)
        self.assertEqual(client.receive_all(), b"")

    def test_nobody_in_particular(self):
        client = self.echo()
        for words in [], ["0"], ["x"], ["-1"], ["1", "2"], ["idle=x"], ["peer="]:
            status, out, _errors = self.run_ctl("kill", *words)
            self.assertTrue(status != 0 or out == "0\n", words)
        self.assertEqual(client.exchange(b"hi"), b"hi")


class Purge(controlcase.ControlCase):
    def test_deletes_the_items(self):
        client = self.queue_client()
        client.call("RPUSH", "q", "1", "2", "3")
        client.call("RPUSH", "other", "1")
        self.assertEqual(self.ask("purge", "jobs", "q"), 3)
        self.assertEqual(client.call("LLEN", "q"), 0)
        self.assertEqual(client.call("LLEN", "other"), 1)
        self.assertEqual(client.qinfo("q")["removed"], 3)
        self.assertEqual(self.ask("purge", "jobs", "q"), 0)
        self.daemon.wait_log('jobs: "q" purged by the administrator: 3 items')

    def test_makes_room_for_who_waits(self):
        self.start(controlcase.CONTROL + 'listener "jobs" { listen = "ADDRESS" queue '
                   "{ max_items = 1 overflow = block push_timeout = forever } }")
        client, waits = self.queue_client(), self.queue_client()
        client.call("RPUSH", "q", "old")
        waits.ask("RPUSH", "q", "new")
        daemon.wait_until(lambda: client.qinfo("q")["waiting_push"] == 1, "it waits")
        self.assertEqual(self.ask("purge", "jobs", "q"), 1)
        self.assertEqual(waits.read(), 1)
        self.assertEqual(client.call("LRANGE", "q", 0, -1), ["new"])

    def test_nothing_there(self):
        self.assertEqual(self.refused("purge", "jobs", "q"), 'jobs has no queue "q"')
        self.assertEqual(self.refused("purge", "echo", "q"), 'echo has no queue "q"')
        self.assertEqual(self.refused("purge", "no", "q"), 'there is no listener "no"')


class Stop(controlcase.ControlCase):
    def test_in_good_order(self):
        client = self.echo()
        self.assertEqual(self.ctl("stop"), "stopping (connections: 1)\n")
        self.assertEqual(client.receive_all(), b"")
        client.close()
        self.daemon.wait_end()
        self.assertFalse(daemon.os.path.exists(self.socket))

    def test_can_be_watched_and_hurried(self):
        """The control listener stays until the last of the others has gone."""
        self.start("drain_timeout = forever\n" + self.CONFIG)
        client = self.echo()
        client.fill()  # and does not read: it takes time to finish
        watcher = self.connect()
        self.ctl("stop")
        self.assertEqual(self.ask("status")["state"], "stopping")
        self.assertEqual(self.listener("echo")["state"], "closed")
        self.assertEqual(self.refused("reload"), "the daemon is stopping")
        self.assertEqual(watcher.call("ping"), "PONG")
        self.ctl("stop")
        self.daemon.wait_end()
        self.assertEqual(watcher.receive_all(), b"")

    def test_clients_of_it_do_not_hold_it_up(self):
        self.start("drain_timeout = forever\n" + self.CONFIG)
        idle = self.connect()
        self.assertEqual(idle.call("ping"), "PONG")
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait_end()


if __name__ == "__main__":
    taptest.run()
