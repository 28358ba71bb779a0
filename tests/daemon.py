"""daemon: runs cisternd for a test, connects to it, and ends it.

CISTERND is the program. Configurations listen on port 0, or on sockets below ${DIRECTORY},
the daemon's own temporary directory; ADDRESS in a text stands for a loopback address and port 0
that no other listener of it has.
"""

import array
import fcntl
import itertools
import os
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import termios
import time

CISTERND = os.environ.get("CISTERND", "cisternd")
# Unless empty: how many workers every daemon has whose configuration does not say it.
WORKERS = os.environ.get("CISTERN_WORKERS", "")
# What takes longer hangs, however slow the machine.
DEADLINE = 60
# What a sanitizer prints.
REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer",
           "runtime error:")
LISTENS = re.compile(r"(?:^<5>|notice: )([\w.-]+): \w+ on (\S+)$", re.MULTILINE)


# What the service manager tells its services, and who runs the tests may have been told.
OF_THE_MANAGER = {"NOTIFY_SOCKET", "JOURNAL_STREAM", "FDSTORE", "SYSTEMD_EXEC_PID", "LISTEN_PID",
                  "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID", "WATCHDOG_USEC"}
# Becomes a program that has the descriptors (first argument) from 3 on, as sd_listen_fds(3) says.
PASS = """
import fcntl, os, sys
high = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in sys.argv[1].split(",")]
for fd in sys.argv[1].split(","):
    os.close(int(fd))
for index, fd in enumerate(high):
    os.dup2(fd, 3 + index)
    os.close(fd)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(high)),
               "LISTEN_FDNAMES": sys.argv[2], "WATCHDOG_PID": str(os.getpid())}
os.execvp(sys.argv[3], sys.argv[3:])
"""


def passing(passed):
    """The beginning of a command to which these are passed: pairs of a name and a socket."""
    descriptors = ",".join(str(socket.fileno()) for _, socket in passed)
    names = ":".join(name for name, _ in passed)
    return [sys.executable, "-c", PASS, descriptors, names]


def kept(descriptor):
    """What a service manager stores, as something that can be closed."""
    if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return socket.socket(fileno=descriptor)
    return os.fdopen(descriptor, "r+b", buffering=0)


def wait_until(condition, what):
    """Asks until condition() is true, and returns what it said."""
    deadline = time.monotonic() + DEADLINE
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain until {what}")
        time.sleep(0.002)
    return result


def number_addresses(config):
    """Loopback has many addresses: one for each ADDRESS, so that no two listeners share one."""
    numbers = itertools.count(1)
    return re.sub("ADDRESS", lambda _: f"127.0.0.{next(numbers)}:0", config)


def free_address():
    """One that nobody has, to be given by number: of a host that is this process's alone."""
    pid = os.getpid()
    host = f"127.{pid >> 16 & 127 | 128}.{pid >> 8 & 255}.{pid & 255}"
    with socket.create_server((host, 0)) as server:
        return f"{host}:{server.getsockname()[1]}"


def with_workers(config):
    """In the first line, so that all others keep their numbers."""
    if not WORKERS or isinstance(config, bytes) or "workers = " in config:
        return config
    return f"workers = {WORKERS} " + config


def write_config(directory, config):
    path = os.path.join(directory, "server.conf")
    data = config if isinstance(config, bytes) else number_addresses(config).encode()
    with open(path + ".new", "wb") as file:
        file.write(data)
    os.rename(path + ".new", path)
    return path


def environment(directory, extra):
    """What the daemon's variables are; freed memory is soon reused, so that bounds can be seen."""
    env = dict(os.environ, DIRECTORY=directory,
               CISTERN_JOURNAL_SOCKET=os.path.join(directory, "journal")) | (extra or {})
    env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
    for name in OF_THE_MANAGER - set(extra or {}):
        env.pop(name, None)
    return env


def run(config, *arguments, prefix=(), env=None, directory=None):
    """Runs cisternd to its end, with config unless that is None: (status, stdout, stderr)."""
    with tempfile.TemporaryDirectory(prefix="cistern-") as temporary:
        directory = directory or temporary
        command = [*prefix, CISTERND]
        if config is not None:
            command += ["-f", write_config(temporary, config)]
        done = subprocess.run([*command, *arguments], env=environment(directory, env),
                              capture_output=True, text=True, timeout=DEADLINE, check=False,
                              stdin=subprocess.DEVNULL)
        check_reports(done.stderr)
        return done.returncode, done.stdout, done.stderr.replace(temporary + "/", "")


