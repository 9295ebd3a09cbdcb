"""RFC 9113 by its sections: what is wrong ends the stream or the connection with the error it deserves, and what is
allowed passes. A stream error may be treated as one of the connection (5.4.2)."""

import pytest

from harness import h2
from harness.h2 import frame, number
from harness.upstream import answering
from harness.wire import Closed

MAX = 16384
GET = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")]


@pytest.fixture
def app(upstream):
    return upstream(answering(b"ok"))


@pytest.fixture
def client(weir, app, stage):
    proxy = weir(app)
    made = stage.keep(h2.H2Client(proxy.address))
    made.hear_until(lambda: made.settings is not None)
    return made


def fails(client, error, stream=None, wants_answer=None):
    """Listens until stream or connection have failed; with `error`, where they say with what."""
    errors = error if isinstance(error, tuple) else (error,)
    try:
        client.hear_until(lambda: client.goaways or (stream and client.streams[stream].reset is not None))
    except Closed:
        return
    if stream and client.streams[stream].reset is not None:
        assert client.streams[stream].reset in errors
    else:
        assert client.goaways[-1][1] in errors


def still_works(client):
    assert client.fetch("/after").status == 200


def opened(client):
    return client.open("/", "POST", ends=False)


def answered(client):
    stream = client.open("/")
    client.answer(stream)
    return stream


