"""What costs an HTTP/2 client little and weir much: it is bounded, and past the bound the connection is ended, told
why, and counted; others do not notice."""

import pytest

from harness import h2
from harness.metrics import scrape
from harness.poll import Stopwatch, eventually
from harness.upstream import answering
from harness.wire import Closed

PING = h2.frame(h2.PING, 0, 0, b"12345678")


@pytest.fixture
def proxy(weir, upstream):
    return weir(upstream(answering()), admin="127.0.0.1:0")


@pytest.fixture
def speak(stage):
    return lambda to, **options: stage.keep(h2.H2Client(to.address, **options))


def assert_calmed(proxy, client, kind, bystander=None):
    last, error = client.goodbye()
    assert error == h2.ENHANCE_YOUR_CALM
    eventually(lambda: scrape(proxy).one("weir_h2_floods_total", kind=kind) == 1)
    if bystander:
        assert bystander.fetch().status == 200


def rapid_resets(client, count):
    for _ in range(count):
        stream = client.open("/")
        client.reset_stream(stream)


def test_resets_within_the_bound_pass(proxy, speak):
    client = speak(proxy)
    rapid_resets(client, 95)
    assert client.fetch().status == 200
    assert scrape(proxy).total("weir_h2_floods_total") == 0


def test_rapid_resets_end_the_connection(proxy, speak):
    bystander, client = speak(proxy), speak(proxy)
    bystander.fetch()
    rapid_resets(client, 150)
    assert_calmed(proxy, client, "resets", bystander)


def test_resets_that_the_client_provokes_count_too(proxy, speak):
    client = speak(proxy)
    for _ in range(150):
        try:
            client.open("/", "POST", {"content-length": 5})
        except OSError:
            break
    assert_calmed(proxy, client, "resets")


def window_of(size):
    return h2.frame(h2.SETTINGS, 0, 0, h2.settings({h2.INITIAL_WINDOW_SIZE: size}))


# What makes a server reset a stream, or end the connection, while its request is at the app (CVE-2025-8671).
PROVOCATIONS = {
    "a window opened by nothing": lambda stream: h2.frame(h2.WINDOW_UPDATE, 0, stream, h2.number(0)),
    "a window past the largest": lambda stream: h2.frame(h2.WINDOW_UPDATE, 0, stream, h2.number(0x7FFFFFFF)),
    "settings that do the same": lambda stream: h2.frame(h2.WINDOW_UPDATE, 0, stream, h2.number(1))
    + window_of(0x7FFFFFFF)
    + window_of(65535),
    "DATA behind the end": lambda stream: h2.frame(h2.DATA, h2.END_STREAM, stream, b"x"),
    "HEADERS behind the end": lambda stream: h2.frame(h2.HEADERS, 5, stream, b"\x00\x01x\x01y"),
    "DATA that is all padding": lambda stream: h2.frame(h2.DATA, h2.PADDED, stream, b"\x05"),
    "PRIORITY of another size": lambda stream: h2.frame(h2.PRIORITY, 0, stream, b"\0"),
    "RST_STREAM": lambda stream: h2.frame(h2.RST_STREAM, 0, stream, h2.number(8)),
}


@pytest.mark.parametrize("provoke", PROVOCATIONS.values(), ids=PROVOCATIONS)
def test_however_a_stream_is_brought_to_its_end_the_app_is_not_worn_out(weir, upstream, speak, provoke):
    """Each is a request that it works on for nothing."""

    def app(connection):
        while connection.request():
            held.released.wait(20)
            connection.answer()

    held = upstream(app)
    proxy = weir(held, admin="127.0.0.1:0", limits={"concurrency": 1000})
    client = speak(proxy)
    for opened in range(20, 401, 20):
        try:
            streams = [client.open("/") for _ in range(20)]
            held.wait_for_requests(opened)
            client.send(b"".join(provoke(stream) for stream in streams))
            client.sync()
            client.sync()  # a PING is answered before what came in front of it has its consequences
        except (Closed, OSError):
            break
        if client.goaways:
            break
    assert len(held.requests) <= 120
    held.release()


def test_malformed_requests_count_too(proxy, speak):
    client = speak(proxy)
    for _ in range(150):
        client.open_raw([(":method", "GET")])
    assert_calmed(proxy, client, "resets")


