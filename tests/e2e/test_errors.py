"""Weir's own answers in the operator's words."""

import json

from harness.upstream import answering

HTML = {"content_type": "text/html; charset=utf-8", "body": "<h1>{status} {reason}</h1><p>{detail}<p>{request_id}"}


def test_refusals_are_written_as_the_operator_says(weir, connect, upstream):
    client = connect(weir(upstream(answering()), errors=HTML, limits={"body": "10B", "rate": ["2/hour"]}))
    assert client.ask().status == 200
    answer = client.ask("/", "POST", {"X-Request-ID": "id-1"}, body=b"x" * 11)
    assert answer.status == 413
    assert answer.value("content-type") == "text/html; charset=utf-8"
    assert answer.body == b"<h1>413 body_too_large</h1><p>the request body is larger than allowed<p>id-1"


def test_status_and_fields_stay_what_they_are(weir, connect, upstream):
    client = connect(weir(upstream(answering()), errors=HTML, limits={"rate": ["1/hour"]}))
    assert client.ask().status == 200
    refused = client.ask()
    assert (refused.status, refused.value("ratelimit").split(";")[1]) == (429, "r=0")
    assert int(refused.value("retry-after")) > 3000
    head = client.ask(method="HEAD")
    assert (head.status, head.value("content-length")) == (429, str(len(refused.body)))


def test_a_head_that_cannot_be_parsed_is_answered_so_too(weir, connect, upstream):
    client = connect(weir(upstream(answering()), errors=HTML))
    client.send(b"nonsense\r\n\r\n")
    assert client.response().body.startswith(b"<h1>400 bad_request</h1>")


def test_what_the_app_answers_is_its_own(weir, connect, upstream):
    client = connect(weir(upstream(answering(b"own", 500)), errors=HTML))
    answer = client.ask()
    assert (answer.status, answer.body) == (500, b"own")


def test_what_a_client_sent_is_escaped(weir, connect, upstream):
    """The detail of an invalid parameter may name what the client chose."""
    routes = [{"match": {"path": "/list"}, "params": {"query": {"sort": {"enum": ["a&b", "<c>"]}}}}]
    markup = connect(weir(upstream(answering()), errors=HTML, routes=routes)).ask("/list?sort=<script>")
    assert markup.status == 400
    assert b"<script>" not in markup.body and b"<c>" not in markup.body
    errors = {"content_type": "application/json", "body": '{"error": "{detail}"}'}
    client = connect(weir(upstream(answering()), errors=errors, routes=routes))
    assert "sort" in json.loads(client.ask('/list?sort="').body)["error"]
