"""The busiest clients, as the admin address tells of them."""

import pytest

from harness.metrics import ask_admin
from harness.poll import eventually
from harness.upstream import answering

ADMIN = "127.0.0.1:0"


def clients(proxy, ended):
    """What is said when so many requests have ended."""
    eventually(lambda: ask_admin(proxy, "/summary").json["requests"]["ended"] >= ended)
    return ask_admin(proxy, "/clients").json


def ask_many(client, count, **options):
    return [client.ask(**options).status for _ in range(count)]


def names(rows):
    return [row["client"] for row in rows]


@pytest.mark.parametrize("workers", [1, 3])
def test_who_asks_most_and_who_is_refused_most_stand_first(weir, upstream, connect, workers):
    proxy = weir(upstream(answering()), admin=ADMIN, workers=workers, limits={"rate": ["30/hour"]})
    asked = {"127.0.0.2": 60, "127.0.0.3": 40, "127.0.0.4": 20}
    for address, count in asked.items():
        for _ in range(2):
            ask_many(connect(proxy, source=address), count // 2)
    found = clients(proxy, 120)
    assert found["key"] == "ip"
    assert names(found["by_requests"]) == list(asked)
    assert names(found["by_refusals"]) == ["127.0.0.2", "127.0.0.3"]
    assert set(names(found["by_time"])) <= set(asked)
    first, second, third = (row["per_second"] for row in found["by_requests"])
    assert first / third == pytest.approx(3, rel=0.2) and second / third == pytest.approx(2, rel=0.2)
    assert all(row["error"] == 0 for row in found["by_requests"])


def test_who_keeps_the_app_at_work_stands_first(weir, upstream, connect):
    def script(connection):
        while request := connection.request():
            if request.target == "/slow":
                app.released.wait(0.2)
            connection.answer()

    app = upstream(script)
    proxy = weir(app, admin=ADMIN)
    ask_many(connect(proxy, source="127.0.0.2"), 50)
    ask_many(connect(proxy, source="127.0.0.3"), 3, target="/slow")
    found = clients(proxy, 53)
    assert names(found["by_requests"])[0] == "127.0.0.2"
    assert names(found["by_time"])[0] == "127.0.0.3"
    assert found["by_time"][0]["in_app"] > 0.1


def test_a_secret_that_tells_clients_apart_is_not_shown(weir, upstream, connect):
    proxy = weir(upstream(answering()), admin=ADMIN, clients={"key": "header:X-Api-Key"})
    client = connect(proxy)
    for secret in ("alpha-secret", "beta-secret"):
        ask_many(client, 3, fields={"X-Api-Key": secret})
    found = clients(proxy, 6)
    assert found["key"] == "header:x-api-key"
    assert len({row["key"] for row in found["by_requests"]}) == 2
    assert set(names(found["by_requests"])) == {"127.0.0.1"}
    assert "secret" not in ask_admin(proxy, "/clients").body.decode()


def test_a_flood_of_clients_hides_nobody_who_is_busy(weir, upstream, connect):
    proxy = weir(
        upstream(answering()), admin=ADMIN, clients={"trusted_proxies": ["127.0.0.1"]}, limits={"rate": ["1/day"]}
    )
    client = connect(proxy)
    for number in range(3000):
        client.ask(fields={"X-Forwarded-For": f"10.1.{number >> 8}.{number & 255}"})
        if number % 50 == 0:
            client.ask(fields={"X-Forwarded-For": "192.0.2.7"})
    found = clients(proxy, 3060)
    assert "192.0.2.7" in names(found["by_requests"])
    assert names(found["by_refusals"])[0] == "192.0.2.7"
    assert len(found["by_requests"]) == 20


def test_who_cannot_be_read_counts_for_its_address(weir, upstream, connect):
    proxy = weir(upstream(answering()), admin=ADMIN, clients={"key": "header:X-Api-Key"})
    client = connect(proxy, source="127.0.0.5")
    client.send(b"nonsense\r\n\r\n")
    client.assert_problem(400, "bad_request")
    assert names(clients(proxy, 1)["by_refusals"]) == ["127.0.0.5"]
