"""What is too large, too long or too much is refused with its own name, and costs the app nothing."""

import pytest

from harness.poll import eventually
from harness.upstream import answering
from harness.wire import Closed


def test_a_body_of_just_the_limit_passes(weir, connect, upstream):
    app = upstream(answering())
    client = connect(weir(app, limits={"body": "1000B"}))
    assert client.ask("/", "POST", body=b"x" * 1000).status == 200


def test_an_announced_body_over_the_limit_never_reaches_the_app(weir, connect, upstream):
    app = upstream(answering())
    client = connect(weir(app, limits={"body": "1000B"}))
    client.request("/", "POST", {"Content-Length": 1001}).assert_problem(413, "body_too_large")
    assert not app.connections


def test_what_a_terminal_shows_of_a_refusal_ends_in_a_newline(weir, connect, upstream):
    client = connect(weir(upstream(answering()), limits={"body": "1000B"}))
    answer = client.request("/", "POST", {"Content-Length": 1001}).assert_problem(413, "body_too_large")
    assert answer.body.endswith(b"}\n")


def test_a_refused_upload_is_not_invited_by_100_continue(weir, connect, upstream):
    client = connect(weir(upstream(answering()), limits={"body": "1000B"}))
    client.request("/", "POST", {"Expect": "100-continue", "Content-Length": 1001}).assert_problem(
        413, "body_too_large"
    )


@pytest.mark.parametrize("limit", [1000, 200_000], ids=["held", "streamed"])
def test_a_chunked_body_over_the_limit_never_looks_whole_to_the_app(weir, connect, upstream, limit):
    app = upstream(answering())
    client = connect(weir(app, limits={"body": f"{limit}B"}))
    client.request("/", "POST", {"Transfer-Encoding": "chunked"})
    client.send_if_possible(b"%x\r\n%s\r\n" % (limit, b"x" * limit) + b"1\r\nx\r\n0\r\n\r\n")
    client.assert_problem(413, "body_too_large")
    client.assert_closed()
    assert not app.requests


def test_the_refusal_of_a_large_body_survives_its_sender(weir, connect, upstream):
    client = connect(weir(upstream(answering()), limits={"body": "1000B"}))
    client.request("/", "POST", {"Content-Length": 5_000_000})
    client.send_if_possible(b"x" * 300_000)
    client.assert_problem(413, "body_too_large")


def test_a_target_over_the_limit(weir, connect, upstream):
    app = upstream(answering())
    proxy = weir(app, limits={"uri": "100B"})
    assert connect(proxy).ask("/" + "x" * 99).status == 200
    connect(proxy).request("/" + "x" * 100).assert_problem(414, "uri_too_long")
    assert len(app.requests) == 1


def test_a_target_that_never_ends(weir, connect, upstream):
    client = connect(weir(upstream(answering())))
    client.send_if_possible(b"GET /" + b"x" * 9000)
    client.assert_problem(414, "uri_too_long")


def test_a_head_over_the_limit(weir, connect, upstream):
    app = upstream(answering())
    proxy = weir(app, limits={"header": "1KiB", "uri": "512B"})
    assert connect(proxy).ask(fields={"X": "x" * 900}).status == 200
    connect(proxy).request(fields={"X": "x" * 1000}).assert_problem(431, "header_too_large")
    assert len(app.requests) == 1


def test_a_head_that_never_ends(weir, connect, upstream):
    client = connect(weir(upstream(answering())))
    client.send_if_possible(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: x\r\n" * 20_000)
    client.assert_problem(431, "header_too_large")


def test_too_many_fields(weir, connect, upstream):
    proxy = weir(upstream(answering()), limits={"headers": 10})
    fields = [(f"X-{number}", "x") for number in range(10)]
    assert connect(proxy).ask(fields=fields[:9]).status == 200
    connect(proxy).request(fields=fields).assert_problem(431, "header_too_large")


def is_served(client):
    try:
        return client.ask().status == 200
    except (Closed, OSError):
        return False


def test_a_connection_over_max_connections_is_closed_at_once(weir, connect, upstream):
    proxy = weir(upstream(answering()), clients={"max_connections": 3})
    clients = [connect(proxy) for _ in range(3)]
    assert all(is_served(client) for client in clients)
    connect(proxy).assert_closed()
    clients[0].close()
    eventually(lambda: is_served(connect(proxy)), what="room again")
    assert is_served(clients[1])


def test_a_connection_over_max_connections_per_ip_is_closed_at_once(weir, connect, upstream):
    proxy = weir(upstream(answering()), clients={"max_connections_per_ip": 2})
    mine = [connect(proxy, source="127.0.0.2") for _ in range(2)]
    assert all(is_served(client) for client in mine)
    connect(proxy, source="127.0.0.2").assert_closed()
    assert is_served(connect(proxy, source="127.0.0.3")), "another address has its own share"
    mine[0].close()
    eventually(lambda: is_served(connect(proxy, source="127.0.0.2")), what="room again")


def test_over_the_memory_bound_requests_are_refused_until_memory_comes_back(weir, connect, stage):
    """An app that cannot be connected to leaves all bodies with the proxy, for as long as `timeout.connect`."""
    proxy = weir(
        stage.deaf_upstream(),
        upstream={"hold": "0s"},
        limits={"memory": "1MiB"},
        buffers={"request": "256KiB"},
        timeout={"connect": "3s"},
    )
    for _ in range(12):
        connect(proxy).request("/", "POST", {"Content-Length": 200_000}).send_if_possible(b"x" * 200_000)

    def is_refused():
        client = connect(proxy).request()
        return client.is_readable(within=0.1) and client.assert_problem(503, "overloaded")

    assert eventually(is_refused, within=2.5).value("retry-after")
    client = connect(proxy)
    eventually(lambda: client.ask().status == 502, what="requests are let in again")
