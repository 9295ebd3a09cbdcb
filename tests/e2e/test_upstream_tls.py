"""https:// to the app: whom weir believes, what it says where it does not, and that all else works as without TLS."""

import ssl
import time

import pytest

from harness import message, weir as harness_weir
from harness.poll import Stopwatch, eventually
from harness.upstream import answering, reporting

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
versions = pytest.mark.parametrize("version", [TLS12, TLS13], ids=["TLS1.2", "TLS1.3"])
NO_LENGTH = b"HTTP/1.1 200 OK\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n"


@pytest.fixture
def behind(weir, connect, upstream, authority):
    """behind(script, ...) starts an app with TLS and the proxy in front of it: (client, app, proxy)."""

    def start(script, tls=None, trust=None, pool=None, url=None, **settings):
        app = upstream(script, tls=tls or authority.server())
        keys = {"tls": {"ca": authority.ca, **(trust or {})}, **({"pool": pool} if pool else {})}
        proxy = weir(url(app) if url else app, upstream=keys, **settings)
        return connect(proxy), app, proxy

    return start


def refusal(client, proxy, reason="upstream_connect", status=502):
    """What the client is told, and that the diagnostic log has it too."""
    detail = client.request().assert_problem(status, reason).json["detail"]
    if reason == "upstream_connect":
        eventually(lambda: detail in proxy.stderr, what="a line in the diagnostic log")
    return detail


# ---- whom weir believes


@versions
def test_an_app_with_a_certificate_of_the_named_authority_is_asked(behind, authority, version):
    client, app, proxy = behind(reporting, authority.server(version=version))
    seen = client.ask("/path?q=1", "POST", body=b"hello").json
    assert (seen["method"], seen["target"], seen["body"]) == ("POST", "/path?q=1", "hello")
    fields = {name.lower(): value for name, value in seen["fields"]}
    assert fields["x-forwarded-proto"] == "http", "that is how the client came"
    assert app.connections[0].sock.version() == ("TLSv1.2" if version == TLS12 else "TLSv1.3")
    line = proxy.log_lines(1)[0]
    assert line["server"] == f"127.0.0.1:{app.port}" and line["connect_ms"] > 0


@pytest.mark.parametrize(
    ("certificate", "clause"),
    [
        (lambda ca: ca.issue("DNS:other.test"), "the app's certificate is for another name than 127.0.0.1"),
        (lambda ca: ca.issue(days=-1), "the app's certificate has expired"),
        (lambda ca: ca.self_signed(), "the app's certificate is not trusted: self-signed certificate"),
    ],
    ids=["wrong name", "expired", "self-signed"],
)
def test_an_app_that_cannot_prove_who_it_is_gets_no_request(behind, authority, certificate, clause):
    client, app, proxy = behind(answering(), authority.server(certificate(authority)))
    assert refusal(client, proxy) == clause
    assert app.requests == []


def test_the_systems_certificates_hold_where_no_file_is_named(behind):
    client, app, proxy = behind(answering(), trust={"ca": "~"})
    assert "is not trusted: unable to get local issuer certificate" in refusal(client, proxy)
    assert app.requests == []


def test_the_systems_certificates_can_be_others(weir, connect, upstream, authority):
    app = upstream(answering(), tls=authority.server())
    proxy = weir(app, env={"SSL_CERT_FILE": str(authority.ca)})
    assert connect(proxy).ask().status == 200


def test_an_apps_own_certificate_may_be_named_instead_of_an_authority(behind, authority):
    pair = authority.self_signed()
    client, _, _ = behind(answering(), authority.server(pair), trust={"ca": pair[0]})
    assert client.ask().status == 200


def test_without_verification_anybody_is_asked(behind, authority):
    client, _, proxy = behind(answering(), authority.server(authority.self_signed("DNS:other.test")), trust={"verify": False})
    assert client.ask().status == 200
    assert "upstream.tls.verify" in proxy.stderr


def sni_of(tls):
    asked = []
    tls.sni_callback = lambda sock, name, context: asked.append(name)
    return asked


