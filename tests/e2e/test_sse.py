"""Streams reach the client as they are made: each piece is there before the next one is."""

import threading

import pytest

from harness.poll import eventually
from harness.upstream import answering

PIECES = [b"data: %d\n\n" % number for number in range(20)]


class Relay:
    """An app that makes the next piece only when the test has seen the one before: a piece held back would hold all."""

    def __init__(self, head, wrap=lambda piece: piece, end=b""):
        self._head, self._wrap, self._end = head, wrap, end
        self._seen = threading.Semaphore(0)

    def seen(self):
        self._seen.release()

    def __call__(self, connection):
        connection.request()
        connection.send(self._head)
        for piece in PIECES:
            assert self._seen.acquire(timeout=10), "the client never saw the piece before"
            connection.send(self._wrap(piece))
        connection.send(self._end)


SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
TOTAL = sum(map(len, PIECES))


@pytest.mark.parametrize(
    "relay",
    [
        lambda: Relay(
            SSE + b"Transfer-Encoding: chunked\r\n\r\n",
            lambda piece: b"%x\r\n%s\r\n" % (len(piece), piece),
            b"0\r\n\r\n",
        ),
        lambda: Relay(SSE + b"\r\n"),
        lambda: Relay(SSE + b"Content-Length: %d\r\n\r\n" % TOTAL),
    ],
    ids=["chunked", "until the end", "known length"],
)
def test_no_piece_waits_for_the_next(weir, connect, upstream, relay):
    script = relay()
    client = connect(weir(upstream(script)))
    client.request("/events")
    client.head()  # before any piece was made
    for piece in PIECES:
        script.seen()
        client.until(piece)


def test_an_upload_is_passed_on_as_it_comes(weir, connect, upstream):
    """Behind what is read ahead, each piece reaches the app before the client makes the next one."""
    app = upstream(answering())
    client = connect(weir(app))
    client.request("/", "POST", {"Transfer-Encoding": "chunked"})
    sent = 0
    for _ in range(10):
        client.send(b"4E20\r\n" + b"x" * 20_000 + b"\r\n")
        sent += 20_000
        if sent > 100_000:
            eventually(
                lambda: app.connections and app.connections[0].received_bytes > sent, what=f"{sent} bytes at the app"
            )
    client.send(b"0\r\n\r\n")
    assert client.response().status == 200


def test_events_of_node_arrive_one_by_one_and_stop_with_the_client(weir, connect, app):
    proxy = weir(app("node"))
    client = connect(proxy).request("/events")
    assert client.head().value("content-type") == "text/event-stream"
    for number in range(5):
        assert client.chunk() == b"id: %d\ndata: tick\n\n" % number
    client.close()
    (line,) = proxy.log_lines(1)
    assert line["status"] in (200, 499)


def test_a_stream_may_outlive_the_stall_time_while_events_come(weir, connect, app):
    client = connect(weir(app("node"), timeout={"stall": "300ms"})).request("/events")
    client.head()
    for _ in range(15):
        assert client.chunk()
