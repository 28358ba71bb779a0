"""resp: the Redis protocol from the client's side, for tests."""

import shlex

import daemon


def encode(*words):
    """A request."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


class Error(str):
    """An error reply."""


class Client(daemon.Client):
    """A client of a queue listener."""

    def __init__(self, address, **options):
        super().__init__(address, **options)
        self.input = self.socket.makefile("rb")

    def close(self):
        self.input.close()
        super().close()

    def read(self):
        """One reply."""
        line = self.input.readline()
        kind, rest = line[:1], line[1:-2].decode()
        if kind == b"":
            raise EOFError
        if kind == b"+":
            return rest
        if kind == b"-":
            return Error(rest)
        if kind == b":":
            return int(rest)
        count = int(rest)
        if count == -1:
            return None
        if kind == b"$":
            return self.input.read(count + 2)[:-2].decode()
        assert kind == b"*", line
        return [self.read() for _ in range(count)]

    def call(self, *words):
        self.send(encode(*words))
        return self.read()

    def ask(self, *words):
        """Sends a request whose reply comes later."""
        self.send(encode(*words))

    def qinfo(self, name):
        """As a dictionary; empty if there is no such queue."""
        answer = self.call("QINFO", name) or []
        return dict(zip(answer[::2], answer[1::2]))

    def wait_waiting(self, name, count):
        """Until so many clients wait in the queue."""
        daemon.wait_until(lambda: self.qinfo(name).get("waiting_pop", 0) == count,
                          f"{count} wait in {name}")

    def talk(self, transcript):
        """Plays lines of > request and < reply: every line of every reply, and no other."""
        for line in [*transcript.strip().splitlines(), "> PING", "< +PONG"]:
            sign, _, text = line.strip().partition(" ")
            if sign == ">":
                self.send(encode(*shlex.split(text)))
                continue
            found = self.input.readline()
            if found != text.encode() + b"\r\n":
                raise AssertionError(f"{text!r} expected, but {found!r} came in\n{transcript}")