# ---- what fails the connection: section, what it is, what is sent, with what it fails
CONNECTION = [
    ("3.4", "a preface that is none", lambda c: c.send(b"INVALID CONNECTION PREFACE\r\n\r\n"), None),
    ("4.1", "a frame larger than was offered", lambda c: c.send(frame(h2.DATA, 0, opened(c), b"x" * (MAX + 1))), h2.FRAME_SIZE_ERROR),
    ("4.2", "a head larger than was offered", lambda c: c.send(frame(h2.HEADERS, 5, 1, c.block(fields={"x": "y"}) + b"\0" * MAX)), h2.FRAME_SIZE_ERROR),
    ("4.3", "a head that does not unpack", lambda c: c.send(frame(h2.HEADERS, 5, 1, b"\xff\xff\xff\xff\xff\xff\xff")), h2.COMPRESSION_ERROR),
    ("4.3", "an index that is in no table", lambda c: c.send(frame(h2.HEADERS, 5, 1, b"\xbe")), h2.COMPRESSION_ERROR),
    ("4.3", "a head with another frame within", lambda c: c.send(frame(h2.HEADERS, 1, 1, c.block()) + frame(h2.PRIORITY, 0, 1, b"\0\0\0\0\1")), h2.PROTOCOL_ERROR),
    ("4.3", "a head with another stream's within", lambda c: c.send(frame(h2.HEADERS, 1, 1, c.block()) + frame(h2.HEADERS, 5, 3, c.block())), h2.PROTOCOL_ERROR),
    ("5.1", "DATA on an idle stream", lambda c: c.send(frame(h2.DATA, 1, 1, b"x")), (h2.PROTOCOL_ERROR, h2.STREAM_CLOSED)),
    ("5.1", "RST_STREAM on an idle stream", lambda c: c.send(frame(h2.RST_STREAM, 0, 1, number(8))), h2.PROTOCOL_ERROR),
    ("5.1", "WINDOW_UPDATE on an idle stream", lambda c: c.send(frame(h2.WINDOW_UPDATE, 0, 1, number(8))), h2.PROTOCOL_ERROR),
    ("5.1", "CONTINUATION on an idle stream", lambda c: c.send(frame(h2.CONTINUATION, 4, 1, c.block())), h2.PROTOCOL_ERROR),
    ("5.1.1", "an even stream", lambda c: c.send(frame(h2.HEADERS, 5, 2, c.block())), h2.PROTOCOL_ERROR),
    ("6.1", "DATA on stream 0", lambda c: c.send(frame(h2.DATA, 1, 0, b"x")), h2.PROTOCOL_ERROR),
    ("6.1", "DATA with more padding than payload", lambda c: c.send(frame(h2.DATA, h2.PADDED, opened(c), b"\x05abc")), h2.PROTOCOL_ERROR),
    ("6.2", "HEADERS on stream 0", lambda c: c.send(frame(h2.HEADERS, 5, 0, c.block())), h2.PROTOCOL_ERROR),
    ("6.2", "HEADERS with more padding than payload", lambda c: c.send(frame(h2.HEADERS, 5 | h2.PADDED, 1, b"\xff" + c.block())), h2.PROTOCOL_ERROR),
    ("6.3", "PRIORITY on stream 0", lambda c: c.send(frame(h2.PRIORITY, 0, 0, b"\0\0\0\0\1")), h2.PROTOCOL_ERROR),
    ("6.4", "RST_STREAM on stream 0", lambda c: c.send(frame(h2.RST_STREAM, 0, 0, number(8))), h2.PROTOCOL_ERROR),
    ("6.4", "RST_STREAM of another size", lambda c: c.send(frame(h2.RST_STREAM, 0, opened(c), b"\0\0\0")), h2.FRAME_SIZE_ERROR),
    ("6.5", "an acknowledgement of settings with content", lambda c: c.send(frame(h2.SETTINGS, h2.ACK, 0, b"\0" * 6)), h2.FRAME_SIZE_ERROR),
    ("6.5", "settings of a stream", lambda c: c.send(frame(h2.SETTINGS, 0, 1)), h2.PROTOCOL_ERROR),
    ("6.5", "settings of another size", lambda c: c.send(frame(h2.SETTINGS, 0, 0, b"\0\0\0")), h2.FRAME_SIZE_ERROR),
    ("6.5.2", "ENABLE_PUSH that is no flag", lambda c: c.send(frame(h2.SETTINGS, 0, 0, h2.settings({h2.ENABLE_PUSH: 2}))), h2.PROTOCOL_ERROR),
    ("6.5.2", "a window past the largest", lambda c: c.send(frame(h2.SETTINGS, 0, 0, h2.settings({h2.INITIAL_WINDOW_SIZE: 1 << 31}))), h2.FLOW_CONTROL_ERROR),
    ("6.5.2", "frames below the least size", lambda c: c.send(frame(h2.SETTINGS, 0, 0, h2.settings({h2.MAX_FRAME_SIZE: 16383}))), h2.PROTOCOL_ERROR),
    ("6.5.2", "frames past the largest size", lambda c: c.send(frame(h2.SETTINGS, 0, 0, h2.settings({h2.MAX_FRAME_SIZE: 1 << 24}))), h2.PROTOCOL_ERROR),
    ("6.6", "a push by the client", lambda c: c.send(frame(h2.PUSH_PROMISE, 4, opened(c), number(2) + c.block())), h2.PROTOCOL_ERROR),
    ("6.7", "PING on a stream", lambda c: c.send(frame(h2.PING, 0, 1, b"12345678")), h2.PROTOCOL_ERROR),
    ("6.7", "PING of another size", lambda c: c.send(frame(h2.PING, 0, 0, b"123456")), h2.FRAME_SIZE_ERROR),
    ("6.8", "GOAWAY on a stream", lambda c: c.send(frame(h2.GOAWAY, 0, 1, b"\0" * 8)), h2.PROTOCOL_ERROR),
    ("6.9", "a window of the connection opened by nothing", lambda c: c.open_window(0, 0), h2.PROTOCOL_ERROR),
    ("6.9", "WINDOW_UPDATE of another size", lambda c: c.send(frame(h2.WINDOW_UPDATE, 0, 0, b"\0\0\1")), h2.FRAME_SIZE_ERROR),
    ("6.9.1", "the connection's window past the largest", lambda c: c.send(frame(h2.WINDOW_UPDATE, 0, 0, number(0x7FFFFFFF))), h2.FLOW_CONTROL_ERROR),
    ("6.9.1", "a stream's window past the largest", lambda c: c.open_window(opened(c), 0x7FFFFFFF), h2.FLOW_CONTROL_ERROR),
    ("6.9.2", "settings that push a stream's window past the largest", lambda c: (c.open_window(opened(c), 1), c.send(frame(h2.SETTINGS, 0, 0, h2.settings({h2.INITIAL_WINDOW_SIZE: 0x7FFFFFFF})))), h2.FLOW_CONTROL_ERROR),
    ("6.10", "CONTINUATION behind a whole head", lambda c: c.send(frame(h2.CONTINUATION, 4, opened(c), c.block())), h2.PROTOCOL_ERROR),
    ("6.10", "CONTINUATION on stream 0", lambda c: c.send(frame(h2.HEADERS, 1, 1, c.block()) + frame(h2.CONTINUATION, 4, 0, b"")), h2.PROTOCOL_ERROR),
    ("RFC 7541, 4.2", "a table that grows past what was offered", lambda c: c.send(frame(h2.HEADERS, 5, 1, b"\x3f\xff\xff\x03" + c.block())), h2.COMPRESSION_ERROR),
    ("RFC 7541, 5.2", "Huffman padding that is too long", lambda c: c.send(frame(h2.HEADERS, 5, 1, c.block() + b"\x00\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff")), h2.COMPRESSION_ERROR),
    ("RFC 7541, 6.1", "index 0", lambda c: c.send(frame(h2.HEADERS, 5, 1, c.block() + b"\x80")), h2.COMPRESSION_ERROR),
]


