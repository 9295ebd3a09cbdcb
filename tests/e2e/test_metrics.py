"""What is counted is what happened: as the clients saw it, and as the access log has it."""

import random
import shutil
import subprocess
import threading
from collections import Counter

import pytest

from harness.crowd import Crowd
from harness.metrics import Scrape, ask_admin, scrape
from harness.poll import eventually
from harness.process import open_files
from harness.upstream import answering

ADMIN = "127.0.0.1:0"
SETTINGS = {
    "admin": ADMIN,
    "workers": 2,
    "timeout": "20s",
    "limits": {"concurrency": 6, "queue": {"size": 6}},
    "shadow": [{"name": "tight", "rate": "10/hour"}],
    "routes": [
        {"match": {"path": "/limited"}, "name": "limited", "limits": {"rate": ["40/hour"]}},
        {"match": {"path": "/narrow"}, "name": "narrow", "limits": {"concurrency": 1, "queue": {"size": 0}}},
        {"match": {"path": "/typed/{n}"}, "name": "typed", "params": {"path": {"n": {"int": "1..9"}}}},
        {"match": {"path": "/reader"}, "name": "reader", "methods": ["GET"]},
    ],
}


def hanging_app(arrived):
    def script(connection):
        connection.request()
        arrived.release()
        connection.wait_for_close()

    return script


def test_a_hundred_thousand_requests_are_counted_alike_by_clients_log_and_figures(weir, app, sanitized):
    """To the request and to the byte: by route, status and reason; refused, aborted and cut ones included."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    count = 20_000 if sanitized else 100_000
    # One try each: what is sent again then has met a connection that the app was closing.
    proxy = weir(app("mixed"), upstream={"retry": {"attempts": 1}}, **SETTINGS)
    told = Crowd(proxy.address[1], seed, count).tally()
    assert told.requests == count
    assert {status for _, status in told.answers} == {200, 204, 302, 400, 404, 405, 413, 414, 429, 499, 500, 502, 503}

    eventually(lambda: scrape(proxy).total("weir_requests_total") == count, what=f"{count} requests counted")
    lines = proxy.log_lines(count)
    figures = scrape(proxy)
    assert len(lines) == count
    assert figures.one("weir_log_lines_dropped_total") == 0
    agree_on_answers(figures, lines, told)
    agree_on_refusals(figures, lines, told)
    agree_on_times(figures, lines)
    agree_on_the_app(figures, lines)
    assert figures.one("weir_requests_in_progress") == 0
    assert figures.total("weir_in_flight") == 0


def route_of(line):
    return line.get("route", "(none)")


def agree_on_answers(figures, lines, told):
    counted = Counter()
    for labels, value in figures.matching("weir_requests_total"):
        counted[labels["route"], int(labels["code"])] = value
    assert counted == Counter((route_of(line), line["status"]) for line in lines) == told.answers
    for direction, expected in [("in", told.sent_bytes), ("out", told.body_bytes)]:
        logged = sum(line[f"bytes_{direction}"] for line in lines)
        assert figures.one("weir_bytes_total", direction=direction) == logged == expected
    assert sum("cut" in line and line["status"] == 200 for line in lines) == told.cut > 0


def agree_on_refusals(figures, lines, told):
    refused = Counter((route_of(line), line["reason"]) for line in lines if "reason" in line)
    assert sums(figures, "weir_refused_total", "route", "reason", mode="enforce") == refused
    # An answer to HEAD has no body that could say why.
    assert Counter((route_of(line), line["reason"]) for line in lines if "reason" in line and line["method"] != "HEAD") == told.reasons
    by_rule = Counter(line["rule"] for line in lines if line["status"] in (429, 503))
    assert {"limited-per-hour", "narrow-concurrency", "concurrency"} <= by_rule.keys()
    for rule, count in by_rule.items():
        assert figures.total("weir_refused_total", rule=rule, mode="enforce") == count
    shadows = Counter((route_of(line), rule) for line in lines for rule in line.get("shadow", ()))
    assert sums(figures, "weir_refused_total", "route", "rule", mode="shadow") == shadows != Counter()


def agree_on_times(figures, lines):
    for route in {route_of(line) for line in lines}:
        of_route = [line for line in lines if route_of(line) == route]
        assert figures.one("weir_request_duration_seconds_count", route=route) == len(of_route)
        asked = [line for line in of_route if "server" in line]
        assert figures.one("weir_upstream_duration_seconds_count", route=route) == len(asked)
        assert figures.one("weir_queue_wait_seconds_count", route=route) == len(asked)
        # A line has whole microseconds, cut off.
        seconds = sum(line["total_ms"] for line in of_route) / 1000
        assert seconds <= figures.one("weir_request_duration_seconds_sum", route=route) <= seconds + 1e-6 * len(of_route)


def agree_on_the_app(figures, lines):
    retries = sum(line.get("retries", 0) for line in lines)
    assert figures.total("weir_upstream_retries_total") == retries > 0
    assert figures.one("weir_keepalive_races_total", outcome="repeated") == retries
    asked = sum("server" in line for line in lines)
    assert 0 < figures.one("weir_pool_reuse_total") < asked + retries


def sums(figures, name, *kept, **labels):
    """A metric by the labels that are kept, added up over the others; without those at zero."""
    added = Counter()
    for own, value in figures.matching(name, **labels):
        added[tuple(own[label] for label in kept)] += value
    return +added


def test_what_is_under_way_shows_in_the_gauges(weir, upstream):
    hanging = threading.Semaphore(0)
    proxy = weir(
        upstream(hanging_app(hanging)),
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
            for page in ("/metrics", "/stats", "/metrics"):
                answer = ask_admin(proxy, page)
                assert answer.status == 200 and len(answer.body) == int(answer.value("content-length"))
                assert page == "/stats" or Scrape(answer.body.decode()).one("weir_build_info") == 1
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


def test_who_holds_every_connection_of_the_admin_address_keeps_no_client_out(weir, connect, upstream):
    proxy = weir(upstream(answering()), admin=ADMIN)
    before = open_files(proxy.pid)
    silent = [connect(proxy.admin) for _ in range(300)]
    late = connect(proxy.admin).request("/metrics", host="localhost")
    client = connect(proxy)
    assert all(client.ask("/").status == 200 for _ in range(50))
    # 64, and as many as one wake-up takes in; the client has two.
    assert open_files(proxy.pid) <= before + 128 + 2
    assert not late.is_readable(0)
    for each in silent:
        each.close()
    assert Scrape(late.response().body.decode()).one("weir_requests_total", code="200") == 50


def test_pages_are_fresh_however_fast_they_are_asked_for(weir, connect, upstream):
    """A page is shared by those who wait for it together, and with nobody else."""
    proxy = weir(upstream(answering()), admin=ADMIN)
    client, operator = connect(proxy), connect(proxy.admin)
    for count in range(1, 20):
        assert client.ask("/").status == 200
        # The line is written, and counted, a moment after the client has its answer.
        eventually(lambda: Scrape(operator.ask("/metrics", host="localhost").body.decode()).total("weir_requests_total") == count)
