"""Things that happen at the same moment, as seen by the proxy: it is stopped while both sides act, and then goes on."""

import signal
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.message import CutShort
from harness.poll import eventually
from harness.upstream import answering

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"


def thread_states(pid):
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        yield stat.read_text().rpartition(")")[2].split()[0]


@contextmanager
def stopped(proxy):
    proxy.signal(signal.SIGSTOP)
    eventually(lambda: set(thread_states(proxy.pid)) == {"T"}, what="every thread stands still")
    try:
        yield
    finally:
        proxy.signal(signal.SIGCONT)


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
        with stopped(proxy):
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
    with stopped(proxy):
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
    with stopped(proxy):
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
    with stopped(proxy):
        app.release()
        assert app.connections[0].is_over.wait(10)
    assert client.to_end() in (b"last words", b"")


def test_a_burst_of_requests_on_many_connections(weir, connect, upstream):
    app = upstream(answering())
    proxy = weir(app)
    clients = [connect(proxy) for _ in range(100)]
    with stopped(proxy):
        for client in clients:
            client.request("/", "POST", body=b"x" * 3000)
    assert [client.response().status for client in clients] == [200] * 100
    assert len(app.requests) == 100


def test_a_pipeline_and_its_end(weir, connect, upstream):
    """A client that leaves is owed nothing, but what its requests left behind must be in order."""
    app = upstream(answering())
    proxy = weir(app)
    client = connect(proxy)
    with stopped(proxy):
        client.send(b"GET /gone HTTP/1.1\r\nHost: a\r\n\r\n" * 50)
        client.reset()
    assert connect(proxy).ask("/after").status == 200
