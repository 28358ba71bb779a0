"""Completion of cisternctl: what the program offers, and what bash and zsh make of it."""

import os
import shutil
import unittest

import controlcase
import daemon
import taptest
import terminal

SCRIPTS = os.path.join(os.environ.get("top_srcdir", "."), "completion")


class Candidates(controlcase.ControlCase):
    def offered(self, *words):
        """What the last of the words may become."""
        status, out, errors = self.run_ctl(*words, socket=None)
        self.assertEqual((status, errors), (0, ""))
        return [line.split("\t")[0] for line in out.splitlines()]

    def run_ctl(self, *words, socket=None, **options):
        done = controlcase.subprocess.run(
            [controlcase.CISTERNCTL, "complete", "-s", socket or self.socket, *words],
            capture_output=True, text=True, check=False, timeout=daemon.DEADLINE)
        return done.returncode, done.stdout, done.stderr

    def test_commands(self):
        self.assertEqual(self.offered("re"), ["reload", "resume"])
        self.assertIn("top", self.offered(""))
        self.assertEqual(self.offered("help", "pu"), ["purge"])
        self.assertEqual(self.offered("no-such", ""), [])

    def test_options(self):
        self.assertEqual(self.offered("--j"), ["--json"])
        self.assertEqual(self.offered("status", "--so"), ["--socket="])
        self.assertEqual(self.offered("-n", "3", "to"), ["top"])
        self.assertEqual(self.offered("-n"), [])

    def test_listeners(self):
        self.assertEqual(self.offered("pause", ""), ["echo", "jobs", "control"])
        self.assertEqual(self.offered("-j", "pause", "-a", "j"), ["jobs"])
        self.assertEqual(self.offered("pause", "jobs", ""), [])
        self.assertEqual(self.offered("connections", "listener=j"), ["listener=jobs"])
        self.assertIn("listener=", self.offered("connections", "peer=x", ""))

    def test_queues_and_connections(self):
        self.queue_client().call("RPUSH", "first", "x")
        self.queue_client().call("RPUSH", "other\n", "x")
        self.assertEqual(self.offered("purge", "jobs", "f"), ["first"])
        self.assertEqual(self.offered("purge", "jobs", ""), ["first"])
        self.assertEqual(self.offered("purge", "echo", ""), [])
        self.assertEqual(self.offered("kill", "")[:2], ["1", "2"])

    def test_values(self):
        self.assertEqual(self.offered("loglevel", "e"), ["error", "echo"])
        self.assertEqual(self.offered("loglevel", "jobs", "w"), ["warning"])
        self.assertEqual(self.offered("queues", "sort=it"), ["sort=items"])

    def test_without_a_daemon(self):
        self.assertEqual(self.run_ctl("pause", "", socket="/nowhere"), (0, "", ""))
        self.assertEqual(self.run_ctl("sta", socket="/nowhere")[1][:7], "status\t")


class Shell:
    """What both shells are asked. Typed is what a person types; the line is what it becomes."""

    def setUp(self):
        super().setUp()
        self.queue_client().call("RPUSH", "two words", "x")
        self.shell = self.enterContext(terminal.Terminal(*self.COMMAND))
        self.shell.type("PS1='READY''> '\r")
        self.shell.wait("READY> $")
        place = os.path.dirname(controlcase.CISTERNCTL)
        self.shell.type(f"PATH={place}:$PATH\r")
        self.shell.wait("READY> $")
        for line in self.SETUP:
            self.shell.type(line + "\r")
            self.shell.wait("READY> $")

    def assert_completes(self, typed, line):
        self.shell.type(f"cisternctl -s {self.socket} {typed}\t")
        self.shell.wait(line)
        self.shell.type("\x15")  # forget the line

    def test_completes(self):
        self.assert_completes("stat", "status ")
        self.assert_completes("pause j", "pause jobs ")
        self.assert_completes("connections list", "connections listener=")
        self.assert_completes("connections listener=j", "connections listener=jobs ")
        self.assert_completes("purge jobs two", r"purge jobs two\\ words ")
        self.assert_completes("--js", "--json ")

    def test_lists(self):
        self.shell.type(f"cisternctl -s {self.socket} re\t\t")
        self.shell.wait(r"(?s)reload.*resume")


class Bash(Shell, controlcase.ControlCase):
    COMMAND = "bash", "--norc", "--noprofile", "-i"
    SETUP = (f"source {SCRIPTS}/cisternctl",)


@unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
class Zsh(Shell, controlcase.ControlCase):
    COMMAND = "zsh", "-f", "-i"
    SETUP = (f"fpath=({SCRIPTS} $fpath)", "autoload -Uz compinit && compinit -u -D")


if __name__ == "__main__":
    taptest.run()
