"""The scenes: an app, who comes to it, and how many requests at once weir lets through."""

import pathlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

APPS = pathlib.Path(__file__).resolve().parent / "apps"
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
PIECES, PIECE_BYTES = 16, 512
UPLOAD = f"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: {PIECES * PIECE_BYTES}\r\n\r\n".encode()


def each_from(first):
    """Every client of a group has an address of its own, from this one on."""
    return lambda index: str(IPv4Address(first) + index)


def all_from(address):
    return lambda index: address


@dataclass(frozen=True)
class Group:
    """Clients of one kind: each asks, waits for the answer, pauses, and asks again on the same connection."""

    name: str
    clients: int
    address: Callable[[int], str] = each_from("127.0.1.1")
    pause: float = 0.0  # seconds, on average
    head: bytes = GET
    pieces: tuple[bytes, ...] = ()  # of the body
    piece_pause: float = 0.0  # seconds before each of them


@dataclass(frozen=True)
class Scene:
    name: str  # what --only selects; several may share it
    title: str
    app: Callable[[int, pathlib.Path], list]  # (port, file for its peak) -> command
    concurrency: int
    groups: tuple[Group, ...]
    is_full: bool = True  # the clients ask for all that the app can give, so a run without weir tells how much that is


def forking(port, peak_path):
    return [sys.executable, APPS / "forking.py", port, peak_path]


def gunicorn(*options):
    return lambda port, _: [
        *("gunicorn", "--chdir", APPS, "--bind", f"127.0.0.1:{port}", "--preload", "--log-level", "critical"),
        *options,
    ]


FOUR_WORKERS = gunicorn("--workers", "4", "blocking:app")
DATABASE = gunicorn("--worker-class", "gthread", "--threads", "128", "database:app")

SCENES = [
    *(
        Scene("processes", "a process a request, dies past 50", forking, 4, (Group(f"{users:,} users", users),))
        for users in (10, 50, 100, 1000)
    ),
    Scene("database", "30 database connections, 200 ms", DATABASE, 30, (Group("100 users", 100),)),
    Scene("crowd", "4 workers, 50 ms", FOUR_WORKERS, 4, (Group("500 users", 500),)),
    Scene(
        "slow",
        "4 workers, 50 ms",
        FOUR_WORKERS,
        4,
        (
            Group("20 users that pause 1 s", 20, pause=1.0),
            Group(
                "beside them 12 that upload 8 KiB in 4 s",
                12,
                address=each_from("127.0.0.2"),
                head=UPLOAD,
                pieces=(b"x" * PIECE_BYTES,) * PIECES,
                piece_pause=0.25,
            ),
        ),
        is_full=False,
    ),
    Scene(
        "neighbour",
        "4 workers, 50 ms",
        FOUR_WORKERS,
        4,
        (
            Group("20 users that pause 1 s", 20, pause=1.0),
            Group("beside them one address with 200 connections", 200, address=all_from("127.0.0.2")),
        ),
    ),
]
