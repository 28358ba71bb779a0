"""Clients from npm: ioredis and node-redis, as their users have them today.

script/test installs them (script/npm-clients) and names the place in CISTERN_NPM. They are not
part of `make check`, which fetches nothing.
"""

import os
import subprocess
import unittest

import daemon
import taptest

CONFIG = """listener "jobs" {
    listen = { "ADDRESS" }
    queue { match "full" { overflow = reject max_items = 2 } }
}
"""


class NpmClients(unittest.TestCase):
    def assert_converses(self, library):
        place = os.environ.get("CISTERN_NPM")
        self.assertTrue(place, "CISTERN_NPM is not set: run script/npm-clients, or script/test")
        own = os.path.join(place, "node_modules", ".bin", "node")
        node = own if os.path.exists(own) else "node"
        with daemon.Daemon(CONFIG) as running:
            host, _, port = running.addresses("jobs")[0].rpartition(":")
            done = subprocess.run([node, "clients.js", library, host, port], cwd=place,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=daemon.DEADLINE, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_ioredis(self):
        self.assert_converses("ioredis")

    def test_node_redis(self):
        self.assert_converses("redis")


if __name__ == "__main__":
    taptest.run()
