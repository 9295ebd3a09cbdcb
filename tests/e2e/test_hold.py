"""An app that restarts: requests wait for it, nothing runs twice, and who waits too long is told."""

import os
import signal
import socket
import threading
import time
from collections import Counter
from contextlib import closing
from datetime import datetime

import pytest

from harness.load import Load
from harness.metrics import scrape
from harness.poll import Stopwatch, eventually, free_port
from harness.upstream import answering

RESTARTS = 20
# Gunicorn takes a second and more to end and to start, and other tests share the machine: then there are fewer.
SECONDS_OF_RESTARTS = 200 if os.environ.get("WEIR_E2E_LARGE") else 20


class Later:
    """An app that is not there yet."""

    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"


@pytest.fixture
def later():
    return Later()


def test_a_request_waits_for_an_app_that_comes_up(weir, connect, upstream, later):
    proxy = weir(later, upstream={"hold": "10s"})
    clients = [connect(proxy).request("/held", "POST", body=b"all of it") for _ in range(5)]
    assert not clients[0].is_readable(within=0.3)
    app = upstream(answering(b"here"), port=later.port)
    assert [client.response().body for client in clients] == [b"here"] * 5
    assert [request.body for request in app.requests] == [b"all of it"] * 5
    assert connect(proxy).ask().status == 200
    assert proxy.log_lines(6)[0]["hold_ms"] >= 300


def test_who_has_waited_for_as_long_as_it_may_is_told(weir, connect, later):
    proxy = weir(later, upstream={"hold": "400ms"})
    client = connect(proxy)
    for _ in range(2):
        with Stopwatch() as watch:
            problem = client.request().assert_problem(503, "upstream_unavailable")
        assert 0.3 < watch.seconds < 2
    assert int(problem.value("retry-after")) >= 1
    assert "refused" in problem.json["detail"]


def test_an_app_that_is_not_there_is_in_the_log_once_until_it_comes(weir, connect, upstream, later):
    proxy = weir(later, upstream={"hold": "100ms"})
    for _ in range(2):
        connect(proxy).request().assert_problem(503, "upstream_unavailable")
    address = f"127.0.0.1:{later.port}"
    eventually(lambda: "cannot be reached" in proxy.stderr, what="a line on the app")
    assert f"warning {address} cannot be reached: Connection refused\n" in proxy.stderr
    upstream(answering(), port=later.port)
    eventually(lambda: connect(proxy).ask().status == 200, what="an answer of the app")
    eventually(lambda: f"info {address} can be reached again\n" in proxy.stderr, what="another line on it")
    assert proxy.stderr.count("be reached") == 2


def test_the_total_time_bounds_the_hold(weir, connect, later):
    proxy = weir(later, upstream={"hold": "10s"}, timeout={"total": "300ms"})
    with Stopwatch() as watch:
        assert connect(proxy).ask().status in (503, 504)
    assert watch.seconds < 2


def fill_up(connect, proxy, **options):
    """So many requests that one of them is refused at once: all of their clients."""
    clients = [connect(proxy, **options).request(f"/{n}") for n in range(100)]

    def is_full():
        clients.append(connect(proxy, **options).request("/late"))
        return clients[-1].is_readable(within=0.1)

    eventually(is_full, what="a refusal at once")
    return clients


def test_no_more_are_held_than_may(weir, connect, upstream, later):
    proxy = weir(later, upstream={"hold": "20s"})
    clients = fill_up(connect, proxy)
    app = upstream(answering(), port=later.port)
    assert Counter(client.response().status for client in clients) == {200: 100, 503: len(clients) - 100}
    assert len(app.requests) == 100


def test_held_requests_of_one_client_make_room_for_another_s(weir, connect, upstream, later):
    proxy = weir(later, upstream={"hold": "20s"})
    greedy = fill_up(connect, proxy, source="127.0.0.2")
    polite = connect(proxy, source="127.0.0.3").request("/polite")
    assert not polite.is_readable(within=0.1)
    app = upstream(answering(), port=later.port)
    assert polite.response().status == 200
    assert Counter(client.response().status for client in greedy)[200] == 99
    assert [request.target for request in app.requests].index("/polite") < 50


def test_who_leaves_while_held_never_reaches_the_app(weir, connect, upstream, later):
    proxy = weir(later, upstream={"hold": "20s"})
    leaver = connect(proxy).request("/leaver")
    stayer = connect(proxy).request("/stayer")
    assert not stayer.is_readable(within=0.2)
    leaver.close()
    assert proxy.log_lines(1)[0]["status"] == 499
    app = upstream(answering(), port=later.port)
    assert stayer.response().status == 200
    assert [request.target for request in app.requests] == ["/stayer"]