def test_server_name_is_asked_for_and_verified(behind, authority):
    tls = authority.server(authority.issue("DNS:app.test"))
    asked = sni_of(tls)
    client, _, _ = behind(answering(), tls, trust={"server_name": "app.test"})
    assert client.ask().status == 200
    assert asked == ["app.test"]


def test_a_wrong_server_name_is_refused(behind, authority):
    client, _, proxy = behind(answering(), trust={"server_name": "app.test"})
    assert refusal(client, proxy) == "the app's certificate is for another name than app.test"


@pytest.mark.parametrize(("host", "names", "asked"), [("localhost", "DNS:localhost", "localhost"), ("127.0.0.1", "IP:127.0.0.1", None)])
def test_names_are_asked_for_and_addresses_are_not(behind, authority, host, names, asked):
    tls = authority.server(authority.issue(names))
    seen = sni_of(tls)
    client, _, _ = behind(answering(), tls, url=lambda app: f"https://{host}:{app.port}")
    assert client.ask().status == 200
    assert seen == [asked]


def test_what_is_wrong_is_logged_once_and_again_when_it_is_well(weir, connect, upstream, authority):
    good, bad = authority.server(), authority.server(authority.self_signed())
    app = upstream(answering(fields={"Connection": "close"}), tls=bad)
    proxy = weir(app, upstream={"tls": {"ca": authority.ca}})
    client = connect(proxy)
    for _ in range(3):
        client.request().assert_problem(502, "upstream_connect")
    app.tls = good
    for _ in range(2):
        assert client.ask().status == 200
    eventually(lambda: "well again" in proxy.stderr)
    assert proxy.stderr.count("self-signed") == 1 and proxy.stderr.count("well again") == 1


# ---- peers that speak something else, or nothing


def test_an_app_that_speaks_plain_http_is_found_out(weir, connect, upstream, authority):
    def script(connection):
        connection.fill()
        connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    app = upstream(script)
    proxy = weir(f"https://127.0.0.1:{app.port}", upstream={"tls": {"ca": authority.ca}})
    assert refusal(connect(proxy), proxy) == "the app does not speak TLS"


@pytest.mark.parametrize("ending", ["close", "reset"])
def test_an_app_that_leaves_during_the_handshake_cannot_be_reached(weir, connect, upstream, authority, ending):
    app = upstream(lambda connection: connection.fill() and getattr(connection, ending)())
    proxy = weir(f"https://127.0.0.1:{app.port}", upstream={"tls": {"ca": authority.ca}, "hold": "0s"})
    assert refusal(connect(proxy), proxy) == "the app closed the connection during the TLS handshake"


def test_an_app_that_wants_tls_is_not_asked_in_plain(weir, connect, upstream, authority):
    app = upstream(answering(), tls=authority.server())
    proxy = weir(f"http://127.0.0.1:{app.port}")
    connect(proxy).request().assert_problem(502, "upstream_reset")
    assert app.requests == []


def test_a_tls_alert_in_place_of_an_answer_is_explained(weir, connect, upstream):
    def script(connection):
        connection.request()
        connection.send(b"\x15\x03\x01\x00\x02\x02\x46")

    proxy = weir(upstream(script))
    assert "https://" in refusal(connect(proxy), proxy, "upstream_protocol")


def test_an_app_that_asks_for_a_certificate_is_not_given_one(behind, authority):
    tls = authority.server()
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(authority.ca)
    client, app, proxy = behind(answering(), tls)
    for _ in range(3):
        response = client.request().response()
        assert response.status == 502 and "refuses TLS" in response.json["detail"]
    assert app.requests == []
    assert proxy.stderr.count("refuses TLS") == 1


def test_a_handshake_takes_no_longer_than_timeout_connect(weir, connect, upstream, authority):
    app = upstream(lambda connection: connection.wait_for_close())
    proxy = weir(
        f"https://127.0.0.1:{app.port}",
        upstream={"tls": {"ca": authority.ca}, "hold": "0s"},
        timeout={"connect": "300ms", "total": "20s"},
    )
    with Stopwatch() as watch:
        problem = connect(proxy).request().assert_problem(502, "upstream_connect")
    assert problem.json["detail"] == "the app did not finish the TLS handshake in time"
    assert 0.25 < watch.seconds < 5


