"""counts: what noise cannot touch. System calls by strace and user instructions by callgrind.

Each is counted in two runs of different length; the difference of the counts, divided by that of
the messages, is what one message costs, without the start, the connections and the end.
"""

import pathlib
import re
import time

import measure
import servers

GROUPS = {
    "receives": {"read", "readv", "recvfrom", "recvmsg"},
    "sends": {"write", "writev", "sendto", "sendmsg"},
    "waits": {"epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "select"},
    "epoll_ctl": {"epoll_ctl"},
}


def wait_text(path):
    """strace is not our child: it writes when the server has ended."""
    deadline = time.monotonic() + servers.PATIENCE
    while time.monotonic() < deadline:
        text = path.read_text(encoding="ascii") if path.exists() else ""
        if text.endswith("total\n"):
            return text
        time.sleep(0.01)
    raise servers.Failure("strace has printed no summary")


def run_strace(side, cores, messages):
    """How often each system call was made."""
    path = servers.BUILD / f"strace.{time.monotonic_ns()}"
    # -D: strace is the child, and the server ours.
    run_under(["strace", "-D", "-f", "-c", "-o", str(path)], side, cores, messages)
    found = {}
    for line in wait_text(path).splitlines():
        words = line.split()
        if len(words) >= 5 and words[3].isdigit():
            found[words[-1]] = int(words[3])
    path.unlink()
    found.pop("total", None)
    return found


def run_callgrind(side, cores, messages):
    """{"instructions": how many}."""
    path = servers.BUILD / f"callgrind.{time.monotonic_ns()}"
    run_under(["valgrind", "--tool=callgrind", f"--callgrind-out-file={path}"], side, cores,
              messages)
    text = pathlib.Path(path).read_text(encoding="ascii", errors="replace")
    path.unlink()
    return {"instructions": int(re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)[1])}


def run_under(wrapper, side, cores, messages):
    server_cores, client_cores = cores
    with servers.Server(side.server, server_cores, side.conf, wrapper, side.extra) as server:
        for arguments in side.prepare:
            measure.run_load(server, arguments, client_cores)
        measure.run_load(server, [*side.load, "-m", messages], client_cores)


def per_message(counter, side, cores, few, many):
    """What counter counts, for one message."""
    small = counter(side, cores, few)
    large = counter(side, cores, many)
    return {name: (large[name] - small.get(name, 0)) / (many - few) for name in large}


def group_calls(calls):
    """System calls per message, by what they are for."""
    groups = {label: sum(calls.get(name, 0) for name in names) for label, names in GROUPS.items()}
    everything = sum(calls.values())
    return {"all calls": everything, **groups, "other calls": everything - sum(groups.values())}
