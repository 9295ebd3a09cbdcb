"""Connections to the app are kept, reused and given up at the right time, and no request is lost or doubled by it."""

import random
import threading
import time
from collections import Counter

import pytest

from harness.poll import Stopwatch, eventually
from harness.upstream import answering

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def all_requests(app):
    return [
        (connection.number, request.method, request.target)
        for connection in app.connections
        for request in connection.requests
    ]


class Gate:
    """A script that answers a request only when the test lets it: open(target)."""

    def __init__(self):
        self._open = {}
        self._lock = threading.Lock()

    def open(self, target):
        self._event(target).set()

    def _event(self, target):
        with self._lock:
            return self._open.setdefault(target, threading.Event())

    def __call__(self, connection):
        while request := connection.request():
            self._event(request.target).wait(10)
            connection.answer(str(connection.number).encode())


@pytest.fixture
def two_pooled(weir, connect, upstream):
    """two_pooled(**pool): a proxy with two connections to the app that have just become idle, number 1 last."""

    def make(**pool):
        gate = Gate()
        app = upstream(gate)
        proxy = weir(app, upstream={"pool": pool})
        clients = [connect(proxy) for _ in range(2)]
        for number in (0, 1):
            clients[number].request(f"/{number}")
            app.wait_for_requests(number + 1)
        for number in (0, 1):
            gate.open(f"/{number}")
            assert clients[number].response().body == b"%d" % number
        gate.open("/next")
        return app, clients[0]

    return make


def test_requests_one_after_the_other_share_a_connection(weir, connect, upstream):
    app = upstream(answering())
    proxy = weir(app)
    for _ in range(5):
        client = connect(proxy)
        for _ in range(5):
            client.ask()
        client.close()
    assert len(app.connections) == 1


def test_the_most_recently_used_connection_is_taken_first(two_pooled):
    _, client = two_pooled(max_idle=8)
    for _ in range(5):
        assert client.ask("/next").body == b"1"


def test_no_more_than_max_idle_connections_are_kept(two_pooled):
    app, _ = two_pooled(max_idle=1)
    eventually(
        lambda: sum(connection.is_over.is_set() for connection in app.connections) == 1, what="one of the two is closed"
    )


def test_with_max_idle_0_none_is_kept(weir, connect, upstream):
    app = upstream(answering())
    client = connect(weir(app, upstream={"pool": {"max_idle": 0}}))
    for _ in range(3):
        client.ask()
    assert len(app.connections) == 3


def test_a_connection_is_given_up_after_max_requests(weir, connect, upstream):
    app = upstream(answering())
    client = connect(weir(app, upstream={"pool": {"max_requests": 3}}))
    for _ in range(7):
        client.ask()
    assert [len(connection.requests) for connection in app.connections] == [3, 3, 1]


def test_a_connection_is_given_up_after_max_age(weir, connect, upstream):
    app = upstream(answering())
    client = connect(weir(app, upstream={"pool": {"max_age": "1s"}}))
    eventually(lambda: client.ask().status == 200 and len(app.connections) > 1, within=5, what="a second connection")


def test_an_idle_connection_is_closed_after_idle_timeout(weir, connect, upstream):
    app = upstream(answering())
    connect(weir(app, upstream={"pool": {"idle_timeout": "200ms"}})).ask()
    eventually(app.connections[0].is_over.is_set, within=5)


def test_a_stated_keep_alive_timeout_is_run_ahead_of(weir, connect, upstream):
    """The app says 3 s: weir closes first, so that no request can meet the app's close."""
    app = upstream(answering(fields={"Keep-Alive": "timeout=3, max=100"}))
    client = connect(weir(app))
    client.ask()
    with Stopwatch() as watch:
        eventually(app.connections[0].is_over.is_set, within=6)
    assert watch.seconds < 3
    assert client.ask().status == 200


def test_connection_close_of_the_app_is_honoured(weir, connect, upstream):
    def script(connection):
        connection.request()
        connection.answer(fields={"Connection": "close"})
        connection.wait_for_close()

    app = upstream(script)
    client = connect(weir(app))
    for _ in range(3):
        assert client.ask().value("connection") != "close", "that is between weir and the app"
    eventually(lambda: all(connection.is_over.is_set() for connection in app.connections))
    assert len(app.connections) == 3


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_app_that_closes_idle_connections_is_not_asked_on_a_dead_one(weir, connect, upstream, method):
    def script(connection):
        connection.request()
        connection.answer()

    app = upstream(script)
    client = connect(weir(app))
    for number in range(50):
        assert client.ask("/", method, body=b"once" if method == "POST" else None).status == 200
        eventually(app.connections[number].is_over.is_set)
    assert len(app.requests) == 50


def one_answer_then(ending):
    """Answers one request, reads another, and then ends without a byte of an answer."""

    def script(connection):
        connection.request()
        connection.send(OK)
        connection.request()
        ending(connection)

    return script


ENDINGS = {"closed": lambda connection: connection.close(), "reset": lambda connection: connection.reset()}
endings = pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())


@endings
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_the_keep_alive_race_is_invisible_to_idempotent_requests(weir, connect, upstream, ending, method):
    app = upstream([one_answer_then(ending), answering(b"again")])
    client = connect(weir(app))
    client.ask("/first")
    assert client.ask("/second", method).status == 200
    assert all_requests(app) == [(0, "GET", "/first"), (0, method, "/second"), (1, method, "/second")]


@endings
def test_a_held_body_is_sent_again_with_its_request(weir, connect, upstream, ending):
    app = upstream([one_answer_then(ending), answering(b"again")])
    client = connect(weir(app))
    client.ask("/first")
    assert client.ask("/second", "PUT", body=b"b" * 5000).body == b"again"
    assert app.connections[1].requests[0].body == b"b" * 5000


