#!/usr/bin/python3
"""What a storm of scrapes costs the traffic, with nobody at the admin address, and with many who ask there for page after
page without a pause: the latency of requests at even times, and how many there can be at most (by wrk). Prints a table in
Markdown. weir has processor 0 for itself, control thread and all; app, traffic and scrapers have one each, where there are
four.
usage: scrapes.py [--weir build/weir] [--scrapers 100] [--rate 1000] [--seconds 8]"""

import argparse
import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONNECTIONS = 8  # of the traffic
ROUTES = 10  # as many as make the pages long
BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 128\r\n\r\n" + b"x" * 128
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
CONFIG = """
listen: 127.0.0.1:{port}
admin: 127.0.0.1:{admin}
upstream: http://127.0.0.1:{app}
limits: {{rate: [1000000/s], concurrency: 100, queue: {{size: 100}}}}
log: {{access: "off"}}
routes:
{routes}
"""
PAGES = ["/metrics", "/stats"]
TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class App(asyncio.Protocol):
    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        self._transport.write(BODY * data.count(b"\r\n\r\n"))


async def run_app(port):
    server = await asyncio.get_running_loop().create_server(App, "127.0.0.1", port)
    await server.serve_forever()


class Scraper(asyncio.Protocol):
    """Asks, reads the answer, asks again; on a new connection where weir has closed the old one."""

    whole = 0

    def __init__(self, number, admin):
        self._request = f"GET {PAGES[number % len(PAGES)]} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        self._number, self._admin = number, admin
        self._missing = None

    def connection_made(self, transport):
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data):
        if self._missing is None:
            head, _, data = data.partition(b"\r\n\r\n")
            self._missing = int(re.search(rb"Content-Length: (\d+)", head)[1])
        self._missing -= len(data)
        if self._missing == 0:
            Scraper.whole += 1
            self._missing = None
            self._transport.write(self._request)

    def connection_lost(self, _):
        asyncio.get_running_loop().create_task(scrape(self._number, self._admin))


async def scrape(number, admin):
    try:
        await asyncio.get_running_loop().create_connection(lambda: Scraper(number, admin), "127.0.0.1", admin)
    except OSError:
        pass  # weir has ended


async def run_scrapers(admin, count):
    """Prints how many answers they got, when it is told to end."""
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    await asyncio.gather(*(scrape(number, admin) for number in range(count)))
    await over.wait()
    print(Scraper.whole, flush=True)
    os._exit(0)


class Traffic:
    """Requests at even times, whether the ones before are answered or not: each connection has its own share."""

    def __init__(self, port, rate):
        self._port, self._interval = port, CONNECTIONS / rate
        self.seconds = []
        self.failures = 0

    def run(self, seconds):
        over = time.monotonic() + seconds
        threads = [threading.Thread(target=self._play, args=(number, over)) for number in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _play(self, number, over):
        sock = socket.create_connection(("127.0.0.1", self._port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        due = time.monotonic() + self._interval * number / CONNECTIONS
        while due < over:
            time.sleep(max(0.0, due - time.monotonic()))
            sock.sendall(REQUEST)
            answer = b""
            while len(answer) < 128 or not answer.endswith(b"x" * 128):
                answer += sock.recv(4096)
            self.failures += not answer.startswith(b"HTTP/1.1 200")
            self.seconds.append(time.monotonic() - due)
            due += self._interval


def thread_seconds(pid):
    """(control thread, all others)"""
    found = [0.0, 0.0]
    for task in Path(f"/proc/{pid}/task").iterdir():
        columns = (task / "stat").read_text().rsplit(")", 1)[1].split()
        found[int(task.name) != pid] += (int(columns[11]) + int(columns[12])) / TICK
    return found


def quantile(values, share):
    return 1000 * sorted(values)[min(int(share * len(values)), len(values) - 1)]


def core_of(role):
    return ["weir", "traffic", "app", "scrapers"].index(role) % os.cpu_count()


def on_core(role):
    return ["taskset", "-c", str(core_of(role))]


def child(role, *arguments):
    command = [*on_core(role), sys.executable, __file__, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def measure(options, scrapers):
    """One row."""
    with tempfile.TemporaryDirectory() as folder:
        port, admin, app_port = free_port(), free_port(), free_port()
        routes = "\n".join(f"  - {{match: {{path: /r{each}}}, limits: {{rate: [1000/s]}}}}" for each in range(ROUTES))
        config = Path(folder) / "weir.yaml"
        config.write_text(CONFIG.format(port=port, admin=admin, app=app_port, routes=routes))
        weir = [*on_core("weir"), options.weir, "-c", config]
        started = [child("app", "--app", app_port), subprocess.Popen(weir, stderr=subprocess.DEVNULL)]
        try:
            time.sleep(0.5)
            if scrapers:
                started.append(child("scrapers", "--scrape", admin, scrapers))
                time.sleep(0.5)
            return play(options, port, started)
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait()


def play(options, port, started):
    pid = started[1].pid
    before, began = thread_seconds(pid), time.monotonic()
    traffic = Traffic(port, options.rate)
    traffic.run(options.seconds)
    took = time.monotonic() - began
    control, workers = ((now - then) / took for now, then in zip(thread_seconds(pid), before))
    most = requests_at_full_speed(port, options.seconds)
    pages = 0
    if len(started) > 2:
        scrapers = started.pop()
        scrapers.terminate()
        pages = int(scrapers.communicate()[0]) / (time.monotonic() - began)
    return traffic, [f"{most:,.0f}", f"{pages:,.0f}", f"{control:.1%}", f"{workers:.1%}"]


def requests_at_full_speed(port, seconds):
    command = ["wrk", "-t1", "-c16", f"-d{seconds:.0f}s", f"http://127.0.0.1:{port}/"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(re.search(r"Requests/sec: *([0-9.]+)", said)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", default=ROOT / "build/weir")
    parser.add_argument("--scrapers", type=int, default=100)
    parser.add_argument("--rate", type=float, default=1000, help="requests a second of the traffic")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--app", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--scrape", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.app:
        return asyncio.run(run_app(options.app))
    if options.scrape:
        return asyncio.run(run_scrapers(*options.scrape))
    print("| scrapers | p50 ms | p99 ms | requests a second at most | pages a second | control thread | worker |")
    print("|---|---|---|---|---|---|---|")
    os.sched_setaffinity(0, {core_of("traffic")})
    for scrapers in (0, options.scrapers) * options.rounds:
        traffic, others = measure(options, scrapers)
        times = [f"{quantile(traffic.seconds, share):.2f}" for share in (0.5, 0.99)]
        print("|", " | ".join([str(scrapers), *times, *others]), "|", flush=True)
        if traffic.failures:
            print(f"{traffic.failures} requests failed", file=sys.stderr)


if __name__ == "__main__":
    main()
