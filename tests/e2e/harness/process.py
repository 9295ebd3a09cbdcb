"""Child processes that are ended by their pid, and what the kernel says about them."""

import os
import re
import signal
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from socket import inet_aton
from struct import unpack

from .poll import eventually


class Process:
    """Output goes to files, so that nothing blocks and all can be read at any time."""

    def __init__(self, command, directory, name, env=None, pass_fds=()):
        self.name = name
        self.stdout_path = directory / f"{name}.stdout"
        self.stderr_path = directory / f"{name}.stderr"
        with self.stdout_path.open("wb") as out, self.stderr_path.open("wb") as err:
            self.popen = subprocess.Popen(
                [str(part) for part in command],
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**{key: value for key, value in os.environ.items() if not key.startswith("WEIR_")}, **(env or {})},
                start_new_session=True,
                pass_fds=pass_fds,
            )
        self.pid = self.popen.pid

    @property
    def stdout(self):
        return self.stdout_path.read_text(errors="replace")

    @property
    def stderr(self):
        return self.stderr_path.read_text(errors="replace")

    @property
    def is_running(self):
        return self.popen.poll() is None

    def signal(self, number):
        self.popen.send_signal(number)

    def signal_group(self, number):
        """To its children too, as a service manager does it."""
        os.killpg(self.pid, number)

    @contextmanager
    def stopped(self):
        """It stands still within the block; what happened meanwhile, signals included, it finds all at once."""
        self.signal(signal.SIGSTOP)
        eventually(lambda: set(thread_states(self.pid)) == {"T"}, what="every thread stands still")
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)

    def wait(self, within=15.0):
        """The exit code."""
        try:
            return self.popen.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {within} s\n{self.stderr}") from None

    def kill_group(self):
        """For apps with children of their own."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait(10)

    def wait_until_listening(self, port, within=20.0):
        """Without connecting: a probe would count as a client."""

        def is_up():
            if not self.is_running:
                raise AssertionError(f"{self.name} ended with {self.popen.returncode}\n{self.stderr}")
            return port in listening_ports(self.pid)

        eventually(is_up, within, f"{self.name} listens on {port}\n")


def thread_states(pid):
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        yield stat.read_text().rpartition(")")[2].split()[0]


def socket_inodes(pid):
    inodes = set()
    try:
        for fd in os.scandir(f"/proc/{pid}/fd"):
            try:
                inodes.add(os.readlink(fd.path))
            except OSError:
                continue
    except OSError:
        return inodes
    return {link[8:-1] for link in inodes if link.startswith("socket:[")}


def listening_ports(pid):
    """The TCP ports this very process listens on."""
    mine = socket_inodes(pid)
    ports = set()
    for table in ("tcp", "tcp6"):
        with open(f"/proc/net/{table}", encoding="ascii") as rows:
            next(rows)
            for row in rows:
                columns = row.split()
                if columns[3] != "0A":
                    break  # who listens comes first; there may be thousands behind
                if columns[9] in mine:
                    ports.add(int(columns[1].rsplit(":", 1)[1], 16))
    return ports


def unread_bytes(sock):
    """What of the bytes sent on an IPv4 connection of this machine lies with its peer's kernel, unread."""
    local, remote = (
        "%08X:%04X" % (unpack("=I", inet_aton(host))[0], port)
        for host, port in (sock.getpeername(), sock.getsockname())
    )
    with open("/proc/net/tcp", encoding="ascii") as rows:
        for row in rows:
            columns = row.split()
            if columns[1:3] == [local, remote]:
                return int(columns[4].split(":")[1], 16)
    raise AssertionError("the peer has no such connection")


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident_bytes(pid):
    """Memory that belongs to this process alone."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        figures = dict(re.findall(r"^(\w+): +(\d+) kB", rollup.read(), re.M))
    return 1024 * (int(figures["Private_Clean"]) + int(figures["Private_Dirty"]))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        columns = stat.read().rsplit(")", 1)[1].split()
    return (int(columns[11]) + int(columns[12])) / os.sysconf("SC_CLK_TCK")


class HighWater:
    """The most private memory a process is seen to hold while the block runs."""

    def __init__(self, pid):
        self.pid = pid
        self.bytes = 0

    def __enter__(self):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self):
        while True:
            self.bytes = max(self.bytes, resident_bytes(self.pid))
            if self._stop.wait(0.02):
                return

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
