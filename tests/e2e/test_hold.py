"""An app that restarts: requests wait for it, nothing runs twice, and who waits too long is told."""

import os
import signal
import threading
from collections import Counter

import pytest

from harness.poll import Stopwatch, eventually, free_port
from harness.upstream import answering
from test_restart import Load

RESTARTS = 20 if os.environ.get("WEIR_E2E_LARGE") else 3


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


@pytest.mark.parametrize("health", [None, "/hello"])
@pytest.mark.parametrize("kind", ["node", "gunicorn"])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_restarts_under_load_fail_no_idempotent_request(weir, app, kind, how, health):
    backend = app(kind)
    checks = {"path": health, "interval": "1s"} if health else {}
    proxy = weir(backend, upstream={"hold": "10s"}, timeout="30s", health=checks)
    with Load(proxy) as load:
        for _ in range(RESTARTS):
            load.wait_for_more(100)
            backend.signal(how)
            backend.wait()
            backend.kill_group()
            backend = app(kind, port=backend.port)
        load.wait_for_more(100)
    cut = load.statuses.pop("lost", 0)  # killed between the head and the body of its answer
    assert set(load.statuses) == {200} and cut <= load.clients * RESTARTS


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