@pytest.mark.parametrize("section, what, send, error", CONNECTION, ids=[f"{row[0]} {row[1]}" for row in CONNECTION])
def test_what_fails_the_connection(weir, app, stage, client, section, what, send, error):
    if section == "3.4":
        client = stage.connect(client.sock.getpeername()[:2])
        send(client)
        assert client.response().status == 400
        return
    send(client)
    fails(client, error)
    assert client.goaways
    assert all(request.target != "/after" for request in app.requests)


# ---- what fails the stream; each gives its number
STREAM = [
    ("5.1", "DATA behind the end", lambda c: behind_the_end(c, frame(h2.DATA, 1, 1, b"x")), h2.STREAM_CLOSED),
    ("5.1", "HEADERS behind the end", lambda c: behind_the_end(c, frame(h2.HEADERS, 5, 1, c.encoder.encode([("x", "y")]))), h2.STREAM_CLOSED),
    ("5.3.1", "a stream that depends on itself", lambda c: self_dependent(c), h2.PROTOCOL_ERROR),
    ("6.3", "PRIORITY of another size", lambda c: send_on(c, opened(c), frame(h2.PRIORITY, 0, 1, b"\0\0\0\1")), h2.FRAME_SIZE_ERROR),
    ("6.9", "a window opened by nothing", lambda c: send_on(c, opened(c), frame(h2.WINDOW_UPDATE, 0, 1, number(0))), h2.PROTOCOL_ERROR),
    ("8.1", "a second head that ends nothing", lambda c: send_on(c, opened(c), frame(h2.HEADERS, 4, 1, c.encoder.encode([("x", "y")]))), h2.PROTOCOL_ERROR),
    ("8.1", "a pseudo-header field in the trailers", lambda c: send_on(c, opened(c), frame(h2.HEADERS, 5, 1, c.encoder.encode([(":method", "GET")]))), h2.PROTOCOL_ERROR),
    ("8.1.1", "a length that is not reached", lambda c: sized(c, 5, b"four"), h2.PROTOCOL_ERROR),
    ("8.1.1", "a length that is passed", lambda c: sized(c, 3, b"four"), h2.PROTOCOL_ERROR),
    ("8.1.1", "a length that is passed in several frames", lambda c: sized(c, 5, b"four", b"four"), h2.PROTOCOL_ERROR),
    ("8.1.1", "a length without a body", lambda c: c.open("/", "POST", {"content-length": 5}), h2.PROTOCOL_ERROR),
    ("8.2", "an upper-case name", lambda c: raw_request(c, [*GET, (b"X-Name", b"v")]), h2.PROTOCOL_ERROR),
    ("8.2.1", "a line end in a value", lambda c: raw_request(c, [*GET, (b"x", b"a\r\nhost: b")]), h2.PROTOCOL_ERROR),
    ("8.2.1", "a NUL in a value", lambda c: raw_request(c, [*GET, (b"x", b"a\0b")]), h2.PROTOCOL_ERROR),
    ("8.2.1", "a line end alone in a value", lambda c: raw_request(c, [*GET, (b"x", b"a\nb")]), h2.PROTOCOL_ERROR),
    ("8.2.1", "a carriage return alone in a value", lambda c: raw_request(c, [*GET, (b"x", b"a\rb")]), h2.PROTOCOL_ERROR),
    ("8.2.1", "a line end in a name", lambda c: raw_request(c, [*GET, (b"x\r\nhost", b"b")]), h2.PROTOCOL_ERROR),
    ("8.2.1", "a NUL in a name", lambda c: raw_request(c, [*GET, (b"x\0y", b"b")]), h2.PROTOCOL_ERROR),
    ("8.2.1", "no name", lambda c: raw_request(c, [*GET, (b"", b"b")]), h2.PROTOCOL_ERROR),
    ("8.2.1", "a name that ends in white space", lambda c: raw_request(c, [*GET, (b"content-length ", b"5")]), h2.PROTOCOL_ERROR),
    ("8.2.1", "a value that goes on in another line", lambda c: raw_request(c, [*GET, (b"x", b"a\r\n b")]), h2.PROTOCOL_ERROR),
    ("8.2.1", "a tab behind a value", lambda c: raw_request(c, [*GET, (b"x", b"a\t")]), h2.PROTOCOL_ERROR),
    ("8.2.1", "a colon in a name", lambda c: raw_request(c, [*GET, (b"x:y", b"a")]), h2.PROTOCOL_ERROR),
    ("8.2.1", "white space around a value", lambda c: raw_request(c, [*GET, (b"x", b" a")]), h2.PROTOCOL_ERROR),
    ("8.2.2", "a field of the connection", lambda c: raw_request(c, [*GET, (b"connection", b"keep-alive")]), h2.PROTOCOL_ERROR),
    ("8.2.2", "a field of the connection to the proxy", lambda c: raw_request(c, [*GET, (b"proxy-connection", b"keep-alive")]), h2.PROTOCOL_ERROR),
    ("8.2.2", "a bound of the connection's time", lambda c: raw_request(c, [*GET, (b"keep-alive", b"timeout=5")]), h2.PROTOCOL_ERROR),
    ("8.2.2", "an upgrade", lambda c: raw_request(c, [*GET, (b"upgrade", b"websocket")]), h2.PROTOCOL_ERROR),
    ("8.2.2", "chunks", lambda c: raw_request(c, [*GET, (b"transfer-encoding", b"chunked")]), h2.PROTOCOL_ERROR),
    ("8.2.2", "TE other than trailers", lambda c: raw_request(c, [*GET, (b"te", b"trailers, deflate")]), h2.PROTOCOL_ERROR),
    ("8.3", "an unknown pseudo-header field", lambda c: raw_request(c, [*GET, (b":test", b"v")]), h2.PROTOCOL_ERROR),
    ("8.3", "a pseudo-header field of answers", lambda c: raw_request(c, [*GET, (b":status", b"200")]), h2.PROTOCOL_ERROR),
    ("8.3", "a pseudo-header field behind fields", lambda c: raw_request(c, [*GET[:3], (b"x", b"y"), GET[3]]), h2.PROTOCOL_ERROR),
    ("8.1.1", "two lengths", lambda c: c.open_raw([(":method", "POST"), *GET[1:], ("content-length", "4"), ("content-length", "5")], ends=False), h2.PROTOCOL_ERROR),
    ("8.1.1", "a length that is a list", lambda c: c.open_raw([(":method", "POST"), *GET[1:], ("content-length", "4, 5")], ends=False), h2.PROTOCOL_ERROR),
    ("8.1.1", "a length that is no number", lambda c: c.open_raw([(":method", "POST"), *GET[1:], ("content-length", "+4")], ends=False), h2.PROTOCOL_ERROR),
    ("8.1.1", "chunks in the trailers", lambda c: send_on(c, opened(c), frame(h2.HEADERS, 5, 1, c.encoder.encode([("transfer-encoding", "chunked")]))), h2.PROTOCOL_ERROR),
    ("8.3.1", "white space in the path", lambda c: raw_request(c, [*GET[:3], (b":path", b"/ HTTP/1.1")]), h2.PROTOCOL_ERROR),
    ("8.3.1", "a request in the path", lambda c: raw_request(c, [*GET[:3], (b":path", b"/\r\n\r\nGET\t/x")]), h2.PROTOCOL_ERROR),
    ("8.3.1", "a request in the method", lambda c: raw_request(c, [(b":method", b"GET / HTTP/1.1\r\n"), *GET[1:]]), h2.PROTOCOL_ERROR),
    ("8.3.1", "a field in the authority", lambda c: raw_request(c, [*GET[:2], (b":authority", b"a\r\nx:"), GET[3]]), h2.PROTOCOL_ERROR),
    ("8.3.1", "a field in the scheme", lambda c: raw_request(c, [GET[0], (b":scheme", b"http\r\nx:"), *GET[2:]]), h2.PROTOCOL_ERROR),
    ("8.3.1", "a path without its slash", lambda c: raw_request(c, [*GET[:3], (b":path", b"x")]), h2.PROTOCOL_ERROR),
    ("8.3.1", "the asterisk of OPTIONS for another method", lambda c: raw_request(c, [*GET[:3], (b":path", b"*")]), h2.PROTOCOL_ERROR),
    ("8.3.1", "no host at all", lambda c: raw_request(c, [*GET[:2], GET[3]]), h2.PROTOCOL_ERROR),
    ("8.3.1", "an empty authority", lambda c: raw_request(c, [*GET[:2], (b":authority", b""), GET[3], (b"host", b"a")]), h2.PROTOCOL_ERROR),
    ("8.3.1", "two hosts", lambda c: raw_request(c, [*GET, (b"host", b"a"), (b"host", b"a")]), h2.PROTOCOL_ERROR),
    ("8.3.1", "two schemes", lambda c: raw_request(c, [*GET, (b":scheme", b"http")]), h2.PROTOCOL_ERROR),
    ("8.3.1", "two authorities", lambda c: raw_request(c, [*GET, (b":authority", b"a")]), h2.PROTOCOL_ERROR),
    ("8.3.1", "another scheme", lambda c: raw_request(c, [GET[0], (b":scheme", b"ftp"), *GET[2:]]), h2.PROTOCOL_ERROR),
    ("8.3.1", "no method", lambda c: raw_request(c, GET[1:]), h2.PROTOCOL_ERROR),
    ("8.3.1", "no scheme", lambda c: raw_request(c, [GET[0], *GET[2:]]), h2.PROTOCOL_ERROR),
    ("8.3.1", "no path", lambda c: raw_request(c, GET[:3]), h2.PROTOCOL_ERROR),
    ("8.3.1", "an empty path", lambda c: raw_request(c, [*GET[:3], (b":path", b"")]), h2.PROTOCOL_ERROR),
    ("8.3.1", "two methods", lambda c: raw_request(c, [*GET, (b":method", b"GET")]), h2.PROTOCOL_ERROR),
    ("8.3.1", "two paths", lambda c: raw_request(c, [*GET, (b":path", b"/")]), h2.PROTOCOL_ERROR),
    ("8.3.1", "a host that differs", lambda c: raw_request(c, [*GET, (b"host", b"b")]), h2.PROTOCOL_ERROR),
    ("8.3.1", "userinfo", lambda c: raw_request(c, [*GET[:2], (b":authority", b"me@a"), GET[3]]), h2.PROTOCOL_ERROR),
    ("8.3.1", "a fragment", lambda c: raw_request(c, [*GET[:3], (b":path", b"/#x")]), h2.PROTOCOL_ERROR),
    ("8.3.1", "a path that is a URL", lambda c: raw_request(c, [*GET[:3], (b":path", b"http://b/")]), h2.PROTOCOL_ERROR),
    ("RFC 8441", "a WebSocket, which was not offered", lambda c: raw_request(c, [(b":method", b"CONNECT"), *GET[1:], (b":protocol", b"websocket")]), h2.PROTOCOL_ERROR),
]


