"""How the service starts, ends and is started again."""

import os
import signal
import unittest

import daemon
import service
import taptest


class Start(service.Case):
    def test_runs_after_the_installation(self):
        self.assertEqual(service.show("ActiveState"), "active")
        self.assertEqual(service.show("UnitFileState"), "enabled")
        self.assertIn("Serving", service.show("StatusText"))
        self.assert_serves()

    def test_is_ready_only_when_it_listens(self):
        self.drop_in(service.ANY_NUMBER_OF_STARTS)
        for _ in range(20):
            service.run("systemctl", "stop", "cisternd")
            self.assertTrue(service.is_refused(service.ECHO))
            service.run("systemctl", "start", "cisternd")
            self.assert_serves()

    def test_wrong_configuration_is_not_started_again(self):
        self.edit("max_items", "max_itmes")
        service.run("systemctl", "restart", "cisternd", status=1)
        service.wait_show("ActiveState", "failed")
        self.assertEqual(service.show("ExecMainStatus"), "78")
        self.assertEqual(service.show("NRestarts"), "0")
        line = service.read(service.CONFIG).splitlines().index("        max_itmes = 10000") + 1
        self.wait_log(f"server.conf:{line}: ")

    def test_address_in_use_is_tried_again(self):
        service.run("systemctl", "stop", "cisternd")
        self.drop_in(service.ANY_NUMBER_OF_STARTS + "[Service]\nRestartSec=50ms\n")
        with taken(service.ECHO):
            service.run("systemctl", "start", "--no-block", "cisternd")
            self.wait_log("Address already in use")
            daemon.wait_until(lambda: service.show("NRestarts") >= "1", "it was tried again")
            self.wait_log("code=exited, status=69")
        service.wait_show("ActiveState", "active")
        self.assert_serves()

    def test_crash_is_mended_by_a_start(self):
        os.kill(int(service.show("MainPID")), signal.SIGSEGV)
        service.wait_show("NRestarts", "1")
        service.wait_show("ActiveState", "active")
        self.assert_serves()

    def test_stop_ends_it_in_good_order(self):
        client = daemon.Client(service.ECHO)
        self.assertEqual(client.exchange(b"hi"), b"hi")
        service.run("systemctl", "stop", "cisternd")
        self.assertEqual(client.receive_all(), b"")
        self.assertEqual(service.show("Result"), "success")
        self.assertEqual(service.show("ExecMainStatus"), "0")


def taken(address):
    """Listens there until left."""
    host, port = address.split(":")
    return daemon.socket.create_server((host, int(port)))


if __name__ == "__main__":
    taptest.run()
