"""Every wait has an end, and says which one it was."""

import pytest

from harness.message import CutShort
from harness.poll import Stopwatch, eventually
from harness.upstream import answering, replying

OK = b"HTTP/1.1 200 OK\r\n"


def silent(connection):
    connection.request()
    connection.wait_for_close()


def dripping(head, drop, pause=0.05):
    """Sends `head` and then `drop` again and again: never stalled, and not done for 10 s."""

    def script(connection):
        connection.request()
        connection.send(head)
        connection.send_slowly(drop * 200, len(drop), pause)

    return script


def test_a_head_that_does_not_end_is_answered_with_408(weir, connect, upstream):
    client = connect(weir(upstream(answering()), timeout={"header": "300ms"}))
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
    with Stopwatch() as watch:
        client.assert_problem(408, "header_timeout")
    client.assert_closed()
    assert 0.2 < watch.seconds < 2


def test_a_dripping_head_does_not_buy_time(weir, connect, upstream):
    client = connect(weir(upstream(answering()), timeout={"header": "400ms"}))
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
    with Stopwatch() as watch:
        while not client.is_readable(within=0.05) and watch.so_far < 5:
            client.send(b"x")
    client.assert_problem(408, "header_timeout")
    assert watch.seconds < 2


def test_a_connection_that_says_nothing_is_closed(weir, connect, upstream):
    client = connect(weir(upstream(answering()), timeout={"header": "300ms", "keepalive": "300ms"}))
    with Stopwatch() as watch:
        assert client.to_end() == b"" or client.take(13) == b"HTTP/1.1 408 "
    assert 0.2 < watch.seconds < 2


def test_an_idle_connection_is_closed_without_a_word_after_keepalive(weir, connect, upstream):
    client = connect(weir(upstream(answering()), timeout={"keepalive": "300ms"}))
    client.ask()
    with Stopwatch() as watch:
        client.assert_closed()
    assert 0.2 < watch.seconds < 2


def test_the_head_of_a_later_request_has_its_own_time(weir, connect, upstream):
    client = connect(weir(upstream(answering()), timeout={"header": "300ms", "keepalive": "10s"}))
    client.ask()
    client.send(b"GET / HT")
    client.assert_problem(408, "header_timeout")