def send_on(client, stream, bytes_):
    assert stream == 1
    client.send(bytes_)
    return stream


def behind_the_end(client, bytes_):
    """In one piece, so that no answer comes between."""
    client.send(frame(h2.HEADERS, 5, 1, client.block()) + bytes_)
    return 1


def self_dependent(client):
    client.send(frame(h2.HEADERS, 5 | h2.WITH_PRIORITY, 1, number(1) + b"\x10" + client.block()))
    return 1


def sized(client, length, *pieces):
    stream = client.open("/", "POST", {"content-length": length}, ends=False)
    for index, piece in enumerate(pieces):
        client.data(stream, piece, ends=index == len(pieces) - 1)
    return stream


def raw_request(client, pairs):
    return client.open_raw(pairs)


@pytest.mark.parametrize("section, what, send, error", STREAM, ids=[f"{row[0]} {row[1]}" for row in STREAM])
def test_what_fails_the_stream(app, client, section, what, send, error):
    stream = send(client)
    fails(client, error, stream)
    heard = client.streams[stream]
    if heard.fields and section.startswith("8"):
        assert dict(heard.fields)[":status"] == "400"
        assert not heard.has_ended
    if not client.goaways and not client.ended:
        still_works(client)
    assert not [request for request in app.requests if request.target != "/after" and section.startswith("8.")]