def test_the_next_server_is_tried_where_tls_with_one_fails(weir, connect, upstream, authority):
    bad = upstream(answering(b"bad"), tls=authority.server(authority.self_signed()))
    good = upstream(answering(b"good"), tls=authority.server())
    proxy = weir(None, upstream={"servers": [bad.url, good.url], "tls": {"ca": authority.ca}})
    client = connect(proxy)
    assert [client.ask("/", "POST", body=b"once").body for _ in range(6)] == [b"good"] * 6


# ---- connections


@versions
def test_a_connection_is_kept_and_used_again(behind, authority, version):
    client, app, _ = behind(answering(), authority.server(version=version))
    for _ in range(20):
        assert client.ask().status == 200
    assert len(app.connections) == 1


@versions
def test_the_next_connection_resumes_the_session(behind, authority, version):
    resumed = []

    def script(connection):
        resumed.append(connection.sock.session_reused)
        connection.request()
        connection.answer(fields={"Connection": "close"})

    client, _, _ = behind(script, authority.server(version=version))
    assert [client.ask().status for _ in range(4)] == [200] * 4
    assert resumed == [False, True, True, True]


def test_warm_connections_are_there_and_stay(weir, connect, upstream, authority):
    app = upstream(answering(), tls=authority.server())
    proxy = weir(app, upstream={"tls": {"ca": authority.ca}, "pool": {"min_idle": 2}})
    app.wait_for_connections(2)
    time.sleep(2.5)  # two sweeps, which would replace those that were lost
    assert connect(proxy).ask().status == 200
    assert len(app.connections) == 2


def test_an_app_that_closes_idle_connections_is_not_asked_on_a_dead_one(behind):
    def script(connection):
        connection.request()
        connection.answer()

    client, app, _ = behind(script)
    for number in range(20):
        assert client.ask("/", "POST", body=b"once").status == 200
        eventually(app.connections[number].is_over.is_set)
    assert len(app.requests) == 20


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("POST", 502)])
def test_a_reused_connection_that_dies_is_replaced_as_far_as_that_is_safe(weir, connect, upstream, authority, method, status):
    def once(connection):
        connection.request()
        connection.answer()
        connection.request()

    app = upstream([once, answering()], tls=authority.server())
    client = connect(weir(app, upstream={"tls": {"ca": authority.ca}}))
    client.ask()
    assert client.ask("/second", method, body=b"x" if method == "POST" else None).status == status


