"""Balancers in front of weir that say who the client is before its first byte."""

import ipaddress
import signal
import socket
import struct

import pytest

from harness.metrics import scrape
from harness.poll import Stopwatch, eventually
from harness.upstream import answering, reporting

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21
BALANCER = "127.0.0.2"


def line(client="203.0.113.9", server="192.0.2.1"):
    family = "TCP6" if ":" in client else "TCP4"
    return f"PROXY {family} {client} {server} 56324 443\r\n".encode()


def binary(client="203.0.113.9", command=PROXY, more=b""):
    address = ipaddress.ip_address(client)
    family = 0x11 if address.version == 4 else 0x21
    body = address.packed * 2 + struct.pack(">HH", 56324, 443) + more
    return SIGNATURE + struct.pack(">BBH", command, family, len(body)) + body


@pytest.fixture
def balanced(weir, upstream):
    """balanced(script, ...) starts a proxy that wants a PROXY header of 127.0.0.2; its `listen` may have more keys."""

    def start(script=reporting, listen=None, clients=None, **settings):
        address = {"address": "127.0.0.1:PORT", "proxy_protocol": True, **(listen or {})}
        clients = {"trusted_proxies": BALANCER, **(clients or {})}
        return weir(upstream(script), listen=[address], clients=clients, admin="127.0.0.1:0", **settings)

    return start


def fields_of(response):
    return {name.lower(): value for name, value in response.json["fields"]}


def refused(proxy, cause):
    return scrape(proxy).one("weir_proxy_headers_refused_total", cause=cause)


@pytest.mark.parametrize("header", [line, binary], ids=["version 1", "version 2"])
@pytest.mark.parametrize("client", ["203.0.113.9", "2001:db8::7"])
def test_the_client_is_the_one_of_the_header(balanced, connect, header, client):
    proxy = balanced()
    fields = fields_of(connect(proxy, source=BALANCER, greeting=header(client, *(["2001:db8::1"] if header is line and ":" in client else []))).ask())
    assert fields["x-forwarded-for"] == fields["x-real-ip"] == client
    assert fields["x-forwarded-proto"] == "http"
    assert proxy.log_lines(1)[0]["client"] == client


@pytest.mark.parametrize(
    "header",
    [b"PROXY UNKNOWN\r\n", SIGNATURE + b"\x20\x00\x00\x00", binary(command=LOCAL), SIGNATURE + b"\x21\x00\x00\x00"],
    ids=["unknown", "local", "local with addresses", "unspecified"],
)
def test_a_balancer_that_speaks_for_itself_is_the_client(balanced, connect, header):
    assert fields_of(connect(balanced(), source=BALANCER, greeting=header).ask())["x-forwarded-for"] == BALANCER


def test_the_header_may_come_byte_by_byte_and_the_request_with_it(balanced, connect):
    proxy = balanced()
    for header in (line(), binary(more=b"\x04\x00\x03pad")):
        client = connect(proxy, source=BALANCER)
        client.send_slowly(header)
        assert fields_of(client.ask())["x-real-ip"] == "203.0.113.9"
        together = connect(proxy, source=BALANCER)
        together.send(header + b"GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n")
        assert [together.response().json["target"] for _ in range(2)] == ["/a", "/b"]


def test_the_header_counts_for_the_whole_connection(balanced, connect):
    client = connect(balanced(), source=BALANCER, greeting=line())
    for _ in range(3):
        assert fields_of(client.ask())["x-real-ip"] == "203.0.113.9"


def test_what_is_said_of_an_address_that_is_trusted_too_is_believed(balanced, connect):
    """A balancer behind a proxy: the one speaks PROXY, the other writes X-Forwarded-For."""
    proxy = balanced(clients={"trusted_proxies": [BALANCER, "10.0.0.1"]})
    claims = {"X-Forwarded-For": "198.51.100.1", "X-Forwarded-Proto": "https"}
    fields = fields_of(connect(proxy, source=BALANCER, greeting=line("10.0.0.1")).ask(fields=claims))
    assert fields["x-real-ip"] == "198.51.100.1" and fields["x-forwarded-proto"] == "https"
    assert fields["x-forwarded-for"] == "198.51.100.1, 10.0.0.1"
    fields = fields_of(connect(proxy, source=BALANCER, greeting=line("203.0.113.9")).ask(fields=claims))
    assert fields["x-forwarded-for"] == fields["x-real-ip"] == "203.0.113.9"
    assert fields["x-forwarded-proto"] == "http"


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PROXY TCP4 203.0.113.9 192.0.2.1 56324\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PROXY TCP4 203.0.113.9 192.0.2.1 56324 443\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" + b"x" * 100,
        b"PROXY TCP4 203.0.113.9 192.0.2.1 056324 443\r\n",
        SIGNATURE + b"\x31\x11\x00\x0c" + b"a" * 12,
        SIGNATURE + b"\x21\x11\x00\x04abcd",
        SIGNATURE + b"\x21\x11\xff\xff",
        binary(more=b"\x03\x00\x04abcd"),
    ],
    ids=["none", "a port missing", "a bare LF", "octal", "version 3", "cut off", "too long", "a wrong checksum"],
)
def test_anything_malformed_is_closed_without_a_word(balanced, connect, bytes_sent):
    proxy = balanced()
    client = connect(proxy, source=BALANCER, greeting=bytes_sent)
    assert client.to_end() == b""
    assert refused(proxy, "malformed") == 1


