"""What is counted is what happened: as the clients saw it, and as the access log has it."""

import random
import shutil
import subprocess
import threading
from collections import Counter

import pytest

from harness.client import Client
from harness.metrics import ask_admin, scrape
from harness.poll import eventually
from harness.upstream import answering

ADMIN = "127.0.0.1:0"
SETTINGS = {
    "admin": ADMIN,
    "timeout": "20s",
    "limits": {"concurrency": 20, "queue": {"size": 20}},
    "shadow": [{"name": "tight", "rate": "10/hour"}],
    "routes": [
        {"match": {"path": "/limited"}, "name": "limited", "limits": {"rate": ["40/hour"]}},
        {"match": {"path": "/narrow"}, "name": "narrow", "limits": {"concurrency": 1, "queue": {"size": 0}}},
        {"match": {"path": "/typed/{n}"}, "name": "typed", "params": {"path": {"n": {"int": "1..9"}}}},
    ],
}


def mixed_app(hanging):
    def script(connection):
        while request := connection.request():
            if request.target == "/hang":
                hanging.release()
                connection.wait_for_close()
                return
            if request.target == "/die":
                return
            status = 404 if request.target == "/missing" else 200
            connection.answer(b"x" * 50, status, method=request.method)

    return script


class Crowd:
    """Clients that ask at random, each on its own connection, and count what they are told."""

    def __init__(self, proxy, seed, requests):
        self.proxy = proxy
        self.statuses = Counter()
        self.failures = []
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(random.Random(f"{seed} {number}"), requests))
            for number in range(8)
        ]

    def run(self):
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()
        assert not self.failures, self.failures[0]
        return self.statuses

    def _run(self, choice, requests):
        own = Counter()
        try:
            client = self.proxy.connect()
            for _ in range(requests):
                target = choice.choice(
                    ["/ok"] * 8 + ["/missing", "/limited", "/narrow", "/narrow", "/typed/5", "/typed/x", "/die"]
                )
                method = choice.choice(["GET", "GET", "HEAD", "POST"])
                body = b"y" * choice.randrange(100) if method == "POST" else None
                response = client.ask(target, method, body=body)
                own[response.status] += 1
                if response.value("connection") == "close":
                    client.close()
                    client = self.proxy.connect()
            client.close()
        except Exception as failure:  # noqa: BLE001 - told by the test's own thread
            self.failures.append(failure)
        with self._lock:
            self.statuses.update(own)


def test_the_figures_agree_with_the_clients_and_with_the_log_to_the_request(weir, upstream):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    hanging = threading.Semaphore(0)
    # One try each: what is sent again then has met a connection that the app was closing.
    proxy = weir(upstream(mixed_app(hanging)), upstream={"retry": {"attempts": 1}}, **SETTINGS)
    told = Crowd(proxy, seed, 300).run()
    for _ in range(20):
        client = Client(proxy.address)
        client.request("/hang")
        assert hanging.acquire(timeout=10)
        client.close()
        told[499] += 1
    with_no_head = proxy.connect()
    with_no_head.send(b"nonsense\r\n\r\n")
    told[with_no_head.response().status] += 1
    count = sum(told.values())
    assert count == 8 * 300 + 21 and {200, 404, 429, 503, 502, 400, 499} <= told.keys(), told

    eventually(lambda: scrape(proxy).total("weir_requests_total") == count, what=f"{count} requests counted")
    lines = proxy.log_lines(count)
    figures = scrape(proxy)
    assert len(lines) == count

    by_code = Counter({int(labels["code"]): value for labels, value in sums(figures, "weir_requests_total", "code")})
    assert by_code == told
    logged = Counter((line.get("route", "(none)"), str(line["status"])) for line in lines)
    counted = {(labels["route"], labels["code"]): value for labels, value in figures.matching("weir_requests_total")}
    assert counted == logged

    refused = Counter((line.get("route", "(none)"), line["reason"]) for line in lines if "reason" in line)
    counted = {
        (labels["route"], labels["reason"]): value
        for labels, value in sums(figures, "weir_refused_total", "route", "reason", mode="enforce")
        if value
    }
    assert counted == refused
    limited = sum(line["status"] == 429 for line in lines)
    assert figures.one("weir_refused_total", rule="limited-per-hour", mode="enforce") == limited
    narrow = sum(line.get("rule") == "narrow-concurrency" for line in lines)
    assert figures.total("weir_refused_total", rule="narrow-concurrency") == narrow > 0

    for route in ("(none)", "limited", "narrow", "typed"):
        of_route = [line for line in lines if line.get("route", "(none)") == route]
        assert figures.one("weir_request_duration_seconds_count", route=route) == len(of_route)
        asked = [line for line in of_route if "server" in line]
        assert figures.one("weir_upstream_duration_seconds_count", route=route) == len(asked)
        assert figures.one("weir_queue_wait_seconds_count", route=route) == len(asked)
        seconds = sum(line["total_ms"] for line in of_route) / 1000
        assert figures.one("weir_request_duration_seconds_sum", route=route) == pytest.approx(seconds, abs=0.01)
    assert figures.one("weir_bytes_total", direction="in") == sum(line["bytes_in"] for line in lines)
    assert figures.one("weir_bytes_total", direction="out") == sum(line["bytes_out"] for line in lines)
    retries = sum(line.get("retries", 0) for line in lines)
    assert figures.total("weir_upstream_retries_total") == retries > 0
    assert figures.one("weir_keepalive_races_total", outcome="repeated") == retries
    asked = sum("server" in line for line in lines)
    assert 0 < figures.one("weir_pool_reuse_total") < asked + retries
    assert figures.one("weir_requests_in_progress") == 0
    assert figures.total("weir_in_flight") == 0


