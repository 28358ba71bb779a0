"""kinds: the kinds of scenarios. Each has a name, a summary, and makes results."""

import dataclasses
import time

import counts
import measure
import servers
from measure import Side
from report import Goal, Result

CPU = "CPU, us"

# What is compared and shown: of the figures of one run.
MEASURES = {
    CPU: lambda figures: figures["server_cpu"] / figures["messages"] / 1e3,
    "rate, k/s": lambda figures: figures["rate"] / 1e3,
    "MB/s": lambda figures: figures["bytes"] / figures["seconds"] / 1e6,
    "p50, us": lambda figures: figures["p50"] / 1e3,
    "p99, us": lambda figures: figures["p99"] / 1e3,
    "RPUSH, k/s": lambda figures: figures["rpush"] / 1e3,
    "LPOP, k/s": lambda figures: figures["lpop"] / 1e3,
}


def at_most(bound):
    """A goal for the ratio."""
    return Goal("<=", bound)


def at_least(bound):
    return Goal(">=", bound)


def itself_at_most(bound):
    """A goal for cistern's own figure."""
    return Goal("<=", bound, absolute=True)


def exactly(bound):
    return Goal("=", bound, absolute=True)


@dataclasses.dataclass
class Against:
    """The other side of pairs, and what is compared with it: goals, or None, by measure."""

    label: str
    side: Side
    goals: dict


@dataclasses.dataclass
class Paired:
    """Pairs of runs. By default server and generator share a core, which is then always busy."""

    name: str
    summary: str
    side: Side
    against: list
    split: bool = False  # a core each
    everywhere: bool = False  # both on both cores
    possible: callable = lambda: True

    def results(self, settings, peers):
        if not self.possible():
            return
        cores = settings.cores(self.split)
        if self.everywhere:
            cores = (cores[0] | {settings.client_core},) * 2
        for other in self.against:
            if other.side.server in {*peers, "cistern"}:
                pairs = measure.measure_pairs(self.side, other.side, settings, cores)
                yield from self.compare(other, pairs, settings)

    def compare(self, other, pairs, settings):
        for name, goal in other.goals.items():
            result = Result(self.name, name, other.label, goal=goal, wanted=settings.rounds,
                            tried=len(pairs.kept) + pairs.dropped)
            if pairs.kept:
                value = MEASURES[name]
                result.cistern = pairs.median(0, value)
                result.reference = pairs.median(1, value)
                result.ratios = pairs.ratios(value)
            yield result


@dataclasses.dataclass
class Single:
    """One measurement of each server, of what does not depend on who else runs.

    All figures are shown of cistern; the first of them is compared.
    """

    name: str
    summary: str
    figures: callable  # (side, settings) to figures by name
    sides: dict  # by label; that of "cistern" is compared with each other
    goals: dict = dataclasses.field(default_factory=dict)

    def results(self, settings, peers):
        own = self.figures(self.sides["cistern"], settings)
        for name, figure in own.items():
            goal = self.goals.get(name)
            yield Result(self.name, name, cistern=figure,
                         goal=goal if goal is not None and goal.absolute else None)
        for label, side in self.sides.items():
            if label != "cistern" and side.server in {*peers, "cistern"}:
                yield self.compare(label, own, self.figures(side, settings))

    def compare(self, label, own, figures):
        name = next(iter(figures))
        goal = self.goals.get(name)
        return Result(self.name, name, label, own[name], figures[name],
                      goal=None if goal is None or goal.absolute else goal)


# --- figures of a single measurement ---------------------------------------------------------


def wait_settled(server):
    """Until its memory is the same for a while: redis-server gives buffers back from 2 s on."""
    seen = []
    while len(seen) < 20 and (len(seen) < 4 or len(set(seen[-4:])) > 1):
        time.sleep(1)
        seen.append(server.anonymous())


def idle_figures(side, settings):
    """Memory of each connection of side.load, and the processor time that all of them take."""
    server_cores, client_cores = settings.cores(split=True)
    count = side.load[side.load.index("-c") + 1]
    with servers.Server(side.server, server_cores, side.conf, extra=side.extra) as server:
        with measure.Idle(server, [*side.load, "-c", 1], client_cores):
            before = server.anonymous()
            with measure.Idle(server, side.load, client_cores):
                wait_settled(server)
                cpu, begin = server.cpu(), time.monotonic_ns()
                time.sleep(2)
                busy = (server.cpu() - cpu) / (time.monotonic_ns() - begin)
                return {"bytes each": (server.anonymous() - before) / count,
                        "% of a core": busy * 100}


def stored_figures(items):
    """Memory of each item, all in."""
    def figures(side, settings):
        server_cores, client_cores = settings.cores(split=True)
        with servers.Server(side.server, server_cores, side.conf) as server:
            measure.run_load(server, fill(1), client_cores)
            before = server.anonymous()
            measure.run_load(server, fill(items), client_cores)
            return {"bytes each": (server.anonymous() - before) / items}
    return figures


def fill(items, queues=1):
    """load's arguments that put them in, in turn."""
    return ["push", "-m", items, "-k", queues, "-d", 512, "-b"]


def calls(few, many):
    """System calls a message, from runs of few and of many."""
    def figures(side, settings):
        found = counts.per_message(counts.run_strace, side, settings.cores(split=True), few, many)
        return counts.group_calls(found)
    return figures


def instructions(few, many):
    """User instructions a message, from runs of few and of many."""
    def figures(side, settings):
        return counts.per_message(counts.run_callgrind, side, settings.cores(split=True), few, many)
    return figures