def test_nobody_else_is_believed_nor_served(balanced, connect):
    proxy = balanced()
    for greeting in (line(), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"):
        assert connect(proxy, source="127.0.0.3", greeting=greeting).to_end() == b""
    assert refused(proxy, "untrusted") == 2


def test_a_header_that_does_not_come_in_time_ends_the_connection(balanced, connect):
    proxy = balanced(timeout={"header": "300ms"})
    silent, half = connect(proxy, source=BALANCER), connect(proxy, source=BALANCER, greeting=line()[:20])
    with Stopwatch() as watch:
        assert silent.to_end() == half.to_end() == b""
    assert watch.seconds < 5
    assert eventually(lambda: refused(proxy, "timeout") == 2)


def test_a_balancer_that_leaves_within_the_header_is_counted(balanced, connect):
    proxy = balanced()
    client = connect(proxy, source=BALANCER, greeting=line()[:20])
    client.half_close()
    assert client.to_end() == b""
    assert eventually(lambda: refused(proxy, "ended") == 1)


def test_where_no_header_is_wanted_it_is_a_bad_request(weir, connect, upstream):
    proxy = weir(upstream(answering()), clients={"trusted_proxies": BALANCER})
    client = connect(proxy, source=BALANCER, greeting=line() + b"Host: a\r\n\r\n")
    client.assert_problem(400, "bad_request")


def test_rates_and_connections_are_counted_by_the_client_of_the_header(balanced, connect):
    proxy = balanced(limits={"rate": "2/hour"}, clients={"max_connections_per_ip": 2})
    for client in ("203.0.113.1", "203.0.113.2"):
        wire = connect(proxy, source=BALANCER, greeting=line(client))
        assert [wire.ask().status for _ in range(3)] == [200, 200, 429]
    held = [connect(proxy, source=BALANCER, greeting=line("203.0.113.3")) for _ in range(2)]
    eventually(lambda: scrape(proxy).one("weir_client_connections") == 4)
    assert connect(proxy, source=BALANCER, greeting=line("203.0.113.3")).to_end() == b""
    held[0].close()
    eventually(lambda: scrape(proxy).one("weir_client_connections") == 3)
    assert connect(proxy, source=BALANCER, greeting=line("203.0.113.3")).ask().status == 200


def test_tls_comes_behind_the_header(balanced, connect, authority):
    proxy = balanced(listen={"tls": authority.files()})
    fields = fields_of(connect(proxy, source=BALANCER, greeting=binary("2001:db8::7"), tls=authority.client()).ask())
    assert fields["x-forwarded-for"] == "2001:db8::7" and fields["x-forwarded-proto"] == "https"
    plain = connect(proxy, source=BALANCER, greeting=line())
    plain.request().assert_problem(400, "bad_request")
    assert proxy.log_lines(2)[1]["client"] == "203.0.113.9"


def test_whoever_opens_a_unix_socket_may_be_believed(weir, upstream, tmp_path):
    path = tmp_path / "weir.sock"
    proxy = weir(upstream(reporting), listen=[{"address": f"unix:{path}", "proxy_protocol": True}, "127.0.0.1:PORT"],
                 clients={"trusted_proxies": ["::"]})
    from harness.client import Client

    client = Client(str(path), greeting=line())
    assert fields_of(client.ask())["x-real-ip"] == "203.0.113.9"
    client.close()
    assert proxy.is_running


def test_500_that_say_nothing_delay_nobody(balanced, connect):
    proxy = balanced(clients={"max_connections_per_ip": 10})
    flood = []
    for _ in range(500):
        sock = socket.socket()
        sock.bind((BALANCER, 0))
        sock.connect(proxy.address)
        sock.sendall(line()[:20])
        flood.append(sock)
    try:
        with Stopwatch() as watch:
            assert connect(proxy, source=BALANCER, greeting=line()).ask().status == 200
        assert watch.seconds < 1
        proxy.signal(signal.SIGTERM)
    finally:
        for sock in flood:
            sock.close()
