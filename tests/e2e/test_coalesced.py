"""Things that happen at the same moment, as seen by the proxy: it is stopped while both sides act, and then goes on."""

import signal
from collections import Counter

import pytest

from harness.message import CutShort
from harness.poll import Stopwatch, eventually
from harness.process import listening_ports, unread_bytes
from harness.upstream import answering

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"


@pytest.fixture
def answered_while_stopped(weir, connect, upstream):
    """answered_while_stopped(said, ending): the client, whose request the app answered so while the proxy stood still."""

    def play(said, ending):
        def script(connection):
            connection.request()
            app.released.wait(10)
            connection.send(said)
            ending(connection)

        app = upstream(script)
        proxy = weir(app)
        client = connect(proxy).request()
        app.wait_for_requests(1)
        with proxy.stopped():
            app.release()
            assert app.connections[0].is_over.wait(10)
        return client

    return play


def reset(connection):
    connection.reset()


def close(connection):
    connection.close()


endings = pytest.mark.parametrize("ending", [close, reset])


@endings
def test_a_whole_answer_and_the_apps_end(answered_while_stopped, ending):
    assert answered_while_stopped(OK + b"0123456789", ending).response().body == b"0123456789"


@endings
def test_half_a_head_and_the_apps_end(answered_while_stopped, ending):
    answered_while_stopped(b"HTTP/1.1 200 OK\r\nContent-", ending).assert_problem(502, "upstream_reset")


@endings
def test_half_a_body_and_the_apps_end(answered_while_stopped, ending):
    with pytest.raises(CutShort):
        answered_while_stopped(OK + b"01234", ending).response()


@endings
@pytest.mark.parametrize("part", [b"x" * 1000, b"x" * 200_000], ids=["held", "streamed"])
def test_half_an_upload_and_the_clients_end(weir, connect, upstream, ending, part):
    app = upstream(answering())
    proxy = weir(app)
    client = connect(proxy)
    with proxy.stopped():
        client.request("/", "POST", {"Content-Length": 1_000_000})
        client.send(part)
        ending(client)
    assert connect(proxy).ask().status == 200
    uploads = [connection for connection in app.connections if connection.received.startswith(b"POST")]
    eventually(lambda: all(connection.is_over.is_set() for connection in uploads), what="the app is told")
    assert [request.method for request in app.requests] == ["GET"]


def closes_when_told(app_of):
    def script(connection):
        connection.request()
        connection.answer()
        app_of().released.wait(10)

    return script


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("first", ["the app closes", "the client asks"])
def test_an_idle_connection_that_ends_just_when_a_request_comes(weir, connect, upstream, method, first):
    app = upstream([closes_when_told(lambda: app), answering(b"fresh")])
    proxy = weir(app)
    client = connect(proxy)
    client.ask("/first")
    body = b"once" if method == "POST" else None
    with proxy.stopped():
        if first == "the client asks":
            client.request("/second", method, body=body)
        app.release()
        assert app.connections[0].is_over.wait(10)
        if first == "the app closes":
            client.request("/second", method, body=body)
    assert client.response().body == b"fresh"
    assert [request.target for request in app.requests] == ["/first", "/second"]


@endings
def test_the_last_bytes_of_a_tunnel_and_its_end(weir, connect, upstream, ending):
    def script(connection):
        connection.request()
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
        app.released.wait(10)
        connection.send(b"last words")
        ending(connection)

    app = upstream(script)
    proxy = weir(app)
    client = connect(proxy)
    assert client.ask(fields={"Connection": "Upgrade", "Upgrade": "raw"}).status == 101
    with proxy.stopped():
        app.release()
        assert app.connections[0].is_over.wait(10)
    assert client.to_end() in (b"last words", b"")


def test_a_burst_of_requests_on_many_connections(weir, connect, upstream):
    app = upstream(answering())
    proxy = weir(app)
    clients = [connect(proxy) for _ in range(100)]
    with proxy.stopped():
        for client in clients:
            client.request("/", "POST", body=b"x" * 3000)
    assert [client.response().status for client in clients] == [200] * 100
    assert len(app.requests) == 100


def test_a_pipeline_and_its_end(weir, connect, upstream):
    """A client that leaves is owed nothing, but what its requests left behind must be in order."""
    app = upstream(answering())
    proxy = weir(app)
    client = connect(proxy)
    with proxy.stopped():
        client.send(b"GET /gone HTTP/1.1\r\nHost: a\r\n\r\n" * 50)
        client.reset()
    assert connect(proxy).ask("/after").status == 200