def test_heads_behind_one_that_was_refused_count_too(proxy, speak):
    client = speak(proxy, own_settings={h2.INITIAL_WINDOW_SIZE: 0})
    stream = client.open("/", "POST", ends=False)
    client.sync()
    client.send_if_possible(h2.frame(h2.HEADERS, h2.END_HEADERS, stream, b"\x00\x01x\x01y") * 150)
    assert_calmed(proxy, client, "resets")


def test_resets_buy_no_more_requests_inside_the_app(weir, upstream, speak):
    def app(connection):
        while connection.request():
            held.released.wait(20)
            connection.answer()

    held = upstream(app)
    proxy = weir(held, limits={"concurrency": 3, "queue": {"size": 1000, "wait": "10s"}}, admin="127.0.0.1:0")
    for _ in range(3):
        client = speak(proxy)
        rapid_resets(client, 90)
        client.sync()
    assert len(held.requests) <= 3
    assert scrape(proxy).one("weir_in_flight") <= 3
    held.release()


def test_data_without_content_ends_the_connection(proxy, speak):
    client = speak(proxy)
    stream = client.open("/", "POST", ends=False)
    client.send(h2.frame(h2.DATA, 0, stream) * 90)
    client.sync()
    client.send(h2.frame(h2.DATA, h2.PADDED, stream, b"\x03\0\0\0") * 60)
    assert_calmed(proxy, client, "empty_data")


@pytest.mark.parametrize(
    "frame",
    [
        PING,
        h2.frame(h2.SETTINGS),
        h2.frame(h2.PRIORITY, 0, 3, b"\0\0\0\0\1"),
        h2.frame(h2.WINDOW_UPDATE, 0, 0, h2.number(1)),
        h2.frame(h2.SETTINGS, 0, 0, h2.settings({h2.HEADER_TABLE_SIZE: 0})),
        h2.frame(0x77, 0, 0, b"unknown"),
    ],
    ids=["ping", "settings", "priority", "window_update", "table_size", "unknown"],
)
def test_frames_that_move_no_request_end_the_connection(proxy, speak, frame):
    bystander, client = speak(proxy), speak(proxy)
    bystander.fetch()
    for _ in range(100):
        if not client.send_if_possible(frame * 30):
            break
        client.soak()
    floods = eventually(lambda: scrape(proxy).total("weir_h2_floods_total"))
    assert floods == 1
    assert client.goodbye()[1] == h2.ENHANCE_YOUR_CALM
    assert bystander.fetch().status == 200


def test_pings_around_requests_are_no_flood(proxy, speak):
    client = speak(proxy)
    for _ in range(30):
        client.send(PING * 100)
        assert client.fetch().status == 200
    assert scrape(proxy).total("weir_h2_floods_total") == 0


def test_answers_that_are_not_read_do_not_pile_up(proxy, speak):
    client = speak(proxy, receive_buffer=2048)
    for _ in range(3000):
        if not client.send_if_possible(PING * 100):
            break
    eventually(lambda: scrape(proxy).total("weir_h2_floods_total") == 1)
    eventually(lambda: scrape(proxy).one("weir_client_connections") == 0)


def test_a_head_in_a_hundred_continuations_ends_the_connection(proxy, speak):
    client = speak(proxy)
    block = client.block(fields={f"x-{n}": "v" for n in range(120)})
    client.send(h2.frame(h2.HEADERS, h2.END_STREAM, 1, block[:5]))
    for at in range(5, 105):
        if not client.send_if_possible(h2.frame(h2.CONTINUATION, 0, 1, block[at : at + 1])):
            break
    assert_calmed(proxy, client, "continuations")


def test_continuations_without_content_end_the_connection(proxy, speak):
    client = speak(proxy)
    client.send(h2.frame(h2.HEADERS, 0, 1, client.block()) + h2.frame(h2.CONTINUATION, 0, 1) * 100)
    assert_calmed(proxy, client, "continuations")


def test_a_head_over_the_limit_is_answered(proxy, speak):
    client = speak(proxy)
    answer = client.fetch(fields={"x-large": "v" * 17_000})
    assert (answer.status, answer.json["reason"]) == (431, "header_too_large")
    assert client.fetch(fields={f"x-{n}": "v" for n in range(101)}).status == 431
    assert client.fetch("/" + "p" * 8192).status == 414
    assert client.fetch().status == 200


