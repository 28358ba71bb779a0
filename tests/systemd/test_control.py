"""cisternctl and the control socket of the service."""

import os
import stat
import unittest

import resp
import service
import taptest

SOCKET = "/run/cistern/control.sock"


def as_nobody(*command, group=None, status=0):
    """Runs it as nobody, who may be in that group."""
    groups = ["--groups", group] if group else ["--clear-groups"]
    return service.run("setpriv", "--reuid=nobody", "--regid=nogroup", *groups, *command,
                       status=status)


class Control(service.Case):
    def test_socket_is_the_group_s(self):
        status = os.stat(SOCKET)
        group = service.run("getent", "group", "cisternd-admin").split(":")[2]
        self.assertEqual((status.st_uid, str(status.st_gid)), (0, group))
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o660)

    def test_root_may_do_everything(self):
        self.assertIn("jobs", service.run("cisternctl", "listeners"))
        service.run("cisternctl", "reload")

    def test_members_of_the_group_may_ask(self):
        self.assertIn("jobs", as_nobody("cisternctl", "listeners", group="cisternd-admin"))
        as_nobody("cisternctl", "reload", group="cisternd-admin", status=77)

    def test_others_may_not_connect(self):
        as_nobody("cisternctl", "listeners", status=None)

    def test_client_does_not_start_a_service_that_was_stopped(self):
        service.run("systemctl", "stop", "cisternd")
        service.run("cisternctl", "status", status=69)
        self.assertEqual(service.show("ActiveState"), "inactive")
        self.assertFalse(os.path.exists(SOCKET))
        service.run("systemctl", "start", "cisternd")
        service.run("cisternctl", "status")

    def test_socket_is_there_again_after_a_crash(self):
        service.run("systemctl", "kill", "--signal=KILL", "cisternd")
        service.wait_show("NRestarts", "1")
        service.wait_show("ActiveState", "active")
        service.run("cisternctl", "status")

    def test_a_stranger_changes_a_bound(self):
        client = resp.Client(service.JOBS)
        self.addCleanup(client.close)
        client.call("RPUSH", "q", "a")
        self.edit("max_items = 10000", "max_itmes = 4242")
        number = service.read(service.CONFIG).splitlines().index("        max_itmes = 4242") + 1
        service.run("systemctl", "reload", "cisternd", status=1)
        # What systemctl itself tells one to do.
        self.wait_log(f"server.conf:{number}: ")
        self.assertIn(f"server.conf:{number}: ",
                      service.run("systemctl", "status", "--full", "cisternd"))
        self.edit("max_itmes = 4242", "max_items = 4242")
        service.run("systemctl", "reload", "cisternd")
        self.assertRegex(service.run("cisternctl", "queues"), r"\bq\b.*\b4242\b")
        self.assertEqual(client.call("LPOP", "q"), "a")


if __name__ == "__main__":
    taptest.run()
