"""Pages of other origins: preflights never reach the app, and every other answer says what a browser needs to know."""

import pytest

from harness.upstream import answering

PAGE = "https://page.example"
CORS = {
    "origins": [PAGE, "https://other.example"],
    "methods": ["GET", "DELETE"],
    "headers": ["Authorization", "X-Thing"],
    "expose": ["RateLimit", "X-Request-ID"],
    "credentials": True,
}


def preflight(client, origin=PAGE, target="/", **fields):
    asked = {"Origin": origin, "Access-Control-Request-Method": "DELETE", **fields}
    return client.ask(target, "OPTIONS", fields=asked)


def cors_fields(answer):
    return {name.lower(): value for name, value in answer.fields if name.lower().startswith("access-control-")}


ORDINARY = {
    "access-control-allow-origin": PAGE,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "ratelimit, x-request-id",
}


def test_a_preflight_is_answered_without_the_app(weir, connect, upstream):
    app = upstream(answering())
    proxy = weir(app, cors=CORS)
    client = connect(proxy)
    answer = preflight(client)
    assert (answer.status, answer.body) == (204, b"")
    assert cors_fields(answer) == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET, DELETE",
        "access-control-allow-headers": "authorization, x-thing",
        "access-control-max-age": "600",
    }
    assert answer.value("vary") == "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
    assert not {"content-length", "transfer-encoding"} & answer.names
    assert client.ask().status == 200, "the connection goes on"
    line = proxy.log_lines(2)[0]
    assert (line["method"], line["status"]) == ("OPTIONS", 204)
    assert "reason" not in line and "server" not in line
    assert [request.method for request in app.requests] == ["GET"]


def test_an_origin_that_is_not_listed_is_told_nothing(weir, connect, upstream):
    client = connect(weir(upstream(answering()), cors=CORS))
    answer = preflight(client, "https://evil.example")
    assert answer.status == 204
    assert not cors_fields(answer)
    answer = client.ask(fields={"Origin": "https://evil.example"})
    assert answer.status == 200
    assert not cors_fields(answer)
    assert answer.value("vary") == "Origin"


def test_a_preflight_costs_no_quota_and_no_route_refuses_it(weir, connect, upstream):
    routes = [{"match": {"path": "/things"}, "methods": ["POST"], "limits": {"rate": ["1/hour"]}}]
    proxy = weir(upstream(answering()), cors=CORS, routes=routes)
    client = connect(proxy)
    assert [preflight(client, target="/things").status for _ in range(5)] == [204] * 5
    assert client.ask("/things", "POST", body=b"x").status == 200
    assert client.ask("/things", "POST", body=b"x").status == 429
    assert preflight(connect(proxy), target="/things").status == 204


@pytest.mark.parametrize(
    "fields",
    [{"Origin": PAGE}, {"Access-Control-Request-Method": "GET"}],
    ids=["no_method_asked_for", "no_origin"],
)
def test_options_that_is_no_preflight_goes_to_the_app(weir, connect, upstream, fields):
    app = upstream(answering())
    assert connect(weir(app, cors=CORS)).ask("/", "OPTIONS", fields=fields).status == 200
    assert app.requests[0].method == "OPTIONS"


def test_what_the_app_says_of_cors_is_replaced(weir, connect, upstream):
    said = [
        ("Access-Control-Allow-Origin", "*"),
        ("access-control-allow-methods", "PUT"),
        ("Access-Control-Expose-Headers", "X-Secret"),
        ("Vary", "Accept-Encoding"),
    ]
    client = connect(weir(upstream(answering(fields=said)), cors=CORS))
    answer = client.ask(fields={"Origin": PAGE})
    assert cors_fields(answer) == ORDINARY
    assert len([name for name, _ in answer.fields if name.lower() == "access-control-allow-origin"]) == 1
    assert answer.values("vary") == ["Accept-Encoding", "Origin"]


def test_weirs_own_refusals_can_be_read_by_the_page(weir, connect, upstream, stage):
    routes = [
        {"match": {"path": "/once"}, "limits": {"rate": ["1/hour"]}},
        {"match": {"path": "/post"}, "methods": ["POST"]},
        {"match": {"path": "/by/{id}"}, "params": {"path": {"id": {"int": "1.."}}}},
    ]
    client = connect(weir(upstream(answering()), cors=CORS, routes=routes, limits={"body": "10B"}))
    origin = {"Origin": PAGE}
    assert client.ask("/once", fields=origin).status == 200
    for target, method, body, status in (
        ("/once", "GET", None, 429),
        ("/post", "GET", None, 405),
        ("/by/zero", "GET", None, 400),
        ("/%zz", "GET", None, 400),
        ("/", "PUT", b"x" * 11, 413),
    ):
        answer = client.ask(target, method, fields=origin, body=body)
        assert (answer.status, cors_fields(answer)) == (status, ORDINARY)


def test_an_app_that_is_not_there_is_told_of_too(weir, connect, stage):
    answer = connect(weir("http://127.0.0.1:1", cors=CORS, upstream={"hold": "0s"})).ask(fields={"Origin": PAGE})
    assert (answer.status, cors_fields(answer)) == (502, ORDINARY)


def test_a_fault_in_the_body_is_told_of_too(weir, connect, upstream):
    client = connect(weir(upstream(answering()), cors=CORS))
    client.request("/", "POST", {"Origin": PAGE, "Transfer-Encoding": "chunked"}).send(b"zz\r\n")
    answer = client.response()
    assert (answer.status, cors_fields(answer)) == (400, ORDINARY)


def test_any_origin_needs_no_vary(weir, connect, upstream):
    client = connect(weir(upstream(answering()), cors={"origins": "*", "headers": "*"}))
    answer = client.ask(fields={"Origin": "https://any.example"})
    assert cors_fields(answer) == {"access-control-allow-origin": "*"}
    assert "vary" not in answer.names
    asked = preflight(client, "https://any.example", **{"Access-Control-Request-Headers": "x-one,authorization"})
    assert asked.value("access-control-allow-headers") == "x-one,authorization"


def test_two_origins_are_none(weir, connect, upstream):
    client = connect(weir(upstream(answering()), cors=CORS))
    answer = client.ask(fields=[("Origin", PAGE), ("Origin", "https://other.example")])
    assert not cors_fields(answer)


def test_without_the_key_all_is_the_apps(weir, connect, upstream):
    app = upstream(answering(fields={"Access-Control-Allow-Origin": "https://own.example"}))
    client = connect(weir(app))
    answer = preflight(client)
    assert (answer.status, answer.value("access-control-allow-origin")) == (200, "https://own.example")
    assert "vary" not in answer.names
