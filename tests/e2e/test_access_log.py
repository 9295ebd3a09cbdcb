"""One line a request, true, and readable by a machine whatever the request held."""

import re

import pytest

from harness.metrics import ask_admin
from harness.poll import eventually
from harness.upstream import answering, replying


def test_a_line_says_who_asked_what_and_how_it_went(weir, connect, upstream):
    app = upstream(answering(b"12345", 201))
    proxy = weir(app)
    answer = connect(proxy).ask(
        "/a/b?c=d", "POST", {"User-Agent": "probe/1", "Referer": "http://r.test/x"}, b"1234567", "shop.test"
    )
    (line,) = proxy.log_lines(1)
    expected = {
        "client": "127.0.0.1",
        "method": "POST",
        "host": "shop.test",
        "path": "/a/b?c=d",
        "protocol": "HTTP/1.1",
        "status": 201,
        "bytes_in": 7,
        "bytes_out": 5,
        "user_agent": "probe/1",
        "referer": "http://r.test/x",
        "id": answer.value("x-request-id"),
    }
    assert {key: line.get(key) for key in expected} == expected
    assert line["server"].endswith(str(app.port))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["time"])
    assert 0 <= line["first_byte_ms"] <= line["total_ms"] < 10_000
    assert not {"reason", "cut", "retries", "slow"} & line.keys()


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    "sent, logged",
    [
        ([f"00-{TRACE}-00f067aa0ba902b7-01"], TRACE),
        ([f"00-{TRACE.upper()}-00f067aa0ba902b7-01"], None),
        ([f'00-{TRACE[:-2]}"}}-00f067aa0ba902b7-01'], None),
        ([f"00-{TRACE}-00f067aa0ba902b7-01"] * 2, None),
    ],
)
def test_the_trace_of_a_request_is_named_and_passed_on_as_it_came(weir, connect, upstream, sent, logged):
    app = upstream(answering())
    proxy = weir(app)
    assert connect(proxy).ask(fields=[("Traceparent", value) for value in sent]).status == 200
    assert proxy.log_lines(1)[0].get("trace_id") == logged
    assert [value for name, value in app.requests[0].fields if name.lower() == "traceparent"] == sent


def test_credentials_are_nowhere_in_the_log(weir, connect, upstream):
    proxy = weir(upstream(answering()), log={"level": "debug"})
    fields = {
        "Authorization": "Bearer swordfish-1",
        "Proxy-Authorization": "Basic swordfish-2",
        "Cookie": "session=swordfish-3",
        "X-Api-Key": "swordfish-4",
        "Referer": "https://app.example/?token=swordfish-5",
    }
    assert connect(proxy).ask("/a?password=swordfish-6&api_key=swordfish-7", fields=fields).status == 200
    assert "***" in proxy.log_lines(1)[0]["path"]
    proxy.stop()
    assert "swordfish" not in proxy.log_path.read_text() + proxy.stderr + proxy.stdout


def test_every_request_has_its_line(weir, connect, upstream):
    proxy = weir(upstream(answering()))
    client = connect(proxy)
    for number in range(100):
        client.ask(f"/{number}")
    assert [line["path"] for line in proxy.log_lines(100)] == [f"/{number}" for number in range(100)]


def test_pipelined_requests_have_a_line_each(weir, connect, upstream):
    proxy = weir(upstream(answering()))
    connect(proxy).send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(10)))
    assert [line["path"] for line in proxy.log_lines(10)] == [f"/{number}" for number in range(10)]


def test_the_id_in_the_log_is_the_one_in_a_refusal(weir, connect, upstream):
    proxy = weir(upstream(answering()), limits={"body": "10B"})
    answer = connect(proxy).request("/", "POST", {"Content-Length": 11}).assert_problem(413, "body_too_large")
    (line,) = proxy.log_lines(1)
    assert (line["status"], line["reason"], line["id"]) == (413, "body_too_large", answer.json["request_id"])


def test_a_request_that_was_no_http_has_a_line_too(weir, connect, upstream):
    proxy = weir(upstream(answering()))
    client = connect(proxy)
    client.send(b"GET /x HTTP/1.1\r\nHost : a\r\n\r\n")
    client.assert_problem(400, "bad_request")
    (line,) = proxy.log_lines(1)
    assert (line["status"], line["reason"], line["method"], line["path"]) == (400, "bad_request", "GET", "/x")


def test_a_client_that_leaves_before_the_answer_is_499(weir, connect, upstream):
    def script(connection):
        connection.request()
        connection.wait_for_close()

    app = upstream(script)
    proxy = weir(app)
    client = connect(proxy).request("/waiting")
    app.wait_for_requests(1)
    client.close()
    (line,) = proxy.log_lines(1)
    assert (line["status"], line["path"]) == (499, "/waiting")


