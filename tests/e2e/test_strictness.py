"""What two readers could understand differently goes no further: not to the app, and not to the client."""

import pytest

from harness.client import assert_problem
from harness.message import chunked
from harness.poll import eventually
from harness.upstream import answering, replying

HOST = b"Host: a\r\n"
HOSTILE_HEADS = {
    "bare LF": b"GET / HTTP/1.1\nHost: a\n\n",
    "bare LF behind a field": b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
    "bare CR in a value": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
    "NUL in a value": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
    "control in a value": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x01b\r\n\r\n",
    "folded field": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
    "white space before the first field": b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "space before the colon": b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n",
    "tab before the colon": b"GET / HTTP/1.1\r\nHost: a\r\nX\t: y\r\n\r\n",
    "field without a colon": b"GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n",
    "empty field name": b"GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n",
    "field name with a parenthesis": b"GET / HTTP/1.1\r\nHost: a\r\nX(a): y\r\n\r\n",
    "field name with a high byte": b"GET / HTTP/1.1\r\nHost: a\r\nX\xff: y\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "two equal hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "host with a space": b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "host with a path": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "host with userinfo": b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
    "host with a bad port": b"GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n",
    "two spaces behind the method": b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n",
    "two spaces before the version": b"GET /  HTTP/1.1\r\n" + HOST + b"\r\n",
    "tab in the request line": b"GET\t/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "space at the line's end": b"GET / HTTP/1.1 \r\n" + HOST + b"\r\n",
    "leading space": b" GET / HTTP/1.1\r\n" + HOST + b"\r\n",
    "space in the target": b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
    "control in the target": b"GET /a\x7fb HTTP/1.1\r\n" + HOST + b"\r\n",
    "fragment in the target": b"GET /a#b HTTP/1.1\r\n" + HOST + b"\r\n",
    "target without a slash": b"GET a HTTP/1.1\r\n" + HOST + b"\r\n",
    "asterisk with GET": b"GET * HTTP/1.1\r\n" + HOST + b"\r\n",
    "absolute target with userinfo": b"GET http://u:p@a/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "absolute target of another kind": b"GET ftp://a/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "method in lower case": b"get / HTTP/1.1\r\n" + HOST + b"\r\n",
    "method partly in lower case": b"POSt / HTTP/1.1\r\n" + HOST + b"\r\n",
    "method with a bracket": b"GE[T / HTTP/1.1\r\n" + HOST + b"\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "lower-case protocol": b"GET / http/1.1\r\n" + HOST + b"\r\n",
    "no digits in the version": b"GET / HTTP/x.y\r\n" + HOST + b"\r\n",
    "two digits in the version": b"GET / HTTP/1.10\r\n" + HOST + b"\r\n",
    "TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 32 + b"\r\n\r\n",
}

POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
HOSTILE_FRAMING = {
    "length and chunked": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "two equal lengths": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "a list of lengths": POST + b"Content-Length: 5, 5\r\n\r\nhello",
    "signed length": POST + b"Content-Length: +5\r\n\r\nhello",
    "negative length": POST + b"Content-Length: -1\r\n\r\nhello",
    "hexadecimal length": POST + b"Content-Length: 0x5\r\n\r\nhello",
    "length with a blank": POST + b"Content-Length: 1 0\r\n\r\nhello",
    "empty length": POST + b"Content-Length: \r\n\r\nhello",
    "length beyond 64 bits": POST + b"Content-Length: 18446744073709551621\r\n\r\nhello",
    "fraction of a length": POST + b"Content-Length: 5.0\r\n\r\nhello",
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked with a friend": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked before identity": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "quoted chunked": POST + b"Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
    "misspelt chunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked behind a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "empty coding": POST + b"Transfer-Encoding: \r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}

