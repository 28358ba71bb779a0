"""servers: cisternd and its peers, how each is built, started on a free port, and ended."""

import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / "bench" / "peers"
BUILD = ROOT / "build" / "bench"
CISTERN = BUILD / "cistern"
LOAD = CISTERN / "bench" / "load"
PYTHON = "/usr/bin/python3"  # Debian's has Debian's modules
# Seconds: what takes longer hangs, and a server that does is ended by force.
PATIENCE = 120
FORCE = 30
PR_SET_PDEATHSIG = 1


class Failure(Exception):
    """What is said to the user, instead of a trace."""


# --- building -------------------------------------------------------------------------


def run_quietly(command, **options):
    """Runs it; if it fails, with what it printed."""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          **options)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}:\n{done.stdout}")
    return done.stdout


def build_cistern():
    """As Debian builds: -O2, and the hardening that is configure's default."""
    run_quietly([ROOT / "script/setup", CISTERN.relative_to(ROOT), "CFLAGS=-O2 -g"])
    run_quietly(["make", "-C", CISTERN, "bench/load"])


def compiles(*packages):
    """A peer in C, with the libraries that pkg-config knows by these names."""
    def build(source, program):
        flags = run_quietly(["pkg-config", "--cflags", "--libs", *packages]) if packages else ""
        run_quietly(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-o", program, source,
                     *flags.split()])
    return build


def build_go(source, program):
    run_quietly(["go", "build", "-o", program, source], env=dict(os.environ, GO111MODULE="off"))


def find_redis():
    """The program is in redis-tools too, which starts no service: it is the one that checks dumps.

    Its name tells it what to be.
    """
    link = BUILD / "redis-server"
    program = shutil.which("redis-check-rdb")
    if program is None:
        raise Failure("redis-tools is not installed")
    link.unlink(missing_ok=True)
    link.symlink_to(program)


def find_beanstalkd():
    """Unpacked, not installed: Debian's package would start a service."""
    link = BUILD / "beanstalkd"
    program = shutil.which("beanstalkd")
    if program is None:
        directory = BUILD / "debian"
        directory.mkdir(exist_ok=True)
        if not list(directory.glob("beanstalkd_*.deb")):
            run_quietly(["apt-get", "download", "beanstalkd"], cwd=directory)
        run_quietly(["dpkg-deb", "-x", *directory.glob("beanstalkd_*.deb"), directory])
        program = directory / "usr/bin/beanstalkd"
    link.unlink(missing_ok=True)
    link.symlink_to(program)


# --- what there is ----------------------------------------------------------------------
# name: source in peers/, what builds it, and its command line.

HERE = ["{build}/{name}", "{host}", "{port}"]
SCRIPT = [PYTHON, "{peers}/{source}", "{host}", "{port}"]
REDIS = ["{build}/redis-server", "--bind", "{host}", "--port", "{port}", "--save", "",
         "--appendonly", "no", "--protected-mode", "no", "--dir", "{directory}"]
BEANSTALKD = ["{build}/beanstalkd", "-l", "{host}", "-p", "{port}"]

SERVERS = {
    "raw": ("echo_epoll.c", compiles(), HERE),
    "bufferevent": ("echo_bufferevent.c", compiles("libevent_core"), HERE),
    "libuv": ("echo_libuv.c", compiles("libuv"), HERE),
    "asyncio": ("echo_asyncio.py", None, SCRIPT),
    "uvloop": ("echo_uvloop.py", None, SCRIPT),
    "twisted": ("echo_twisted.py", None, SCRIPT),
    "go": ("echo_go.go", build_go, HERE),
    "limit": ("queue_limit.c", compiles(), HERE),
    "redis": (None, lambda source, program: find_redis(), REDIS),
    "beanstalkd": (None, lambda source, program: find_beanstalkd(), BEANSTALKD),
}


