"""Several servers of one app: who gets what, and what one that fails costs the others' clients."""

import resource
import threading
from collections import Counter
from contextlib import closing

import pytest

from harness.load import Load
from harness.poll import Stopwatch, eventually
from harness.upstream import answering
from test_queue import Room


def bodies(connect, proxy, count, **options):
    with closing(connect(proxy)) as client:
        return Counter(client.ask("/", **options).body for _ in range(count))


def resetting(connection):
    connection.request()
    connection.reset()


def hanging(connection):
    connection.request()
    connection.wait_for_close()


def hanging_on_a_body(connection):
    connection.head()
    connection.wait_for_close()


@pytest.fixture
def named(upstream):
    """named("a"): an app that answers with its name."""
    return lambda name, status=200: upstream(answering(name.encode(), status=status))


def test_round_robin_goes_by_weight(weir, connect, named):
    servers = [{"url": named("a").url, "weight": 3}, {"url": named("b").url}]
    proxy = weir(None, upstream={"servers": servers, "balance": "round_robin"})
    assert bodies(connect, proxy, 40) == {b"a": 30, b"b": 10}


def test_idle_servers_share_by_weight_under_least_in_flight(weir, connect, named):
    servers = [{"url": named("a").url, "weight": 9}, {"url": named("b").url}]
    got = bodies(connect, weir(None, upstream={"servers": servers}), 300)
    assert 230 <= got[b"a"] <= 299


def test_a_server_that_is_at_work_gets_less(weir, connect, upstream, named):
    busy = Room()
    proxy = weir(None, upstream={"servers": [upstream(busy).url, named("free").url]})
    held = []
    while busy.inside < 1:
        held.append(connect(proxy).request())
        eventually(lambda: held[-1].is_readable(within=0.05) or busy.inside)
    assert bodies(connect, proxy, 50) == {b"free": 50}
    busy.let(5)


def test_a_server_that_fails_is_left_out_and_comes_back(weir, connect, upstream, named):
    failing = upstream([resetting] * 4 + [answering(b"well again")])
    servers = [failing.url, named("a").url, named("b").url]
    passive = {"failures": 3, "window": "10s", "eject": "1s"}
    proxy = weir(None, upstream={"servers": servers, "balance": "round_robin"}, health={"passive": passive})
    assert set(bodies(connect, proxy, 30)) == {b"a", b"b"}
    assert len(failing.connections) == 3
    assert "left out for a while" in proxy.stderr
    eventually(lambda: b"well again" in bodies(connect, proxy, 3), within=15)
    eventually(lambda: "answers again" in proxy.stderr)


def test_a_post_is_not_repeated_and_its_failures_count(weir, connect, upstream, named):
    failing = upstream(resetting)
    passive = {"failures": 2, "window": "10s", "eject": "60s"}
    servers = [failing.url, named("a").url]
    proxy = weir(None, upstream={"servers": servers, "balance": "round_robin"}, health={"passive": passive})
    client = connect(proxy)
    statuses = Counter(client.ask("/", "POST", body=b"x").status for _ in range(20))
    assert statuses == {200: 18, 502: 2}


def test_the_only_server_is_never_left_out(weir, connect, upstream):
    failing = upstream([resetting] * 8 + [answering()])
    passive = {"failures": 2, "window": "10s", "eject": "60s"}
    client = connect(weir(failing, upstream={"retry": {"attempts": 1}}, health={"passive": passive}))
    assert [client.ask().status for _ in range(9)] == [502] * 8 + [200]


