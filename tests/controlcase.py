"""controlcase: what the tests of the control socket and of cisternctl have in common.

The daemon has an echo listener, a queue listener, and the control listener at SOCKET.
"""

import json
import os
import subprocess
import unittest

import daemon
import queuecase
import resp

CISTERNCTL = os.environ.get("CISTERNCTL",
                            os.path.join(os.path.dirname(daemon.CISTERND), "cisternctl"))
CONTROL = 'listener "control" { listen = { "unix:${DIRECTORY}/control.sock" } control {} }\n'
ECHO = 'listener "echo" { listen = { "ADDRESS" } echo {} }\n'
JOBS = 'listener "jobs" { listen = { "ADDRESS" } queue { max_items = 100 } }\n'
CONFIG = ECHO + JOBS + CONTROL


class ControlCase(unittest.TestCase):
    """Each test has a daemon of its own."""

    CONFIG = CONFIG
    program = CISTERNCTL

    def setUp(self):
        self.start()

    def start(self, config=None, **options):
        self.daemon = self.enterContext(daemon.Daemon(config or self.CONFIG, **options))
        self.socket = os.path.join(self.daemon.directory, "control.sock")
        return self.daemon

    # --- RESP ------------------------------------------------------------------------

    def connect(self, kind=queuecase.Client):
        return self.daemon.connect_to("unix:" + self.socket, kind)

    def call(self, *words):
        """Asks by a connection of its own."""
        client = self.connect()
        try:
            return client.call(*words)
        finally:
            client.close()

    def redis_cli(self, *words, stdin=subprocess.DEVNULL):
        done = subprocess.run(["redis-cli", "-s", self.socket, *words], stdin=stdin,
                              capture_output=True, text=True, timeout=daemon.DEADLINE, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    # --- cisternctl --------------------------------------------------------------------

    def run_ctl(self, *words, socket=None, env=None, **options):
        """Its (status, output, errors)."""
        done = subprocess.run([self.program, "-s", socket or self.socket, *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=daemon.DEADLINE, check=False,
                              env=dict(os.environ, **(env or {})), **options)
        daemon.check_reports(done.stderr)
        return done.returncode, done.stdout, done.stderr

    def ctl(self, *words):
        """What it prints when all went well."""
        status, out, errors = self.run_ctl(*words)
        self.assertEqual((status, errors), (0, ""), out)
        return out

    def ask(self, *words):
        """The answer, for programs."""
        return json.loads(self.ctl("--json", *words))

    def refused(self, *words, status=1):
        """What it says when the daemon refuses."""
        found, out, errors = self.run_ctl(*words)
        self.assertEqual((found, out), (status, ""), errors)
        return errors.removeprefix("cisternctl: ").rstrip("\n")

    # --- the daemon ----------------------------------------------------------------------

    def listener(self, name):
        """Its figures."""
        return next(row for row in self.ask("listeners") if row["name"] == name)

    def echo(self):
        """A client that is connected."""
        client = self.daemon.connect("echo")
        self.assertEqual(client.exchange(b"hi"), b"hi")
        return client

    def queue_client(self):
        return self.daemon.connect("jobs", kind=resp.Client)

    def wait_listener(self, name, **figures):
        """Until the listener has these."""
        daemon.wait_until(
            lambda: figures.items() <= self.listener(name).items(), f"{name} has {figures}")
