"""The processes of a run, and nothing of it is left when the run is over."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time

START_SECONDS = 15
END_SECONDS = 5
PROBE = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class ProcessError(Exception):
    pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    """Whether a GET is answered with 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.settimeout(3)
            connection.sendall(PROBE)
            return connection.recv(4096).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


class Process:
    """A group of its own, ended as one; what it says goes to a file."""

    def __init__(self, command, output):
        self._output = output
        with output.open("wb") as sink:
            self._popen = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True
            )

    @property
    def is_running(self):
        # Not reaped before end(): until then its id is its own, and its group can be ended whatever became of it.
        return os.waitid(os.P_PID, self._popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def wait_until_it_answers(self, port):
        give_up = time.monotonic() + START_SECONDS
        while not answers(port):
            if not self.is_running or time.monotonic() > give_up:
                raise ProcessError(f"{self._output.stem} does not answer:\n{self._said()}")
            time.sleep(0.05)

    def memory(self):
        """Resident bytes: (now, the most so far)."""
        if not self.is_running:
            raise ProcessError(f"{self._output.stem} ended:\n{self._said()}")
        status = pathlib.Path(f"/proc/{self._popen.pid}/status").read_text()
        return tuple(int(re.search(rf"^{row}:\s+(\d+) kB", status, re.M)[1]) << 10 for row in ("VmRSS", "VmHWM"))

    def _said(self):
        return self._output.read_text(errors="replace")

    def end(self):
        os.killpg(self._popen.pid, signal.SIGTERM)
        give_up = time.monotonic() + END_SECONDS
        while self.is_running and time.monotonic() < give_up:
            time.sleep(0.02)
        os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()


class Stage:
    """`with Stage() as stage`: a scratch folder and the processes started in it; the last is ended first."""

    def __enter__(self):
        self._scratch = tempfile.TemporaryDirectory(prefix="scenes.")
        self.folder = pathlib.Path(self._scratch.name)
        self._processes = []
        return self

    def __exit__(self, *_):
        for process in reversed(self._processes):
            process.end()
        self._scratch.cleanup()

    def start(self, name, command, port):
        process = Process([str(part) for part in command], self.folder / f"{name}.out")
        self._processes.append(process)
        process.wait_until_it_answers(port)
        return process
