"""What a service manager does for a service, by the protocols of sd_notify(3) and sd_listen_fds(3)."""

import ctypes
import os
import socket
import time
import uuid
from contextlib import contextmanager

# Puts the sockets where they are expected, and says whom they are for: that is known once the process is there.
LAUNCH = """
import fcntl, os, sys
count = int(sys.argv[1])
moved = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in sys.argv[2:2 + count]]
for number, fd in enumerate(moved):
    os.dup2(fd, 3 + number)
os.environ.update(LISTEN_FDS=str(count), LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2 + count], sys.argv[2 + count:])
"""


class NotifySocket:
    """Where a service says how it is; `env` tells it."""

    def __init__(self):
        name = f"weir-test-{uuid.uuid4()}"
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind("\0" + name)
        self.env = {"NOTIFY_SOCKET": "@" + name}

    def message(self, within=10.0):
        """The next one, as a dict; None where none came in time."""
        self._sock.settimeout(within)
        try:
            lines = self._sock.recv(4096).decode().split("\n")
        except TimeoutError:
            return None
        return dict(line.split("=", 1) for line in lines)

    def messages_for(self, seconds):
        """All that come within this time."""
        over = time.monotonic() + seconds
        found = []
        while (left := over - time.monotonic()) > 0:
            message = self.message(left)
            if message is not None:
                found.append(message)
        return found

    def close(self):
        self._sock.close()


def handing_over(*sockets):
    """Arguments for stage.weir(): the process finds these sockets open."""
    fds = [sock.fileno() for sock in sockets]
    return {"prefix": ["/usr/bin/python3", "-c", LAUNCH, len(fds), *fds], "pass_fds": fds}


PTRACE_ATTACH, PTRACE_DETACH = 16, 17
WALL = 0x40000000


@contextmanager
def hanging(pid):
    """Every thread of the process but its first stands still within the block, as if in an endless loop."""
    libc = ctypes.CDLL(None, use_errno=True)

    def ptrace(request, tid):
        if libc.ptrace(ctypes.c_long(request), ctypes.c_long(tid), None, None) == -1:
            raise OSError(ctypes.get_errno(), "ptrace")

    caught = []
    try:
        for tid in sorted(int(name) for name in os.listdir(f"/proc/{pid}/task") if int(name) != pid):
            ptrace(PTRACE_ATTACH, tid)
            caught.append(tid)
            os.waitpid(tid, WALL)
        yield
    finally:
        for tid in caught:
            ptrace(PTRACE_DETACH, tid)
