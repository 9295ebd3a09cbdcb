"""What changes on the way: hop-by-hop fields stay behind, and weir says who asked."""

import re
import time

import pytest

from harness.upstream import answering, replying


@pytest.fixture
def seen(weir, connect, upstream):
    """seen(fields) sends one request with them; the request as the app saw it."""

    def ask(fields=(), target="/", host="weir.test", **settings):
        app = upstream(answering())
        assert connect(weir(app, **settings)).ask(target, fields=fields, host=host).status == 200
        return app.requests[0]

    return ask


@pytest.mark.parametrize(
    "name, value",
    [
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Connection", "keep-alive"),
        ("TE", "gzip"),
        ("Proxy-Authorization", "Basic eA=="),
    ],
)
def test_hop_by_hop_fields_stay_behind(seen, name, value):
    assert name.lower() not in seen({name: value, "X-Kept": "1"}).names


def test_fields_named_in_connection_stay_behind(seen):
    request = seen({"Connection": "keep-alive, X-Private,x-other", "X-Private": "1", "X-Other": "2", "X-Kept": "3"})
    assert request.value("x-kept") == "3"
    assert not {"x-private", "x-other"} & request.names


@pytest.mark.parametrize("named", ["Host", "Content-Length", "X-Forwarded-For", "X-Request-ID", "Transfer-Encoding"])
def test_connection_cannot_strip_what_the_app_relies_on(weir, connect, upstream, named):
    app = upstream(answering())
    connect(weir(app)).ask("/", "POST", {"Connection": named}, body=b"body")
    request = app.requests[0]
    assert {"host", "content-length", "x-forwarded-for", "x-request-id"} <= request.names
    assert request.body == b"body"


def test_te_trailers_is_passed_on(seen):
    assert seen({"TE": "trailers, gzip", "Connection": "TE"}).value("te") == "trailers"