def test_what_weir_itself_has_run_out_of_is_not_held_against_a_server(weir, connect, named):
    passive = {"failures": 2, "window": "10s", "eject": "60s"}
    servers = [named("a").url, named("b").url]
    proxy = weir(None, upstream={"servers": servers, "pool": {"max_idle": 0}}, health={"passive": passive})
    client = connect(proxy)
    assert client.ask().status == 200
    soft, hard = resource.prlimit(proxy.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(proxy.pid, resource.RLIMIT_NOFILE, (3, hard))
    for _ in range(10):
        failed = client.ask()
        failed_for = failed.json["detail"]
        assert (failed.status, failed_for.startswith("weir has run out of file descriptors")) == (502, True)
    resource.prlimit(proxy.pid, resource.RLIMIT_NOFILE, (soft, hard))
    assert client.ask().status == 200
    assert "left out" not in proxy.stderr


def test_what_a_client_does_wrong_is_not_held_against_a_server(weir, connect, upstream):
    """Of a body that is too long to be held the app has a part by the time that it goes wrong."""
    apps = [upstream(hanging_on_a_body), upstream(hanging_on_a_body)]
    passive = {"failures": 2, "window": "10s", "eject": "60s"}
    proxy = weir(
        None,
        upstream={"servers": [app.url for app in apps], "balance": "round_robin"},
        health={"passive": passive},
        limits={"body": "100KiB"},
    )
    for number, (rest, status) in enumerate([(b"what?\r\n", 400), (b"%x\r\n" % 65536 + bytes(65536), 413)] * 4):
        client = connect(proxy).request("/", "POST", fields={"Transfer-Encoding": "chunked"})
        client.send(b"%x\r\n" % 65536 + bytes(65536) + b"\r\n")
        eventually(lambda: sum(len(app.connections) for app in apps) == number + 1)
        client.send(rest)
        assert client.response().status == status
    assert "left out" not in proxy.stderr


def test_a_client_that_leaves_no_time_is_not_held_against_a_server(weir, connect, upstream):
    servers = [upstream(hanging).url, upstream(hanging).url]
    passive = {"failures": 2, "window": "10s", "eject": "60s"}
    proxy = weir(None, upstream={"servers": servers, "balance": "round_robin"}, health={"passive": passive})
    for _ in range(8):
        connect(proxy).request(fields={"X-Request-Timeout": "50ms"}).assert_problem(504, "deadline")
    assert "left out" not in proxy.stderr


def test_of_three_servers_one_hangs_one_resets_and_one_errs(weir, upstream):
    """The fourth is well; at most half are left out, so that one of the three stays in."""
    hangs, resets = upstream(hanging), upstream(resetting)
    errs, well = upstream(answering(b"", status=503)), upstream(answering(b"ok"))
    passive = {"failures": 3, "window": "10s", "eject": "30s"}
    proxy = weir(
        None,
        upstream={"servers": [hangs.url, resets.url, errs.url, well.url]},
        health={"passive": passive},
        timeout={"total": "2s", "stall": "300ms"},
    )
    with Load(proxy, clients=4) as load:
        load.wait_for_more(400)
    good = load.statuses[200]
    assert good >= 0.6 * load.sent, load.statuses
    assert len(well.requests) >= 400


def test_a_server_gets_no_more_than_it_may(weir, connect, upstream):
    rooms = [Room(), Room()]
    servers = [{"url": upstream(room).url, "max_in_flight": 2} for room in rooms]
    proxy = weir(None, upstream={"servers": servers}, workers=2)
    clients = [connect(proxy).request() for _ in range(20)]
    eventually(lambda: sum(room.inside for room in rooms) == 4)
    for room in rooms:
        room.let(20)
    assert [client.response().status for client in clients] == [200] * 20
    assert [room.most for room in rooms] == [2, 2]


@pytest.mark.parametrize("attempts, status, asked", [(1, 502, 1), (2, 200, 2)])
def test_a_request_that_the_app_cut_off_is_sent_again_as_often_as_it_may(
    weir, connect, upstream, attempts, status, asked
):
    app = upstream([resetting, answering()])
    client = connect(weir(app, upstream={"retry": {"attempts": attempts}}))
    assert client.ask().status == status
    assert len(app.connections) == asked


def test_what_is_not_idempotent_is_not_sent_again(weir, connect, upstream):
    app = upstream([resetting, answering()])
    connect(weir(app)).request("/", "POST", body=b"x").assert_problem(502, "upstream_reset")
    assert len(app.connections) == 1


def test_without_a_budget_nothing_is_sent_again(weir, connect, upstream):
    app = upstream([resetting, answering()])
    connect(weir(app, upstream={"retry": {"budget": "0%"}})).request().assert_problem(502, "upstream_reset")


def test_the_budget_bounds_what_is_sent_again(weir, connect, upstream):
    app = upstream(resetting)
    proxy = weir(app, upstream={"retry": {"attempts": 10, "budget": "20%"}})
    client = connect(proxy)
    with Stopwatch() as watch:
        for _ in range(50):
            client.request().assert_problem(502, "upstream_reset")
    again = len(app.connections) - 50
    assert 3 <= again <= 0.2 * 50 + 3 * (watch.seconds + 1)


def test_the_app_is_told_what_is_left_for_the_second_try(weir, connect, upstream):
    def late(connection):
        connection.request()
        gate.wait(5)
        connection.reset()

    gate = threading.Event()
    app = upstream([late, answering()])
    client = connect(weir(app)).request()
    app.wait_for_requests(1)
    threading.Timer(0.3, gate.set).start()
    assert client.response().status == 200
    first, second = (int(request.value("x-request-deadline")) for request in app.requests)
    assert second <= first - 250