# ---- what passes
ALLOWED = [
    ("4.1", "a frame of an unknown kind", frame(0x16, 0, 0, b"abc")),
    ("4.1", "flags that mean nothing", frame(h2.PING, 0xFE, 0, b"12345678")),
    ("4.1", "the reserved bit", frame(h2.PING, 0, 0x80000000, b"12345678")),
    ("5.1", "PRIORITY on an idle stream", frame(h2.PRIORITY, 0, 9, b"\0\0\0\0\1")),
    ("5.5", "an unknown frame of an unknown stream", frame(0x77, 0xFF, 77, b"")),
    ("6.5.2", "a setting that nobody knows", frame(h2.SETTINGS, 0, 0, h2.settings({0xFF: 1}))),
    ("6.5.3", "settings in several frames", frame(h2.SETTINGS) * 3),
    ("6.7", "a PING that was answered unasked", frame(h2.PING, h2.ACK, 0, b"12345678")),
]


@pytest.mark.parametrize("section, what, bytes_", ALLOWED, ids=[f"{row[0]} {row[1]}" for row in ALLOWED])
def test_what_is_ignored(client, section, what, bytes_):
    client.send(bytes_)
    still_works(client)


def test_settings_and_pings_are_answered(client):
    client.send(frame(h2.SETTINGS, 0, 0, h2.settings({h2.INITIAL_WINDOW_SIZE: 70000})) + frame(h2.PING, 0, 0, b"abcdefgh"))
    client.hear_until(lambda: client.settings_acked == 2 and client.pongs)
    assert client.pongs == [b"abcdefgh"]