HOSTILE_CHUNKS = {
    "no size": b"\r\nhello\r\n0\r\n\r\n",
    "size that is no number": b"xyz\r\nhello\r\n0\r\n\r\n",
    "size with 0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "signed size": b"+5\r\nhello\r\n0\r\n\r\n",
    "negative size": b"-5\r\nhello\r\n0\r\n\r\n",
    "size with an underscore": b"1_0\r\nhellohellohello!\r\n0\r\n\r\n",
    "size behind a blank": b" 5\r\nhello\r\n0\r\n\r\n",
    "size beyond 64 bits": b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "size line ended by LF": b"5\nhello\r\n0\r\n\r\n",
    "extension with a bare LF": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "extension with a bare CR": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "data longer than its size": b"3\r\nhello\r\n0\r\n\r\n",
    "data ended by LF": b"5\r\nhello\n0\r\n\r\n",
    "data ended by nothing": b"5\r\nhello0\r\n\r\n",
    "bad trailer": b"5\r\nhello\r\n0\r\nbad trailer\r\n\r\n",
    "folded trailer": b"5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n",
    "trailer with a bare LF": b"5\r\nhello\r\n0\r\nX: a\nY: b\r\n\r\n",
}


def table(cases):
    return pytest.mark.parametrize("raw", cases.values(), ids=cases.keys())


def assert_refused(weir, connect, upstream, raw, status=400, reason="bad_request"):
    app = upstream(answering())
    client = connect(weir(app))
    client.send(raw)
    answer = client.assert_problem(status, reason)
    assert answer.value("connection") == "close"
    client.assert_closed()
    assert not app.connections


@table(HOSTILE_HEADS)
def test_hostile_heads_are_refused(weir, connect, upstream, raw):
    assert_refused(weir, connect, upstream, raw)


@table(HOSTILE_FRAMING)
def test_hostile_framing_is_refused(weir, connect, upstream, raw):
    assert_refused(weir, connect, upstream, raw)


@table(HOSTILE_CHUNKS)
def test_hostile_chunks_never_become_a_request(weir, connect, upstream, raw):
    app = upstream(answering())
    client = connect(weir(app))
    client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n" + raw + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
    client.assert_problem(400, "bad_request")
    client.assert_closed()
    assert not app.requests
    assert b"smuggled" not in app.received


@pytest.mark.parametrize(
    "raw, status, reason",
    [
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "version_not_supported"),
        (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505, "version_not_supported"),
        (b"PRI * HTTP/2.0\r\nHost: a\r\n\r\n", 505, "version_not_supported"),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501, "not_implemented"),
    ],
)
def test_what_weir_does_not_speak_is_named(weir, connect, upstream, raw, status, reason):
    assert_refused(weir, connect, upstream, raw, status, reason)


def test_a_request_behind_a_refused_one_is_not_looked_at(weir, connect, upstream):
    assert_refused(
        weir,
        connect,
        upstream,
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    )


def test_a_sound_request_before_a_hostile_one_is_served(weir, connect, upstream):
    app = upstream(answering(b"served"))
    client = connect(weir(app))
    client.send(b"GET /sound HTTP/1.1\r\nHost: a\r\n\r\nGET /bad HTTP/1.1\nHost: a\n\n")
    assert client.response().body == b"served"
    client.assert_problem(400, "bad_request")
    client.assert_closed()
    assert [request.target for request in app.requests] == ["/sound"]


def test_the_refusal_survives_bytes_the_client_still_sends(weir, connect, upstream):
    client = connect(weir(upstream(answering())))
    client.send(b"GET / HTTP/1.1\nHost: a\n\n")
    client.send_if_possible(b"x" * 200_000)
    client.assert_problem(400, "bad_request")


OK = b"HTTP/1.1 200 OK\r\n"
HOSTILE_ANSWERS = {
    "no HTTP at all": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "length and chunked": OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "signed length": OK + b"Content-Length: +2\r\n\r\nok",
    "length beyond 64 bits": OK + b"Content-Length: 18446744073709551618\r\n\r\nok",
    "unknown coding": OK + b"Transfer-Encoding: gzip\r\n\r\nok",
    "chunked twice": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "folded field": OK + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
    "space before the colon": OK + b"Content-Length : 2\r\n\r\nok",
    "NUL in a value": OK + b"X: a\0b\r\nContent-Length: 2\r\n\r\nok",
    "bare CR in a value": OK + b"X: a\rb\r\nContent-Length: 2\r\n\r\nok",
    "bare LF in a value": OK + b"X: a\nSet-Cookie: b\r\nContent-Length: 2\r\n\r\nok",
    "status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok",
    "status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok",
    "status below 100": b"HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok",
    "status above 599": b"HTTP/1.1 600 OK\r\nContent-Length: 2\r\n\r\nok",
    "another version": b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "101 that nobody asked for": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "endless head": OK + b"X: " + b"a" * 200_000,
    "endless interim answers": b"HTTP/1.1 102 Processing\r\n\r\n" * 5000,
}


