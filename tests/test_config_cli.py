"""The command line: --check, --dump, --version, --help, and what they say of a bad file."""

import os
import re
import tempfile
import unittest

import daemon
import taptest

EX_USAGE, EX_CONFIG = 64, 78
GOOD = 'listener "echo" { listen = { "127.0.0.1:7007" } echo {} }\n'
EXAMPLE = os.path.join(os.path.dirname(__file__), "..", "etc", "server.conf")


class Options(unittest.TestCase):
    def test_help(self):
        status, out, log = daemon.run(None, "--help")
        self.assertEqual((status, log), (0, ""))
        for option in "--config", "--check", "--dump", "--verbose", "--version", "--help":
            self.assertIn(option, out)

    def test_version(self):
        status, out, log = daemon.run(None, "--version")
        self.assertEqual((status, log), (0, ""))
        self.assertRegex(out, r"^cisternd \S+")

    def test_unknown_option(self):
        status, out, log = daemon.run(None, "--chekc-it")
        self.assertEqual((status, out), (EX_USAGE, ""))
        self.assertIn("chekc-it", log)

    def test_unexpected_argument(self):
        status, out, log = daemon.run(GOOD, "--check", "start")
        self.assertEqual((status, out), (EX_USAGE, ""))
        self.assertIn("start", log)

    def test_option_without_its_argument(self):
        self.assertEqual(daemon.run(None, "-f")[0], EX_USAGE)


class Check(unittest.TestCase):
    def assert_errors(self, config, *patterns, arguments=("--check",)):
        """Exit status 78, and just these lines, in this order."""
        status, out, log = daemon.run(config, *arguments)
        self.assertEqual((status, out), (EX_CONFIG, ""), log)
        lines = log.splitlines()
        for line, pattern in zip(lines, patterns):
            self.assertRegex(line, pattern)
        self.assertEqual(len(lines), len(patterns), log)

    def test_valid_file(self):
        status, out, log = daemon.run(GOOD, "--check")
        self.assertEqual((status, log), (0, ""))
        self.assertIn("valid", out)

    def test_the_example_that_is_shipped(self):
        status, _, log = daemon.run(None, "--check", "-f", EXAMPLE)
        self.assertEqual((status, log), (0, ""))

    def test_all_errors_at_once_each_with_its_line(self):
        self.assert_errors("""# a comment
log_level = loud
# another
listener "one" {
    listen = { "127.0.0.1:7007",   # a comment in a list
               "127.0.0.1:70007" }
    idle_timeout = 30
    max_conections = 5
    echo { buffer = 1 }
}

listener "two" {
    listen = { "127.0.0.1:7007" }
    qeue {}
}

listener "one" {
    queue { max_items = 010 overflow = drop_oldest }
}
""",
                           r"server\.conf:2: log_level: .*loud.*allowed: .*warning",
                           r'server\.conf:6: listener "one": listen: .*70007',
                           r'server\.conf:7: listener "one": idle_timeout: .*unit.*"30s"',
                           r'server\.conf:8: listener "one": max_conections: .*"max_connections"',
                           r'server\.conf:9: listener "one": echo: buffer: .*small.*512',
                           r'server\.conf:13: listener "two": listen: .*clash.*"one" on line 5',
                           r'server\.conf:14: listener "two": qeue: .*did you mean "queue"',
                           r'server\.conf:17: listener "one": the name is taken.*line 4',
                           r'server\.conf:17: listener "one": listen: missing',
                           r'server\.conf:18: listener "one": queue: max_items: .*leading zero',
                           r'server\.conf:18: .*overflow: .*did you mean "drop-oldest"')

    def test_typo_on_line_7_under_a_comment_block(self):
        self.assert_errors("""# one
# two
# three
#
listener "echo" {
    # six
    lisen = { "127.0.0.1:7007" }
    echo {}
}
""", r'server\.conf:7: listener "echo": lisen: no such option; did you mean "listen"')

    def test_truncated_in_every_place(self):
        """A file that was cut short is valid nowhere but where only blanks are missing."""
        with open(EXAMPLE, encoding="ascii") as example:
            text = re.sub(r"#.*", "", example.read())
        text = re.sub(r"\s*\n\s*", "\n", text).strip()
        first_end = text.index('listener "jobs"')
        for length in range(0, len(text), 7):
            if text[:length].strip() == text[:first_end].strip():
                continue
            status, _, log = daemon.run(text[:length], "--check")
            self.assertEqual(status, EX_CONFIG, f"{text[:length]!r} was taken")
            self.assertIn("server.conf", log)

    def test_truncated_section_is_reported_where_it_began(self):
        self.assert_errors('# a\nlistener "echo" {\n  listen = { "127.0.0.1:7007" }\n  echo {\n',
                           r"server\.conf:4: .*never closed")

    def test_lost_quote(self):
        self.assert_errors('listener "echo" {\n listen = { "127.0.0.1:7007 }\n echo {}\n}\n',
                           r"server\.conf:2: .*quote")

    def test_directory_instead_of_a_file(self):
        with tempfile.TemporaryDirectory() as directory:
            self.assert_errors(None, "regular file", arguments=("--check", "-f", directory))

    def test_device_instead_of_a_file(self):
        self.assert_errors(None, "/dev/zero: .*regular file",
                           arguments=("--check", "-f", "/dev/zero"))

    def test_fifo_instead_of_a_file_does_not_hang(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "fifo")
            os.mkfifo(path)
            self.assert_errors(None, "regular file", arguments=("--check", "-f", path))

    def test_missing_file(self):
        self.assert_errors(None, "/nonexistent.conf: No such file",
                           arguments=("--check", "-f", "/nonexistent.conf"))

    def test_nul_byte(self):
        self.assert_errors(GOOD.encode() + b"\n\0\n", r"server\.conf:3: .*NUL")

    def test_oversized_file(self):
        self.assert_errors(GOOD + "#" * (1 << 20), r"server\.conf: .*larger than")

    def test_empty_file(self):
        self.assert_errors("", r"server\.conf: no listener")

    def test_a_start_with_a_bad_file_fails_as_the_check_does(self):
        self.assert_errors("listener", r"server\.conf:1: ", arguments=())

    def test_dump_of_a_bad_file(self):
        self.assert_errors("log_level = loud\n" + GOOD, r"server\.conf:1: ",
                           arguments=("--dump",))

    def test_verbose_prints_memory_and_descriptors(self):
        config = """
            max_connections = 150
            listener "small" { listen = { "127.0.0.1:1" } max_connections = 100
                               echo { buffer = 512 } }
            listener "jobs" { listen = { "127.0.0.1:2", "*:3" } max_connections = 100 queue {} }
        """
        status, out, log = daemon.run(config, "--check", "-v")
        self.assertEqual((status, log), (0, ""))
        rows = {line.split()[0]: line for line in out.splitlines() if line}
        self.assertRegex(rows["small"], r"\b100\b.*\b101$")
        self.assertRegex(rows["jobs"], r"\b100\b.*MiB.*\b103$")
        self.assertRegex(rows["all"], r"\b150\b.*\b154$")
        self.assertRegex(out, r"RLIMIT_NOFILE")

    def test_output_that_cannot_be_written_is_no_success(self):
        status, _, _ = daemon.run(GOOD, "--dump", prefix=("sh", "-c", 'exec "$@" >/dev/full', "sh"))
        self.assertNotEqual(status, 0)


