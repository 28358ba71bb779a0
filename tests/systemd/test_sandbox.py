"""What the service cannot do, even if somebody took it over."""

import json
import os
import re
import shutil
import socket
import unittest

import daemon
import service
import taptest

PROBE = "/usr/local/lib/cistern-probe.py"

# Of the attempts of probe.py, those that have to succeed; and how the others have to fail.
ALLOWED = {
    "write /tmp": "'created'",  # its own
    "write /run/cistern": "'created'",
    "see what was in /tmp": "[]",
    "see a disk": "[]",
    "AF_INET": "None",
    "AF_UNIX": "None",
    "connect to loopback": "'connected'",
}
REFUSED = {
    "write /etc": "EROFS",
    "write /usr": "EROFS",
    "write /var": "EROFS",
    "write /run": "EROFS",
    "list /home": "EACCES",
    "list /root": "EACCES",
    "see PID 1": "ENOENT",
    "see the kernel's version": "ENOENT",
    "AF_PACKET": "EAFNOSUPPORT",
    "AF_NETLINK": "EAFNOSUPPORT",
    "raw socket": "EPERM",
    "connect elsewhere": "timeout",
    "listen on a low port": "EACCES",
    "become root": "EPERM",
    "change root": "EPERM",
    "mount": "EPERM",
    "new user namespace": "EPERM",
    "set-user-id": "EPERM",
    "raise a limit": "EPERM",
    "code in memory": "EPERM",
}


class Sandbox(service.Case):
    maxDiff = None

    def test_exposure_is_at_most_one_of_ten(self):
        table = service.run("systemd-analyze", "security", "--threshold=10", "cisternd.service")
        self.assertRegex(table, r"Overall exposure level for cisternd.service: (0\.\d|1\.0) ")

    def test_process_has_no_privilege(self):
        status = service.read(f"/proc/{service.show('MainPID')}/status")
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        for name in "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb":
            self.assertEqual(int(fields[name], 16), 0, name)
        self.assertEqual(fields["NoNewPrivs"], "1")
        self.assertEqual(fields["Seccomp"], "2")
        self.assertNotIn("0", fields["Uid"].split())
        self.assertNotIn("0", fields["Gid"].split())
        group = service.run("getent", "group", "cisternd-admin").split(":")[2]
        self.assertIn(group, fields["Groups"].split())

    def test_a_program_in_its_place_can_do_nothing_else(self):
        # Another address that is up, and a server there and on loopback.
        service.run("ip", "address", "replace", "192.0.2.1/32", "dev", "lo")
        with socket.create_server(("", 0)) as server:
            self.assertEqual(self.probe(server.getsockname()[1]), ALLOWED | REFUSED)

    def probe(self, port):
        shutil.copy(os.path.join(os.path.dirname(__file__), "probe.py"), PROBE)
        self.drop_in("[Service]\nType=exec\nRestart=no\nWatchdogSec=0\nExecStart=\n"
                     f"ExecStart=/usr/bin/python3 {PROBE} {port}\n")
        service.run("systemctl", "restart", "cisternd")
        return json.loads(daemon.wait_until(self.answer, "the probe has answered"))

    def answer(self):
        found = re.search("^{.*}$", self.log(), re.MULTILINE)
        return found and found[0]

    def test_other_machines_are_kept_away_until_the_drop_in(self):
        service.run("ip", "address", "replace", "192.0.2.1/32", "dev", "lo")
        self.edit('"127.0.0.1:7007"', '"*:7007"')
        service.run("systemctl", "restart", "cisternd")
        self.assert_serves()
        with self.assertRaises((TimeoutError, ConnectionError)):
            socket.create_connection(("192.0.2.1", 7007), 1)
        os.makedirs(service.DROP_INS)
        shutil.copy(service.EXAMPLES + "/public.conf", service.DROP_INS)
        service.run("systemctl", "daemon-reload")
        service.run("systemctl", "restart", "cisternd")
        self.assert_serves("192.0.2.1:7007")

    def test_low_ports_with_the_drop_in(self):
        self.edit('"127.0.0.1:7007"', '"127.0.0.1:7"')
        service.run("systemctl", "restart", "cisternd", status=1)
        self.assertEqual(service.show("ExecMainStatus"), "77")
        os.makedirs(service.DROP_INS)
        shutil.copy(service.EXAMPLES + "/low-ports.conf", service.DROP_INS)
        service.run("systemctl", "daemon-reload")
        service.run("systemctl", "restart", "cisternd")
        self.assert_serves("127.0.0.1:7")

    def test_unix_sockets_in_its_directory(self):
        self.edit('"127.0.0.1:7007"', '"unix:/run/cistern/echo.sock"')
        service.run("systemctl", "restart", "cisternd")
        self.assert_serves("unix:/run/cistern/echo.sock")


if __name__ == "__main__":
    taptest.run()
