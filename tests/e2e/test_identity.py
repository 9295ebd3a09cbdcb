"""Who the client is: the peer, unless that is a proxy which the operator trusts. The tests come from 127.0.0.x."""

import json

import pytest

from harness.poll import eventually
from harness.upstream import answering, reporting

TRUSTING = {"trusted_proxies": ["127.0.0.2", "127.0.0.3"]}


@pytest.fixture
def seen(weir, connect, upstream):
    """seen(fields, source=...) asks once, through a proxy that trusts 127.0.0.2 and .3; the request as the app saw it."""
    proxy = weir(upstream(reporting), clients=TRUSTING)

    def ask(fields=(), source="127.0.0.2"):
        answer = connect(proxy, source=source).ask(fields=fields).json
        return {name.lower(): value for name, value in answer["fields"]}

    return ask


def test_a_trusted_proxy_speaks_for_its_client(seen):
    fields = seen(
        [
            ("X-Forwarded-For", "8.8.8.8, 203.0.113.9"),
            ("X-Forwarded-For", "127.0.0.3"),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", "shop.example"),
            ("X-Real-IP", "127.0.0.3"),
        ]
    )
    assert fields["x-forwarded-for"] == "8.8.8.8, 203.0.113.9, 127.0.0.3, 127.0.0.2"
    assert fields["x-real-ip"] == "203.0.113.9"
    assert fields["x-forwarded-proto"] == "https"
    assert fields["x-forwarded-host"] == "shop.example"
    assert fields["host"] == "weir.test"


def test_a_stranger_speaks_for_nobody(seen):
    fields = seen(
        {
            "X-Forwarded-For": "203.0.113.9",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "shop.example",
            "Forwarded": "for=203.0.113.9",
            "X-Real-IP": "203.0.113.9",
        },
        source="127.0.0.1",
    )
    assert fields["x-forwarded-for"] == fields["x-real-ip"] == "127.0.0.1"
    assert fields["x-forwarded-proto"] == "http"
    assert fields["x-forwarded-host"] == "weir.test"
    assert "forwarded" not in fields


def test_a_trusted_proxy_that_says_nothing_is_the_client(seen):
    fields = seen()
    assert fields["x-forwarded-for"] == fields["x-real-ip"] == "127.0.0.2"
    assert fields["x-forwarded-proto"] == "http"
    assert fields["x-forwarded-host"] == "weir.test"


def test_a_chain_begins_with_the_client_of_forwarded(seen):
    fields = seen({"Forwarded": 'for="[2001:db8::7]:4711";proto=https'})
    assert fields["x-forwarded-for"] == "2001:db8::7, 127.0.0.2"
    assert fields["x-real-ip"] == "2001:db8::7"
    assert "forwarded" not in fields


@pytest.mark.parametrize("proto", ["gopher", "https,http", ""])
def test_no_other_scheme_is_passed_on(seen, proto):
    assert seen({"X-Forwarded-Proto": proto})["x-forwarded-proto"] == "http"


def test_other_forwarding_fields_of_a_trusted_proxy_stay_behind(seen):
    assert "x-forwarded-prefix" not in seen({"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Prefix": "/admin"})


def test_a_cgi_style_twin_of_the_real_ip_stays_behind(seen):
    assert "x_real_ip" not in seen({"X_Real_IP": "203.0.113.9"}, source="127.0.0.1")


def test_without_trusted_proxies_the_real_ip_is_the_peers(weir, connect, upstream):
    answer = connect(weir(upstream(reporting))).ask(fields={"X-Real-IP": "203.0.113.9"}).json
    assert [value for name, value in answer["fields"] if name.lower() == "x-real-ip"] == ["127.0.0.1"]


def test_one_connection_of_a_load_balancer_carries_many_clients(weir, connect, upstream):
    proxy = weir(upstream(answering()), clients=TRUSTING, limits={"rate": ["2/hour"]})
    client = connect(proxy, source="127.0.0.2")

    def ask(address):
        return client.ask(fields={"X-Forwarded-For": address}).status

    assert [ask("203.0.113.1") for _ in range(3)] == [200, 200, 429]
    assert [ask("203.0.113.2") for _ in range(3)] == [200, 200, 429]
    assert ask("203.0.113.1") == 429
    assert [line["client"] for line in proxy.log_lines(7)] == ["203.0.113.1"] * 3 + ["203.0.113.2"] * 3 + ["203.0.113.1"]


