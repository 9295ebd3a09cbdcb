"""Paths that weir answers itself: no route, rate or app is asked."""

import signal

import pytest

from harness.client import assert_problem
from harness.poll import eventually
from harness.process import listening_ports
from harness.upstream import answering

HEALTH = {"health": "/weir/health"}


@pytest.fixture
def client(weir, connect, upstream):
    return connect(weir(upstream(answering(b"the app's")), public=HEALTH))


def test_health_is_answered_without_the_app(weir, connect):
    proxy = weir("http://127.0.0.1:1", public=HEALTH)
    client = connect(proxy)
    answer = client.ask("/weir/health")
    assert (answer.status, answer.json) == (200, {"status": "ok"})
    assert answer.value("content-type") == "application/json"
    assert answer.value("cache-control") == "no-store"
    head = client.ask("/weir/health", "HEAD")
    assert (head.status, head.value("content-length")) == (200, str(len(answer.body)))
    lines = proxy.log_lines(2)
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("GET", "/weir/health", 200),
        ("HEAD", "/weir/health", 200),
    ]
    assert "reason" not in lines[0] and "server" not in lines[0]


@pytest.mark.parametrize("target", ["/weir/health?x=1", "/weir//health", "/weir/%68ealth", "/x/../weir/./health"])
def test_the_path_is_compared_in_its_normal_form(client, target):
    assert client.ask(target).json == {"status": "ok"}


@pytest.mark.parametrize("target", ["/weir/healthz", "/weir/health/", "/WEIR/health", "/", "/weir%2Fhealth"])
def test_other_paths_are_the_apps(client, target):
    assert client.ask(target).body == b"the app's"


def test_other_methods_are_refused(client):
    for method in ("POST", "DELETE", "OPTIONS"):
        answer = assert_problem(client.ask("/weir/health", method), 405, "method_not_allowed")
        assert answer.value("allow") == "GET, HEAD"


def test_health_costs_no_quota_and_no_route_takes_it(weir, connect, upstream):
    routes = [{"match": {"path": "/*"}, "methods": ["POST"]}]
    proxy = weir(upstream(answering()), public=HEALTH, limits={"rate": ["1/hour"]}, routes=routes)
    client = connect(proxy)
    assert [client.ask("/weir/health").status for _ in range(5)] == [200] * 5
    assert [client.ask("/", "POST", body=b"x").status for _ in range(2)] == [200, 429]
    answer = connect(proxy).ask("/weir/health")
    assert answer.status == 200
    assert "ratelimit" not in answer.names
    assert "route" not in proxy.log_lines(1)[0]


def test_health_says_that_weir_drains(weir, connect, upstream):
    proxy = weir(upstream(answering()), public=HEALTH)
    client = connect(proxy)
    assert client.ask().status == 200
    client.send(b"GET /weir/health HTTP/1.1\r\nHost: weir.test\r\n")
    proxy.signal(signal.SIGTERM)
    eventually(lambda: not listening_ports(proxy.pid), what="weir drains")
    client.send(b"\r\n")
    answer = client.response()
    assert (answer.status, answer.json) == (503, {"status": "draining"})
    assert answer.value("connection") == "close"
    assert proxy.log_lines(2)[1]["reason"] == "draining"


def test_a_page_of_another_origin_may_ask(weir, connect, upstream):
    client = connect(weir(upstream(answering()), public=HEALTH, cors={"origins": ["https://page.example"]}))
    answer = client.ask("/weir/health", fields={"Origin": "https://page.example"})
    assert answer.value("access-control-allow-origin") == "https://page.example"


def test_a_body_that_nobody_wants_ends_the_connection(client):
    client.request("/weir/health", fields={"Content-Length": 5})
    answer = client.response()
    assert (answer.status, answer.value("connection")) == (200, "close")


STATS = {"queue_stats": "/weir/queue"}


def test_the_queue_s_figures_are_told(weir, connect, upstream):
    def holding(connection):
        while request := connection.request():
            app.released.wait()
            connection.answer(method=request.method)

    app = upstream(holding)
    proxy = weir(app, public=STATS, limits={"concurrency": 4, "queue": {"size": 10, "wait": "10s"}})
    asker = connect(proxy)

    def figures():
        return asker.ask("/weir/queue").json

    assert figures() == {
        "activeProcesses": 0,
        "queuedTasks": 0,
        "totalProcessed": 0,
        "peakQueueSize": 0,
        "utilizationPercent": 0,
    }
    clients = [connect(proxy).request() for _ in range(3)]
    eventually(lambda: figures()["utilizationPercent"] == 75)
    clients += [connect(proxy).request() for _ in range(4)]
    eventually(lambda: figures()["queuedTasks"] == 3)
    busy = figures()
    assert (busy["activeProcesses"], busy["peakQueueSize"], busy["utilizationPercent"]) == (4, 3, 100)
    app.release()
    assert [client.response().status for client in clients] == [200] * 7
    assert figures() == {**busy, "activeProcesses": 0, "queuedTasks": 0, "totalProcessed": 7, "utilizationPercent": 0}


def test_without_a_global_cap_the_routes_caps_are_added_up(weir, connect, upstream):
    routes = [{"match": {"path": f"/{name}"}, "limits": {"concurrency": 2}} for name in ("a", "b")]
    client = connect(weir(upstream(answering()), public=STATS, routes=routes))
    for path in ("/a", "/b", "/b", "/free"):
        assert client.ask(path).status == 200
    assert client.ask("/weir/queue").json["totalProcessed"] == 3


def test_without_any_cap_there_is_nothing_to_tell(weir, connect, upstream):
    client = connect(weir(upstream(answering()), public=STATS))
    client.ask()
    assert set(client.ask("/weir/queue").json.values()) == {0}