def test_all_other_fields_arrive_in_order_and_as_written(seen):
    fields = [
        ("X-One", "1"),
        ("accept", "a, b ;q=0.1"),
        ("X-Twice", "a"),
        ("x-twice", "b"),
        ("Cookie", "a=b; c=\"d\""),
        ("X-Empty", ""),
        ("X-Latin", "caf\xe9"),
        ("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ]
    own = {
        "host",
        "content-length",
        "connection",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-host",
        "x-real-ip",
        "x-request-id",
        "x-request-start",
        "x-request-deadline",
    }
    assert [pair for pair in seen(fields).fields if pair[0].lower() not in own] == fields


def test_the_app_learns_who_asked_and_how(seen):
    request = seen(host="shop.test:8080")
    assert request.value("x-forwarded-for") == "127.0.0.1"
    assert request.value("x-forwarded-proto") == "http"
    assert request.value("x-forwarded-host") == "shop.test:8080"


def test_forwarding_fields_of_a_stranger_are_not_believed(seen):
    request = seen(
        [
            ("X-Forwarded-For", "8.8.8.8"),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", "evil.test"),
            ("Forwarded", "for=8.8.8.8"),
        ]
    )
    assert request.value("x-forwarded-for") == "127.0.0.1"
    assert request.value("x-forwarded-proto") == "http"
    assert request.value("x-forwarded-host") == "weir.test"
    assert "forwarded" not in request.names


@pytest.mark.parametrize(
    "name",
    [
        "X_Forwarded_For",
        "x-forwarded_for",
        "X_Request_ID",
        "Content_Length",
        "Transfer_Encoding",
        "SCRIPT_NAME",
        "Path_Info",
        "script-name",
    ],
)
def test_fields_that_a_cgi_style_app_would_mistake_for_weirs_stay_behind(seen, name):
    assert name.lower() not in seen({name: "8"}).names


def test_the_host_of_the_client_is_kept(seen):
    assert seen(host="Shop.Test:8080").value("host") == "Shop.Test:8080"


def test_the_host_can_be_set(seen):
    request = seen(host="shop.test", upstream={"host": "internal.test"})
    assert request.value("host") == "internal.test"
    assert request.value("x-forwarded-host") == "shop.test"


def test_a_sane_request_id_is_kept(seen):
    assert seen({"X-Request-ID": "abc-123.DEF_4"}).value("x-request-id") == "abc-123.DEF_4"


@pytest.mark.parametrize("mad", ["with space", "x" * 200, "quote\"d", "<script>", "", "caf\xe9"])
def test_any_other_request_id_is_replaced(seen, mad):
    assert re.fullmatch(r"[0-9a-f]{32}", seen({"X-Request-ID": mad}).value("x-request-id"))


def test_every_request_gets_an_id_of_its_own(weir, connect, upstream):
    app = upstream(answering())
    client = connect(weir(app))
    answered = [client.ask().value("x-request-id") for _ in range(20)]
    assert len(set(answered)) == 20
    assert answered == [request.value("x-request-id") for request in app.requests]


def test_hop_by_hop_fields_of_the_answer_stay_behind(weir, connect, upstream):
    raw = (
        b"HTTP/1.1 200 Fine By Me\r\nConnection: keep-alive, X-Private\r\nKeep-Alive: timeout=5\r\nX-Private: 1\r\n"
        b"Proxy-Connection: x\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nServer: own\r\nContent-Length: 2\r\n\r\nok"
    )
    answer = connect(weir(upstream(replying(raw)))).ask()
    assert answer.values("set-cookie") == ["a=b", "c=d"]
    assert (answer.value("server"), answer.phrase) == ("own", "Fine By Me")
    assert not {"keep-alive", "x-private", "proxy-connection"} & answer.names


def test_a_date_is_added_where_the_app_gave_none(weir, connect, upstream):
    answer = connect(weir(upstream(answering()))).ask()
    assert re.fullmatch(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", answer.value("date"))


def test_the_date_of_the_app_is_kept(weir, connect, upstream):
    date = "Tue, 15 Nov 1994 08:12:31 GMT"
    assert connect(weir(upstream(answering(fields={"Date": date})))).ask().value("date") == date


def test_the_app_may_be_on_a_unix_socket(weir, connect, upstream, tmp_path):
    app = upstream(answering(b"by path"), path=tmp_path / "app.sock")
    assert connect(weir(app)).ask().body == b"by path"


def test_the_app_may_be_on_ipv6(weir, connect, upstream):
    assert connect(weir(upstream(answering(b"six"), host="::1"))).ask().body == b"six"


def test_the_app_may_be_named(weir, connect, upstream):
    app = upstream(answering(b"by name"))
    assert connect(weir(f"http://localhost:{app.port}")).ask().body == b"by name"


def test_weir_may_listen_on_a_unix_socket(weir, connect, upstream, tmp_path):
    path = tmp_path / "weir.sock"
    proxy = weir(upstream(answering(b"by path")), listen=f"unix:{path}")
    assert connect(proxy).ask().body == b"by path"
    assert path.stat().st_mode & 0o777 == 0o660


def test_weir_may_listen_on_ipv6_and_names_such_clients(weir, connect, upstream):
    app = upstream(answering())
    proxy = weir(app, listen="[::1]:PORT")
    connect(("::1", proxy.address[1])).ask()
    assert app.requests[0].value("x-forwarded-for") == "::1"


def test_weir_may_listen_on_several_addresses(weir, connect, upstream, tmp_path):
    path = tmp_path / "second.sock"
    proxy = weir(upstream(answering()), listen=["127.0.0.1:PORT", f"unix:{path}"])
    assert connect(proxy).ask().status == 200
    assert connect(str(path)).ask().status == 200


def test_requests_go_to_all_servers_of_the_app(weir, connect, upstream):
    apps = [upstream(answering()) for _ in range(2)]
    proxy = weir(None, upstream={"servers": [app.url for app in apps], "balance": "round_robin"})
    client = connect(proxy)
    for _ in range(10):
        client.ask()
    assert [len(app.requests) for app in apps] == [5, 5]


def test_the_app_learns_when_the_request_came_and_how_long_it_may_take(seen):
    request = seen({"X-Request-Start": "t=1", "X-Request-Deadline": "99999999"}, timeout="20s")
    assert abs(int(request.value("x-request-start").removeprefix("t=")) / 1e6 - time.time()) < 60
    assert 10_000 < int(request.value("x-request-deadline")) <= 20_000


def test_the_times_can_be_left_out(seen):
    request = seen(headers={"request_start": "false", "deadline": "false"})
    assert not {"x-request-start", "x-request-deadline"} & request.names