@pytest.mark.parametrize("announced", [1000, 1_000_000], ids=["held", "streamed"])
def test_an_upload_that_stalls_is_answered_with_408(weir, connect, upstream, announced):
    app = upstream(answering())
    client = connect(weir(app, timeout={"stall": "400ms"}))
    client.request("/", "POST", {"Content-Length": announced})
    client.send(b"x" * (announced // 2))
    client.assert_problem(408, "body_timeout")
    client.assert_closed()
    assert not app.requests


@pytest.mark.parametrize("announced", [1000, 1_000_000], ids=["held", "streamed"])
def test_an_upload_that_is_not_whole_in_the_total_time_is_answered_with_408(weir, connect, upstream, announced):
    client = connect(weir(upstream(answering()), timeout={"total": "400ms"}))
    client.request("/", "POST", {"Content-Length": announced})
    client.send(b"x" * (announced // 2))
    client.assert_problem(408, "body_timeout")


def test_an_upload_below_the_least_rate_is_given_up_after_ten_seconds(weir, connect, upstream):
    client = connect(weir(upstream(answering()), limits={"min_rate": "1KiB/s"}, timeout={"total": "60s"}))
    client.request("/", "POST", {"Content-Length": 60_000})
    with Stopwatch() as watch:
        while not client.is_readable(within=0.2) and watch.so_far < 25:
            client.send(b"x" * 50)
    client.assert_problem(408, "body_timeout")
    assert 8 < watch.seconds < 20


def test_an_app_that_cannot_be_connected_to_in_time(weir, connect, stage):
    client = connect(weir(stage.deaf_upstream(), timeout={"connect": "300ms"}, upstream={"hold": "0s"}))
    with Stopwatch() as watch:
        client.request().assert_problem(502, "upstream_connect")
    assert 0.2 < watch.seconds < 3


def test_an_app_that_is_not_there(weir, connect, upstream):
    app = upstream(answering())
    proxy = weir(app, upstream={"hold": "0s"})
    app.close()
    client = connect(proxy)
    client.request().assert_problem(502, "upstream_connect")
    client.request().assert_problem(502, "upstream_connect")


def test_a_socket_file_that_is_not_there(weir, connect, tmp_path):
    proxy = weir(f"unix:{tmp_path}/nowhere.sock", upstream={"hold": "0s"})
    connect(proxy).request().assert_problem(502, "upstream_connect")


def test_an_app_that_says_nothing(weir, connect, upstream):
    app = upstream(silent)
    client = connect(weir(app, timeout={"stall": "300ms"}))
    with Stopwatch() as watch:
        client.request().assert_problem(504, "upstream_stall")
    assert 0.2 < watch.seconds < 2
    eventually(app.connections[0].is_over.is_set, what="the app is told")


def test_an_app_that_stalls_within_its_answer_cuts_it(weir, connect, upstream):
    app = upstream(replying(OK + b"Content-Length: 100\r\n\r\nhalf"))
    client = connect(weir(app, timeout={"stall": "300ms"}))
    with pytest.raises(CutShort) as cut:
        client.ask()
    assert cut.value.partial == b"half"
    eventually(app.connections[0].is_over.is_set, what="the app is told")


def test_a_reader_that_stalls_is_given_up(weir, connect, upstream):
    def script(connection):
        connection.request()
        connection.send(OK + b"Content-Length: 67108864\r\n\r\n")
        connection.send(b"x" * 67108864)

    app = upstream(script)
    connect(weir(app, timeout={"stall": "500ms"}), receive_buffer=4096).request()
    app.wait_for_requests(1)
    eventually(app.connections[0].is_over.is_set, within=10)


def test_bytes_that_keep_coming_are_no_stall(weir, connect, upstream):
    def script(connection):
        connection.request()
        connection.send(OK + b"Content-Length: 10\r\n\r\n")
        connection.send_slowly(b"0123456789", pause=0.1)

    client = connect(weir(upstream(script), timeout={"stall": "400ms"}))
    assert client.ask().body == b"0123456789"


def test_the_deadline_covers_an_app_that_never_begins(weir, connect, upstream):
    app = upstream(silent)
    client = connect(weir(app, timeout={"total": "400ms"}))
    with Stopwatch() as watch:
        client.request().assert_problem(504, "deadline")
    assert 0.3 < watch.seconds < 2
    eventually(app.connections[0].is_over.is_set, what="the app is told")


def test_the_deadline_may_be_written_as_the_timeout(weir, connect, upstream):
    connect(weir(upstream(silent), timeout="300ms")).request().assert_problem(504, "deadline")


def test_the_deadline_covers_a_head_that_drips(weir, connect, upstream):
    app = upstream(dripping(OK, b"X-More: x\r\n"))
    client = connect(weir(app, timeout={"total": "400ms"}))
    client.request().assert_problem(504, "deadline")
    eventually(app.connections[0].is_over.is_set, what="the app is told")


def test_the_deadline_cuts_an_answer_that_drips(weir, connect, upstream):
    app = upstream(dripping(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"))
    client = connect(weir(app, timeout={"total": "500ms"}))
    with Stopwatch() as watch, pytest.raises(CutShort):
        client.ask()
    assert 0.3 < watch.seconds < 3
    eventually(app.connections[0].is_over.is_set, what="the app is told")


def test_a_connection_serves_on_after_a_deadline(weir, connect, upstream):
    client = connect(weir(upstream([silent, answering(b"sound")]), timeout={"total": "300ms"}))
    client.request().assert_problem(504, "deadline")
    assert client.ask().body == b"sound"
