"""Clients for tens of thousands of requests, which count what they are told. Each process plays some connections, sends
batches of requests on them (pipelined), and reads the answers. Prints its tally as JSON.
usage: crowd.py PORT SEED NUMBER REQUESTS"""

import json
import random
import re
import socket
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

PROCESSES = 4
CONNECTIONS = 6  # of a process, each from an address of its own
MOST_IN_A_BATCH = 24
ABORTS = 1 / 150  # of the requests
PATIENCE_SECONDS = 30
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
CLOSES = re.compile(rb"\r\nconnection: *close", re.I)
REASON = re.compile(rb'"reason": *"(\w+)"')
REFUSED_BY_HEAD = (405, 429)
CHUNKED_END = b"\r\n0\r\n\r\n"
CHUNKED_BYTES = 30  # of the app's only chunked answer


@dataclass(frozen=True)
class Kind:
    """A request, the route that it takes, and how often it is sent beside the others."""

    route: str
    method: str
    wire: bytes
    weight: int = 1
    body_bytes: int = 0
    closes: bool = False  # the connection, for certain


def kind(route, method, target, weight=1, body=""):
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    head = f"{method} {target} HTTP/1.1\r\nHost: weir.test\r\nUser-Agent: crowd\r\n{length}\r\n"
    return Kind(route, method, (head + body).encode(), weight, len(body))


def last_kind(start_line, fields, weight=1):
    """The connection ends with its answer."""
    wire = "\r\n".join([start_line, *fields, "", ""]).encode()
    return Kind("(none)", wire.split()[0].decode(), wire, weight, closes=True)


CHUNKS = b"5\r\nabcde\r\n3\r\nfgh\r\n0\r\n\r\n"
KINDS = [
    kind("(none)", "GET", "/ok", 20),
    kind("(none)", "HEAD", "/ok", 4),
    kind("(none)", "POST", "/ok", 6, "y" * 77),
    kind("(none)", "PUT", "/ok", 2, "z" * 3000),
    Kind("(none)", "POST", b"POST /ok HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS, 2, 8),
    kind("(none)", "DELETE", "/missing?token=abc", 2),
    kind("(none)", "GET", "/missing", 4),
    kind("(none)", "GET", "/broken", 2),
    kind("(none)", "GET", "/moved", 2),
    kind("(none)", "GET", "/empty", 2),
    kind("(none)", "GET", "/chunked", 4),
    kind("(none)", "GET", "/die"),
    kind("(none)", "POST", "/die", 1, "q" * 9),
    kind("limited", "GET", "/limited", 6),
    kind("limited", "HEAD", "/limited"),
    kind("limited", "POST", "/limited", 2, "w" * 40),
    kind("narrow", "GET", "/narrow", 6),
    kind("typed", "GET", "/typed/5", 3),
    kind("typed", "GET", "/typed/x", 3),
    kind("reader", "POST", "/reader", 2, "r" * 10),
    kind("reader", "GET", "//%72eader", 2),
    last_kind("GET /ok HTTP/1.1", ["Host: a", "Connection: close"], 2),
    last_kind("GET /ok HTTP/1.0", ["Host: a"]),
    last_kind("nonsense", []),
    last_kind("GET /ok HTTP/1.1", ["Host: a", "Host: b"]),
    last_kind(f"GET /{'u' * 9000} HTTP/1.1", ["Host: a"]),
    last_kind("POST /ok HTTP/1.1", ["Host: a", "Content-Length: 99999999"]),
]
WEIGHTS = [each.weight for each in KINDS]
HANG = kind("(none)", "GET", "/hang")
HALF = kind("(none)", "GET", "/half")


@dataclass
class Tally:
    """What one or more processes were told."""

    answers: Counter = field(default_factory=Counter)  # by (route, status)
    reasons: Counter = field(default_factory=Counter)  # by (route, reason), where the answer had a body to say it in
    sent_bytes: int = 0  # of the bodies of requests, but for those that nobody looks at
    body_bytes: int = 0  # of the answers
    cut: int = 0  # answers that the client left in the middle of

    @property
    def requests(self):
        return sum(self.answers.values())

    def add(self, other):
        self.answers += other.answers
        self.reasons += other.reasons
        self.sent_bytes += other.sent_bytes
        self.body_bytes += other.body_bytes
        self.cut += other.cut

    def to_json(self):
        pairs = ([[*key, count] for key, count in counter.items()] for counter in (self.answers, self.reasons))
        return json.dumps([*pairs, self.sent_bytes, self.body_bytes, self.cut])

    @classmethod
    def from_json(cls, text):
        answers, reasons, *sums = json.loads(text)
        counters = (Counter({(route, what): count for route, what, count in rows}) for rows in (answers, reasons))
        return cls(*counters, *sums)


class Connection:
    def __init__(self, source, port):
        self._sock = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS, (source, 0))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def send(self, kinds):
        self._sock.sendall(b"".join(each.wire for each in kinds))

    def close(self):
        self._sock.close()

    def receive(self, asked, tally):
        """One answer; whether the connection goes on."""
        head, status = self._head()
        if CLOSES.search(head):
            self._read_on(lambda: False)
            body, self._buffer = self._buffer, b""
        else:
            body = self._body(head, status, asked.method)
        tally.answers[asked.route, status] += 1
        tally.sent_bytes += 0 if status in REFUSED_BY_HEAD else asked.body_bytes
        tally.body_bytes += CHUNKED_BYTES if body.endswith(CHUNKED_END) else len(body)
        if reason := REASON.search(body):
            tally.reasons[asked.route, reason[1].decode()] += 1
        return not CLOSES.search(head)

    def leave_in_the_middle(self, asked, tally):
        """Once the app has the request, or half of the answer is here."""
        self.send([asked])
        head, status = self._head()
        if status == 103:
            tally.answers[asked.route, 499] += 1
        elif status == 200:
            self._read_on(lambda: len(self._buffer) >= 10)
            tally.answers[asked.route, 200] += 1
            tally.body_bytes += len(self._buffer)
            tally.cut += 1
        else:
            self._buffer = head + b"\r\n" + self._buffer
            self.receive(asked, tally)
        self.close()

    def _head(self):
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            self._fill_or_fail()
        head, self._buffer = self._buffer[: end + 2], self._buffer[end + 4 :]
        return head, int(head[9:12])

    def _body(self, head, status, method):
        if method == "HEAD" or status in (204, 304):
            return b""
        length = LENGTH.search(head)
        if length:
            end = int(length[1])
            self._read_on(lambda: len(self._buffer) >= end)
        else:
            self._read_on(lambda: CHUNKED_END in self._buffer)
            end = self._buffer.index(CHUNKED_END) + len(CHUNKED_END)
        body, self._buffer = self._buffer[:end], self._buffer[end:]
        assert not length or len(body) == end, f"{len(body)} bytes of {end}"
        return body

    def _read_on(self, is_enough):
        """Until it is enough, or the end."""
        while not is_enough() and (piece := self._sock.recv(65536)):
            self._buffer += piece

    def _fill_or_fail(self):
        piece = self._sock.recv(65536)
        assert piece, f"closed where an answer was due; had {self._buffer[:200]!r}"
        self._buffer += piece