def test_a_head_may_come_in_padded_pieces_with_a_priority(client):
    block = client.block()
    padded = b"\x04" + number(0) + b"\x10" + block[:3] + b"\0" * 4
    client.send(frame(h2.HEADERS, 1 | h2.PADDED | h2.WITH_PRIORITY, 1, padded))
    client.send(frame(h2.CONTINUATION, 0, 1, block[3:8]) + frame(h2.CONTINUATION, 4, 1, block[8:]))
    assert client.answer(1).status == 200


def test_padded_data_is_its_payload_alone(client, app):
    stream = opened(client)
    client.send(frame(h2.DATA, 1 | h2.PADDED, stream, b"\x03abc\0\0\0"))
    assert client.answer(stream).status == 200
    assert app.requests[-1].body == b"abc"


def test_frames_of_a_stream_that_was_just_closed_are_ignored(client):
    stream = answered(client)
    client.send(frame(h2.WINDOW_UPDATE, 0, stream, number(10)) + frame(h2.RST_STREAM, 0, stream, number(8)))
    still_works(client)


def test_a_head_on_a_stream_that_is_long_closed_is_not_a_request(client, app):
    first = answered(client)
    client.fetch("/second")
    count = len(app.requests)
    client.send(frame(h2.HEADERS, 5, first, client.block(path="/again")))
    client.send(frame(h2.PING, 0, 0, b"12345678"))
    try:
        client.hear_until(lambda: client.goaways or client.pongs)
    except Closed:
        pass
    assert len(app.requests) == count


