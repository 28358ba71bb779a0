"""Sockets that systemd listens on, and passes by name."""

import os
import shutil
import unittest

import daemon
import resp
import service
import taptest

ACTIVATED = 'listener "jobs" { listen = { "systemd:jobs" } queue {} }\n'
ECHO_SOCKET = """[Socket]
Service=cisternd.service
FileDescriptorName=echo
ListenStream=/run/cistern-echo.sock
ListenStream=127.0.0.1:7017
[Install]
WantedBy=sockets.target
"""


class Activation(service.Case):
    def setUp(self):
        super().setUp()
        service.run("systemctl", "stop", "cisternd.service")
        shutil.copy(service.EXAMPLES + "/cisternd.socket", service.UNITS)
        self.addCleanup(self.remove_unix_socket)

    def remove_unix_socket(self):
        if os.path.exists("/run/cistern-echo.sock"):
            os.unlink("/run/cistern-echo.sock")

    def listen(self, *sockets):
        service.run("systemctl", "daemon-reload")
        service.run("systemctl", "start", *sockets)
        self.assertEqual(service.show("ActiveState"), "inactive")

    def test_example_is_valid(self):
        path = service.UNITS + "/cisternd.socket"
        self.assertEqual(service.run("systemd-analyze", "verify", "--man=no", path), "")

    def test_first_connection_starts_the_service(self):
        self.write_config(ACTIVATED)
        self.listen("cisternd.socket")
        client = resp.Client(service.JOBS)
        self.addCleanup(client.close)
        self.assertEqual(client.call("RPUSH", "q", "a"), 1)
        service.wait_show("ActiveState", "active")
        second = resp.Client("[::1]:7379")
        self.addCleanup(second.close)
        self.assertEqual(second.call("LPOP", "q"), "a")

    def test_each_listener_has_the_sockets_of_its_name(self):
        self.write_config(ACTIVATED +
                          'listener "echo" { listen = { "systemd:echo" } echo {} }\n')
        service.write(service.UNITS + "/cisternd-echo.socket", ECHO_SOCKET)
        # In which order they are passed is not defined.
        for order in ("cisternd.socket", "cisternd-echo.socket"), \
                     ("cisternd-echo.socket", "cisternd.socket"):
            self.listen(*order)
            for address in "unix:/run/cistern-echo.sock", "127.0.0.1:7017":
                self.assert_serves(address)
            client = resp.Client(service.JOBS)
            self.assertEqual(client.call("PING"), "PONG")
            client.close()
            service.run("systemctl", "stop", *order, "cisternd.service")

    def test_socket_that_nobody_claims_is_no_harm(self):
        self.listen("cisternd.socket")
        self.edit('"127.0.0.1:7379"', '"127.0.0.1:7378"')
        service.run("systemctl", "start", "cisternd.service")
        self.assert_serves()
        self.wait_log("jobs")

    def test_name_that_is_not_passed_is_an_error_of_the_configuration(self):
        self.write_config(ACTIVATED.replace("systemd:jobs", "systemd:other"))
        self.listen("cisternd.socket")
        service.run("systemctl", "start", "cisternd.service", status=1)
        self.assertEqual(service.show("ExecMainStatus"), "78")
        self.wait_log("server.conf:1: ")

    def test_next_connection_starts_a_service_that_was_stopped(self):
        self.write_config(ACTIVATED)
        self.listen("cisternd.socket")
        for _ in range(3):
            client = resp.Client(service.JOBS)
            self.assertEqual(client.call("PING"), "PONG")
            client.close()
            service.run("systemctl", "stop", "cisternd.service")
            self.assertEqual(service.show("ActiveState", "cisternd.socket"), "active")


if __name__ == "__main__":
    taptest.run()