def check_reports(log):
    for report in REPORTS:
        assert report not in log, f"a sanitizer's report:\n{log}"


class Client:
    """One connection; whatever does not come fails at the deadline."""

    def __init__(self, address, receive_buffer=None, source=None):
        if address.startswith("unix:"):
            self.socket = socket.socket(socket.AF_UNIX)
            target = address.removeprefix("unix:")
        else:
            host, port = address.rsplit(":", 1)
            family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
            self.socket = socket.socket(family)
            target = host.strip("[]"), int(port)
        self.socket.settimeout(DEADLINE)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source is not None:
            self.socket.bind((source, 0))
        self.socket.connect(target)

    def send(self, data):
        self.socket.sendall(data)

    def receive(self, count):
        """Exactly so many bytes, or fewer before the end."""
        parts = []
        while count > 0 and (part := self.socket.recv(min(count, 1 << 20))):
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def receive_all(self):
        """Everything to the end of the stream."""
        return self.receive(1 << 62)

    def exchange(self, data):
        """Sends to an echo, and returns what comes back."""
        self.send(data)
        return self.receive(len(data))

    def fill(self, limit=1 << 62, pause=0.2):
        """Sends until nobody has taken a byte for a while, or limit; returns what it has sent."""
        block = os.urandom(1 << 16)
        sent = bytearray()
        self.socket.settimeout(pause)
        try:
            while len(sent) < limit:
                sent += block[:self.socket.send(block[:limit - len(sent)])]
        except TimeoutError:
            pass
        self.socket.settimeout(DEADLINE)
        return bytes(sent)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Closes by RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def unread(self):
        """Bytes that have come and were not received."""
        return self._queue(termios.FIONREAD)

    def wait_taken(self):
        """Until the daemon has read what was sent; on a unix socket only does the kernel know."""
        wait_until(lambda: self._queue(termios.TIOCOUTQ) == 0, "the daemon has read all")

    def _queue(self, request):
        length = array.array("i", [0])
        fcntl.ioctl(self.socket, request, length)
        return length[0]

    def close(self):
        self.socket.close()


