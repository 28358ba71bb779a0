"""cisternctl top: on a terminal, on a dumb one, and into a file."""

import re

import controlcase
import daemon
import taptest
import terminal


class Top(controlcase.ControlCase):
    def test_block_follows_block(self):
        self.echo()
        self.queue_client().call("RPUSH", "q", "x")
        out = self.ctl("top", "-n", "2", "-d", "0.05")
        self.assertNotIn("\x1b", out)
        self.assertEqual(len(re.findall(r"(?m)^\d\d:\d\d:\d\d  cistern \S+, serving for ", out)), 2)
        self.assertEqual(len(re.findall(r"(?m)^LISTENER +STATE +CONNECTIONS ", out)), 2)
        self.assertEqual(len(re.findall(r"(?m)^q +jobs +1 +100 +17 B +0\.0 +0\.0 +0$", out)), 2)
        self.assertEqual(len(re.findall(r"(?m)^127\.\S+ +echo +\d+ ", out)), 2)
        self.assertRegex(out, r"connections 2 of 10000, descriptors \d+ of \d+, "
                              r"queued 17 B of no limit")

    def test_rates(self):
        """Of two samples between which something has happened."""
        client, echo = self.queue_client(), self.echo()
        process = controlcase.subprocess.Popen(
            [controlcase.CISTERNCTL, "-s", self.socket, "top", "-d", "0.2"],
            stdout=controlcase.subprocess.PIPE, text=True)
        try:
            pushed = received = False
            while not (pushed and received):
                client.call("RPUSH", "q", "x")
                client.call("LPOP", "q")
                echo.exchange(b"x" * 1000)
                line = process.stdout.readline()
                self.assertNotEqual(line, "")
                pushed |= re.match(r"q +jobs +\d+ +100 +\S+ B +[1-9]\S* +[1-9]", line) is not None
                received |= re.match(r"127\S+ +echo +\d+ +[1-9]\S* (Ki)?B +[1-9]", line) is not None
        finally:
            process.kill()
            process.stdout.close()
            process.wait()

    def test_the_busiest_come_first(self):
        clients = [self.echo() for _ in range(12)]
        clients[7].exchange(b"x" * 100000)
        rows = self.ask("connections", "sort=bytes_received", "limit=1")
        self.assertEqual(rows[0]["peer"], "%s:%d" % clients[7].socket.getsockname())
        out = self.ctl("top", "-n", "1")
        self.assertEqual(len(re.findall(r"(?m)^127\.\S+ +echo ", out)), 10)

    def test_on_a_terminal(self):
        command = controlcase.CISTERNCTL, "-s", self.socket, "top", "-n", "2", "-d", "0.05"
        with terminal.Terminal(*command, raw=True) as tool:
            tool.wait(r"(?s)\x1b\[H.*LISTENER.*\x1b\[J\x1b\[H.*LISTENER.*\x1b\[J")
        lines = tool.output.split("\x1b[H")[1].split("\n")
        self.assertLessEqual(len(lines), terminal.ROWS)
        self.assertTrue(all("\x1b[K" in line for line in lines))

    def test_on_a_small_terminal(self):
        for index in range(30):
            self.queue_client().call("RPUSH", f"q{index}" + "\u6c34" * 40, "x")
        command = controlcase.CISTERNCTL, "-s", self.socket, "top", "-n", "1"
        with terminal.Terminal(*command, raw=True, size=(12, 40)) as tool:
            tool.wait(r"\x1b\[J")
        lines = re.sub(r"\x1b\[[HJK]", "", tool.output).replace("\r", "").split("\n")
        self.assertEqual(len(lines), 12)
        self.assertEqual(max(len(line) for line in lines), 40)

    def test_on_a_dumb_terminal(self):
        command = controlcase.CISTERNCTL, "-s", self.socket, "top", "-n", "1"
        with terminal.Terminal(*command, raw=True, term="dumb") as tool:
            tool.wait(r"control +unix|unix +control")
        self.assertNotIn("\x1b", tool.output)

    def test_ends_with_the_daemon(self):
        process = controlcase.subprocess.Popen(
            [controlcase.CISTERNCTL, "-s", self.socket, "top", "-d", "0.05"],
            stdout=controlcase.subprocess.PIPE, stderr=controlcase.subprocess.PIPE, text=True)
        process.stdout.readline()
        self.daemon.stop()
        _, errors = process.communicate(timeout=daemon.DEADLINE)
        self.assertEqual(process.returncode, 69)
        self.assertIn("closed the connection", errors)


if __name__ == "__main__":
    taptest.run()
