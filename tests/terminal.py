"""terminal: runs a program for a test as a person would, on a terminal."""

import os
import pty
import re
import select
import termios
import time

import daemon

ROWS, COLUMNS = 50, 120


class Terminal:
    """A program that believes to be used by a person. raw: its output with what moves."""

    def __init__(self, *command, raw=False, size=(ROWS, COLUMNS), term="xterm"):
        self.data, self.output = b"", ""
        self.raw = raw
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM=term, REDISCLI_HISTFILE="/dev/null")
            termios.tcsetwinsize(0, size)  # it would ask the terminal, who does not answer
            os.execvp(command[0], command)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.master)
        os.waitpid(self.pid, 0)

    def type(self, text):
        self.data, self.output = b"", ""
        os.write(self.master, text.encode())

    def wait(self, pattern):
        """Until it has shown that since one typed last; without what moves and colours."""
        deadline = time.monotonic() + daemon.DEADLINE
        while not re.search(pattern, self.output):
            if not select.select([self.master], [], [], deadline - time.monotonic())[0]:
                raise AssertionError(f"no {pattern} in {self.output!r}")
            self.data += os.read(self.master, 4096)
            self.output = self.data.decode(errors="replace")
            if not self.raw:
                self.output = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", self.output)