@table(HOSTILE_ANSWERS)
def test_hostile_answers_become_502(weir, connect, upstream, raw):
    app = upstream([replying(raw), answering(b"sound")])
    proxy = weir(app)
    client = connect(proxy)
    answer = client.request().response()
    while answer.status == 102:
        answer = client.response()
    assert_problem(answer, 502, "upstream_protocol")
    assert connect(proxy).ask("/again").body == b"sound"
    eventually(app.connections[0].is_over.is_set, what="the bad connection is closed")
    assert len(app.connections) == 2


HOSTILE_CHUNKED_ANSWERS = {
    "bad size": b"2\r\nok\r\nxyz\r\n",
    "data longer than its size": b"2\r\nok\r\n2\r\ntoo much\r\n0\r\n\r\n",
    "size ended by LF": b"2\r\nok\r\n2\nok\r\n0\r\n\r\n",
}


@table(HOSTILE_CHUNKED_ANSWERS)
def test_chunks_that_go_wrong_midway_cut_the_answer(weir, connect, upstream, raw):
    """The head is gone by then: all that is left is not to pretend that the answer is whole."""

    def script(connection):
        connection.request()
        connection.send(OK + b"Transfer-Encoding: chunked\r\n\r\n" + raw)
        connection.wait_for_close()

    app = upstream([script, answering(b"sound")])
    proxy = weir(app)
    client = connect(proxy)
    client.request()
    received = client.to_end()
    assert b"\r\n0\r\n\r\n" not in received
    if b" 502 " not in received:
        assert received.startswith(OK)
    assert connect(proxy).ask().body == b"sound"


@pytest.mark.parametrize("extra", [b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned", b"garbage"])
def test_what_an_app_says_unasked_reaches_no_client(weir, connect, upstream, extra):
    def script(connection):
        connection.request()
        connection.send(OK + b"Content-Length: 5\r\n\r\nfirst" + extra)
        connection.wait_for_close()

    app = upstream([script, answering(b"second")])
    client = connect(weir(app))
    assert client.ask().body == b"first"
    assert client.ask().body == b"second"
    eventually(app.connections[0].is_over.is_set, what="the talkative connection is closed")


def test_what_an_app_says_on_an_idle_connection_reaches_no_client(weir, connect, upstream):
    def script(connection):
        connection.request()
        connection.answer(b"first")
        app.released.wait(10)
        connection.send(OK + b"Content-Length: 8\r\n\r\npoisoned")
        connection.wait_for_close()

    app = upstream([script, answering(b"second")])
    client = connect(weir(app))
    assert client.ask().body == b"first"
    app.release()
    eventually(app.connections[0].is_over.is_set, what="the talkative connection is closed")
    assert client.ask().body == b"second"


def test_a_head_answer_with_a_body_does_not_poison_the_next(weir, connect, upstream):
    def script(connection):
        connection.request()
        connection.send(OK + b"Content-Length: 4\r\n\r\nbody")
        connection.wait_for_close()

    client = connect(weir(upstream([script, answering(b"second")])))
    assert client.ask("/", "HEAD").status == 200
    assert client.ask().body == b"second"


def test_a_chunked_answer_is_passed_on_without_its_extensions(weir, connect, upstream):
    raw = OK + b"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0;c\r\n\r\n"
    client = connect(weir(upstream(replying(raw))))
    client.request()
    client.head()
    assert client.until(b"0\r\n\r\n") == chunked(b"ok")
