"""echo: its scenarios, as doc/performance.md have them."""

import servers
from kinds import (CPU, Against, Paired, Side, Single, at_least, at_most, calls, exactly,
                   idle_figures, instructions, itself_at_most)

CONF = 'listener "echo" { LISTEN echo { } }\n'
# Four messages of 64 KiB are more than the buffer's default.
STREAM_CONF = 'listener "echo" { LISTEN echo { buffer = 1MiB } }\n'
PEERS = ["raw", "bufferevent", "libuv", "asyncio", "uvloop", "twisted", "go"]
FEW = ["echo", "-c", 1]
SOME = ["echo", "-c", 64]
MANY = ["echo", "-c", 1000]
STREAM = ["echo", "-c", 16, "-s", 65536, "-d", 4]
CHURN = ["churn", "-c", 16, "-n", 16]
IDLE = ["idle", "-c", 8000, "-n", 8]


def paired(name, summary, load, measures, goals, conf=CONF, **options):
    """Against all peers. The goals, by peer, are those of the first measure."""
    against = [Against(peer, Side(peer, load),
                       {name: goals.get(peer) if name == measures[0] else None
                        for name in measures}) for peer in PEERS]
    return Paired(name, summary, Side("cistern", load, conf), against, **options)


def single(name, summary, figures, load, goals, conf=CONF, peers=PEERS):
    sides = {"cistern": Side("cistern", load, conf), **{peer: Side(peer, load) for peer in peers}}
    return Single(name, summary, figures, sides, goals)


def workers():
    """Two workers against one; with both on two cores, and the generator too, no core is left."""
    two = "workers = 2\n" + CONF
    yield Paired("echo-workers", "64 bytes, 64 connections, two workers, all on two cores",
                 Side("cistern", SOME, two),
                 [Against("one worker", Side("cistern", SOME, CONF),
                          {CPU: None, "rate, k/s": None})], everywhere=True,
                 possible=servers.knows_workers)


def scenarios():
    yield paired("echo-1", "64 bytes, 1 connection", FEW, [CPU], {"raw": at_most(1.10)})
    yield paired("echo-64", "64 bytes, 64 connections", SOME, [CPU],
                 {"raw": at_most(1.10), "uvloop": at_most(0.75), "go": at_most(0.75)})
    yield paired("echo-1000", "64 bytes, 1,000 connections", MANY, [CPU],
                 {"raw": at_most(1.15), "go": at_most(0.85)})
    yield paired("echo-rate", "64 bytes, 64 connections, a core each", SOME, ["rate, k/s"], {},
                 split=True)
    yield paired("echo-latency", "64 bytes, 64 connections, 20,000 a second, a core each",
                 [*SOME, "-r", 20000], ["p50, us", "p99, us"], {}, split=True)
    yield paired("echo-stream", "64 KiB, 4 in flight on 16 connections, a core each", STREAM,
                 ["MB/s"], {"raw": at_least(0.92), "go": at_least(1.2)}, STREAM_CONF, split=True)
    yield paired("echo-churn", "connect, echo, close, 16 at a time", CHURN, [CPU],
                 {"raw": at_most(1.08)})
    yield single("echo-idle", "8,000 idle connections", idle_figures, IDLE,
                 {"bytes each": itself_at_most(1350), "% of a core": itself_at_most(0.1)})
    yield single("echo-calls", "system calls a message: 64 bytes, 64 connections",
                 calls(2000, 12000), SOME,
                 {"receives": exactly(1), "sends": exactly(1), "epoll_ctl": exactly(0),
                  "other calls": exactly(0)})
    yield single("echo-stream-calls", "system calls a message: 64 KiB, 4 in flight on 16",
                 calls(1000, 4000), STREAM, {}, STREAM_CONF)
    yield single("echo-instructions", "user instructions a message: 64 bytes, 64 connections",
                 instructions(2000, 12000), SOME, {"instructions": itself_at_most(600)},
                 peers=["raw", "bufferevent", "libuv"])
    yield from workers()