def test_a_few_bytes_that_unpack_to_a_huge_head_end_the_connection(proxy, speak):
    client = speak(proxy)
    assert client.fetch(fields={"x-bomb": "v" * 3900}).status == 200
    bomb = client.encoder.encode([("x-bomb", "v" * 3900)])
    assert len(bomb) == 1
    client.send(h2.frame(h2.HEADERS, h2.END_STREAM | h2.END_HEADERS, client.next_stream, client.block() + bomb * 10_000))
    assert_calmed(proxy, client, "fields")


def test_a_head_that_does_not_end_ends_the_connection(weir, upstream, speak):
    proxy = weir(upstream(answering()), timeout={"header": "300ms"}, admin="127.0.0.1:0")
    client = speak(proxy)
    client.fetch()
    client.send(h2.frame(h2.HEADERS, h2.END_STREAM, client.next_stream, client.block()))
    with Stopwatch() as watch:
        assert_calmed(proxy, client, "slow_fields")
    assert watch.seconds < 5


def test_no_more_streams_than_there_may_be(weir, upstream, speak):
    def app(connection):
        while connection.request():
            held.released.wait(20)
            connection.answer()

    held = upstream(app)
    client = speak(weir(held))
    client.sync()
    assert client.settings[h2.MAX_CONCURRENT_STREAMS] == 100
    streams = [client.open("/") for _ in range(100)]
    held.wait_for_requests(100)
    held.release()
    assert {client.answer(stream).status for stream in streams} == {200}
    assert client.fetch().status == 200


def test_the_stream_past_the_last_ends_the_connection(weir, upstream, speak):
    def app(connection):
        while connection.request():
            held.released.wait(20)
            connection.answer()

    held = upstream(app)
    client = speak(weir(held))
    client.sync()
    for _ in range(101):
        client.open("/")
    assert client.goodbye()[1] == h2.PROTOCOL_ERROR
    held.release()
    assert len(held.requests) <= 100


def test_a_table_larger_than_was_offered_is_not_taken(proxy, speak):
    client = speak(proxy)
    client.sync()
    client.encoder.header_table_size = 1_000_000
    client.open("/", fields={"x": "y"})
    assert client.goodbye()[1] == h2.COMPRESSION_ERROR


def test_a_client_that_asks_for_a_huge_table_gets_none(proxy, speak):
    client = speak(proxy, own_settings={h2.HEADER_TABLE_SIZE: 0xFFFFFFFF})
    client.decoder.max_allowed_table_size = 0xFFFFFFFF
    for _ in range(50):
        assert client.fetch().status == 200
    assert client.decoder.header_table_size <= 4096


def test_a_table_whose_size_keeps_changing_stays_right(proxy, speak):
    client = speak(proxy)
    for number in range(40):
        client.send(h2.frame(h2.SETTINGS, 0, 0, h2.settings({h2.HEADER_TABLE_SIZE: 4096 * (number % 2)})))
        answer = client.fetch(fields={"x-number": number})
        assert answer.status == 200 and answer.value("content-length") == "2"
    assert scrape(proxy).total("weir_h2_floods_total") == 0


def test_fields_without_a_name_end_the_connection(proxy, speak):
    client = speak(proxy)
    client.open_raw([(":method", "GET"), *[("", "")] * 4000])
    assert_calmed(proxy, client, "fields")


def test_what_a_hundred_streams_without_a_window_hold_is_bounded_and_given_back(weir, upstream, speak):
    proxy = weir(
        upstream(answering(b"x" * 1_000_000)),
        buffers={"response": "64KiB"},
        timeout={"stall": "1s"},
        admin="127.0.0.1:0",
    )
    client = speak(proxy, opens_windows=False, own_settings={h2.INITIAL_WINDOW_SIZE: 0})
    streams = [client.open("/") for _ in range(100)]
    for stream in streams:
        assert client.head(stream).status == 200
    held = scrape(proxy).one("weir_buffered_bytes")
    assert 100 * 16384 < held < 100 * 3 * 65536
    assert {client.error_of(stream) for stream in streams} == {h2.INTERNAL_ERROR}
    eventually(lambda: scrape(proxy).one("weir_buffered_bytes") == 0)
