"""Bodies pass through at the pace of the slower side, in bounded memory, and an end is never mistaken for another."""

import threading
import zlib

import pytest

from harness.message import CutShort, chunked, head_bytes
from harness.poll import eventually
from harness.process import HighWater, unread_bytes
from harness.upstream import answering
from harness.wire import Closed

PIECE = bytes(range(256)) * 256  # 64 KiB
SMALL_BUFFERS = 16 << 10  # of a socket, to make a peer slow
MOST_MEMORY = 24 << 20


def checksum_of(count):
    crc = 0
    for _ in range(count // len(PIECE)):
        crc = zlib.crc32(PIECE, crc)
    return crc


def read_checksum(wire, count):
    crc = 0
    while count:
        if not wire.buffer and not wire.fill():
            raise Closed(f"{count} bytes are missing")
        crc = zlib.crc32(wire.buffer, crc)
        count -= len(wire.buffer)
        wire.buffer.clear()
    return crc


def send_many(wire, count):
    for _ in range(count // len(PIECE)):
        wire.send(PIECE)


def receiving_script(size, before=lambda connection: None):
    """Answers an upload of `size` bytes with its checksum."""

    def script(connection):
        connection.head()
        before(connection)
        connection.answer(b"%d" % read_checksum(connection, size))

    return script


def sending_script(size):
    def script(connection):
        while connection.request():
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            send_many(connection, size)

    return script


def assert_flat(memory, sanitized):
    assert sanitized or memory.bytes < MOST_MEMORY, f"{memory.bytes >> 20} MiB"


def test_a_large_upload_passes_unchanged_in_flat_memory(weir, connect, upstream, large_bytes, sanitized):
    proxy = weir(upstream(receiving_script(large_bytes)), limits={"body": "2GiB"})
    client = connect(proxy)
    with HighWater(proxy.pid) as memory:
        client.send(head_bytes("POST /up HTTP/1.1", {"Host": "a", "Content-Length": large_bytes}))
        send_many(client, large_bytes)
        assert client.response().body == b"%d" % checksum_of(large_bytes)
    assert_flat(memory, sanitized)


def test_a_large_download_passes_unchanged_in_flat_memory(weir, connect, upstream, large_bytes, sanitized):
    proxy = weir(upstream(sending_script(large_bytes)))
    client = connect(proxy)
    with HighWater(proxy.pid) as memory:
        client.request()
        assert client.head().value("content-length") == str(large_bytes)
        assert read_checksum(client, large_bytes) == checksum_of(large_bytes)
    assert_flat(memory, sanitized)


def test_a_reader_that_pauses_stops_the_app_not_the_proxys_memory(weir, connect, upstream, sanitized):
    size = 64 << 20
    app = upstream(sending_script(size))
    proxy = weir(app)
    client = connect(proxy, receive_buffer=SMALL_BUFFERS)
    with HighWater(proxy.pid) as memory:
        client.request()
        client.head()
        app.connections[0].is_over.wait(0.5)
        assert read_checksum(client, size) == checksum_of(size)
    assert_flat(memory, sanitized)


def test_an_app_that_pauses_stops_the_uploader_not_the_proxys_memory(weir, connect, upstream, sanitized):
    size = 64 << 20
    app = upstream(receiving_script(size, lambda connection: app.released.wait(10)), receive_buffer=SMALL_BUFFERS)
    proxy = weir(app, limits={"body": "2GiB"})
    client = connect(proxy)
    with HighWater(proxy.pid) as memory:
        client.send(head_bytes("POST /up HTTP/1.1", {"Host": "a", "Content-Length": size}))
        sender = threading.Thread(target=send_many, args=(client, size))
        sender.start()
        sender.join(0.5)
        assert sender.is_alive(), "64 MiB went somewhere although the app read nothing"
        app.release()
        sender.join(30)
        assert client.response().body == b"%d" % checksum_of(size)
    assert_flat(memory, sanitized)


def test_a_large_chunked_upload_passes_unchanged(weir, connect, upstream):
    app = upstream(answering())
    client = connect(weir(app))
    client.request("/", "POST", {"Transfer-Encoding": "chunked"})
    pieces = [PIECE[: 1 + 37 * number % len(PIECE)] for number in range(150)]
    client.send(chunked(*pieces))
    assert client.response().status == 200
    assert app.requests[0].body == b"".join(pieces)


def test_a_small_body_is_read_whole_before_the_app_is_asked(weir, connect, upstream):
    app = upstream(answering())
    client = connect(weir(app))
    client.request("/", "POST", {"Content-Length": 1000})
    client.send(b"x" * 999)
    client.assert_silent(0.2)
    assert not app.connections
    client.send(b"x")
    assert client.response().status == 200
    assert len(app.requests[0].body) == 1000


def test_a_large_body_is_passed_on_before_it_is_whole(weir, connect, upstream):
    app = upstream(answering())
    client = connect(weir(app))
    client.request("/", "POST", {"Content-Length": 1 << 20})
    client.send(b"x" * (1 << 19))
    eventually(
        lambda: app.connections and app.connections[0].received_bytes > 1 << 16, what="the first half at the app"
    )
    client.send(b"x" * (1 << 19))
    assert client.response().status == 200


def test_the_app_is_free_as_soon_as_it_is_done_however_slow_the_reader(weir, connect, upstream):
    app = upstream(answering(b"x" * 200_000))
    proxy = weir(app)
    slow = connect(proxy, receive_buffer=4096)
    slow.request()
    app.wait_for_requests(1)
    quick = connect(proxy)
    for _ in range(5):
        assert len(quick.ask().body) == 200_000
    assert len(slow.response().body) == 200_000
    eventually(lambda: len(app.requests) == 6)
    assert len(app.connections) <= 2, "the slow reader keeps at most one from reuse for a moment"


def test_an_early_answer_reaches_a_client_that_is_still_uploading(weir, connect, upstream):
    def script(connection):
        connection.head()
        connection.answer(b"enough", 403, {"Connection": "close"})
        connection.wait_for_close()

    app = upstream(script)
    client = connect(weir(app, limits={"body": "1GiB"}))
    client.request("/", "POST", {"Content-Length": 100 << 20})
    client.send(b"x" * 100_000)
    answer = client.response()
    assert (answer.status, answer.body) == (403, b"enough")


def test_an_early_answer_does_not_let_the_rest_of_the_upload_become_a_request(weir, connect, upstream):
    def script(connection):
        connection.head()
        connection.answer(b"enough", 200)
        connection.wait_for_close()

    app = upstream([script, answering(b"next")])
    proxy = weir(app)
    client = connect(proxy)
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    client.request("/", "POST", {"Content-Length": 100_000 + len(smuggled)})
    client.send(b"x" * 100_000)
    assert client.response().body == b"enough"
    client.send_if_possible(smuggled)
    connect(proxy).ask("/after")
    assert not any(request.target == "/smuggled" for request in app.requests)


LEAVING = {"closes": lambda client: client.close(), "resets": lambda client: client.reset()}
leaving = pytest.mark.parametrize("leave", LEAVING.values(), ids=LEAVING.keys())


@leaving
def test_the_app_is_told_when_a_waiting_client_leaves(weir, connect, upstream, leave):
    def script(connection):
        connection.request()
        connection.wait_for_close()

    app = upstream(script)
    client = connect(weir(app)).request()
    app.wait_for_requests(1)
    leave(client)
    eventually(app.connections[0].is_over.is_set, within=3)


@leaving
def test_the_app_is_told_when_a_reading_client_leaves(weir, connect, upstream, leave):
    app = upstream(sending_script(256 << 20))
    client = connect(weir(app)).request()
    client.exactly(100_000)
    leave(client)
    eventually(app.connections[0].is_over.is_set, within=3)


@leaving
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_upload_that_is_given_up_never_looks_whole_to_the_app(weir, connect, upstream, leave, framing):
    def script(connection):
        connection.request()  # fails unless the whole body comes

    app = upstream(script)
    client = connect(weir(app))
    if framing == "length":
        client.request("/", "POST", {"Content-Length": 300_000})
        client.send(b"x" * 200_000)
    else:
        client.request("/", "POST", {"Transfer-Encoding": "chunked"})
        client.send(b"30D40\r\n" + b"x" * 200_000 + b"\r\n")
    app.wait_for_connections(1)
    eventually(lambda: app.connections[0].received_bytes > 100_000)
    leave(client)
    eventually(app.connections[0].is_over.is_set, within=3)
    assert not app.requests


@pytest.mark.parametrize(
    "head, part",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"x" * 50),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"32\r\n" + b"x" * 50 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"64\r\n" + b"x" * 50),
    ],
    ids=["length", "between chunks", "within a chunk"],
)
@pytest.mark.parametrize("ending", ["closed", "reset"])
def test_an_answer_that_is_cut_short_is_passed_on_as_cut_short(weir, connect, upstream, head, part, ending):
    def script(connection):
        connection.request()
        connection.send(head + part)
        app.released.wait(10)
        if ending == "reset":
            connection.reset()

    app = upstream([script, answering(b"sound")])
    proxy = weir(app)
    client = connect(proxy).request()
    answer = client.head()
    client.until(b"x" * 50)
    app.release()
    assert b"0\r\n\r\n" not in client.to_end()
    assert answer.status == 200
    assert connect(proxy).ask().body == b"sound"