def test_a_window_that_settings_made_negative_lets_nothing_through(weir, upstream, stage):
    proxy = weir(upstream(answering(b"x" * 30_000)))
    client = stage.keep(h2.H2Client(proxy.address, {h2.INITIAL_WINDOW_SIZE: 3}, opens_windows=False))
    stream = client.open("/")
    client.hear_until(lambda: len(client.streams[stream].body) == 3)
    client.send(frame(h2.SETTINGS, 0, 0, h2.settings({h2.INITIAL_WINDOW_SIZE: 2})))
    client.open_window(stream, 1)
    client.sync()
    assert len(client.streams[stream].body) == 3
    client.open_window(stream, 5)
    client.hear_until(lambda: len(client.streams[stream].body) == 8)
    client.send(frame(h2.SETTINGS, 0, 0, h2.settings({h2.INITIAL_WINDOW_SIZE: 40_000})))
    assert len(client.answer(stream).body) == 30_000


def test_more_than_a_window_lets_through_fails_the_connection(weir, upstream, stage):
    def app(connection):
        while connection.request():
            held.released.wait(20)
            connection.answer()

    held = upstream(app)
    proxy = weir(held, limits={"concurrency": 1, "queue": {"size": 5, "wait": "20s"}}, buffers={"request": "16KiB"})
    client = stage.keep(h2.H2Client(proxy.address))
    first = client.open("/first")
    held.wait_for_requests(1)
    # In the queue no more is taken than is held.
    waiting = opened(client)
    client.sync()
    window = client.settings[h2.INITIAL_WINDOW_SIZE]
    for _ in range(window // MAX + 2):
        client.send_if_possible(frame(h2.DATA, 0, waiting, b"x" * MAX))
    assert client.goodbye()[1] == h2.FLOW_CONTROL_ERROR
    assert not client.streams[first].is_over
    held.release()


def test_frames_are_no_larger_than_the_client_takes(weir, upstream, stage):
    proxy = weir(upstream(answering(b"x" * 100_000)))
    client = stage.keep(h2.H2Client(proxy.address, {h2.MAX_FRAME_SIZE: 20_000}))
    sizes = []
    stream = client.open("/")
    while not client.streams[stream].is_over:
        kind, _, _, payload = client.hear()
        sizes.append(len(payload) if kind == h2.DATA else 0)
    assert 0 < max(sizes) <= 20_000
    assert sum(sizes) == 100_000


@pytest.mark.parametrize(
    "pairs, target, host",
    [
        ([("te", "trailers")], "/", "a"),
        ([("host", "A")], "/", "a"),
        ([(":method", "OPTIONS"), *GET[1:3], (":path", "*")], "*", "a"),
        ([*GET[:2], GET[3], ("host", "b:81")], "/", "b:81"),
    ],
    ids=["te", "the same host", "asterisk", "host alone"],
)
def test_what_looks_odd_and_is_sound_reaches_the_app(client, app, pairs, target, host):
    made = pairs if pairs[0][0] == ":method" else [*GET, *pairs]
    assert client.answer(client.open_raw(made)).status == 200
    (request,) = app.requests
    assert (request.target, request.value("host")) == (target, host)


def test_connect_is_refused_and_is_no_mistake(client):
    stream = client.open_raw([(":method", "CONNECT"), (":authority", "a:443")])
    assert client.answer(stream).status == 501


def test_no_push_no_extended_connect_is_offered(client):
    assert set(client.settings) == {h2.MAX_CONCURRENT_STREAMS, h2.INITIAL_WINDOW_SIZE, h2.MAX_HEADER_LIST_SIZE, 9}


def test_a_goaway_of_the_client_lets_its_streams_finish(client):
    stream = opened(client)
    client.send(frame(h2.GOAWAY, 0, 0, number(0) + number(0)))
    client.data(stream, b"rest", ends=True)
    assert client.answer(stream).status == 200
    client.assert_closed()
