"""Waiting for something to become true, with a deadline: a test never sleeps and hopes."""

import itertools
import os
import random
import socket
import time


def eventually(condition, within=10.0, what=""):
    """Returns the first truthy value of `condition()`; fails when there is none in time."""
    deadline = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what or condition}")
        time.sleep(0.005)


def _ports():
    """Below the range that outgoing connections are given; each process of a parallel run has its own share."""
    share = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    shares = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ports = list(range(10000 + share, 32000, shares))
    random.shuffle(ports)
    return itertools.cycle(ports)


_PORTS = _ports()


def free_port(host="127.0.0.1"):
    """A port nobody listens on, and nobody is told of soon."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in _PORTS:
        with socket.socket(family) as probe:
            try:
                probe.bind((host, port))
                return port
            except OSError:
                continue


class Stopwatch:
    """`with Stopwatch() as watch: ...` and then `watch.seconds`."""

    def __enter__(self):
        self._start = time.monotonic()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self._start

    @property
    def so_far(self):
        return time.monotonic() - self._start