@pytest.mark.parametrize("size", [150_000, 16 << 20], ids=["in the kernel's hands", "partly read"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_slow_reader_gets_all_that_came_before_a_cut(weir, connect, upstream, size, framing):
    def script(connection):
        connection.request()
        if framing == "length":
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * size))
        else:
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % (2 * size))
        connection.send(b"x" * size)

    app = upstream(script)
    proxy = weir(app)
    client = connect(proxy, receive_buffer=4096).request()
    app.wait_for_requests(1)
    if size < 1 << 20:  # a larger one is still under way
        (line,) = proxy.log_lines(1)
        assert (line["status"], line["cut"], line["bytes_out"]) == (200, "upstream_reset", size)
    with pytest.raises(CutShort) as cut:
        client.response()
    came = cut.value.message.body if framing == "length" else cut.value.message.body + client.take(len(client.buffer))
    assert came.count(b"x") == size


def test_a_client_learns_that_a_body_without_known_length_was_cut(weir, connect, upstream):
    """With no length a reset is the only sign that the app did not mean to end there."""

    def script(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        app.released.wait(10)
        connection.reset()

    app = upstream(script)
    client = connect(weir(app)).request()
    client.head()
    assert client.chunk() == b"half"
    app.release()
    with pytest.raises(Closed):
        client.chunk()


def test_answers_of_many_sizes_arrive_unchanged(weir, connect, upstream):
    sizes = [0, 1, 15, 16, 4095, 4096, 16383, 16384, 16385, 65535, 65536, 65537, 262143, 262145, 1_000_000]

    def script(connection):
        while request := connection.request():
            connection.answer((PIECE * 16)[: int(request.target[1:])])

    client = connect(weir(upstream(script)))
    for size in sizes:
        assert client.ask(f"/{size}").body == (PIECE * 16)[:size]


def test_a_body_right_behind_a_head_that_came_in_two_pieces_arrives_unchanged(weir, connect, upstream):
    body = PIECE[:3000]
    head = b"HTTP/1.1 200 OK\r\nX-Long: %s\r\nContent-Length: 3000\r\n\r\n" % (b"x" * 500)

    def script(connection):
        while request := connection.request():
            split = int(request.target[1:])
            connection.send(head[:split])
            eventually(lambda: unread_bytes(connection.sock) == 0, what="the first piece is read")
            connection.send(head[split:] + body)

    client = connect(weir(upstream(script)))
    for split in [1, 12, 17, 400, len(head) - 3, len(head) - 1, len(head)]:
        assert client.ask(f"/{split}").body == body


def test_uploads_of_many_sizes_arrive_unchanged(weir, connect, upstream):
    sizes = [0, 1, 15, 4095, 4096, 16383, 16384, 16385, 65535, 65536, 65537, 262143, 1_000_000]
    app = upstream(answering())
    client = connect(weir(app))
    for size in sizes:
        assert client.ask("/", "POST", body=(PIECE * 16)[:size]).status == 200
        assert app.requests[-1].body == (PIECE * 16)[:size]
        client.request("/", "POST", {"Transfer-Encoding": "chunked"})
        client.send(chunked((PIECE * 16)[:size]))
        assert client.response().status == 200
        assert app.requests[-1].body == (PIECE * 16)[:size]


def test_a_cut_short_body_is_noticed_by_the_test_itself(upstream, connect):
    """The harness would be worthless if it took half a body for a whole one."""

    def script(connection):
        connection.head()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    app = upstream(script)
    with pytest.raises(CutShort):
        connect(("127.0.0.1", app.port)).ask()
