"""measure: one run of a client against a server, and pairs of them side by side."""

import dataclasses
import json
import os
import re
import resource
import statistics
import subprocess
import time

import servers

# A run is disturbed when others had more than this share of its cores. The kernel's own ways into
# and out of idling, which are nobody's time, come to some 4 % when both cores sleep and wake a lot.
DISTURBED = 0.1


@dataclasses.dataclass
class Settings:
    rounds: int  # pairs to keep
    seconds: float  # of the steady part of a run
    server_core: int
    client_core: int

    @property
    def attempts(self):
        """Pairs that are tried to keep rounds of them."""
        return 4 * self.rounds

    def cores(self, split):
        """Of the server, of the client."""
        return {self.server_core}, {self.client_core if split else self.server_core}


@dataclasses.dataclass
class Side:
    """A server with what is done to it: one of the two that are compared."""

    server: str
    load: list  # load's arguments: the run that is measured
    conf: str = None
    extra: list = ()  # added to the peer's command line
    prepare: list = ()  # load's arguments, several times: done before
    hold: list = None  # load's arguments: idle connections that are there meanwhile
    client: callable = None  # instead of load: see redis_benchmark()


@dataclasses.dataclass
class Sample:
    figures: dict
    others: float  # the share of its cores' time that was neither its own nor idle


@dataclasses.dataclass
class Pairs:
    kept: list
    dropped: int

    def ratios(self, value):
        return [value(one.figures) / value(other.figures) for one, other in self.kept]

    def median(self, which, value):
        return statistics.median(value(pair[which].figures) for pair in self.kept)


def quartiles(values):
    """First, second and third."""
    if len(values) == 1:
        return values * 3
    return statistics.quantiles(values, n=4, method="inclusive")


# --- clients ------------------------------------------------------------------------------


def load_command(server, arguments):
    mode, *options = map(str, arguments)
    if server.name == "beanstalkd":
        options += ["-a", "beanstalk"]
    return [str(servers.LOAD), mode, *options, server.host, str(server.port)]


def run_client(command, cores):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=servers.PATIENCE, preexec_fn=servers.pinned(cores),
                              check=False)
    except subprocess.TimeoutExpired as error:
        raise servers.Failure(f"{' '.join(command)}: no end after {error.timeout} s") from error
    if done.returncode != 0:
        raise servers.Failure(f"{' '.join(command)}:\n{done.stderr}{done.stdout}")
    return done.stdout


def run_load(server, arguments, cores):
    figures = json.loads(run_client(load_command(server, arguments), cores))
    if figures["misses"] > 0:
        raise servers.Failure(f"{server.name}: a queue ran dry, and what was measured is nothing")
    return figures


def redis_benchmark(words):
    """A client that is redis-benchmark with these words; its figures are those of each command."""
    def client(server, cores):
        out = run_client(["redis-benchmark", "-h", server.host, "-p", str(server.port), *words,
                          "--csv"], cores)
        return {name.lower(): float(rate)
                for name, rate in re.findall(r'^"([A-Z]+)","([\d.]+)"', out, re.MULTILINE)}
    return client


class Idle:
    """Connections that are greeted, and are there as long as this is entered."""

    def __init__(self, server, arguments, cores):
        self.process = subprocess.Popen(load_command(server, arguments), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True,
                                        preexec_fn=servers.pinned(cores))

    def __enter__(self):
        if self.process.stdout.readline() != "ready\n":
            self.process.kill()
            self.process.wait()
            raise servers.Failure("idle connections could not be had")
        return self

    def __exit__(self, kind, error, trace):
        out, _ = self.process.communicate()
        if error is None and json.loads(out)["lost"] > 0:
            raise servers.Failure(f"idle connections were lost: {out}")


# --- what else ran --------------------------------------------------------------------------


def idle_seconds(cores):
    """How long these cores have been idle; kept by the kernel exactly, shown in ticks."""
    with open("/proc/stat", encoding="ascii") as stat:
        lines = re.findall(r"^cpu(\d+) (.*)$", stat.read(), re.MULTILINE)
    ticks = sum(sum(map(int, words.split()[3:5])) for core, words in lines if int(core) in cores)
    return ticks / os.sysconf("SC_CLK_TCK")


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def watch_others(server, cores, run):
    """What run() returns, and the share of the cores that others had: processes, and the host."""
    def spent():
        return idle_seconds(cores) + server.cpu() / 1e9 + children_seconds()
    spent_before, begin = spent(), time.monotonic()
    figures = run()
    total = (time.monotonic() - begin) * len(cores)
    return Sample(figures, max(0, 1 - (spent() - spent_before) / total))


# --- runs -------------------------------------------------------------------------------------


def sample(side, settings, cores):
    """Starts the side's server, and measures it."""
    server_cores, client_cores = cores
    with servers.Server(side.server, server_cores, side.conf, extra=side.extra) as server:
        for arguments in side.prepare:
            run_load(server, arguments, client_cores)

        def run():
            if side.client is not None:
                return side.client(server, client_cores)
            return run_load(server, [*side.load, "-p", server.pid, "-t", settings.seconds],
                            client_cores)
        if side.hold is None:
            return watch_others(server, server_cores | client_cores, run)
        with Idle(server, side.hold, client_cores):
            return watch_others(server, server_cores | client_cores, run)


def measure_pairs(one, other, settings, cores):
    """Until enough pairs are undisturbed, or it is in vain; who goes first alternates."""
    pairs = Pairs([], 0)
    for attempt in range(settings.attempts):
        if attempt % 2 == 0:
            pair = sample(one, settings, cores), sample(other, settings, cores)
        else:
            pair = tuple(reversed([sample(other, settings, cores), sample(one, settings, cores)]))
        if max(pair[0].others, pair[1].others) > DISTURBED:
            pairs.dropped += 1
        else:
            pairs.kept.append(pair)
        if len(pairs.kept) == settings.rounds:
            break
    return pairs
