"""hiredis, the C client of Redis: hiredis_client.c, compiled here, converses with a listener."""

import os
import shlex
import subprocess
import tempfile
import unittest

import daemon
import taptest

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hiredis_client.c")
COMPILER = shlex.split(os.environ.get("CC", "cc"))
CONFIG = """
    listener "jobs" {
        listen = { "ADDRESS" }
        queue { max_items = 20000 match "full" { overflow = reject max_items = 2 } }
    }
"""


def hiredis_flags():
    """None when it is not installed."""
    try:
        done = subprocess.run(["pkg-config", "--cflags", "--libs", "hiredis"], text=True,
                              capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.split() if done.returncode == 0 else None


FLAGS = hiredis_flags()


class Hiredis(unittest.TestCase):
    def test_converses(self):
        self.assertIsNotNone(FLAGS, "libhiredis-dev and pkg-config are needed")
        directory = self.enterContext(tempfile.TemporaryDirectory(prefix="cistern-"))
        client = os.path.join(directory, "hiredis_client")
        subprocess.run([*COMPILER, "-Wall", "-Wextra", "-o", client, SOURCE, *FLAGS], check=True,
                       timeout=daemon.DEADLINE)
        with daemon.Daemon(CONFIG) as running:
            host, port = running.addresses("jobs")[0].split(":")
            done = subprocess.run([client, host, port], stdin=subprocess.DEVNULL, text=True,
                                  capture_output=True, timeout=daemon.DEADLINE, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    taptest.run()
