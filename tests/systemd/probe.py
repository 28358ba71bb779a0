"""probe: what a program can do that is started in place of cisternd.

Prints one line of JSON: of each attempt repr() of what came out, or the name of the error. The
argument is a port on which somebody listens.
"""

import ctypes
import errno
import json
import mmap
import os
import socket
import sys

LIBC = ctypes.CDLL(None, use_errno=True)


def system_call(name, *arguments):
    """0, or OSError."""
    if getattr(LIBC, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)
    return 0


def create(path):
    with open(path, "xb"):
        pass
    os.unlink(path)
    return "created"


def connect(host, port):
    with socket.socket() as client:
        client.settimeout(2)
        client.connect((host, port))
    return "connected"


ATTEMPTS = {
    "write /etc": lambda: create("/etc/cistern/probe"),
    "write /usr": lambda: create("/usr/sbin/probe"),
    "write /var": lambda: create("/var/lib/probe"),
    "write /run": lambda: create("/run/probe"),
    "write /tmp": lambda: create("/tmp/probe"),
    "write /run/cistern": lambda: create("/run/cistern/probe"),
    "list /home": lambda: os.listdir("/home"),
    "list /root": lambda: os.listdir("/root"),
    "see PID 1": lambda: os.stat("/proc/1").st_uid,
    "see the kernel's version": lambda: open("/proc/version", encoding="ascii").read(),
    "see what was in /tmp": lambda: os.listdir("/tmp"),
    "see a disk": lambda: [name for name in os.listdir("/dev") if name.startswith(("vd", "sd"))],
    "AF_INET": lambda: socket.socket(socket.AF_INET).close(),
    "AF_UNIX": lambda: socket.socket(socket.AF_UNIX).close(),
    "AF_PACKET": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "AF_NETLINK": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
    "connect to loopback": lambda: connect("127.0.0.1", int(sys.argv[1])),
    "connect elsewhere": lambda: connect("192.0.2.1", int(sys.argv[1])),
    "listen on a low port": lambda: socket.create_server(("127.0.0.1", 7)).close(),
    "become root": lambda: os.setuid(0),
    "change root": lambda: os.chroot("/"),
    "mount": lambda: system_call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "new user namespace": lambda: system_call("unshare", 0x10000000),
    "set-user-id": lambda: os.chmod("/tmp", 0o4777),
    "raise a limit": lambda: system_call("setpriority", 0, 0, -1),
    "code in memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC).close(),
}


def attempt(function):
    try:
        return repr(function())
    except OSError as error:
        return errno.errorcode.get(error.errno, "timeout")


print(json.dumps({name: attempt(function) for name, function in ATTEMPTS.items()}))