class Dump(unittest.TestCase):
    def assert_settles(self, config):
        """What was dumped is dumped the same again; returns it."""
        status, first, log = daemon.run(config, "--dump")
        self.assertEqual((status, log), (0, ""))
        status, second, log = daemon.run(first, "--dump")
        self.assertEqual((status, log), (0, ""))
        self.assertEqual(first, second)
        return first

    def test_fed_back_is_identical(self):
        dump = self.assert_settles("""
            log_level = notice drain_timeout = forever
            listener "a" { listen = { "*:7007", "[::1]:7008", "localhost:7009",
                                      "unix:/run/x y\\"\\\\\\${z}.sock" }
                           idle_timeout = 90s keepalive = no echo { buffer = 65537 } }
            listener "b" { listen = { "127.0.0.1:0" } log_level = debug backlog = 1
                           queue { scope = connection max_bytes = 1536MiB overflow = reject } }
            listener "c" { listen = { "127.0.0.1:1" } discard {} }
        """)
        self.assertRegex(dump, r"buffer\s*= 65537\n")
        self.assertRegex(dump, r"max_bytes\s*= 1536MiB\n")
        self.assertRegex(dump, r"idle_timeout\s*= 90s\n")

    def test_has_the_defaults(self):
        dump = self.assert_settles(GOOD)
        for pattern in (r"drain_timeout\s*= 30s\n", r"idle_timeout\s*= none\n",
                        r"nodelay\s*= yes\n", r"buffer\s*= 64KiB\n"):
            self.assertRegex(dump, pattern)

    def test_of_the_example_that_is_shipped(self):
        with open(EXAMPLE, encoding="ascii") as example:
            self.assert_settles(example.read())


if __name__ == "__main__":
    taptest.run()
