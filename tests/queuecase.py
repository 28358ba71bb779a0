"""queuecase: what the tests of the queue's behaviour have in common.

A client that waits is one of which the daemon has said (QINFO) that it does: so a test depends
on the order in which it does things, and on no time.
"""

import resource
import unittest

import daemon
import resp

# What every item that came in is, in the end: counters, and what is still there.
FATES = "popped", "evicted", "evicted_resize", "expired", "removed", "items", "leased"

POLICIES = "drop-oldest", "drop-newest", "reject", "block"

TCP, UNIX = 0, 1  # indices of the addresses that config() gives


def config(*sections, listener="", **parameters):
    """server.conf with the listener "jobs": sections stand in its queue section."""
    text = " ".join(f"{name} = {value}" for name, value in parameters.items())
    return f"""
        listener "jobs" {{
            listen = {{ "127.0.0.1:0", "unix:${{DIRECTORY}}/jobs.sock" }} {listener}
            queue {{ {text} {" ".join(sections)} }}
        }}
    """


def is_sanitized():
    """Whether the daemon's memory is more than it asks for."""
    with open(daemon.CISTERND, "rb") as program:
        text = program.read()
    return b"__asan_init" in text or b"__tsan_init" in text


class Client(resp.Client):
    """Reads RESP3 too."""

    def read(self):
        kind = self.input.peek(1)[:1]
        if kind not in (b"_", b"%", b"="):
            return super().read()
        count = self.input.readline()[1:-2].decode()
        if kind == b"_":
            return None
        if kind == b"=":
            return self.input.read(int(count) + 2)[:-2].decode()
        return {self.read(): self.read() for _ in range(int(count))}

    def reads(self, count):
        return [self.read() for _ in range(count)]

    def number(self):
        return self.call("CLIENT", "ID")


class QueueCase(unittest.TestCase):
    """self.client is a client of the one listener, self.daemon runs it."""

    def start(self, *sections, **parameters):
        self.daemon = self.enterContext(daemon.Daemon(config(*sections, **parameters)))
        self.client = self.connect()
        return self.client

    def reload(self, *sections, **parameters):
        self.assertTrue(self.daemon.reload(config(*sections, **parameters)))

    def connect(self, index=TCP, **options):
        return self.daemon.connect("jobs", index, kind=Client, **options)

    # --- clients that wait ---------------------------------------------------------

    def waiting_in(self, queue, line):
        return self.client.qinfo(queue).get(line, 0)

    def wait_in(self, queue, line, count):
        daemon.wait_until(lambda: self.waiting_in(queue, line) == count,
                          f"{line} of {queue} is {count}")

    def wait_ask(self, line, queue, words, client):
        before = self.waiting_in(queue, line)
        client = client or self.connect()
        client.ask(*words)
        self.wait_in(queue, line, before + 1)
        return client

    def consumer(self, *words, queue="q", client=None):
        """A client that waits for an item of the queue."""
        return self.wait_ask("waiting_pop", queue, words, client)

    def producer(self, *words, queue="q", client=None):
        """A client that waits for room in the queue."""
        return self.wait_ask("waiting_push", queue, words, client)

    def assert_silent(self, *clients):
        """They have been told nothing: what the daemon said before its next answer has come."""
        self.assertEqual(self.client.call("PING"), "PONG")
        for client in clients:
            self.assertEqual(client.unread(), 0)

    # --- queues -----------------------------------------------------------------------

    def items(self, queue="q"):
        return self.client.call("LRANGE", queue, 0, -1)

    def figures(self, *names, queue="q"):
        info = self.client.qinfo(queue)
        return tuple(info[name] for name in names)

    def assert_conserved(self, *queues):
        for queue in queues or ("q",):
            info = self.client.qinfo(queue)
            self.assertEqual(info["pushed"], sum(info[fate] for fate in FATES), info)

    # --- leases -----------------------------------------------------------------------

    def take(self, client=None, count=1, timeout=0, lease=60, queue="q"):
        """What the client is given: (numbers, items, deliveries)."""
        taken = (client or self.client).call("QTAKE", queue, count, timeout, lease)
        return tuple(zip(*taken)) if taken else taken

    def wait_leased(self, count, queue="q"):
        daemon.wait_until(lambda: self.figures("leased", queue=queue) == (count,),
                          f"{count} are leased")

    # --- all queues -------------------------------------------------------------------

    def totals(self):
        """The figures of INFO."""
        lines = self.client.call("INFO").split("\r\n")
        return dict(line.split(":", 1) for line in lines if ":" in line)


def raise_descriptors(count):
    """Lets this process, and the daemons it starts, have so many; else the test is skipped."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        if hard != resource.RLIM_INFINITY and hard < count:
            raise unittest.SkipTest(f"{count} descriptors are not to be had")
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
