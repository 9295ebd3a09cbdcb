"""Requests reach the app, and answers the client, as they were meant."""

import pytest

from harness.message import chunked
from harness.upstream import answering, replying, reporting


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "X-OWN"])
def test_any_method_is_passed_on(weir, connect, upstream, method):
    answer = connect(weir(upstream(reporting))).ask("/thing", method)
    assert answer.status == 200
    assert (answer.json["method"], answer.json["target"]) == (method, "/thing")


def test_connections_carry_many_requests(weir, connect, upstream):
    client = connect(weir(upstream(reporting)))
    for number in range(50):
        assert client.ask(f"/{number}").json["target"] == f"/{number}"


def test_a_body_with_a_length_arrives_whole(weir, connect, upstream):
    body = bytes(range(256)) * 40
    answer = connect(weir(upstream(reporting))).ask("/", "POST", body=body)
    assert answer.json["body"].encode("latin-1") == body


def test_an_empty_body_keeps_its_length_of_zero(weir, connect, upstream):
    app = upstream(answering())
    connect(weir(app)).ask("/", "POST", body=b"")
    assert app.requests[0].value("content-length") == "0"


def test_a_chunked_body_arrives_whole(weir, connect, upstream):
    client = connect(weir(upstream(reporting)))
    client.request("/", "POST", {"Transfer-Encoding": "chunked"})
    client.send(chunked(b"first,", b"second,", b"third"))
    assert client.response().json["body"] == "first,second,third"


def test_a_chunked_body_may_come_byte_by_byte(weir, connect, upstream):
    client = connect(weir(upstream(reporting)))
    client.request("/", "POST", {"Transfer-Encoding": "chunked"})
    client.send_slowly(b"5;note=x\r\nhello\r\n00A\r\n0123456789\r\n0\r\n\r\n")
    assert client.response().json["body"] == "hello0123456789"
    assert client.ask("/next").json["target"] == "/next"


def test_request_trailers_arrive(weir, connect, upstream):
    client = connect(weir(upstream(reporting)))
    client.request("/", "POST", {"Transfer-Encoding": "chunked", "Trailer": "X-Sum"})
    client.send(chunked(b"body", trailers=[(b"X-Sum", b"42")]))
    assert client.response().json["trailers"] == [["X-Sum", "42"]]


def test_response_trailers_arrive(weir, connect, upstream):
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n" + chunked(
        b"body", trailers=[(b"X-Sum", b"42")]
    )
    answer = connect(weir(upstream(replying(raw)))).ask(fields={"TE": "trailers"})
    assert (answer.body, answer.trailers) == (b"body", [("X-Sum", "42")])


# Framing, routing, identity: what a recipient that merges trailers into the head must not learn there.
FORBIDDEN_TRAILERS = [
    (b"Content-Length", b"3"),
    (b"Transfer-Encoding", b"chunked"),
    (b"Host", b"evil.test"),
    (b"Connection", b"close"),
    (b"Authorization", b"Basic eDp5"),
    (b"Cookie", b"a=b"),
    (b"Set-Cookie", b"a=b"),
    (b"X-Forwarded-For", b"6.6.6.6"),
    (b"X-Request-ID", b"z"),
]
MIXED_TRAILERS = [(b"X-First", b"1"), *FORBIDDEN_TRAILERS, (b"X-Last", b"2")]


@pytest.mark.parametrize("size", [10, 200_000], ids=["held", "streamed"])
def test_forbidden_request_trailers_stay_behind(weir, connect, upstream, size):
    app = upstream(answering())
    client = connect(weir(app))
    for trailers in (MIXED_TRAILERS, FORBIDDEN_TRAILERS):
        client.request("/", "POST", {"Transfer-Encoding": "chunked"})
        client.send(chunked(b"x" * size, trailers=trailers))
        assert client.response().status == 200
    assert [len(request.body) for request in app.requests] == [size, size]
    assert [request.trailers for request in app.requests] == [[("X-First", "1"), ("X-Last", "2")], []]


def test_forbidden_response_trailers_stay_behind(weir, connect, upstream):
    def script(connection):
        for trailers in (MIXED_TRAILERS, FORBIDDEN_TRAILERS):
            connection.request()
            connection.send(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"body", trailers=trailers)
            )
        connection.wait_for_close()

    client = connect(weir(upstream(script)))
    answers = [client.ask(fields={"TE": "trailers"}) for _ in range(2)]
    assert [answer.body for answer in answers] == [b"body", b"body"]
    assert [answer.trailers for answer in answers] == [[("X-First", "1"), ("X-Last", "2")], []]


