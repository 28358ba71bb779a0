"""queues: their scenarios, as doc/performance.md has them."""

import measure
import servers
from kinds import (CPU, Against, Paired, Side, Single, at_least, at_most, fill, idle_figures,
                   instructions, itself_at_most, stored_figures)

CONF = """
listener "jobs" {
    LISTEN
    queue { max_items = 100000000 max_bytes = 8GiB max_total_bytes = 8GiB max_queues = 1000000 }
}
"""
PUSH = ["push", "-c", 50]
POP = ["pop", "-c", 50]
BOTH = ["both", "-c", 50]
BATCH = ["-d", 16, "-b"]
HANDOVER = ["handover", "-c", 16]
IDLE = ["idle", "-a", "resp", "-c", 8000, "-n", 8]
# A pop is measured while there is something to pop.
SUPPLY = {1: fill(300000), 16: fill(2000000)}


def resp(*words):
    return f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)


# What queue_limit has to be told: the bytes of a request, and the reply.
LIMITS = {
    "push": [str(len(resp("RPUSH", "q00000000", "x" * 64))), ":1\r\n"],
    "pop": [str(len(resp("LPOP", "q00000000"))), f"$64\r\n{'x' * 64}\r\n"],
}


def paired(name, summary, load, goals, prepare=(), **options):
    """goals are by peer, and for each by measure."""
    def side(peer):
        if peer == "limit":
            return Side(peer, load, extra=LIMITS[load[0]])
        return Side(peer, load, prepare=prepare)
    against = [Against(peer, side(peer), measures) for peer, measures in goals.items()]
    return Paired(name, summary, Side("cistern", load, CONF, prepare=prepare), against, **options)


def single(name, summary, figures, load, goals, peers):
    sides = {"cistern": Side("cistern", load, CONF), **{peer: Side(peer, load) for peer in peers}}
    return Single(name, summary, figures, sides, goals)


def speed():
    shown = {CPU: None}
    yield paired("push-1", "push, depth 1, 50 connections", PUSH,
                 {"limit": shown, "redis": {CPU: at_most(0.80)}, "beanstalkd": shown})
    yield paired("pop-1", "pop, depth 1, 50 connections", POP,
                 {"limit": shown, "redis": {CPU: at_most(0.80)}, "beanstalkd": shown},
                 [SUPPLY[1]])
    yield paired("push-16", "push, depth 16, 50 connections", PUSH + BATCH,
                 {"limit": shown, "redis": {CPU: at_most(0.50)}, "beanstalkd": shown})
    yield paired("pop-16", "pop, depth 16, 50 connections", POP + BATCH,
                 {"limit": shown, "redis": {CPU: at_most(0.40)}}, [SUPPLY[16]])
    client = measure.redis_benchmark(["-P", "16", "-c", "50", "-d", "64", "-n", "500000",
                                      "-t", "rpush,lpop"])
    yield Paired("redis-benchmark", "redis-benchmark -P 16, a core each",
                 Side("cistern", [], CONF, client=client),
                 [Against("redis", Side("redis", [], client=client),
                          {"RPUSH, k/s": at_least(1.5), "LPOP, k/s": at_least(1.5)})], split=True)
    yield paired("handover", "push to BLPOP, 16 in flight", HANDOVER,
                 {"redis": {CPU: at_most(0.80)}, "beanstalkd": shown})
    shown = {"p50, us": None, "p99, us": None}
    yield paired("handover-latency", "push to BLPOP, 16 in flight, a core each", HANDOVER,
                 {"redis": {**shown, "p50, us": at_most(0.85)}, "beanstalkd": shown}, split=True)


def sizes():
    yield single("queue-idle", "8,000 idle connections", idle_figures, IDLE,
                 {"bytes each": itself_at_most(1600), "% of a core": itself_at_most(0.1)},
                 ["redis", "beanstalkd"])
    yield single("queue-memory", "a million queued items of 64 bytes", stored_figures(1000000), [],
                 {"bytes each": itself_at_most(68)}, ["redis", "beanstalkd"])
    yield single("push-instructions", "user instructions a push: depth 16, 50 connections",
                 instructions(16000, 48000), PUSH + BATCH, {}, ["redis"])


def steady(name, summary, more, less, runs=(4000, 12000)):
    """A push and a pop with more of something against less of it: by time, and by instructions.

    The time has the processor's caches in it, which a million of anything does not fit into.
    """
    label, side = less
    # A queue that is not the one of the request before has to be looked up.
    yield Paired(f"{name}-time", summary, more, [Against(label, side, {CPU: None})])
    yield Single(f"{name}-instructions", summary, instructions(*runs),
                 {"cistern": more, label: side}, {"instructions": at_most(1.2)})


def growth():
    def side(load, **options):
        return Side("cistern", load, CONF, **options)
    one = side(BOTH, prepare=[fill(1)])
    yield from steady("length", "push and pop at a queue of 10^6 items",
                      side(BOTH, prepare=[fill(1000000)]), ("1 item", one))
    yield from steady("queues", "push and pop at 10^5 queues in turn",
                      side([*BOTH, "-k", 100000], prepare=[fill(100000, queues=100000)]),
                      ("1 queue", one))
    yield from steady("connections", "push and pop by 8,000 connections in turn",
                      side(["both", "-c", 8000, "-n", 8]), ("1", side(["both"])), (16000, 48000))
    yield Paired("beside-idle", "push and pop beside 8,000 idle connections",
                 side(BOTH, hold=IDLE), [Against("none", side(BOTH), {CPU: None})])


def workers():
    """A queue stays on its worker: with two of them it should cost what it costs with one."""
    two = "workers = 2\n" + CONF
    yield Paired("queue-workers", "push, 50 connections, two workers, all on two cores",
                 Side("cistern", PUSH, two),
                 [Against("one worker", Side("cistern", PUSH, CONF),
                          {CPU: None, "rate, k/s": None})], everywhere=True,
                 possible=servers.knows_workers)


def scenarios():
    yield from speed()
    yield from sizes()
    yield from growth()
    yield from workers()
