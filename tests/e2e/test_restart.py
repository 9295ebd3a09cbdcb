"""Apps that go away and come back, and a machine that runs out of descriptors: what could be saved is saved."""

import resource
import signal

import pytest

from harness.load import Load
from harness.poll import Stopwatch, eventually, free_port
from harness.process import cpu_seconds
from harness.upstream import answering
from harness.wire import Closed


@pytest.mark.parametrize("worker", ["sync", "gthread"])
def test_no_idempotent_request_is_lost_when_gunicorn_replaces_its_workers(weir, app, worker):
    backend = app("gunicorn", worker=worker, workers=2)
    with Load(weir(backend)) as load:
        for _ in range(3):
            load.wait_for_more(100)
            backend.signal(signal.SIGHUP)
        load.wait_for_more(200)
    assert set(load.statuses) == {200}


def test_no_idempotent_request_is_lost_to_an_app_that_closes_eagerly(weir, app):
    """Node here closes a connection after 5 ms without a request, which is just when the next one comes."""
    backend = app("node", env={"KEEP_ALIVE_MS": "5"})
    with Load(weir(backend), clients=2) as load:
        load.wait_for_more(2000)
    assert set(load.statuses) == {200}


def test_no_order_is_doubled_by_an_app_that_closes_eagerly(weir, connect, app):
    backend = app("node", env={"KEEP_ALIVE_MS": "5"})
    proxy = weir(backend)
    with Load(proxy, clients=2, method="POST", target="/order") as load:
        load.wait_for_more(1000)
    executed = int(connect(proxy).ask("/order").body) - 1
    assert load.statuses[200] <= executed <= load.sent


@pytest.mark.parametrize("kind", ["node", "gunicorn"])
def test_a_killed_app_gives_502_until_it_is_back(weir, app, kind):
    backend = app(kind)
    with Load(weir(backend, upstream={"hold": "0s"})) as load:
        load.wait_for_more(100)
        backend.kill_group()
        load.wait_for_more(20, status=502)
        app(kind, port=backend.port)
        load.wait_for_more(200)
    cut = load.statuses.pop("lost", 0)  # killed between the head and the body of its answer
    assert set(load.statuses) == {200, 502} and cut <= load.clients


def test_a_killed_app_doubles_no_order(weir, connect, app):
    backend = app("node")
    proxy = weir(backend, upstream={"hold": "0s"})
    with Load(proxy, method="POST", target="/order") as load:
        load.wait_for_more(200)
        backend.kill_group()
        load.wait_for_more(20, status=502)
    confirmed = load.statuses[200]
    again = app("node", port=backend.port)
    with Load(proxy, method="POST", target="/order") as load:
        load.wait_for_more(200)
    assert again.is_running and confirmed >= 200
    executed = int(connect(proxy).ask("/order").body) - 1
    assert executed == load.statuses[200] == load.sent


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("balance", ["least_in_flight", "round_robin"])
@pytest.mark.parametrize("dead", ["first", "last"])
def test_no_request_is_lost_to_a_server_that_is_not_there(weir, upstream, method, balance, dead):
    servers = [upstream(answering()).url, f"http://127.0.0.1:{free_port()}"]
    if dead == "first":
        servers.reverse()
    with Load(weir(None, upstream={"servers": servers, "balance": balance}), clients=8, method=method) as load:
        load.wait_for_more(400)
    assert set(load.statuses) == {200}


def test_idle_clients_leave_the_descriptors_that_the_app_needs(weir, connect, upstream):
    def script(connection):
        while connection.request():
            app.released.wait(10)
            connection.answer()

    app = upstream(script)
    proxy = weir(app, prefix=["prlimit", "--nofile=256:256", "--"])
    let_in = (256 - 64) // 2
    crowd = [connect(proxy) for _ in range(300)]
    for client in crowd[:let_in]:
        client.request()
    app.wait_for_requests(let_in)
    app.release()
    assert [client.response().status for client in crowd[:let_in]] == [200] * let_in
    for client in crowd[let_in:]:
        client.assert_closed()
    assert f" {let_in} clients" in proxy.stderr, "the operator is told"


def test_without_descriptors_accepting_pauses_and_recovers(weir, connect, upstream):
    proxy = weir(upstream(answering()))
    resource.prlimit(proxy.pid, resource.RLIMIT_NOFILE, (64, 64))
    crowd = [connect(proxy) for _ in range(120)]
    before = cpu_seconds(proxy.pid)
    with Stopwatch() as watch:
        crowd[-1].is_readable(within=1.0)
    assert cpu_seconds(proxy.pid) - before < 0.5 * max(watch.seconds, 0.5), "it spins"
    assert proxy.is_running
    for client in crowd:
        client.close()

    def is_served():
        try:
            return connect(proxy).ask().status == 200
        except (Closed, OSError):
            return False

    eventually(is_served, what="service again")
    assert all(is_served() for _ in range(20))
