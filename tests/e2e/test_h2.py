"""HTTP/2 towards clients: each stream is a request like any other."""

import subprocess
import time

import pytest

from harness import h2
from harness.metrics import scrape
from harness.poll import Stopwatch, eventually
from harness.upstream import answering, replying, reporting


@pytest.fixture
def speak(stage):
    """speak(proxy) opens a connection of HTTP/2."""

    def speak(to, **options):
        return stage.keep(h2.H2Client(to.address, **options))

    return speak


def test_curl_asks_and_is_answered(weir, upstream):
    proxy = weir(upstream(answering(b"hello")))
    done = subprocess.run(
        ["curl", "-sS", "--http2-prior-knowledge", "-w", "%{http_version} %{http_code}", proxy.url],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "hello2 200"


def test_many_streams_of_h2load_are_all_answered(weir, upstream):
    proxy = weir(upstream(answering(b"x" * 3000)), log={"access": "off"})
    done = subprocess.run(
        ["h2load", "-n", "2000", "-c", "4", "-m", "20", proxy.url], capture_output=True, text=True, check=True
    )
    assert "2000 succeeded, 0 failed" in done.stdout


def test_the_app_sees_the_request_as_over_http1(weir, upstream, speak):
    client = speak(weir(upstream(reporting)))
    fields = {"accept": "text/plain", "x-forwarded-for": "6.6.6.6", "te": "trailers", "user-agent": "me"}
    seen = client.fetch("/p?q=1", fields=fields, authority="shop.example:81").json
    got = {name.lower(): value for name, value in seen["fields"]}
    assert (seen["method"], seen["target"]) == ("GET", "/p?q=1")
    assert got["host"] == got["x-forwarded-host"] == "shop.example:81"
    assert got["x-forwarded-for"] == got["x-real-ip"] == "127.0.0.1"
    assert (got["x-forwarded-proto"], got["te"], got["accept"]) == ("http", "trailers", "text/plain")
    assert "transfer-encoding" not in got


def test_crumbs_of_cookies_are_one_line_for_the_app(weir, upstream, speak):
    client = speak(weir(upstream(reporting)))
    pairs = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")]
    stream = client.open_raw([*pairs, ("cookie", "a=1"), ("x", "y"), ("cookie", "b=2")])
    seen = client.answer(stream).json
    assert [value for name, value in seen["fields"] if name.lower() == "cookie"] == ["a=1; b=2"]


def test_bodies_of_any_size_go_both_ways(weir, upstream, speak):
    app = upstream(reporting)
    client = speak(weir(app))
    assert client.fetch("/", "POST", body=b"abc").json["body"] == "abc"
    assert app.requests[0].value("content-length") == "3"
    stream = client.open("/", "POST", ends=False)
    sent = 0
    total = 1_000_000
    while sent < total:
        client.hear_until(lambda: 65535 + 65536 + client.windows[stream] > sent + 16384 and 65535 + client.windows[0] > sent + 16384)
        client.data(stream, b"z" * min(16384, total - sent), ends=sent + 16384 >= total)
        sent += min(16384, total - sent)
    assert client.answer(stream).json["body"] == "z" * total


def test_a_length_that_was_announced_is_passed_on(weir, upstream, speak):
    app = upstream(reporting)
    client = speak(weir(app, buffers={"request": "16KiB"}))
    stream = client.open("/", "POST", {"content-length": 40000}, ends=False)
    for start in range(0, 40000, 10000):
        client.data(stream, b"q" * 10000, ends=start == 30000)
    assert len(client.answer(stream).json["body"]) == 40000
    assert app.requests[0].value("content-length") == "40000"


def test_trailers_go_both_ways(weir, upstream, speak):
    def app(connection):
        request = connection.request()
        assert request.trailers == [("x-sum", "7")]
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Late: yes\r\n\r\n")
        connection.wait_for_close()

    client = speak(weir(upstream(app)))
    stream = client.open("/", "POST", ends=False)
    client.data(stream, b"body")
    client.send(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, stream, client.encoder.encode([("x-sum", "7")])))
    answer = client.answer(stream)
    assert (answer.body, answer.trailers) == (b"ok", [("x-late", "yes")])


def test_the_trailers_of_an_answer_are_its_own(weir, upstream, speak):
    """Those of the request come while the answer waits for the client's window."""

    def app(connection):
        connection.head()
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: app\r\n\r\n")
        connection.wait_for_close()

    proxy = weir(upstream(app), buffers={"request": "4KiB"})
    client = speak(proxy, opens_windows=False, own_settings={h2.INITIAL_WINDOW_SIZE: 0})
    stream = client.open("/", "POST", ends=False)
    client.data(stream, bytes(16384))
    client.head(stream)
    client.send(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, stream, client.encoder.encode([("x-sum", "client")])))
    client.sync()
    client.open_window(stream, 100)
    answer = client.answer(stream)
    assert (answer.body, answer.trailers) == (b"ok", [("x-sum", "app")])


