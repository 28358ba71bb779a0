"""What installing, upgrading, removing and purging the package do to a machine."""

import os
import unittest

import service
import taptest

# Where the package manager and the system keep books of their own.
BOOKS = ("/etc/ld.so.cache", "/var/backups/", "/var/cache/", "/var/lib/PackageKit/", "/var/lib/apt/",
         "/var/lib/dpkg/", "/var/lib/systemd/catalog/", "/var/lib/systemd/timers/", "/var/log/",
         "/var/tmp/")
# What a purge takes away, but a removal does not: conffiles, and whether the service is enabled.
KEPT = ("/etc/apparmor.d/", "/etc/cistern", "/etc/systemd/system/",
        "/var/lib/systemd/deb-systemd-helper-enabled/")


def files():
    """Wherever a package puts something."""
    found = service.run("find", "/etc", "/opt", "/srv", "/usr", "/var", "-xdev", "-not",
                        "-name", "*.pyc")
    return {path for path in found.splitlines() if not path.startswith(BOOKS)}


def added(before):
    """Paths that are there and were not, and not because the machine below has got them."""
    return [path for path in sorted(files() - before) if os.path.lexists("/.written" + path)]


def accounts():
    return service.run("getent", "passwd"), service.run("getent", "group")


def state():
    units = service.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "cistern*")
    return accounts(), units, os.path.exists("/run/cistern")


class Package(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.assertFalse(os.path.exists(service.CONFIG))
        self.state = state()
        self.files = files()
        service.install()

    def tearDown(self):
        if os.path.exists(service.CONFIG):
            service.purge()

    def assert_runs(self):
        self.assertEqual(service.show("ActiveState"), "active")
        self.assertEqual(service.run("systemctl", "is-enabled", "cisternd.service"), "enabled\n")
        self.assertFalse(service.is_refused(service.ECHO))
        self.assertFalse(service.is_refused(service.JOBS))

    def test_installed_it_runs_and_has_its_manual(self):
        self.assert_runs()
        installed = service.run("dpkg-query", "--listfiles", "cistern").splitlines()
        for page in "cisternctl.1", "server.conf.5", "cistern-queue.7", "cisternd.8":
            self.assertIn(f"/usr/share/man/man{page[-1]}/{page}.gz", installed)
        self.assertIn("/usr/share/bash-completion/completions/cisternctl", installed)
        self.assertIn("/usr/share/zsh/vendor-completions/_cisternctl", installed)
        service.run("cisternd", "--check")
        service.run("cisternctl", "status")
        status = os.stat("/run/cistern")
        self.assertEqual(status.st_mode & 0o7777, 0o775)
        self.assertEqual(str(status.st_gid),
                         service.run("getent", "group", "cisternd-admin").split(":")[2])

    def test_upgrade_starts_the_new_daemon_and_keeps_the_edited_configuration(self):
        text = service.read(service.CONFIG).replace("127.0.0.1:7007", "127.0.0.1:7008")
        service.write(service.CONFIG, text)
        process = service.show("MainPID")
        service.install("--reinstall")
        self.assertEqual(service.read(service.CONFIG), text)
        self.assertNotEqual(service.show("MainPID"), process)
        self.assertFalse(service.is_refused("127.0.0.1:7008"))

    def test_remove_keeps_the_configuration_alone(self):
        service.run("apt-get", "remove", "-qy", "cistern")
        self.assertTrue(service.is_refused(service.ECHO))
        self.assertEqual(os.listdir("/run/cistern"), [])
        left = added(self.files)
        self.assertIn(service.CONFIG, left)
        self.assertEqual([path for path in left if not path.startswith(KEPT)], [])
        service.install()
        self.assert_runs()

    def test_purge_leaves_nothing(self):
        service.purge()
        self.assertEqual(added(self.files), [])
        self.assertEqual(state(), self.state)


if __name__ == "__main__":
    taptest.run()