@pytest.fixture
def answering_when_told(weir, connect, upstream):
    """answering_when_told(clients): the proxy and as many clients, whose answers the app sends in tell()."""

    class Told:
        def __init__(self, count, **settings):
            self.answered = []
            self.app = upstream(self._script)
            self.proxy = weir(self.app, **settings)
            self.clients = [connect(self.proxy).request("/held") for _ in range(count)]
            self.app.wait_for_requests(count)

        def _script(self, connection):
            while connection.request():
                self.app.released.wait(10)
                connection.answer(b"whole")
                self.answered.append(connection.number)

        def tell(self):
            self.app.release()
            eventually(lambda: len(self.answered) == len(self.clients), what="all are answered")

    return Told


def test_the_ends_of_answers_and_the_deadline(answering_when_told):
    """Either may come first, but one answer is what the client gets, and the connection serves on."""
    for _ in range(5):
        told = answering_when_told(40, workers=8, timeout={"total": "300ms"})
        told.app.release()  # at once, so that a worker may stop with answers in its hands
        with Stopwatch() as watch, told.proxy.stopped():
            eventually(lambda: len(told.answered) == 40 and watch.so_far > 0.5)
        statuses = Counter(client.response().status for client in told.clients)
        assert statuses.keys() <= {200, 504}
        assert {client.ask("/next").status for client in told.clients} == {200}
        assert Counter(line["status"] for line in told.proxy.log_lines(80) if line["path"] == "/held") == statuses


def test_the_ends_of_answers_and_a_second_signal(answering_when_told):
    told = answering_when_told(100, drain="30s")
    told.proxy.expected_codes = (0, -signal.SIGTERM, 128 + signal.SIGTERM)
    told.proxy.signal(signal.SIGTERM)
    eventually(lambda: not listening_ports(told.proxy.pid), what="the first signal was taken")
    with told.proxy.stopped():
        told.tell()
        told.proxy.signal(signal.SIGTERM)
    told.proxy.wait(5)
    assert len(told.proxy.raw_log(100)) == 100


@pytest.mark.parametrize("size", [0, 1000, 1_000_000], ids=["no body", "held", "streamed"])
def test_the_end_of_a_request_and_of_its_clients_side(weir, connect, upstream, size):
    """A client that has said all may say so at once: it still waits for the answer."""

    def script(connection):
        connection.request()
        app.released.wait(10)
        connection.answer(b"whole")

    app = upstream(script)
    proxy = weir(app)
    client = connect(proxy)
    early, late = max(0, size - 20_000), min(size, 20_000)
    if early:
        client.request("/", "POST", {"Content-Length": size})
        client.send(b"x" * early)
        eventually(lambda: app.connections and app.connections[0].received_bytes > early, what="most of it is there")
    with proxy.stopped():
        if early:
            client.send(b"x" * late)
        else:
            client.request("/", "POST", body=b"x" * late)
        client.half_close()
    app.wait_for_requests(1)
    client.assert_silent(0.2)
    app.release()
    assert client.response().body == b"whole"


def is_read_soon(client):
    with Stopwatch() as watch:
        while unread_bytes(client.sock) > 0:
            if watch.so_far > 0.3:
                return False
    return True


def test_the_end_of_an_upload_while_the_app_holds_it_up_and_of_its_clients_side(weir, connect, upstream):
    def script(connection):
        app.released.wait(50)
        connection.answer(b"%d" % len(connection.request().body))

    app = upstream(script, receive_buffer=16 << 10)
    client = connect(weir(app, limits={"body": "1GiB"}, timeout={"total": "60s"}))
    client.request("/", "POST", {"Transfer-Encoding": "chunked"})
    while is_read_soon(client):
        client.send(b"4000\r\n" + b"x" * 16384 + b"\r\n")
    client.send(b"0\r\n\r\n")
    client.half_close()
    client.assert_silent(0.2)
    app.release()
    assert client.response().status == 200


@pytest.mark.parametrize("over", ["tcp", "unix"])
def test_connections_and_the_words_of_an_app_that_speaks_first(weir, connect, upstream, tmp_path, over):
    busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy"
    path = tmp_path / "app.sock" if over == "unix" else None
    app = upstream(lambda connection: connection.wait_for_close(), path=path, greeting=busy)
    proxy = weir(app, timeout={"stall": "2s"})
    for _ in range(3):
        clients = [connect(proxy) for _ in range(100)]
        with proxy.stopped():
            for client in clients:
                client.request(fields={"X": "x" * 8000})
        assert [client.response().body for client in clients] == [b"busy"] * 100


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("known", [0, 100], ids=["of new clients", "of known clients"])
def test_requests_that_wait_in_the_kernel_and_the_signal_to_drain(weir, connect, upstream, workers, known):
    proxy = weir(upstream(answering()), workers=workers)
    clients = [connect(proxy) for _ in range(known)]
    for client in clients:
        client.ask("/before")
    with proxy.stopped():
        clients += [connect(proxy) for _ in range(100 - known)]
        for client in clients:
            client.request("/last")
        proxy.signal(signal.SIGTERM)
    assert [client.response().status for client in clients] == [200] * 100
    for client in clients:
        client.assert_closed()
    assert proxy.wait(5) == 0