@pytest.mark.parametrize(
    "raw, method, body, length",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD", b"", "5"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "GET", b"", None),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "GET", b"", "9"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "GET", b"", "0"),
    ],
)
def test_answers_without_a_body_end_with_their_head(weir, upstream, speak, raw, method, body, length):
    client = speak(weir(upstream(replying(raw))))
    stream = client.open("/", method)
    answer = client.answer(stream)
    assert (answer.body, answer.value("content-length")) == (body, length)


def test_what_ends_with_its_connection_ends_with_its_stream(weir, upstream, speak):
    def app(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\nX-Hop: 1\r\n\r\nall")

    answer = speak(weir(upstream(app))).fetch()
    assert answer.body == b"all"
    assert "connection" not in answer.names


def test_the_largest_head_that_an_app_may_send_arrives(weir, upstream, speak):
    fields = [(f"x-{n}", f"{n:060}") for n in range(900)]
    client = speak(weir(upstream(answering(b"ok", fields=fields))))
    client.decoder.max_header_list_size = 1 << 20
    answer = client.fetch()
    assert [pair for pair in answer.fields if pair in fields] == fields
    assert answer.body == b"ok"


def test_interim_answers_come_first(weir, upstream, speak):
    raw = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    client = speak(weir(upstream(replying(raw))))
    stream = client.open("/")
    assert client.answer(stream).body == b"ok"
    assert client.streams[stream].interim == [[(":status", "103"), ("link", "</a>")]]


def test_100_continue_comes_before_the_body_is_sent(weir, upstream, speak):
    client = speak(weir(upstream(reporting)))
    stream = client.open("/", "POST", {"expect": "100-continue"}, ends=False)
    client.hear_until(lambda: client.streams[stream].interim)
    assert client.streams[stream].interim == [[(":status", "100")]]
    client.data(stream, b"body", ends=True)
    assert client.answer(stream).json["body"] == "body"


def test_an_answer_that_is_cut_short_ends_with_a_reset(weir, upstream, speak):
    def app(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")

    proxy = weir(upstream(app))
    client = speak(proxy)
    stream = client.open("/")
    assert client.error_of(stream) == h2.INTERNAL_ERROR
    assert client.streams[stream].body == b"half"
    assert proxy.log_lines(1)[0]["cut"] == "upstream_reset"


def test_a_slow_stream_does_not_hold_up_the_others(weir, upstream, speak):
    def app(connection):
        while request := connection.request():
            connection.answer(b"x" * (2_000_000 if request.target == "/large" else 10))

    client = speak(weir(upstream(app)), opens_windows=False)
    client.open_window(0, 10_000_000)
    large = client.open("/large")
    client.hear_until(lambda: len(client.streams[large].body) == 65535)
    for _ in range(20):
        assert client.fetch("/small").body == b"x" * 10
    assert len(client.streams[large].body) == 65535
    client.opens_windows = True
    client.open_window(large, 65535)
    assert len(client.answer(large).body) == 2_000_000


def test_an_upload_that_the_app_does_not_take_stops_at_its_window(weir, upstream, speak):
    def app(connection):
        head = connection.head()
        if head.target == "/small":
            return connection.answer(b"ok")
        app_released.released.wait(20)

    app_released = upstream(app)
    client = speak(weir(app_released, buffers={"request": "16KiB"}))
    client.hear_until(lambda: client.settings is not None)  # or its window would be the least that there is
    stuck = client.open("/stuck", "POST", ends=False)
    for _ in range(8):
        client.data(stuck, b"z" * 16384)
    client.sync()
    assert client.windows[0] >= 196_608
    assert client.fetch("/small").body == b"ok"
    app_released.release()


def test_refusals_are_answers_with_their_reason(weir, upstream, speak):
    proxy = weir(upstream(answering()), limits={"rate": ["2/hour"], "body": "10B"})
    client = speak(proxy)
    assert client.fetch("/", "POST", body=b"x" * 11).status == 413
    assert [client.fetch().status for _ in range(2)] == [200, 429]
    refused = client.fetch()
    assert (refused.status, refused.json["type"].split("#")[-1]) == (429, "quota-exceeded")
    assert refused.value("content-type") == "application/problem+json"
    lines = proxy.log_lines(4)
    assert {line["protocol"] for line in lines} == {"HTTP/2"}
    assert [line["status"] for line in lines] == [413, 200, 429, 429]


def test_an_upload_that_is_refused_is_told_to_spare_the_rest(weir, upstream, speak):
    client = speak(weir(upstream(answering()), limits={"body": "10B"}))
    stream = client.open("/", "POST", {"content-length": 50000}, ends=False)
    assert client.answer(stream).status == 413
    client.streams[stream].has_ended = False
    assert client.error_of(stream) == h2.NO_ERROR
    assert client.fetch().status == 200


def test_streams_are_counted_one_by_one(weir, upstream, speak):
    proxy = weir(upstream(answering()), limits={"rate": ["5/hour"]})
    client = speak(proxy)
    streams = [client.open(f"/{n}") for n in range(8)]
    assert sorted(client.answer(stream).status for stream in streams) == [200] * 5 + [429] * 3


def test_each_stream_waits_in_the_queue_by_itself(weir, upstream, speak):
    def app(connection):
        while connection.request():
            held.released.wait(20)
            connection.answer()

    held = upstream(app)
    proxy = weir(held, limits={"concurrency": 2, "queue": {"size": 3, "wait": "10s"}})
    client = speak(proxy)
    streams = [client.open(f"/{n}") for n in range(6)]
    client.hear_until(lambda: any(client.streams[s].is_over for s in streams))
    assert [client.streams[s].is_over for s in streams].count(True) == 1
    held.release()
    statuses = [client.answer(stream).status for stream in streams]
    assert sorted(statuses) == [200] * 5 + [503]
    assert len(held.requests) == 5


def test_a_stream_that_is_reset_in_the_queue_frees_its_place(weir, upstream, speak):
    def app(connection):
        while connection.request():
            held.released.wait(20)
            connection.answer()

    held = upstream(app)
    proxy = weir(held, limits={"concurrency": 1, "queue": {"size": 1, "wait": "10s"}})
    client = speak(proxy)
    first = client.open("/first")
    held.wait_for_requests(1)
    leaver = client.open("/leaver")
    client.reset_stream(leaver)
    stayer = client.open("/stayer")
    client.sync()
    held.release()
    assert [client.answer(stream).status for stream in (first, stayer)] == [200, 200]
    assert "/leaver" not in [request.target for request in held.requests]
    assert 499 in [line["status"] for line in proxy.log_lines(3)]


def test_a_stream_that_is_reset_at_the_app_keeps_its_slot_until_the_app_is_done(weir, upstream, speak):
    def app(connection):
        while request := connection.request():
            inside.append(request.target)
            held.released.wait(20)
            connection.answer()

    inside = []
    held = upstream(app)
    proxy = weir(held, limits={"concurrency": 2, "queue": {"size": 50, "wait": "10s"}})
    client = speak(proxy)
    for n in range(20):
        stream = client.open(f"/{n}")
        if n < 2:
            held.wait_for_requests(n + 1)
        client.reset_stream(stream)
    client.sync()
    patient = client.open("/patient")
    client.sync()
    assert inside == ["/0", "/1"]
    held.release()
    assert client.answer(patient).status == 200
    assert sorted(inside) == ["/0", "/1", "/patient"]


def test_the_total_time_of_a_stream_is_its_own(weir, upstream, speak):
    def app(connection):
        while request := connection.request():
            if request.target == "/never":
                connection.wait_for_close()
            connection.answer()

    proxy = weir(upstream(app), timeout={"total": "400ms"})
    client = speak(proxy)
    never = client.open("/never")
    assert client.fetch("/").status == 200
    answer = client.answer(never)
    assert answer.status == 504
    assert client.fetch("/").status == 200


def test_a_body_that_does_not_come_is_not_waited_for(weir, upstream, speak):
    proxy = weir(upstream(answering()), timeout={"total": "10s", "stall": "300ms"})
    client = speak(proxy)
    stream = client.open("/", "POST", ends=False)
    assert client.answer(stream).status == 408
    assert client.fetch("/").status == 200


@pytest.mark.parametrize("connection_too", [False, True], ids=["stream", "connection"])
def test_who_never_opens_the_window_is_given_up(weir, upstream, speak, connection_too):
    proxy = weir(upstream(answering(b"x" * 500_000)), timeout={"total": "20s", "stall": "400ms"})
    client = speak(proxy, opens_windows=False, own_settings={h2.INITIAL_WINDOW_SIZE: 1000})
    if not connection_too:
        client.open_window(0, 1_000_000)
    stream = client.open("/")
    assert client.error_of(stream) == h2.INTERNAL_ERROR
    assert len(client.streams[stream].body) == 1000
    assert proxy.log_lines(1)[0]["cut"] == "client_stalled"


def test_who_opens_the_window_byte_by_byte_is_too_slow(weir, upstream, speak):
    proxy = weir(upstream(answering(b"x" * 20_000_000)), timeout={"stall": "1s"}, limits={"min_rate": "10MiB/s"})
    client = speak(proxy, opens_windows=False, own_settings={h2.INITIAL_WINDOW_SIZE: 100})
    client.open_window(0, 30_000_000)
    stream = client.open("/")
    while not client.streams[stream].is_over:
        kind, *_ = client.hear()
        if kind == h2.DATA and not client.streams[stream].is_over:
            client.open_window(stream, 10)
    assert client.streams[stream].reset == h2.INTERNAL_ERROR
    assert proxy.log_lines(1)[0]["cut"] == "client_too_slow"


def test_what_one_stream_of_a_client_holds_is_bounded(weir, upstream, speak):
    proxy = weir(upstream(answering(b"x" * 30_000_000)), buffers={"response": "64KiB"}, admin="127.0.0.1:0")
    client = speak(proxy, opens_windows=False)
    streams = [client.open("/") for _ in range(10)]
    for stream in streams:
        client.head(stream)
    client.sync()
    assert scrape(proxy).one("weir_buffered_bytes") < 10 * 4 * 65536
    client.close()
    eventually(lambda: scrape(proxy).one("weir_buffered_bytes") == 0)


def test_a_connection_without_streams_is_ended_politely(weir, upstream, speak):
    client = speak(weir(upstream(answering()), timeout={"keepalive": "300ms"}))
    client.fetch()
    with Stopwatch() as watch:
        assert client.goodbye() == (1, h2.NO_ERROR)
    assert 0.2 < watch.seconds < 5


def test_pings_do_not_keep_a_connection(weir, upstream, speak):
    client = speak(weir(upstream(answering()), timeout={"keepalive": "400ms"}))
    client.fetch()
    with Stopwatch() as watch:
        while not client.goaways and watch.so_far < 5:
            client.sync()
            time.sleep(0.05)
    assert client.goodbye() == (1, h2.NO_ERROR)
    assert watch.seconds < 3


def test_a_preface_that_does_not_go_on_is_not_waited_for(weir, upstream, speak):
    client = speak(weir(upstream(answering()), timeout={"header": "300ms"}), begins=False)
    client.send(h2.PREFACE)
    with Stopwatch() as watch:
        client.to_end()
    assert watch.seconds < 5


def test_a_drain_lets_streams_finish_and_takes_those_on_their_way(weir, upstream, speak):
    def app(connection):
        while connection.request():
            held.released.wait(20)
            connection.answer()

    held = upstream(app)
    proxy = weir(held)
    client = speak(proxy)
    before = client.open("/before")
    held.wait_for_requests(1)
    proxy.signal(15)
    # The first GOAWAY leaves time for what crosses it.
    while not client.goaways:
        head = client.exactly(9)
        payload = client.exactly(int.from_bytes(head[:3], "big"))
        if head[3] != h2.PING:
            client.take_in(head[3], head[4], int.from_bytes(head[5:], "big"), payload)
    assert client.goaways == [(0x7FFFFFFF, h2.NO_ERROR)]
    crossing = client.open("/crossing")
    held.wait_for_requests(2)
    held.release()
    assert [client.answer(stream).status for stream in (before, crossing)] == [200, 200]
    assert client.goodbye() == (crossing, h2.NO_ERROR)
    assert proxy.wait() == 0


def test_an_idle_connection_does_not_hold_up_a_drain(weir, upstream, speak):
    proxy = weir(upstream(answering()))
    client = speak(proxy)
    client.fetch()
    with Stopwatch() as watch:
        proxy.signal(15)
        assert client.goodbye() == (1, h2.NO_ERROR)
        client.close()
        assert proxy.wait() == 0
    assert watch.seconds < 3


def test_an_upgrade_to_h2c_is_answered_over_http1(weir, upstream, connect):
    client = connect(weir(upstream(reporting)))
    fields = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__"}
    seen = client.ask("/", fields=fields).json
    assert not {"upgrade", "http2-settings"} & {name.lower() for name, _ in seen["fields"]}


def test_where_it_is_turned_off_the_preface_is_a_version_too_far(weir, upstream, connect):
    proxy = weir(upstream(answering()), listen=[{"address": "127.0.0.1:PORT", "http2": False}])
    client = connect(proxy)
    client.send(h2.PREFACE)
    client.assert_problem(505, "version_not_supported")


def test_the_preface_counts_only_at_the_beginning(weir, upstream, connect):
    client = connect(weir(upstream(answering())))
    assert client.ask("/").status == 200
    client.send(h2.PREFACE)
    client.assert_problem(505, "version_not_supported")