def test_what_comes_with_the_handshake_is_read(behind):
    """503 before the request: the app's words are in the same flight as the end of the handshake."""

    def script(connection):
        connection.send(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy")
        connection.say_end()

    client, _, _ = behind(script)
    response = client.ask()
    assert (response.status, response.body) == (503, b"busy")


def test_an_app_at_work_under_a_cap_is_told_that_its_client_has_left(behind):
    ends = []

    def script(connection):
        connection.sock.suppress_ragged_eofs = False
        connection.request()
        ends.append(connection.fill())
        connection.answer()

    client, app, proxy = behind([script, answering(b"next")], limits={"concurrency": 1, "queue": {"size": 5}})
    client.request()
    app.wait_for_requests(1)
    client.close()
    eventually(lambda: ends == [False], what="the end, said in TLS's own way")
    assert proxy.connect().ask().body == b"next"


# ---- bodies and ends


@versions
def test_an_answer_without_length_is_whole_where_the_app_says_so(behind, authority, version):
    def script(connection):
        connection.request()
        connection.send(NO_LENGTH + b"all of it")
        connection.say_end()

    client, _, proxy = behind(script, authority.server(version=version))
    assert client.ask().body == b"all of it"
    assert "cut" not in proxy.log_lines(1)[0]


@versions
def test_an_answer_without_length_is_cut_short_where_the_connection_just_ends(behind, authority, version):
    def script(connection):
        connection.request()
        connection.send(NO_LENGTH + b"a part of it")

    client, _, proxy = behind(script, authority.server(version=version))
    with pytest.raises(message.CutShort):
        client.ask()
    assert proxy.log_lines(1)[0]["cut"] == "upstream_reset"


@versions
def test_20_mb_pass_both_ways(behind, authority, version):
    size = 20_000_000

    def script(connection):
        request = connection.request()
        connection.answer(bytes(reversed(request.body)))

    client, _, _ = behind(script, authority.server(version=version), limits={"body": "32MiB"})
    body = bytes(range(251)) * (size // 251)
    response = client.ask("/", "POST", body=body)
    assert response.body == bytes(reversed(body))


def test_a_slow_reader_on_either_side_loses_nothing(weir, connect, upstream, authority):
    size = 4_000_000
    body = bytes(range(253)) * (size // 253)

    def script(connection):
        head = connection.head()
        time.sleep(0.5)
        request = message.read_body(connection, head)
        assert request.body == body
        connection.answer(body)

    app = upstream(script, tls=authority.server(), receive_buffer=4096)
    client = connect(weir(app, upstream={"tls": {"ca": authority.ca}}), receive_buffer=4096)
    client.request("/", "POST", body=body)
    time.sleep(0.5)
    assert client.response().body == body


def test_chunks_are_passed_on_as_they_come(behind):
    def script(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n0\r\n")
        connection.wait_for_close()

    client, _, _ = behind(script)
    client.request().head()
    assert client.chunk() == b"0"


def test_a_tunnel_passes_bytes_and_each_ones_end(behind):
    ends = []

    def script(connection):
        connection.request()
        connection.send(SWITCH)
        while connection.fill():
            connection.send(connection.take(len(connection.buffer)))
        ends.append("client")
        connection.say_end()

    client, _, proxy = behind(script)
    client.request(fields={"Connection": "Upgrade", "Upgrade": "raw"})
    assert client.head().status == 101
    for piece in (b"hello", b"x" * 100_000):
        client.send(piece)
        assert client.exactly(len(piece)) == piece
    client.half_close()
    client.assert_closed()
    assert ends == ["client"]
    assert proxy.log_lines(1)[0]["bytes_in"] == 100_005


def test_a_connection_is_not_closed_without_a_word(behind):
    """An app may take a bare end for an attack, and write it to its log."""
    ends = []

    def script(connection):
        connection.sock.suppress_ragged_eofs = False
        connection.request()
        connection.answer()
        ends.append(connection.fill())

    client, app, _ = behind(script, pool={"max_idle": 0})
    assert client.ask().status == 200
    eventually(app.connections[0].is_over.is_set)
    assert ends == [False]


# ---- start


def test_a_file_of_certificates_that_cannot_be_read_stops_the_start(tmp_path):
    arguments = ["-l", "127.0.0.1:0", "-u", "https://127.0.0.1:5000", "-s", f"upstream.tls.ca={tmp_path}/ca.pem"]
    code, _, errors = harness_weir.run(tmp_path, *arguments)
    assert code == 3
    assert f"upstream.tls.ca: cannot read the certificates in {tmp_path}/ca.pem: No such file or directory" in errors
    (tmp_path / "ca.pem").write_text("nothing\n")
    code, _, errors = harness_weir.run(tmp_path, *arguments)
    assert code == 3 and "there is no certificate in it" in errors


def test_check_warns_of_a_file_that_is_not_there(tmp_path, authority):
    def warnings(file):
        config = tmp_path / "weir.yaml"
        config.write_text(f"listen: 127.0.0.1:0\nupstream: {{servers: https://app.test, tls: {{ca: {file}}}}}\n")
        code, _, errors = harness_weir.run(tmp_path, "check", config)
        assert code == 0
        return errors

    assert "cannot read" in warnings("missing.pem") and "No such file" in warnings("missing.pem")
    assert warnings(authority.ca) == ""
