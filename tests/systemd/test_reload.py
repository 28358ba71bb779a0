"""systemctl reload: its status is the result, and a failure touches nothing."""

import os
import shutil
import unittest

import daemon
import resp
import service
import taptest


class Reload(service.Case):
    def setUp(self):
        super().setUp()
        self.process = service.show("MainPID")
        self.echo = daemon.Client(service.ECHO)
        self.addCleanup(self.echo.close)
        self.jobs = resp.Client(service.JOBS)
        self.addCleanup(self.jobs.close)
        self.assertEqual(self.jobs.call("RPUSH", "q", "a", "b", "c"), 3)

    def assert_untouched(self):
        """The process and its connections."""
        self.assertEqual(service.show("ActiveState"), "active")
        self.assertEqual(service.show("MainPID"), self.process)
        self.assertEqual(self.echo.exchange(b"still here"), b"still here")
        self.assertEqual(self.jobs.call("LRANGE", "q", "0", "-1"), ["a", "b", "c"])

    def fail_reload(self, expected):
        service.run("systemctl", "reload", "cisternd", status=1)
        self.wait_log(expected)
        self.assert_untouched()

    def line_of(self, text):
        lines = service.read(service.CONFIG).splitlines()
        return next(number for number, line in enumerate(lines, 1) if text in line)

    def test_new_bound_holds_when_the_command_returns(self):
        self.edit("max_items = 10000", "max_items = 4")
        service.run("systemctl", "reload", "cisternd")
        self.assert_untouched()
        self.assertEqual(self.jobs.call("RPUSH", "q", "d", "e"), 4)
        self.assertEqual(self.jobs.call("LRANGE", "q", "0", "-1"), ["b", "c", "d", "e"])

    def test_done_when_the_command_returns_100_times(self):
        for bound in range(100, 200):
            text = service.read(service.CONFIG + ".dist")
            service.write(service.CONFIG, text.replace("max_items = 10000", f"max_items = {bound}"))
            service.run("systemctl", "reload", "cisternd")
            self.assertEqual(self.jobs.qinfo("q")["max_items"], bound)
        self.assert_untouched()

    def test_typo_is_told_with_its_line(self):
        self.edit("max_items = 10000", "max_itmes = 10000")
        self.fail_reload(f"{service.CONFIG}:{self.line_of('max_itmes')}: ")
        self.edit("max_itmes = 10000", "max_items = 5")
        service.run("systemctl", "reload", "cisternd")
        self.assert_untouched()

    def test_address_that_cannot_be_had_fails_the_command(self):
        with daemon.socket.create_server(("127.0.0.1", 7009)):
            self.edit('"127.0.0.1:7007"', '"127.0.0.1:7007", "127.0.0.1:7009"')
            self.fail_reload("127.0.0.1:7009: Address already in use")

    def test_items_that_would_be_lost_fail_the_command(self):
        self.edit('listener "jobs"', 'listener "tasks"')
        self.fail_reload("jobs")

    def test_file_that_is_gone_fails_the_command(self):
        os.unlink(service.CONFIG)
        self.fail_reload("server.conf")
        shutil.copy(service.CONFIG + ".dist", service.CONFIG)
        service.run("systemctl", "reload", "cisternd")


if __name__ == "__main__":
    taptest.run()
