"""Without systemd: another user once everything is bound, and who may use unix sockets.

As root the change is seen; as anybody else it has to be refused.
"""

import grp
import os
import pwd
import re
import socket
import stat
import tempfile
import unittest

import daemon
import taptest

EX_NOPERM = 77
EX_CONFIG = 78
IS_ROOT = os.geteuid() == 0
# Nobody whom the tests are run by.
NOBODY = pwd.getpwnam("nobody")
if NOBODY.pw_uid == os.geteuid():
    NOBODY = pwd.getpwnam("daemon")
OTHERS = grp.getgrnam("daemon")
ECHO = 'listener "echo" { listen = { "unix:${PLACE}/x.sock" } %s echo {} }'


class Privileges(unittest.TestCase):
    def setUp(self):
        place = self.enterContext(tempfile.TemporaryDirectory(prefix="cistern-"))
        self.env = {"PLACE": place}
        self.path = os.path.join(place, "x.sock")

    def start(self, options, listener=""):
        """Where a user without privileges can read its files, and reach systemd, as usual."""
        config = "\n" + options + "\n" + ECHO % listener
        running = daemon.Daemon(config, env=self.env, notify=f"@{self.path}")
        os.chmod(running.directory, 0o755)
        return running

    def status_of(self, running, field):
        with open(f"/proc/{running.pid}/status", encoding="ascii") as status:
            return re.search(rf"^{field}:\s*(.*)$", status.read(), re.MULTILINE)[1].split()

    def refused(self, options, listener=""):
        return daemon.run("\n" + options + "\n" + ECHO % listener, env=self.env)

    def check_user(self, options, group):
        if not IS_ROOT:
            status, _, log = self.refused(options)
            self.assertEqual(status, EX_NOPERM, log)
            self.assertRegex(log, f"server.conf:2: user: cannot become {NOBODY.pw_name}: .*; only root can")
            return
        with self.start(options) as running:
            self.assertEqual(self.status_of(running, "Uid"), [str(NOBODY.pw_uid)] * 4)
            self.assertEqual(self.status_of(running, "Gid"), [str(group)] * 4)
            self.assertEqual(self.status_of(running, "Groups"), [str(group)])
            for capabilities in "CapPrm", "CapEff", "CapInh", "CapAmb":
                self.assertEqual(int(self.status_of(running, capabilities)[0], 16), 0)
            self.assertEqual(os.stat(self.path).st_uid, 0)  # bound before
            self.assertEqual(running.connect("echo").exchange(b"hi"), b"hi")

    def test_user(self):
        self.check_user(f"user = {NOBODY.pw_name}", NOBODY.pw_gid)

    def test_user_and_group(self):
        self.check_user(f"user = {NOBODY.pw_name} group = daemon", OTHERS.gr_gid)

    def test_user_that_it_is_already(self):
        user = pwd.getpwuid(os.geteuid()).pw_name
        group = grp.getgrgid(os.getegid()).gr_name
        with self.start(f"user = {user} group = {group}") as running:
            self.assertEqual(running.connect("echo").exchange(b"hi"), b"hi")

    def test_unknown_names_are_errors_of_the_configuration(self):
        for options, listener, pattern in (
                ("user = no-such-user", "", "server.conf:2: user: .*no user of this system"),
                ("user = nobody group = no-such", "", "server.conf:2: group: .*no group"),
                ("group = daemon", "", "server.conf:2: group: .*without user"),
                ("", "socket_owner = no-such", "server.conf:3: .*socket_owner: .*no user"),
                ("", "socket_mode = 0999", "server.conf:3: .*socket_mode: .*no mode")):
            status, _, log = self.refused(options, listener)
            self.assertEqual(status, EX_CONFIG, log)
            self.assertRegex(log, pattern)

    def test_reload_does_not_change_it(self):
        with self.start("") as running:
            before = self.status_of(running, "Uid")
            self.assertTrue(running.reload(f"user = {NOBODY.pw_name}\n" + ECHO % ""))
            self.assertRegex(running.log(), "warning: .*conf: user has changed: that takes effect "
                                            "at the next start\n")
            self.assertEqual(self.status_of(running, "Uid"), before)
            self.assertTrue(running.reload(ECHO % ""))
            self.assertEqual(running.log().count("has changed"), 1)

    # --- unix sockets ------------------------------------------------------------------

    def mode(self):
        return stat.S_IMODE(os.stat(self.path).st_mode)

    def test_mode_of_a_unix_socket(self):
        with self.start("", "socket_mode = 0620") as running:
            self.assertEqual(self.mode(), 0o620)
            self.assertTrue(running.reload(ECHO % "socket_mode = 0666"))
            self.assertEqual(self.mode(), 0o666)
            self.assertEqual(running.connect("echo").exchange(b"hi"), b"hi")

    def test_owner_of_a_unix_socket(self):
        options = f"socket_mode = 0660 socket_owner = {NOBODY.pw_name} socket_group = daemon"
        if not IS_ROOT:
            status, _, log = self.refused("", options)
            self.assertEqual(status, EX_NOPERM, log)
            self.assertFalse(os.path.lexists(self.path))
            return
        with self.start("", options) as running:
            status = os.stat(self.path)
            self.assertEqual((status.st_uid, status.st_gid), (NOBODY.pw_uid, OTHERS.gr_gid))
            self.assertEqual(self.mode(), 0o660)
            self.assertEqual(running.connect("echo").exchange(b"hi"), b"hi")

    def test_owner_cannot_be_given_away_afterwards(self):
        """After the user was changed: what is as it has to be needs no permission."""
        owner = "socket_owner = " + pwd.getpwuid(os.geteuid()).pw_name
        with self.start("user = nobody" if IS_ROOT else "", owner) as running:
            user = "user = nobody\n" * IS_ROOT
            os.chmod(os.path.dirname(self.path), 0o755)
            self.assertTrue(running.reload(user + ECHO % owner))
            self.assertNotIn("warning", running.log())
            self.assertTrue(running.reload(user + ECHO % (owner + " socket_group = daemon")))
            if OTHERS.gr_gid not in os.getgroups() or IS_ROOT:
                self.assertRegex(running.log(), "warning: unix:.*: cannot change its mode or owner")
            self.assertEqual(running.connect("echo").exchange(b"hi"), b"hi")

    def test_who_may_not_is_not_let_in(self):
        if not IS_ROOT:
            with self.start("", "socket_mode = 0400"), socket.socket(socket.AF_UNIX) as client:
                with self.assertRaises(PermissionError):
                    client.connect(self.path)
            return
        os.chmod(os.path.dirname(self.path), 0o755)
        with self.start("", "socket_mode = 0600"):
            child = os.fork()
            if child == 0:
                os.setuid(NOBODY.pw_uid)
                with socket.socket(socket.AF_UNIX) as client:
                    os._exit(client.connect_ex(self.path))
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            self.assertEqual(os.strerror(status), "Permission denied")


if __name__ == "__main__":
    taptest.run()
