"""Clients that ask for as long as a block lasts, and what became of their requests."""

import itertools
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Union

from .client import Client
from .poll import eventually
from .wire import Closed


@dataclass
class Failure:
    """A request that did not get 200."""

    number: int
    method: str
    target: str
    outcome: Union[int, str]  # the status, or "lost" where there was no whole answer
    detail: str


class Load:
    """with Load(proxy) as load: ...; `statuses` counts what came, "lost" is no whole answer.

    Without a `rate` each client asks as soon as it has its answer. With one, a request is due every 1/rate seconds
    whether the others have been answered or not, as long as a client is free to ask it: `behind` is the most seconds
    that one was asked too late. `request` makes (method, target) of the number of a request. Without `keep` each
    request comes on a connection of its own."""

    def __init__(self, proxy, clients=4, method="GET", target="/hello", *, rate=None, request=None, keep=True):
        self.statuses = Counter()
        self.sent = 0  # and answered, or lost
        self.failures = []
        self.behind = 0.0
        self.clients = clients
        self._address = getattr(proxy, "address", proxy)
        self._request = request or (lambda number: (method, target))
        self._rate, self._keep = rate, keep
        self._numbers = itertools.count()
        self._begun_count = 0
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._ask_often) for _ in range(clients)]

    def __enter__(self):
        self._begun = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for_more(self, count, status=200):
        """Until so many further requests came back with that status."""
        goal = self.statuses[status] + count
        eventually(lambda: self.statuses[status] >= goal, 20, f"{count} more of {status}: {self.statuses}")

    def wait_for_calm(self, count):
        """Until no more than so many requests are under way."""
        eventually(lambda: self._begun_count - self.sent <= count, 20, f"{count} under way: {self.statuses}")

    def _ask_often(self):
        client = None
        while (number := self._turn()) is not None:
            client = self._ask(client, number)
        if client:
            client.close()

    def _turn(self):
        """The number of the next request, when that is due; None at the end."""
        with self._lock:
            number = next(self._numbers)
        if self._rate is None:
            return None if self._over.is_set() else number
        due = self._begun + number / self._rate
        if self._over.wait(max(0.0, due - time.monotonic())):
            return None
        with self._lock:
            self.behind = max(self.behind, time.monotonic() - due)
        return number

    def _ask(self, client, number):
        """Returns the connection for the next request, if there is one."""
        with self._lock:
            self._begun_count += 1
        method, target = self._request(number)
        try:
            client = client or Client(self._address)
            body = b"" if method == "POST" else None
            answer = client.ask(target, method, () if self._keep else {"Connection": "close"}, body)
            outcome, is_over, detail = answer.status, answer.value("connection") == "close", answer.body
        except (Closed, OSError) as failure:
            outcome, is_over, detail = "lost", True, repr(failure)
        with self._lock:
            self.sent += 1
            self.statuses[outcome] += 1
            if outcome != 200:
                self.failures.append(Failure(number, method, target, outcome, str(detail)))
        if not is_over:
            return client
        if client:
            client.close()
        return None