def sums(figures, name, *kept, **labels):
    """The values of a metric, added up over all labels but those kept."""
    added = Counter()
    for own, value in figures.matching(name, **labels):
        added[tuple(own[label] for label in kept)] += value
    return [(dict(zip(kept, values)), value) for values, value in added.items()]


def test_what_is_under_way_shows_in_the_gauges(weir, upstream):
    hanging = threading.Semaphore(0)
    proxy = weir(
        upstream(mixed_app(hanging)),
        admin=ADMIN,
        limits={"concurrency": 2, "queue": {"size": 5, "wait": "20s"}},
    )
    clients = [proxy.connect() for _ in range(3)]
    for client in clients:
        client.request("/hang")
    assert hanging.acquire(timeout=10) and hanging.acquire(timeout=10)
    eventually(lambda: scrape(proxy).one("weir_queue_depth", queue="concurrency") == 1)
    figures = scrape(proxy)
    assert figures.one("weir_in_flight", queue="concurrency") == 2
    assert figures.one("weir_requests_in_progress") == 3
    assert figures.one("weir_client_connections") == 3
    assert figures.one("weir_pool_connections", state="in_use") == 2
    assert figures.one("weir_buffered_bytes") > 0
    stats = ask_admin(proxy, "/stats").json["concurrency"]
    assert (stats["activeProcesses"], stats["queuedTasks"], stats["utilizationPercent"]) == (2, 1, 100)
    for client in clients:
        client.close()
    eventually(lambda: scrape(proxy).one("weir_client_connections") == 0)
    assert scrape(proxy).one("weir_queue_peak", queue="concurrency") == 1


def test_what_a_rule_in_shadow_would_refuse_is_counted_and_served(weir, upstream):
    proxy = weir(upstream(answering()), admin=ADMIN, shadow=[{"name": "tight", "rate": "10/hour"}])
    client = proxy.connect()
    assert all(client.ask("/").status == 200 for _ in range(25))
    refused = {"route": "(none)", "rule": "tight", "reason": "rate_limited", "mode": "shadow"}
    eventually(lambda: scrape(proxy).one("weir_refused_total", **refused) == 15)
    assert scrape(proxy).total("weir_refused_total", mode="enforce") == 0
    assert scrape(proxy).one("weir_limiter_keys", rule="tight") == 1


def test_several_workers_count_together(weir, upstream):
    proxy = weir(upstream(answering()), admin=ADMIN, workers=3)
    for _ in range(30):
        client = proxy.connect()
        assert client.ask("/").status == 200
        client.close()
    eventually(lambda: scrape(proxy).one("weir_requests_total", code="200") == 30)


def test_prometheus_finds_nothing_to_complain_about(weir, upstream):
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("there is no promtool: it comes with Debian's package prometheus")
    proxy = weir(upstream(answering()), **SETTINGS)
    client = proxy.connect()
    for target in ("/", "/limited", "/typed/x"):
        client.ask(target)
    text = ask_admin(proxy, "/metrics").body
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False, timeout=20)
    assert (checked.returncode, checked.stderr) == (0, b""), checked.stderr.decode()


def test_a_hundred_scrapes_at_once_do_not_disturb_the_traffic(weir, upstream):
    proxy = weir(upstream(answering()), admin=ADMIN)
    failures = []

    def look():
        try:
            for _ in range(3):
                scrape(proxy)
        except Exception as failure:  # noqa: BLE001 - told by the test's own thread
            failures.append(failure)

    threads = [threading.Thread(target=look) for _ in range(100)]
    for thread in threads:
        thread.start()
    client = proxy.connect()
    assert all(client.ask("/").status == 200 for _ in range(300))
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    eventually(lambda: scrape(proxy).one("weir_requests_total", code="200") == 300)


def test_a_retry_is_counted_where_the_connect_failed_at_once(weir, connect, upstream, tmp_path):
    """As it does to a UNIX socket, which takes no round trip."""
    gone = f"unix:{tmp_path}/gone.sock"
    servers = [gone, upstream(answering()).url]
    proxy = weir(None, upstream={"servers": servers, "balance": "round_robin"}, admin="127.0.0.1:0")
    client = connect(proxy)
    assert [client.ask("/").status for _ in range(4)] == [200] * 4
    retries = sum(line.get("retries", 0) for line in proxy.log_lines(4))
    assert retries >= 1
    assert scrape(proxy).one("weir_upstream_retries_total", server=gone, cause="upstream_connect") == retries
