"""differential: plays conversations to two servers of the Redis protocol that should answer alike.

A conversation is a list of steps. In each, one connection sends requests in one write, or
closes; the next begins when the server has done all that it can do for now.
"""

import dataclasses
import re
import socket
import time
import typing

# Seconds after which a server that has not answered hangs.
PATIENCE = 20
# Stands in a request for the id that the server has given to connection number ID % number.
ID = b"<id of %d>"


@dataclasses.dataclass
class Request:
    words: list
    form: typing.Callable  # the words as bytes

    def data(self, ids):
        return self.form([ids.get(word, word) for word in self.words])

    def __str__(self):
        return f"{b' '.join(self.words)!r:.500} {self.form.__name__}"


@dataclasses.dataclass
class Step:
    """Without requests the connection closes. One that waits needs no other to be answered."""
    connection: int
    requests: list
    waits: bool = True

    def __str__(self):
        return "\n".join(f"{self.connection}: {request}" for request in self.requests or ["closes"])


def reply_end(data, start):
    """Where the reply that begins at start ends; ValueError if that has not come yet."""
    end = data.index(b"\r\n", start) + 2
    kind = data[start:start + 1]
    if kind in b"+-:_":
        return end
    count = int(data[start + 1:end - 2])
    if kind in b"$=":
        end += count + 2 if count >= 0 else 0
        if end > len(data):
            raise ValueError
        return end
    assert kind in b"*%~", data[start:]
    for _ in range(count * 2 if kind == b"%" else count):
        end = reply_end(data, end)
    return end


def elements(reply):
    """The replies that an array, a set or a map consists of."""
    found = []
    at = reply.index(b"\r\n") + 2
    while at < len(reply):
        end = reply_end(reply, at)
        found.append(reply[at:end])
        at = end
    return found


def comparable(request, reply):
    """The reply without what may differ: the server's name, ids, and the order of names."""
    name = request.words[0].upper()
    if name == b"KEYS" and reply.startswith(b"*"):
        return sorted(elements(reply))
    if name == b"SCAN" and reply.startswith(b"*"):
        # How far one step goes is the server's choice, but for so many.
        return sorted(elements(elements(reply)[1])) if b"1000" in request.words else b"some"
    reply = reply.replace(b"$7\r\ncistern\r\n", b"$5\r\nredis\r\n")
    return re.sub(rb"\$2\r\nid\r\n:\d+", rb"$2\r\nid\r\n:0", reply)


class Connection:
    """Requests without a reply are outstanding; that the server has closed is a reply, b""."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.data = b""
        self.outstanding = []
        self.id = self.call(b"CLIENT ID\r\n")[1:-2]

    def send(self, requests, data):
        self.outstanding += requests
        self.socket.settimeout(PATIENCE)
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def take(self, timeout=PATIENCE):
        """What comes next: pairs of a request and its reply, perhaps none."""
        self.socket.settimeout(timeout)
        try:
            data = self.socket.recv(1 << 20)
        except BlockingIOError:
            return []
        except ConnectionResetError:
            data = b""
        found = []
        start = 0
        self.data += data
        try:
            while self.outstanding:
                end = reply_end(self.data, start)
                found.append((self.outstanding.pop(0), self.data[start:end]))
                start = end
        except ValueError:
            pass
        self.data = self.data[start:]
        if not data:
            found += [(request, b"") for request in self.outstanding]
            self.outstanding.clear()
        return found

    def take_all(self):
        found = []
        while self.outstanding:
            found += self.take()
        return found

    def call(self, data):
        """The reply to a request that no other is before."""
        self.send([None], data)
        return self.take_all()[0][1]


class Player:
    """Plays to one server, which has no other clients."""

    def __init__(self, path):
        self.path = path
        self.control = Connection(path)
        self.connections = []

    def blocked(self):
        reply = self.control.call(b"INFO clients\r\n")
        return int(re.search(rb"blocked_clients:(\d+)", reply)[1])

    def begin(self, count):
        """So many connections, and no queues."""
        for connection in self.connections:
            connection.socket.close()
        self.connections = []
        self.settle()
        self.control.call(b"FLUSHALL\r\n")
        self.connections = [Connection(self.path) for _ in range(count)]

    def settle(self):
        """What came for each, once all who have a reply outstanding are blocked."""
        found = [[] for _ in self.connections]
        deadline = time.monotonic() + PATIENCE
        rounds = 0
        while True:
            for connection, taken in zip(self.connections, found):
                if connection.outstanding:
                    taken += connection.take(timeout=0)
            outstanding = sum(bool(connection.outstanding) for connection in self.connections)
            # The second question is for what was answered before they blocked to be written.
            if rounds == (2 if outstanding else 1):
                return found
            # Who is not blocked any more, or not yet, has a reply underway.
            rounds = rounds + 1 if self.blocked() == outstanding else 0
            if time.monotonic() > deadline:
                raise TimeoutError

    def play(self, step):
        """What each connection gets by it: pairs of a request and its reply."""
        connection = self.connections[step.connection]
        if not step.requests:
            connection.socket.close()
            self.connections[step.connection] = Connection(self.path)
            return self.settle()
        if connection.outstanding:
            return self.settle()  # one who is blocked says nothing
        ids = {ID % i: each.id for i, each in enumerate(self.connections)}
        connection.send(step.requests, b"".join(each.data(ids) for each in step.requests))
        taken = connection.take_all() if step.waits else []
        found = self.settle()
        found[step.connection] = taken + found[step.connection]
        return found


class Duel:
    """Plays to both servers, and compares."""

    def __init__(self, path, other_path):
        self.players = Player(path), Player(other_path)

    def reopen(self):
        self.players = [Player(player.path) for player in self.players]

    def difference(self, steps):
        """The number of the step in which they differ, and how; or None."""
        for player in self.players:
            player.begin(1 + max(step.connection for step in steps))
        for number, step in enumerate(steps):
            try:
                answers = [player.play(step) for player in self.players]
            except TimeoutError:
                self.reopen()
                return number, "one of them does not answer"
            for connection, (one, other) in enumerate(zip(*answers)):
                text = compare(connection, one, other) if one != other else None
                if text is not None:
                    return number, text
        return None

    def cut_down(self, steps):
        """As few steps and requests as still make a difference, and what it is."""
        found = self.difference(steps)
        steps = steps[:found[0] + 1]
        number = len(steps)
        deadline = time.monotonic() + 3 * PATIENCE  # when they hang, it takes long
        while number > 0 and time.monotonic() < deadline:
            number -= 1
            for fewer in without(steps, number):
                difference = self.difference(fewer)
                if difference is not None:
                    steps, found, number = fewer, difference, min(number + 1, len(fewer))
                    break
        return steps, found[1]


def compare(number, one, other):
    """How two servers' answers to a connection differ; None if they do not."""
    for (request, reply), (_, another) in zip(one, other):
        if comparable(request, reply) != comparable(request, another):
            return f"{number}: {request}\n    {reply!r}\n    {another!r}"
    if len(one) != len(other):
        which = "first" if len(one) > len(other) else "second"
        request, reply = max(one, other, key=len)[-1]
        return f"{number}: {request}\n    only the {which} answers, {reply!r}"
    return None


def without(steps, number):
    """The conversation without one step, or without one request of it."""
    before, step, behind = steps[:number], steps[number], steps[number + 1:]
    if before or behind:
        yield before + behind
    for i in range(len(step.requests) if len(step.requests) > 1 else 0):
        fewer = step.requests[:i] + step.requests[i + 1:]
        yield before + [dataclasses.replace(step, requests=fewer)] + behind