class Player:
    """One connection after the other, from one address."""

    def __init__(self, source, port, choice):
        self._source, self._port, self._choice = source, port, choice
        self._connection = None
        self._asked = []

    def ask(self, most):
        """A batch of at most so many requests. The first that closes the connection is the last of it."""
        self._connection = self._connection or Connection(self._source, self._port)
        kinds = self._choice.choices(KINDS, WEIGHTS, k=self._choice.randint(1, MOST_IN_A_BATCH))
        closing = next((at for at, each in enumerate(kinds) if each.closes), len(kinds))
        self._asked = kinds[: min(closing + 1, most)]
        self._connection.send(self._asked)
        return len(self._asked)

    def listen(self, tally):
        """How many were answered: behind one that closes the connection, none are."""
        answered = 0
        for asked in self._asked:
            answered += 1
            if not self._connection.receive(asked, tally):
                self._connection.close()
                self._connection = None
                break
        self._asked = []
        return answered

    def leave_early(self, tally):
        Connection(self._source, self._port).leave_in_the_middle(self._choice.choice([HANG, HALF]), tally)


def play(port, seed, number, requests):
    choice, tally = random.Random(f"{seed} {number}"), Tally()
    players = [Player(f"127.0.{1 + number}.{1 + each}", port, choice) for each in range(CONNECTIONS)]
    while (left := requests - tally.requests) > 0:
        for player in players:
            if left > 0:
                left -= player.ask(left)
        answered = sum(player.listen(tally) for player in players)
        for _ in range(sum(choice.random() < ABORTS for _ in range(answered))):
            if tally.requests < requests:
                choice.choice(players).leave_early(tally)
    return tally


class Crowd:
    """Several processes at once."""

    def __init__(self, port, seed, requests):
        self._processes = [
            subprocess.Popen(
                [sys.executable, Path(__file__), *map(str, (port, seed, number, requests // PROCESSES))],
                stdout=subprocess.PIPE,
            )
            for number in range(PROCESSES)
        ]

    def tally(self):
        """Of all, when they are done."""
        told = Tally()
        for process in self._processes:
            output, _ = process.communicate()
            assert process.returncode == 0, "a client failed; what it said is above"
            told.add(Tally.from_json(output))
        return told


if __name__ == "__main__":
    print(play(*map(int, sys.argv[1:])).to_json())