def test_how_long_an_app_was_away_is_not_taken_for_how_long_it_takes(weir, connect, upstream, later):
    free = threading.Event()

    def script(connection):
        while request := connection.request():
            assert request.target == "/held" or free.wait(20)
            connection.answer()

    limits = {"concurrency": 8, "queue": {"size": 50, "wait": "2s"}}
    proxy = weir(later, upstream={"hold": "10s"}, limits=limits)
    held = [connect(proxy).request("/held") for _ in range(8)]
    assert not held[0].is_readable(within=1.2)
    app = upstream(script, port=later.port)
    assert [client.response().status for client in held] == [200] * 8
    inside = [connect(proxy).request("/slow") for _ in range(8)]
    eventually(lambda: len(app.requests) == 16, what="as many inside as may be")
    # Two rounds of what the app takes, which is next to nothing: none is told that it would wait for too long.
    waiting = [connect(proxy).request("/next") for _ in range(16)]
    assert not waiting[-1].is_readable(within=0.2)
    free.set()
    assert Counter(client.response().status for client in inside + waiting) == {200: 24}


def test_an_app_that_goes_again_is_not_asked_without_pause(weir, connect, later):
    proxy = weir(later, upstream={"hold": "2s"}, admin="127.0.0.1:0")
    clients = [connect(proxy).request(f"/{n}") for n in range(2)]
    assert not clients[0].is_readable(within=0.3)
    with closing(socket.create_server(("127.0.0.1", later.port))) as app:
        connection, _ = app.accept()
        connection.recv(65536)
    # One answer, and the last of those who were held finds nobody.
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    connection.close()
    assert sorted(client.response().status for client in clients) == [200, 503]
    assert scrape(proxy).total("weir_upstream_retries_total") < 50


def test_an_app_that_is_back_is_not_stormed(weir, connect, upstream, later):
    """One at first, then no more than there have been answers and one."""
    inside = [0, 0]  # now, answered
    too_many = []
    lock = threading.Lock()

    def watching(connection):
        while request := connection.request():
            with lock:
                inside[0] += 1
                if inside[0] > inside[1] + 1:
                    too_many.append(tuple(inside))
            connection.send(b"")
            with lock:
                inside[0] -= 1
                inside[1] += 1
            connection.answer(method=request.method)

    proxy = weir(later, upstream={"hold": "20s"})
    clients = [connect(proxy).request() for _ in range(50)]
    assert not clients[0].is_readable(within=0.2)
    upstream(watching, port=later.port)
    assert {client.response().status for client in clients} == {200}
    assert not too_many


@pytest.mark.parametrize("how, workers", [(signal.SIGTERM, 1), (signal.SIGKILL, 4)])
@pytest.mark.parametrize("kind, options", [("node", {}), ("gunicorn", {"worker": "gthread", "workers": 2})])
def test_restarts_under_load_lose_nothing_that_could_be_saved(weir, app, tmp_path, kind, options, how, workers):
    """Twenty of them, as far as there is time, and every 5 ms a request, be the app there or not: half of them idempotent, half of them orders
    that must not be run twice. Only an order that was inside the app when that was killed may fail."""
    book = tmp_path / "book"
    book.touch()
    options = {**options, "env": {"BOOK": str(book)}}
    backend = app(kind, **options)
    limits = {"concurrency": 16, "queue": {"size": 2000, "wait": "10s"}}
    checks = {"path": "/hello", "interval": "1s"}
    proxy = weir(backend, workers=workers, upstream={"hold": "5s"}, limits=limits, health=checks)
    deaths = []

    def request(number):
        return ("POST" if number % 2 else "GET", f"/book?{number}")

    watch = Stopwatch()
    with watch, Load(proxy, clients=400, rate=200, request=request) as load:
        while len(deaths) < RESTARTS and watch.so_far < SECONDS_OF_RESTARTS:
            load.wait_for_more(40)
            load.wait_for_calm(40)
            begun = time.time()
            backend.signal_group(how)
            backend.wait()
            backend.kill_group()
            deaths.append((begun, time.time()))
            backend = app(kind, port=backend.port, **options)
        load.wait_for_more(200)
    print(f"{len(deaths)} restarts, {load.sent} requests, {dict(load.statuses)}, at most {load.behind:.2f} s late")
    assert load.behind < 1, "the load was none of 200 requests/s"
    assert {(failure.method, failure.outcome) for failure in load.failures} <= {("POST", 502)}, load.failures
    assert all("upstream_reset" in failure.detail for failure in load.failures)
    runs = Counter(book.read_text().split())
    assert set(runs.values()) == {1}, "run twice"
    failed = {str(failure.number) for failure in load.failures}
    orders = {str(number) for number in range(1, load.sent, 2)}
    assert orders - failed <= set(runs) <= orders
    assert len(failed) <= len(deaths) * 16
    assert len(deaths) >= 3
    for line in proxy.log_lines(load.sent):
        if line["status"] == 502:
            ended = datetime.fromisoformat(line["time"]).timestamp() + line["total_ms"] / 1000
            assert any(begun <= ended <= dead + 0.3 for begun, dead in deaths), line


def test_orders_wait_for_the_next_app_and_those_inside_the_killed_one_fail_honestly(weir, app):
    """A client asks anew while the dying app still accepts: two for each may be inside it."""
    backend = app("node")
    proxy = weir(backend, upstream={"hold": "10s"})
    with Load(proxy, method="POST", target="/order") as load:
        load.wait_for_more(200)
        backend.kill_group()
        backend = app("node", port=backend.port)
        load.wait_for_more(200)
    statuses = dict(load.statuses)
    failed = statuses.pop(502, 0) + statuses.pop("lost", 0)
    assert failed <= 2 * load.clients
    assert set(statuses) == {200}
