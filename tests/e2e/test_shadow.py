"""Shadow: nobody is refused, and the log says of whom enforcing would have refused, exactly."""

import threading

import pytest

from harness.upstream import answering

RATES = ["7/hour", {"limit": "5/hour", "name": "each", "key": "header:X-User"}]
REPORTS = {"match": {"path": "/reports"}, "name": "reports", "limits": {"rate": [{"limit": "3/hour", "name": "few"}]}}
SEQUENCE = [("/reports", "ann")] * 5 + [("/", "bob")] * 3 + [("/", "ann")] * 4 + [("/reports", "bob")] * 2


def refusals(proxy, count):
    """For each request in its order, the rules that refused or would have."""
    lines = proxy.log_lines(count)
    return [[line["rule"]] if "rule" in line else line.get("shadow", []) for line in lines]


def ask_in_turn(connect, proxy):
    client = connect(proxy)
    return [client.ask(target, fields={"X-User": user}).status for target, user in SEQUENCE]


def ask_in_bursts(connect, proxy, clients=6, count=10):
    """Over several connections at once; how many requests that are."""

    def burst(client):
        for _ in range(count):
            client.ask()

    threads = [threading.Thread(target=burst, args=(connect(proxy),)) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return clients * count


def test_limits_in_shadow_would_refuse_what_they_refuse_when_enforced(weir, connect, upstream):
    app = upstream(answering())
    enforced = weir(app, limits={"rate": RATES}, routes=[REPORTS])
    shadowed = weir(app, limits={"mode": "shadow", "rate": RATES}, routes=[REPORTS])
    assert 429 in ask_in_turn(connect, enforced)
    assert set(ask_in_turn(connect, shadowed)) == {200}
    assert refusals(shadowed, len(SEQUENCE)) == refusals(enforced, len(SEQUENCE))
    assert not any("shadow" in line for line in enforced.log_lines(len(SEQUENCE)))


@pytest.mark.parametrize("rate", ["13/hour", {"limit": "1/hour", "burst": 13}, {"limit": "13/hour", "key": "all"}])
@pytest.mark.parametrize(
    "in_shadow",
    [
        lambda rate: {"limits": {"rate": [{**rate, "mode": "shadow"}]}},
        lambda rate: {"limits": {"rate": [rate], "mode": "shadow"}},
        lambda rate: {"shadow": [{**{key: rate[key] for key in rate if key != "limit"}, "rate": rate["limit"]}]},
    ],
    ids=["of a rule", "of the limits", "beside the limits"],
)
def test_bursts_over_several_connections_are_counted_as_enforcing_counts_them(
    weir, connect, upstream, rate, in_shadow
):
    rate = {**({"limit": rate} if isinstance(rate, str) else rate), "name": "rule"}
    app = upstream(answering())
    enforced = weir(app, limits={"rate": [rate]}, workers=2)
    shadowed = weir(app, **in_shadow(rate), workers=2)
    asked = ask_in_bursts(connect, enforced)
    assert ask_in_bursts(connect, shadowed) == asked
    assert refusals(shadowed, asked).count(["rule"]) == refusals(enforced, asked).count(["rule"]) == asked - 13
    assert {line["status"] for line in shadowed.log_lines(asked)} == {200}


def test_a_tighter_rule_in_shadow_is_asked_of_what_the_enforced_one_admits(weir, connect, upstream):
    app = upstream(answering())
    proxy = weir(app, limits={"rate": ["6/hour"]}, shadow=[{"name": "tighter", "rate": "4/hour"}])
    client = connect(proxy)
    assert [client.ask().status for _ in range(8)] == [200] * 6 + [429] * 2
    assert refusals(proxy, 8) == [[]] * 4 + [["tighter"]] * 2 + [["per-hour"]] * 2


def test_what_is_refused_for_another_reason_is_no_shadow_refusal(weir, connect, upstream):
    app = upstream(answering())
    routes = [{"match": {"path": "/x"}, "methods": ["GET"]}]
    proxy = weir(app, limits={"mode": "shadow", "rate": ["1/hour"]}, routes=routes)
    client = connect(proxy)
    client.ask("/x")
    client.request("/x", "DELETE").assert_problem(405, "method_not_allowed")
    assert client.ask("/x").status == 200
    first, other, second = proxy.log_lines(3)
    assert "shadow" not in first and "shadow" not in other
    assert second["shadow"] == ["per-hour"]
