"""Rates: exactly as many as the rule says, whoever asks however, and a refusal that says why and for how long."""

import threading
from collections import Counter

import pytest

from harness.upstream import answering


def statuses(connect, proxy, count, target="/", **options):
    client = connect(proxy)
    return Counter(client.ask(target, **options).status for _ in range(count))


def in_parallel(connect, proxy, clients, count):
    total = Counter()

    def one():
        total.update(statuses(connect, proxy, count))

    threads = [threading.Thread(target=one) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return total


def test_eight_connections_of_one_client_get_exactly_the_limit(weir, connect, upstream):
    app = upstream(answering())
    proxy = weir(app, limits={"rate": ["60/min"]})
    assert in_parallel(connect, proxy, clients=8, count=20) == {200: 60, 429: 100}
    assert len(app.requests) == 60


def test_workers_count_together(weir, connect, upstream):
    app = upstream(answering())
    proxy = weir(app, limits={"rate": ["60/min"]}, workers=4)
    assert in_parallel(connect, proxy, clients=8, count=20) == {200: 60, 429: 100}


def test_two_windows_hold_at_once_and_a_refusal_by_one_costs_nothing_in_the_other(weir, connect, upstream):
    proxy = weir(upstream(answering()), limits={"rate": ["5/min", "1000/hour"]})
    client = connect(proxy)
    for _ in range(20):
        last = client.ask()
    problem = client.request().assert_problem(429, "rate_limited")
    assert last.status == 429
    assert problem.json["rule"] == "per-min"
    assert problem.value("ratelimit-policy") == '"per-min";q=5;w=60, "per-hour";q=1000;w=3600'
    assert problem.value("ratelimit").startswith('"per-min";r=0;t=')
    assert 1 <= int(problem.value("retry-after")) <= 62


def test_answers_tell_what_is_left(weir, connect, upstream):
    client = connect(weir(upstream(answering()), limits={"rate": ["3/min"]}))
    left = [client.ask().value("ratelimit").split(";")[1] for _ in range(4)]
    assert left == ["r=2", "r=1", "r=0", "r=0"]


def test_a_refusal_keeps_the_connection(weir, connect, upstream):
    client = connect(weir(upstream(answering()), limits={"rate": ["1/hour"]}))
    assert [client.ask().status for _ in range(3)] == [200, 429, 429]


def test_legacy_fields_instead_of_the_drafts(weir, connect, upstream):
    client = connect(weir(upstream(answering()), limits={"rate": ["3/min"]}, headers={"rate_limit": "legacy"}))
    answer = client.ask()
    assert answer.value("x-ratelimit-limit") == "3"
    assert answer.value("x-ratelimit-remaining") == "2"
    assert "ratelimit" not in {name for name, _ in answer.fields}


def test_a_header_tells_clients_apart_and_the_address_stands_in_for_it(weir, connect, upstream):
    proxy = weir(upstream(answering()), limits={"rate": ["2/hour"]}, clients={"key": "header:X-Api-Key"})
    client = connect(proxy)

    def ask(fields):
        return [client.ask(fields=fields).status for _ in range(3)]

    assert ask({"X-Api-Key": "a"}) == [200, 200, 429]
    assert ask({"X-Api-Key": "b"}) == [200, 200, 429]
    assert ask({}) == [200, 200, 429]


def test_a_header_that_the_app_does_not_get_tells_nobody_apart(weir, connect, upstream):
    """Whoever asks without a key could make one up for each request, and keep it from the app."""
    proxy = weir(upstream(answering()), limits={"rate": ["2/hour"]}, clients={"key": "header:X-Api-Key"})
    client = connect(proxy)
    for number in range(2):
        assert client.ask("/", fields={"X-Api-Key": number, "Connection": "keep-alive, x-api-key"}).status == 200
    assert client.ask("/", fields={"X-Api-Key": 2, "Connection": "X-Api-Key"}).status == 429
    assert client.ask("/").status == 429
    assert client.ask("/", fields={"X-Api-Key": 2}).status == 200


@pytest.mark.parametrize("spelling", ['"abc"', r'"\141bc"', r'"\abc"', "%61bc", '"%61bc"'])
def test_a_cookie_in_another_spelling_tells_nobody_apart(weir, connect, upstream, spelling):
    """Flask reads quotes and backslashes away, Express percents: the session is the same."""
    client = connect(weir(upstream(answering()), limits={"rate": ["1/hour"]}, clients={"key": "cookie:session"}))
    assert client.ask("/", fields={"Cookie": "session=abc"}).status == 200
    assert client.ask("/", fields={"Cookie": f"session={spelling}"}).status == 429
    assert client.ask("/", fields={"Cookie": "session=abd"}).status == 200


def test_a_forged_forwarded_for_changes_nothing(weir, connect, upstream):
    client = connect(weir(upstream(answering()), limits={"rate": ["2/hour"]}))
    forged = [client.ask(fields={"X-Forwarded-For": f"10.0.0.{n}"}).status for n in range(4)]
    assert forged == [200, 200, 429, 429]


def test_a_token_bucket_lets_a_burst_pass(weir, connect, upstream):
    proxy = weir(upstream(answering()), limits={"rate": [{"limit": "1/hour", "burst": 5}]})
    assert statuses(connect, proxy, 8) == {200: 5, 429: 3}


def test_a_route_may_be_exempt(weir, connect, upstream):
    routes = [{"match": {"path": "/static/*"}, "limits": {"rate": "none"}}]
    proxy = weir(upstream(answering()), limits={"rate": ["1/hour"]}, routes=routes)
    assert statuses(connect, proxy, 5, "/static/logo.png") == {200: 5}
    assert statuses(connect, proxy, 2) == {200: 1, 429: 1}


def test_a_routes_own_rate_adds_to_the_global_one(weir, connect, upstream):
    routes = [{"match": {"path": "/reports"}, "limits": {"rate": ["2/hour"]}}]
    proxy = weir(upstream(answering()), limits={"rate": ["3/hour"]}, routes=routes)
    assert statuses(connect, proxy, 4, "/reports") == {200: 2, 429: 2}
    assert statuses(connect, proxy, 2) == {200: 1, 429: 1}


def test_no_two_rules_of_one_request_have_the_same_name(weir, connect, upstream):
    routes = [{"match": {"path": "/reports/*"}, "limits": {"rate": ["2/min"]}}]
    proxy = weir(upstream(answering()), limits={"rate": ["9/min"]}, routes=routes)
    answer = connect(proxy).ask("/reports/7")
    assert answer.value("ratelimit-policy") == '"per-min";q=9;w=60, "reports-per-min";q=2;w=60'
    assert answer.value("ratelimit").startswith('"reports-per-min";r=1;')


def test_shadow_refuses_nobody(weir, connect, upstream):
    proxy = weir(upstream(answering()), limits={"mode": "shadow", "rate": ["2/hour"]})
    assert statuses(connect, proxy, 5) == {200: 5}


def test_the_log_names_route_and_rule(weir, connect, upstream):
    routes = [{"match": {"path": "/reports"}, "name": "reports", "limits": {"rate": ["1/hour"]}}]
    proxy = weir(upstream(answering()), routes=routes)
    statuses(connect, proxy, 2, "/reports")
    served, refused = proxy.log_lines(2)
    assert served["route"] == refused["route"] == "reports"
    assert (refused["status"], refused["reason"], refused["rule"]) == (429, "rate_limited", "reports-per-hour")


def test_the_last_of_sixteen_global_and_sixteen_own_rules_still_counts(weir, connect, upstream):
    wide = [{"limit": f"{1000 + n}/hour", "name": f"wide-{n}"} for n in range(16)]
    own = [{"limit": f"{1000 + n}/day", "name": f"own-{n}"} for n in range(15)] + [{"limit": "2/hour", "name": "last"}]
    routes = [{"match": {"path": "/reports"}, "limits": {"rate": own}}]
    proxy = weir(upstream(answering()), limits={"rate": wide}, routes=routes)
    assert statuses(connect, proxy, 4, "/reports") == {200: 2, 429: 2}