def test_a_chunked_answer_stays_whole_and_the_connection_open(weir, connect, upstream):
    def script(connection):
        while connection.request():
            connection.send(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"a" * 1000, b"b" * 70000, b"c")
            )

    client = connect(weir(upstream(script)))
    for _ in range(3):
        assert client.ask().body == b"a" * 1000 + b"b" * 70000 + b"c"


def test_an_answer_that_ends_with_the_connection_is_passed_on_whole(weir, connect, upstream):
    def script(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")

    client = connect(weir(upstream(script)))
    answer = client.ask()
    assert answer.body == b"until the end"
    assert answer.is_chunked, "the client learns where it ends"
    assert client.ask().body == b"until the end"


def test_head_has_the_length_but_no_body(weir, connect, upstream):
    client = connect(weir(upstream(answering(b"12345"))))
    answer = client.ask("/", "HEAD")
    assert (answer.value("content-length"), answer.body) == ("5", b"")
    assert client.ask("/").body == b"12345"


@pytest.mark.parametrize("status", [204, 304])
def test_answers_that_never_have_a_body(weir, connect, upstream, status):
    def script(connection):
        while connection.request():
            connection.send(b"HTTP/1.1 %d Nothing\r\nETag: \"x\"\r\n\r\n" % status)

    client = connect(weir(upstream(script)))
    for _ in range(2):
        answer = client.ask()
        assert (answer.status, answer.value("etag"), answer.is_chunked) == (status, '"x"', False)


def test_a_304_may_state_the_length_it_would_have_had(weir, connect, upstream):
    def script(connection):
        while connection.request():
            connection.send(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n")

    client = connect(weir(upstream(script)))
    for _ in range(2):
        assert client.ask().value("content-length") == "1000"


@pytest.mark.parametrize("status", [200, 201, 301, 404, 418, 500, 503, 599])
def test_a_status_of_the_app_is_passed_on_with_its_body(weir, connect, upstream, status):
    answer = connect(weir(upstream(answering(b"said the app", status)))).ask()
    assert (answer.status, answer.body) == (status, b"said the app")


def test_http_1_0_is_answered_and_closed(weir, connect, upstream):
    app = upstream(reporting)
    client = connect(weir(app))
    client.send(b"GET /old HTTP/1.0\r\n\r\n")
    assert client.response().json["target"] == "/old"
    client.assert_closed()
    assert app.requests[0].version == "HTTP/1.1"


def test_http_1_0_may_ask_to_keep_the_connection(weir, connect, upstream):
    client = connect(weir(upstream(reporting)))
    for _ in range(2):
        client.send(b"GET /old HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
        assert client.response().value("connection").lower() == "keep-alive"


def test_http_1_0_clients_never_get_chunks(weir, connect, upstream):
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"one,", b"two")
    client = connect(weir(upstream(replying(raw))))
    client.send(b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
    answer = client.response()
    assert (answer.is_chunked, answer.body) == (False, b"one,two")


def test_an_http_1_0_app_is_understood(weir, connect, upstream):
    def script(connection):
        connection.request()
        connection.send(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold")

    client = connect(weir(upstream(script)))
    for _ in range(2):
        answer = client.ask()
        assert (answer.version, answer.body) == ("HTTP/1.1", b"old")


def test_connection_close_is_honoured(weir, connect, upstream):
    client = connect(weir(upstream(answering())))
    answer = client.ask(fields={"Connection": "close"})
    assert answer.value("connection") == "close"
    client.assert_closed()


def test_pipelined_requests_are_answered_in_order(weir, connect, upstream):
    client = connect(weir(upstream(reporting)))
    client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(40)))
    assert [client.response().json["target"] for _ in range(40)] == [f"/{number}" for number in range(40)]


def test_pipelined_requests_with_bodies_keep_their_bounds(weir, connect, upstream):
    client = connect(weir(upstream(reporting)))
    client.send(
        b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nfirst"
        b"POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecond\r\n0\r\n\r\n"
        b"GET /3 HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    answers = [client.response().json for _ in range(3)]
    assert [(answer["target"], answer["body"]) for answer in answers] == [("/1", "first"), ("/2", "second"), ("/3", "")]


@pytest.mark.parametrize(
    "target, at_the_app",
    [("http://other.test/a/b?c=d", "/a/b?c=d"), ("http://other.test", "/"), ("HTTP://other.test:81/a", "/a")],
)
def test_absolute_form_is_sent_on_in_origin_form(weir, connect, upstream, target, at_the_app):
    app = upstream(reporting)
    answer = connect(weir(app)).ask(target, host="ignored.test")
    assert answer.json["target"] == at_the_app
    assert app.requests[0].value("host") == target.split("/")[2].split("?")[0]


def test_options_asterisk_is_passed_on(weir, connect, upstream):
    assert connect(weir(upstream(reporting))).ask("*", "OPTIONS").json["target"] == "*"


@pytest.mark.parametrize(
    "target",
    [
        "/a%20b?x=1&x=2&y=%2F%2e%2e",
        "/?",
        "/a?b?c",
        "//double//slash",
        "/a/./b/../c",
        "/%7Euser/%c3%bc",
        "/a;v=1,2/:@!$&'()*+",
        "/q?a=[1]&b={x}|y^z",
    ],
)
def test_path_and_query_arrive_unchanged(weir, connect, upstream, target):
    assert connect(weir(upstream(reporting))).ask(target).json["target"] == target


def test_a_head_may_come_byte_by_byte(weir, connect, upstream):
    client = connect(weir(upstream(reporting)))
    client.send_slowly(b"GET /slowly?a=b HTTP/1.1\r\nHost: a.test\r\nX-One: 1\r\n\r\n")
    assert client.response().json["target"] == "/slowly?a=b"


@pytest.mark.parametrize("size", [2, 3, 7, 61, 509])
def test_a_head_may_come_in_pieces_of_any_size(weir, connect, upstream, size):
    client = connect(weir(upstream(reporting)))
    head = (
        b"GET /pieces HTTP/1.1\r\nHost: a.test\r\n"
        + b"".join(b"X-%d: %s\r\n" % (n, b"v" * n) for n in range(60))
        + b"\r\n"
    )
    client.send_slowly(head, size)
    answer = client.response().json
    assert ["X-59", "v" * 59] in answer["fields"]


def test_an_answer_may_come_byte_by_byte(weir, connect, upstream):
    def script(connection):
        while connection.request():
            connection.send_slowly(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
            )

    client = connect(weir(upstream(script)))
    for _ in range(2):
        answer = client.ask()
        assert (answer.body, answer.value("x-a")) == (b"abcd", "b")


def test_large_heads_pass_both_ways(weir, connect, upstream):
    big = "v" * 12000
    answer = connect(weir(upstream(answering(fields={"X-Big": big * 2})))).ask(fields={"X-Big": big})
    assert answer.value("x-big") == big * 2


def test_blank_line_before_the_request_line_is_forgiven(weir, connect, upstream):
    client = connect(weir(upstream(reporting)))
    for _ in range(2):
        client.send(b"\r\nGET /after-blank HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.response().json["target"] == "/after-blank"


def test_early_hints_are_passed_on(weir, connect, upstream):
    raw = (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    )
    client = connect(weir(upstream(replying(raw))))
    hints = client.ask()
    assert (hints.status, hints.value("link")) == (103, "</a.css>; rel=preload")
    assert client.response().body == b"ok"


def test_http_1_0_clients_are_spared_interim_answers(weir, connect, upstream):
    raw = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    client = connect(weir(upstream(replying(raw))))
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    assert client.response().status == 200


def test_a_client_that_expects_100_continue_is_told_to_go_on(weir, connect, upstream):
    client = connect(weir(upstream(reporting)))
    client.request("/", "POST", {"Expect": "100-continue", "Content-Length": 4})
    assert client.response().status == 100
    client.send(b"body")
    answer = client.response()
    assert (answer.status, answer.json["body"]) == (200, "body")


def test_the_upload_of_a_client_that_does_not_wait_for_100_is_taken(weir, connect, upstream):
    client = connect(weir(upstream(reporting)))
    client.request("/", "POST", {"Expect": "100-continue"}, body=b"body")
    answer = client.response()
    if answer.status == 100:
        answer = client.response()
    assert answer.json["body"] == "body"


def test_an_unknown_expectation_is_refused(weir, connect, upstream):
    app = upstream(reporting)
    connect(weir(app)).request(fields={"Expect": "miracles"}).assert_problem(417, "expectation_failed")
    assert not app.connections
