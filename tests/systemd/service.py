"""service: cisternd as the package installs it, for tests on a machine (tests/systemd/machine).

CISTERN_PACKAGE is the package. A test may write units, drop-ins and server.conf as it likes:
what it leaves is put in order before the next one.
"""

import glob
import os
import shutil
import subprocess
import unittest

import daemon
import taptest

# A machine does more in a test, and several of them run at a time.
taptest.TEST_SECONDS = 600
COMMAND_SECONDS = 300

CONFIG = "/etc/cistern/server.conf"
UNITS = "/etc/systemd/system"
DROP_INS = UNITS + "/cisternd.service.d"
EXAMPLES = "/usr/share/doc/cistern/examples"
ECHO = "127.0.0.1:7007"
JOBS = "127.0.0.1:7379"


def run(*command, status=0):
    """What it prints; it has to end with that status, or with any but 0 if that is None."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=COMMAND_SECONDS, check=False, stdin=subprocess.DEVNULL)
    expected = done.returncode != 0 if status is None else done.returncode == status
    if not expected:
        log = subprocess.run(["journalctl", "--unit=cisternd.service", "--lines=20"],
                             capture_output=True, text=True, check=False).stdout
        raise AssertionError(f"{command}: status {done.returncode}\n{done.stdout}\n{log}")
    return done.stdout


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def install(*options):
    run("apt-get", "install", "-qy", *options, os.environ["CISTERN_PACKAGE"])


def purge():
    run("apt-get", "purge", "-qy", "cistern")


def show(name, unit="cisternd.service"):
    """A property of the unit: see systemctl(1)."""
    return run("systemctl", "show", "--property", name, "--value", unit).strip()


def wait_show(name, value):
    daemon.wait_until(lambda: show(name) == value, f"{name} of cisternd.service is {value}")


def is_refused(address):
    try:
        daemon.Client(address).close()
    except (ConnectionRefusedError, FileNotFoundError):
        return True
    return False


# For tests that start it more often than five times in ten seconds.
ANY_NUMBER_OF_STARTS = "[Unit]\nStartLimitIntervalSec=0\n"


class Case(unittest.TestCase):
    """Begins with the service as it was installed, running."""

    @classmethod
    def setUpClass(cls):
        if not os.path.exists(CONFIG):
            install()
            shutil.copy(CONFIG, CONFIG + ".dist")

    def setUp(self):
        units = glob.glob(UNITS + "/cisternd*.socket")
        run("systemctl", "stop", "cisternd.service", *map(os.path.basename, units))
        for path in units:
            os.unlink(path)
        shutil.rmtree(DROP_INS, ignore_errors=True)
        shutil.copy(CONFIG + ".dist", CONFIG)
        run("systemctl", "daemon-reload")
        run("systemctl", "reset-failed")
        # Lines of the last test may still be on their way.
        run("journalctl", "--sync")
        self.cursor = run("journalctl", "--lines=0", "--show-cursor").split()[-1]
        run("systemctl", "start", "cisternd.service")

    def log(self, *options):
        """What the journal has of the service since the test began."""
        return run("journalctl", "--output=cat", f"--after-cursor={self.cursor}",
                   *(options or ["--unit=cisternd.service"]))

    def wait_log(self, text, *options):
        daemon.wait_until(lambda: text in self.log(*options), f"the journal has: {text}")

    def write_config(self, text):
        """For a reload or a start to come: text, and the control listener of the package."""
        control = read(CONFIG + ".dist").partition('\nlistener "control"')
        write(CONFIG, text + "".join(control[1:]))

    def configure(self, text):
        """The service runs with that server.conf from here on."""
        self.write_config(text)
        run("systemctl", "restart", "cisternd.service")

    def edit(self, old, new):
        """In server.conf, for a reload or a restart to come."""
        text = read(CONFIG)
        self.assertIn(old, text)
        write(CONFIG, text.replace(old, new))

    def drop_in(self, text):
        """More lines for the unit, from the next start on."""
        write(DROP_INS + "/test.conf", text)
        run("systemctl", "daemon-reload")

    def assert_serves(self, address=ECHO):
        client = daemon.Client(address)
        self.assertEqual(client.exchange(b"hi"), b"hi")
        client.close()