def test_pipelined_requests_have_an_identity_each(weir, connect, upstream):
    proxy = weir(upstream(answering()), clients=TRUSTING)
    client = connect(proxy, source="127.0.0.2")
    for address in ("203.0.113.1", "203.0.113.2"):
        client.request(fields={"X-Forwarded-For": address})
    client.request()
    assert [client.response().status for _ in range(3)] == [200] * 3
    assert [line["client"] for line in proxy.log_lines(3)] == ["203.0.113.1", "203.0.113.2", "127.0.0.2"]


def test_a_client_behind_the_proxy_cannot_choose_its_address(weir, connect, upstream):
    """What it writes itself stands to the left of what the proxy appends."""
    proxy = weir(upstream(answering()), clients=TRUSTING, limits={"rate": ["2/hour"]})
    client = connect(proxy, source="127.0.0.2")
    forged = [client.ask(fields={"X-Forwarded-For": f"10.0.0.{n}, 203.0.113.1"}).status for n in range(4)]
    assert forged == [200, 200, 429, 429]


def test_a_forged_address_changes_neither_key_nor_log(weir, connect, upstream):
    proxy = weir(upstream(answering()), clients=TRUSTING, limits={"rate": ["2/hour"]})
    client = connect(proxy, source="127.0.0.1")
    forged = [
        client.ask(fields={"X-Forwarded-For": f"10.0.0.{n}", "Forwarded": f"for=10.0.0.{n}"}).status for n in range(4)
    ]
    assert forged == [200, 200, 429, 429]
    assert {line["client"] for line in proxy.log_lines(4)} == {"127.0.0.1"}


def test_a_proxy_that_contradicts_itself_is_not_believed_and_told_of_once(weir, connect, upstream):
    app = upstream(answering())
    proxy = weir(app, clients=TRUSTING)
    client = connect(proxy, source="127.0.0.2")
    for n in range(5):
        client.ask(fields={"X-Forwarded-For": f"203.0.113.{n}", "Forwarded": "for=198.51.100.1"})
    assert {line["client"] for line in proxy.log_lines(5)} == {"127.0.0.2"}
    assert {request.value("x-forwarded-for") for request in app.requests} == {"127.0.0.2"}
    eventually(lambda: "127.0.0.2 names one client" in proxy.stderr)
    assert proxy.stderr.count("names one client") == 1


def test_connections_of_a_trusted_proxy_have_no_share_to_use_up(weir, connect, upstream):
    proxy = weir(upstream(answering()), clients={**TRUSTING, "max_connections_per_ip": 2, "max_connections": 6})
    balancer = [connect(proxy, source="127.0.0.2") for _ in range(5)]
    assert [client.ask().status for client in balancer] == [200] * 5
    assert connect(proxy, source="127.0.0.1").ask().status == 200
    connect(proxy, source="127.0.0.2").assert_closed()


def test_a_long_chain_reaches_the_app_whole(weir, connect, upstream):
    """Longer than the room behind the head, so that the app's head gets a block of its own."""
    app = upstream(answering())
    proxy = weir(app, clients=TRUSTING)
    chain = ", ".join(f"203.0.113.{n % 250}" for n in range(500))
    assert connect(proxy, source="127.0.0.2").ask(fields={"X-Forwarded-For": chain}).status == 200
    assert app.requests[0].value("x-forwarded-for") == f"{chain}, 127.0.0.2"


def test_an_upload_keeps_its_client(weir, connect, upstream):
    """The head of a request with a body is written before the body is there: the views must hold until then."""
    app = upstream(reporting)
    proxy = weir(app, clients=TRUSTING)
    client = connect(proxy, source="127.0.0.2")
    client.request("/", "POST", {"X-Forwarded-For": "203.0.113.9", "Content-Length": 4})
    client.send(b"bo")
    client.send(b"dy")
    answer = json.loads(client.response().body)
    assert answer["body"] == "body"
    assert ["X-Real-IP", "203.0.113.9"] in answer["fields"]


def test_a_proxy_on_a_unix_socket_can_be_trusted(weir, connect, upstream, tmp_path):
    app = upstream(answering())
    proxy = weir(app, listen=f"unix:{tmp_path / 'weir.sock'}", clients={"trusted_proxies": ["::"]})
    assert connect(proxy).ask(fields={"X-Forwarded-For": "203.0.113.9"}).status == 200
    assert app.requests[0].value("x-forwarded-for") == "203.0.113.9, unix"
    assert proxy.log_lines(1)[0]["client"] == "203.0.113.9"
