"""What /metrics says, parsed: the text format of Prometheus."""

import re
from contextlib import closing

from .client import Client

SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Scrape:
    def __init__(self, text):
        self.samples = {}  # (name, frozenset of (label, value)) to value
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            found = SAMPLE.fullmatch(line)
            assert found, line
            series = (found[1], frozenset(LABEL.findall(found[2] or "")))
            assert series not in self.samples, f"{line} is there twice"
            self.samples[series] = float(found[3])

    def matching(self, name, **labels):
        """[(labels, value)] of the series that have these labels, and maybe others."""
        wanted = set(labels.items())
        return [(dict(own), value) for (each, own), value in self.samples.items() if each == name and wanted <= own]

    def total(self, name, **labels):
        return sum(value for _, value in self.matching(name, **labels))

    def one(self, name, **labels):
        found = self.matching(name, **labels)
        assert len(found) == 1, (name, labels, found)
        return found[0][1]


def ask_admin(proxy, target, method="GET", fields=()):
    """One request to the admin address, on a connection of its own."""
    with closing(Client(proxy.admin)) as client:
        return client.ask(target, method, fields, host="localhost")


def scrape(proxy):
    response = ask_admin(proxy, "/metrics")
    assert response.status == 200, response.body
    return Scrape(response.body.decode())
