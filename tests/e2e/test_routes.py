"""Routes: what a request of a path may look like, and what is put right on the way."""

import pytest

from harness.upstream import answering

DOCUMENTS = {
    "match": {"path": "/documents/{id}"},
    "params": {
        "path": {"id": {"int": "1.."}},
        "query": {
            "page": {"int": "1..", "default": "1"},
            "page_size": {"int": "1..100", "default": "20", "on_violation": "clamp"},
        },
    },
}


@pytest.fixture
def served(weir, connect, upstream):
    """served(*routes): a function that asks through weir, and the app's requests."""

    def make(*routes, **settings):
        app = upstream(answering())
        client = connect(weir(app, routes=list(routes), **settings))
        return client, app

    return make


def test_a_parameter_out_of_range_is_clamped_and_every_other_byte_stays(served):
    client, app = served(DOCUMENTS)
    assert client.ask("/documents/7?x=%2f&page_size=5000&page=2&y=a+b").status == 200
    assert app.requests[0].target == "/documents/7?x=%2f&page_size=100&page=2&y=a+b"


def test_missing_parameters_get_their_defaults(served):
    client, app = served(DOCUMENTS)
    assert client.ask("/documents/7").status == 200
    assert app.requests[0].target == "/documents/7?page=1&page_size=20"


def test_a_parameter_that_does_not_fit_is_refused_by_name_and_bound(served):
    client, app = served(DOCUMENTS)
    problem = client.request("/documents/7?page=0").assert_problem(400, "invalid_parameter")
    assert "page" in problem.json["detail"] and "1" in problem.json["detail"]
    client.request("/documents/none").assert_problem(400, "invalid_parameter")
    assert app.requests == []


def test_an_encoded_name_does_not_walk_around_a_rule(served):
    client, _ = served(DOCUMENTS)
    client.request("/documents/7?%70age=0").assert_problem(400, "invalid_parameter")


def test_a_path_that_readers_differ_in_is_refused_where_there_are_routes(served):
    client, _ = served(DOCUMENTS)
    client.request("/documents%2f7").assert_problem(400, "bad_request")


@pytest.mark.parametrize(
    "target", ["/v1/jobs:export", "/v1/jobs%3Aexport", "/v1/jobs%3aexport", "/v1//jobs:%65xport"]
)
def test_no_spelling_of_a_path_walks_around_its_limit(served, target):
    client, _ = served({"match": {"path": "/v1/jobs:export"}, "limits": {"rate": "1/min"}})
    assert client.ask("/v1/jobs:export").status == 200
    assert client.ask(target).status == 429


@pytest.mark.parametrize("target", ["/static/a|b", "/static/a%7Cb", "/static/a%7cb"])
def test_what_a_path_may_not_hold_is_the_same_escaped_or_not(served, target):
    client, _ = served({"match": {"path": "/static/a%7Cb"}, "limits": {"rate": "1/min"}})
    assert client.ask("/static/a%7Cb").status == 200
    assert client.ask(target).status == 429


@pytest.mark.parametrize("target", ["/api/../static/x", "/static/../api/x", "/api/%2e%2e/static/x", "/api/x/.././../static/"])
def test_a_path_is_neither_limited_nor_exempt_by_its_dots(served, target):
    """Flask and Express let them stand: whatever is below /api would answer."""
    static = {"match": {"path": "/static/*"}, "limits": {"rate": "none"}}
    client, app = served(static, limits={"rate": "1/min"})
    client.request(target).assert_problem(400, "bad_request")
    assert app.requests == []


def test_a_field_that_the_app_does_not_get_matches_no_route(served):
    free = {"match": {"header": {"X-Internal": "1"}}, "limits": {"rate": "none"}}
    upgrades = {"match": {"header": {"Upgrade": "x"}}, "methods": ["POST"]}
    client, _ = served(free, upgrades, limits={"rate": "1/min"})
    assert client.ask("/").status == 200
    assert client.ask("/", fields={"X-Internal": "1"}).status == 200
    assert client.ask("/", fields={"X-Internal": "1", "Connection": "X-Internal"}).status == 429
    assert client.ask("/", fields={"Upgrade": "x", "Connection": "Upgrade"}).status == 405


@pytest.mark.parametrize("target", ["/static/..;/api", "/static/..%3bx=1/api", "/static/;/../api", "/static/%2e%2e;/api"])
def test_dots_behind_which_parameters_stand_are_refused(served, target):
    client, app = served({"match": {"path": "/static/*"}, "limits": {"rate": "none"}})
    client.request(target).assert_problem(400, "bad_request")
    assert app.requests == []


def test_other_methods_are_told_which_are_taken(served):
    client, _ = served({"match": {"path": "/reports"}, "methods": ["GET", "POST"]})
    assert client.ask("/reports").status == 200
    problem = client.request("/reports", "DELETE").assert_problem(405, "method_not_allowed")
    assert "POST" in problem.value("allow")


def test_a_body_of_another_type_is_refused(served):
    client, app = served({"match": {"path": "/api/*"}, "content_types": ["application/json"]})
    kind = {"Content-Type": "text/plain"}
    client.request("/api/x", "POST", kind, body=b"hello").assert_problem(415, "unsupported_media_type")
    assert app.requests == []


def test_a_json_body_passes(served):
    client, app = served({"match": {"path": "/api/*"}, "content_types": ["application/json"]})
    kind = {"Content-Type": "application/json; charset=utf-8"}
    assert client.ask("/api/x", "POST", kind, body=b"{}").status == 200


def test_a_route_has_its_own_body_limit_and_total_time(served):
    client, _ = served({"match": {"path": "/tiny"}, "limits": {"body": "10B"}})
    client.request("/tiny", "POST", body=b"x" * 11).assert_problem(413, "body_too_large")


def test_the_first_route_that_matches_wins(served):
    client, _ = served(
        {"match": {"path": "/a/b"}, "methods": ["GET"]},
        {"match": {"path": "/a/*"}, "methods": ["POST"]},
    )
    assert client.ask("/a/b").status == 200
    client.request("/a/c").assert_problem(405, "method_not_allowed")