@endings
@pytest.mark.parametrize("method", ["POST", "PATCH", "X-OWN"])
def test_a_request_that_is_not_idempotent_is_never_sent_twice(weir, connect, upstream, ending, method):
    app = upstream([one_answer_then(ending), answering(b"again")])
    client = connect(weir(app))
    client.ask("/first")
    client.request("/order", method, body=b"one coffee").assert_problem(502, "upstream_reset")
    assert all_requests(app) == [(0, "GET", "/first"), (0, method, "/order")]
    assert client.ask("/after").body == b"again"


@endings
def test_a_fresh_connection_that_ends_without_an_answer_is_an_error(weir, connect, upstream, ending):
    def script(connection):
        connection.request()
        ending(connection)

    app = upstream(script)
    connect(weir(app)).request().assert_problem(502, "upstream_reset")
    assert len(app.requests) <= 2


HALF_ANSWERS = {
    "within its head": b"HTTP/1.1 200 OK\r\nContent-",
    "behind its head": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
}


@endings
@pytest.mark.parametrize("half", HALF_ANSWERS.values(), ids=HALF_ANSWERS.keys())
@pytest.mark.parametrize("is_reused", [False, True], ids=["fresh", "reused"])
def test_an_app_that_dies_before_the_body_of_its_answer_is_asked_again_where_that_is_harmless(
    weir, connect, upstream, ending, half, is_reused
):
    """As Python's servers do, which write head and body apart: nothing has reached the client yet."""

    def dying(connection):
        if is_reused:
            connection.request()
            connection.send(OK)
        connection.request()
        connection.send(half)
        ending(connection)

    def ask(method):
        app = upstream([dying, answering(b"again")])
        client = connect(weir(app))
        if is_reused:
            client.ask("/first")
        return app, client.ask("/second", method, body=b"")

    app, answer = ask("GET")
    assert (answer.status, answer.body) == (200, b"again")
    assert len(app.connections) == 2
    app, answer = ask("POST")
    assert (answer.status, answer.json["reason"]) == (502, "upstream_reset")
    assert len(app.connections) == 1


def test_a_head_waits_only_for_a_moment_for_its_body(weir, connect, upstream):
    def script(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        app.released.wait(10)
        connection.send(b"body")
        connection.request()
        connection.answer(b"next")

    app = upstream(script)
    client = connect(weir(app)).request()
    with Stopwatch() as watch:
        head = client.head()
    assert watch.seconds < 1
    app.release()
    assert (head.status, client.exactly(4)) == (200, b"body")
    assert client.ask().body == b"next"
    assert len(app.connections) == 1


def test_apps_that_close_at_the_worst_moment_lose_no_request(weir, connect, upstream):
    """Each connection ends by itself right behind its third answer, while the next request is on its way."""

    def script(connection):
        for _ in range(3):
            if connection.request():
                connection.answer()

    app = upstream(script)
    proxy = weir(app)
    statuses = []

    def ask_often():
        client = connect(proxy)
        statuses.extend(client.ask().status for _ in range(100))

    threads = [threading.Thread(target=ask_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 400
    assert len(app.requests) == 400


@endings
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_thousand_races_with_an_app_that_closes_just_when_the_next_request_comes(
    weir, connect, upstream, ending, method
):
    """App and clients pause for as long as each other, give or take a millisecond: some closes come first, some later."""
    pauses = random.Random(1000)

    def script(connection):
        if connection.request():
            connection.answer(method=method)
            time.sleep(pauses.uniform(0, 0.002))
            ending(connection)

    app = upstream(script)
    proxy = weir(app)
    statuses = []

    def ask_often(number):
        client = connect(proxy)
        for order in range(250):
            body = b"once" if method == "POST" else None
            statuses.append(client.ask(f"/{number}/{order}", method, body=body).status)
            time.sleep(pauses.uniform(0, 0.002))

    threads = [threading.Thread(target=ask_often, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run = Counter(request.target for request in app.requests)
    if method == "GET":
        assert statuses == [200] * 1000
    else:
        # What the app had in its hands as it closed may have been done, for all that weir can know.
        assert len(statuses) == 1000 and set(statuses) == {200, 502}
        assert max(run.values()) == 1, "an order was run twice"
        assert len(run) == statuses.count(200)


def test_connections_opened_ahead_of_need_are_there_before_the_first_request(weir, upstream):
    app = upstream(answering())
    weir(app, upstream={"pool": {"min_idle": 2}})
    app.wait_for_connections(2)


def test_weir_learns_when_the_app_closes_and_is_earlier(weir, connect, upstream):
    """The app closes what was idle for 1 s and announces nothing: what was idle for 0.9 s is not used then."""

    def impatient(connection):
        while connection.request():
            connection.answer()
            if not connection.buffer and not connection.is_readable(within=1.0):
                return

    app = upstream(impatient)
    client = connect(weir(app))
    for count in range(1, 4):
        assert client.ask().status == 200
        eventually(app.connections[-1].is_over.is_set)
        assert len(app.connections) == count
    eventually(lambda: uses_a_new_connection_after(0.9, client, app), within=20)


def uses_a_new_connection_after(pause, client, app):
    assert client.ask().status == 200
    before = len(app.connections)
    with Stopwatch() as watch:
        eventually(lambda: watch.so_far > pause)
    was_open = not app.connections[-1].is_over.is_set()
    assert client.ask().status == 200
    return was_open and len(app.connections) > before