def test_an_answer_that_was_cut_says_so(weir, connect, upstream):
    def script(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    proxy = weir(upstream(script))
    connect(proxy).request().to_end()
    (line,) = proxy.log_lines(1)
    assert (line["status"], line["bytes_out"]) == (200, 4)
    assert line["cut"]


def test_an_app_that_fails_is_named(weir, connect, upstream):
    proxy = weir(upstream(replying(b"nonsense\r\n\r\n")))
    connect(proxy).request().assert_problem(502, "upstream_protocol")
    (line,) = proxy.log_lines(1)
    assert (line["status"], line["reason"]) == (502, "upstream_protocol")


def test_a_repeated_request_is_one_line_with_its_retries(weir, connect, upstream):
    def script(connection):
        connection.request()
        connection.answer()
        connection.request()

    proxy = weir(upstream([script, answering()]))
    client = connect(proxy)
    client.ask("/first")
    client.ask("/second")
    first, second = proxy.log_lines(2)
    assert "retries" not in first
    assert second["retries"] == 1


def test_a_slow_request_is_marked(weir, connect, upstream):
    def script(connection):
        connection.request()
        app.released.wait(0.3)
        connection.answer()

    app = upstream(script)
    proxy = weir(app, log={"slow": "200ms"})
    connect(proxy).ask()
    (line,) = proxy.log_lines(1)
    assert line["slow"] is True
    assert line["total_ms"] >= 200


@pytest.mark.parametrize(
    "query, logged",
    [
        ("?a=1&token=abc&b=2", "?a=1&token=***&b=2"),
        ("?password=abc", "?password=***"),
        ("?api_key=x", "?api_key=***"),
        ("?monkey=x", "?monkey=x"),
        ("?%74oken=abc&b=%20", "?%74oken=***&b=%20"),
        ("?a=1;api%5Fkey=abc;b=2", "?a=1;api%5Fkey=***"),
        ("?next=%2Fy%3Fcode%3Dabc", "?next=%2Fy%3Fcode%3D***"),
        ("?next=https://me:abc@host/", "?next=https://***@host/"),
    ],
)
def test_secrets_in_a_query_stay_out_of_the_log_but_reach_the_app(weir, connect, upstream, query, logged):
    app = upstream(answering())
    proxy = weir(app, admin="127.0.0.1:0", log={"slow": "0s"})
    answer = connect(proxy).ask("/login" + query, fields={"Referer": "https://me:abc@host/login" + query})
    (line,) = proxy.log_lines(1)
    assert line["path"] == "/login" + logged
    assert line["referer"] == "https://***@host/login" + logged
    assert ask_admin(proxy, "/why/" + answer.value("x-request-id")).json["path"] == "/login" + logged
    assert app.requests[0].target == "/login" + query


def test_no_request_can_forge_a_line(weir, connect, upstream):
    proxy = weir(upstream(answering()))
    agent = 'x"} {"status": 200, "path": "\\ \x80\xff'
    connect(proxy).ask('/"}{"?x=\\', fields={"User-Agent": agent})
    (line,) = proxy.log_lines(1)
    assert line["path"] == '/"}{"?x=\\'
    assert line["user_agent"].startswith('x"} {"status": 200, "path": "\\ ')


def test_the_combined_format_is_what_log_readers_know(weir, connect, upstream):
    proxy = weir(upstream(answering(b"12345")), log={"format": "combined"})
    connect(proxy).ask("/a?b", fields={"User-Agent": "probe \"1\"", "Referer": "http://r.test/"})
    (line,) = proxy.raw_log(1)
    assert re.fullmatch(
        r'127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET /a\?b HTTP/1\.1" 200 5 '
        r'"http://r\.test/" "probe \\x221\\x22"',
        line,
    )


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_lines_may_go_to_a_standard_stream(weir, connect, upstream, stream):
    proxy = weir(upstream(answering()), log={"access": stream})
    connect(proxy).ask("/to-the-stream")
    eventually(lambda: '"path":"/to-the-stream"' in getattr(proxy, stream))


def test_the_log_may_be_off(weir, connect, upstream):
    proxy = weir(upstream(answering()), log={"access": "off"})
    connect(proxy).ask("/unseen")
    proxy.stop()
    assert "/unseen" not in proxy.stdout + proxy.stderr


def test_no_line_is_lost_at_the_end(weir, connect, upstream):
    proxy = weir(upstream(answering()))
    client = connect(proxy)
    for _ in range(20):
        client.ask()
    proxy.stop()
    assert len(proxy.raw_log(20)) == 20