def build(names):
    """Everything that is needed to measure against these peers."""
    run_quietly([ROOT / "script/bootstrap", "bench"])
    build_cistern()
    for name in names:
        source, builder, _ = SERVERS[name]
        if builder is not None:
            builder(source and PEERS / source, BUILD / name)


def versions(names):
    """What Debian calls that which was measured, and its version."""
    packages = {"bufferevent": "libevent-core-2.1-7", "libuv": "libuv1", "asyncio": "python3",
                "uvloop": "python3-uvloop", "twisted": "python3-twisted", "go": "golang-go",
                "redis": "redis-tools", "beanstalkd": "beanstalkd"}
    wanted = {packages[name] for name in {*names, "bufferevent"} if name in packages}
    query = ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *sorted(wanted)]
    done = subprocess.run(query, capture_output=True, text=True, check=False)
    found = done.stdout.splitlines()
    found += [file.name.removesuffix(".deb").replace("_", " ")
              for file in (BUILD / "debian").glob("*.deb")]
    return found


# --- running ------------------------------------------------------------------------------


def pinned(cores):
    """For preexec_fn: on these cores only, and ended with this process, however that ends."""
    libc = ctypes.CDLL(None)

    def prepare():
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, cores)
    return prepare


def free_address():
    """Of a host that is this process's alone, so that nobody takes the port before we do."""
    pid = os.getpid()
    host = f"127.{pid >> 16 & 127 | 128}.{pid >> 8 & 255}.{pid & 255}"
    with socket.create_server((host, 0)) as server:
        return host, server.getsockname()[1]


class Server:
    """A running server. For cisternd, conf is server.conf with LISTEN for its address.

    wrapper is a command to run it under; extra is added to a peer's command line.
    """

    cisternd = CISTERN / "cisternd"

    def __init__(self, name, cores, conf=None, wrapper=(), extra=()):
        self.name = name
        self.directory = tempfile.TemporaryDirectory(prefix="cistern-bench-")
        self.host, self.port = free_address()
        self.log = pathlib.Path(self.directory.name, "log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*wrapper, *self.command(conf), *extra],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.directory.name, preexec_fn=pinned(cores))
        self.pid = self.process.pid
        # The clock of all its threads, see clock_getcpuclockid(3).
        self.clock = ~self.pid << 3 | 2

    def command(self, conf):
        if self.name == "cistern":
            path = pathlib.Path(self.directory.name, "server.conf")
            path.write_text(conf.replace("LISTEN", f'listen = {{ "{self.host}:{self.port}" }}'))
            return [str(self.cisternd), "-f", str(path)]
        source, _, words = SERVERS[self.name]
        return [word.format(build=BUILD, peers=PEERS, name=self.name, source=source,
                            host=self.host, port=self.port, directory=self.directory.name)
                for word in words]

    def __enter__(self):
        try:
            self.wait_ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, error, trace):
        try:
            self.stop()
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.directory.cleanup()

    def wait_ready(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection((self.host, self.port), 1).close()
                return
            except OSError:
                time.sleep(0.005)
        raise Failure(f"{self.name} does not listen; it says:\n{self.log.read_text()}")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(FORCE)
            except subprocess.TimeoutExpired:
                pass

    def cpu(self):
        """Nanoseconds of processor time, of all threads."""
        return time.clock_gettime_ns(self.clock)

    def anonymous(self):
        """Bytes of memory that is its own, and not that of a file."""
        text = pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text(encoding="ascii")
        return int(re.search(r"^Anonymous:\s*(\d+) kB", text, re.MULTILINE)[1]) * 1024


def knows_workers():
    """Whether this cisternd has the option workers."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as conf:
        conf.write('workers = 2\nlistener "x" { listen = { "127.0.0.1:7" } echo { } }\n')
        conf.flush()
        done = subprocess.run([Server.cisternd, "-f", conf.name, "--check"], check=False,
                              capture_output=True)
        return done.returncode == 0