class Daemon:
    """A running cisternd. Ready when entered; on leaving it has to stop in good order.

    notify is where it tells systemd so: a file's name, or @NAME. With journal, its log is one.
    passed are pairs of a name and a socket, as a service manager passes them. What the daemon
    has stored stands in stored: sockets by their names.
    """

    def __init__(self, config, *, env=None, notify="notify", journal=False, prefix=(),
                 preexec=None, passed=()):
        self.directory = tempfile.mkdtemp(prefix="cistern-")
        self.path = write_config(self.directory, with_workers(config))
        self.clients = []
        self.log_path = os.path.join(self.directory, "log")
        if not notify.startswith("@"):
            notify = os.path.join(self.directory, notify)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(notify.replace("@", "\0"))
        self.notify.settimeout(0.05)
        self.messages = []
        self.stored = {name: socket.socket(fileno=os.dup(sock.fileno()))
                       for name, sock in passed if name.startswith("listener.")}
        if passed:
            prefix = [*prefix, *passing(passed)]
        env = environment(self.directory, dict(env or {}, NOTIFY_SOCKET=notify))
        with open(self.log_path, "wb") as log:
            if journal:
                status = os.fstat(log.fileno())
                env["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"
            self.process = subprocess.Popen([*prefix, CISTERND, "-f", self.path], env=env,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=preexec,
                                            pass_fds=[sock.fileno() for _, sock in passed])
        self.pid = self.process.pid

    def __enter__(self):
        try:
            self.wait_message("READY=1")
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(self, kind, error, trace):
        try:
            if error is not None:
                error.add_note("the daemon's log:\n" + self.log())
            elif self.process.returncode is None:
                self.stop()
            check_reports(self.log())
        finally:
            self.close_clients()
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.notify.close()
            for stored in self.stored.values():
                stored.close()
            shutil.rmtree(self.directory)

    # --- signals ------------------------------------------------------------------

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        self.close_clients()
        self.send_signal(number)
        self.wait_end()

    def wait_end(self, status=0):
        """Until the process has ended, with that status."""
        found = self.process.wait(DEADLINE)
        assert found == status, f"exit status {found}, not {status}; the log:\n{self.log()}"

    def reload(self, config=None):
        """Puts config in place, has it loaded, and returns whether that succeeded."""
        if config is not None:
            write_config(self.directory, with_workers(config))
        self.send_signal(signal.SIGHUP)
        self.wait_message("RELOADING=1")
        return "reload failed" not in self.wait_message("READY=1")

    # --- what it says ---------------------------------------------------------------

    def wait_message(self, start):
        """The next message to systemd that begins so."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            try:
                self.receive_message()
            except TimeoutError:
                found = self.process.poll()
                assert found is None, f"ended with status {found}, before {start}"
                continue
            if self.messages[-1].startswith(start):
                if start == "READY=1":
                    # Only when it sleeps has it closed the socket that it told us by.
                    wait_until(self.sleeps, "the daemon is idle")
                return self.messages[-1]
        raise AssertionError(f"no message {start}, but {self.messages}")

    def receive_message(self):
        """One message; keeps what it wants to have stored, until it is removed."""
        text, descriptors, _, _ = socket.recv_fds(self.notify, 4096, 1)
        message = text.decode()
        self.messages.append(message)
        name = re.search("^FDNAME=(.*)$", message, re.MULTILINE)
        if message.startswith("FDSTORE") and name[1] in self.stored:
            self.stored.pop(name[1]).close()
        if message.startswith("FDSTORE=1"):
            self.stored[name[1]] = kept(descriptors.pop())
        for descriptor in descriptors:  # that is all that a barrier asks for
            os.close(descriptor)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def wait_log(self, pattern):
        return wait_until(lambda: re.search(pattern, self.log()), f"the log says: {pattern}")

    def addresses(self, name):
        """All that the listener has got, in the order in which it got them."""
        return [address for listener, address in LISTENS.findall(self.log()) if listener == name]

    # --- clients -----------------------------------------------------------------------

    def connect(self, name, index=-1, kind=Client, **options):
        """A client of the listener, closed with the daemon."""
        return self.connect_to(self.addresses(name)[index], kind, **options)

    def connect_to(self, address, kind=Client, **options):
        client = kind(address, **options)
        self.clients.append(client)
        return client

    def resets(self, address):
        """Whether it refuses a client, at once and without a word."""
        try:
            return self.connect_to(address).socket.recv(1) is None
        except ConnectionResetError:  # connect() itself may be told
            return True

    def close_clients(self):
        for client in self.clients:
            client.close()
        self.clients.clear()

    # --- what the kernel knows about it ------------------------------------------------

    def descriptors(self):
        """What its file descriptors are, such as socket:[12345]."""
        directory = f"/proc/{self.pid}/fd"
        found = []
        for name in os.listdir(directory):
            try:
                found.append(os.readlink(os.path.join(directory, name)))
            except FileNotFoundError:  # closed while we looked
                pass
        return found

    def wait_descriptors(self, count):
        wait_until(lambda: len(self.descriptors()) == count, f"{count} descriptors are open")

    def memory(self):
        """Bytes of anonymous memory, counted page by page."""
        with open(f"/proc/{self.pid}/smaps_rollup", encoding="ascii") as rollup:
            return int(re.search(r"Anonymous:\s*(\d+) kB", rollup.read())[1]) * 1024

    def sleeps(self):
        """Whether it waits for something, or has ended."""
        return self._stat()[0] in "SZ"

    def processor_seconds(self):
        fields = self._stat()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def workers(self):
        """The threads that serve, by number; the main thread first."""
        tasks = f"/proc/{self.pid}/task"
        found = []
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/comm", encoding="ascii") as name:
                if int(task) == self.pid or name.read() == "worker\n":
                    found.append(int(task))
        return sorted(found, key=lambda task: (task != self.pid, task))

    def switches(self):
        """How often each of them has gone to sleep, or had to."""
        counts = {}
        for task in self.workers():
            with open(f"/proc/{self.pid}/task/{task}/status", encoding="ascii") as status:
                counts[task] = sum(map(int, re.findall(r"ctxt_switches:\s*(\d+)", status.read())))
        return counts

    def worker_of(self, action):
        """The one that serves what action() does, for which it has to wake up; the rest sleeps."""
        before = self.switches()
        for _ in range(20):
            action()
        after = self.switches()
        return max(after, key=lambda task: after[task] - before[task])

    def _stat(self):
        """The fields of proc(5) behind the name: state, ..."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()
