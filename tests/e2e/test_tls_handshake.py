"""The TLS handshake with clients: certificates, resumption, and those who do not get through."""

import signal
import socket
import ssl
import subprocess
import threading

import pytest

from harness import weir as harness_weir
from harness.metrics import scrape
from harness.poll import Stopwatch, eventually
from harness.upstream import answering, reporting

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
versions = pytest.mark.parametrize("version", [TLS12, TLS13], ids=["TLS1.2", "TLS1.3"])


@pytest.fixture
def secure(weir, authority):
    """secure(app, tls=..., ...) starts a proxy that speaks TLS."""

    def start(app, tls=None, **settings):
        return weir(app, listen=[{"address": "127.0.0.1:PORT", "tls": tls or authority.files()}], admin="127.0.0.1:0", **settings)

    return start


def names_in(client):
    return {value for _, value in client.sock.getpeercert()["subjectAltName"]}


def failures(proxy, cause):
    return scrape(proxy).one("weir_tls_handshake_failures_total", cause=cause)


# ---- certificates


@versions
def test_the_certificate_is_the_one_of_the_name(secure, connect, upstream, authority, version):
    tls = [authority.files("DNS:app.test"), authority.files("DNS:other.test,DNS:*.wide.test")]
    proxy = secure(upstream(answering()), tls)
    for name, shown in [("app.test", "app.test"), ("other.test", "other.test"), ("a.wide.test", "other.test")]:
        client = connect(proxy, tls=authority.client(version=version), name=name)
        assert shown in names_in(client)
        assert client.ask(host=name).status == 200


def test_other_names_and_none_get_the_first(secure, connect, upstream, authority):
    proxy = secure(upstream(answering()), [authority.files("DNS:app.test"), authority.files("DNS:other.test")])
    anybody = authority.client()
    anybody.check_hostname = False
    for name in ("unknown.test", None):
        assert names_in(connect(proxy, tls=anybody, name=name)) == {"app.test"}


def test_http11_is_agreed_on_and_nothing_else(secure, connect, upstream, authority):
    proxy = secure(upstream(answering()))
    tls = authority.client()
    tls.set_alpn_protocols(["h2", "http/1.1"])
    assert connect(proxy, tls=tls).sock.selected_alpn_protocol() in ("http/1.1", "h2")
    tls.set_alpn_protocols(["foo"])
    with pytest.raises(ssl.SSLError):
        connect(proxy, tls=tls)
    eventually(lambda: failures(proxy, "unlike") == 1)


def test_a_name_may_ask_for_tls_13(secure, connect, upstream, authority):
    tls = [authority.files("DNS:app.test"), authority.files("DNS:new.test", min_version="1.3")]
    proxy = secure(upstream(answering()), tls)
    assert connect(proxy, tls=authority.client(version=TLS12)).ask().status == 200
    assert connect(proxy, tls=authority.client(version=TLS13), name="new.test").ask().status == 200
    with pytest.raises(ssl.SSLError):
        connect(proxy, tls=authority.client(version=TLS12), name="new.test")
    eventually(lambda: failures(proxy, "too_old") == 1)


# ---- client certificates


@versions
def test_a_client_certificate_is_asked_for_and_named_to_the_app(secure, connect, upstream, authority, version):
    proxy = secure(upstream(reporting), authority.files(client_ca=authority.ca))
    shown = authority.issue(subject="/O=Ex, ample/CN=alice")
    client = connect(proxy, tls=authority.client(shown, version))
    claims = {"X-Client-Cert-Subject": "CN=root", "X_Client_Cert_Subject": "CN=root"}
    fields = [(name.lower(), value) for name, value in client.ask(fields=claims).json["fields"]]
    assert [value for name, value in fields if "client" in name and "cert" in name] == ["CN=alice,O=Ex\\, ample"]


@versions
def test_a_client_without_certificate_or_with_a_strangers_gets_no_answer(
    secure, connect, upstream, authority, tmp_path_factory, version
):
    app = upstream(answering())
    proxy = secure(app, authority.files(client_ca=authority.ca))
    stranger = type(authority)(tmp_path_factory.mktemp("stranger"))
    for shown in (None, stranger.issue()):
        with pytest.raises((ssl.SSLError, OSError)):
            client = connect(proxy, tls=authority.client(shown, version))  # TLS 1.3 tells with the first read
            client.request()
            client.sock.recv(1)
    eventually(lambda: failures(proxy, "no_certificate") == 1 and failures(proxy, "untrusted") == 1)
    assert app.requests == []


def test_a_resumed_connection_is_still_the_clients(secure, connect, upstream, authority):
    proxy = secure(upstream(reporting), authority.files(client_ca=authority.ca))
    tls = authority.client(authority.issue(subject="/CN=bob"))
    first = connect(proxy, tls=tls)
    first.ask()
    again = connect(proxy, tls=tls, session=first.sock.session)
    fields = {name.lower(): value for name, value in again.ask().json["fields"]}
    assert again.sock.session_reused and fields["x-client-cert-subject"] == "CN=bob"


def test_a_host_that_asks_for_a_certificate_is_not_reached_through_one_that_does_not(secure, connect, upstream, authority):
    app = upstream(answering())
    tls = [authority.files("DNS:app.test"), authority.files("DNS:closed.test", client_ca=authority.ca)]
    proxy = secure(app, tls)
    client = connect(proxy, tls=authority.client())
    assert client.ask(host="app.test").status == 200
    client.request(host="closed.test").assert_problem(421, "misdirected")
    client.request(host="CLOSED.test:443").assert_problem(421, "misdirected")
    assert client.ask(host="app.test").status == 200
    assert len(app.requests) == 2
    let_in = connect(proxy, tls=authority.client(authority.issue()), name="closed.test")
    assert let_in.ask(host="closed.test").status == 200


# ---- resumption


@versions
def test_a_ticket_resumes_and_what_it_resumed_gives_another(secure, connect, upstream, authority, version):
    proxy = secure(upstream(answering()))
    tls = authority.client(version=version)
    client = connect(proxy, tls=tls)
    for _ in range(5):
        assert client.ask().status == 200
        client = connect(proxy, tls=tls, session=client.sock.session)
        assert client.sock.session_reused
    figures = scrape(proxy)
    assert figures.one("weir_tls_handshakes_total", kind="full") == 1
    assert figures.one("weir_tls_handshakes_total", kind="resumed") >= 4


# ---- those who do not get through


def test_plain_http_is_told_so(secure, connect, upstream):
    app = upstream(answering())
    proxy = secure(app)
    client = connect(proxy)
    problem = client.request("/secret").assert_problem(400, "bad_request")
    assert "https" in problem.json["detail"] and problem.value("connection") == "close"
    client.assert_closed()
    line = proxy.log_lines(1)[0]
    assert (line["status"], line["path"]) == (400, "/secret") and "tls" not in line
    assert failures(proxy, "plain_http") == 1 and app.requests == []


@pytest.mark.parametrize("noise", [b"\x00" * 100, b"\r\n\r\n", b"\x80\x2e\x01\x03\x01", b"\xff"])
def test_other_noise_is_not_answered(secure, connect, upstream, noise):
    proxy = secure(upstream(answering()))
    client = connect(proxy)
    client.send(noise)
    assert client.to_end() == b""
    assert failures(proxy, "not_tls") == 1


def test_a_record_with_nonsense_in_it_ends_in_an_alert(secure, connect, upstream):
    proxy = secure(upstream(answering()))
    client = connect(proxy)
    client.send(b"\x16\x03\x01\x00\x20" + b"\x77" * 32)
    assert client.to_end()[:1] in (b"\x15", b"")
    assert eventually(lambda: failures(proxy, "broken") == 1)


def test_failures_are_no_errors_in_the_log_and_can_be_seen_there(secure, connect, upstream):
    quiet = secure(upstream(answering()))
    talkative = secure(upstream(answering()), log={"level": "debug"})
    for proxy in (quiet, talkative):
        client = connect(proxy)
        client.send(b"\x00")
        client.to_end()
    eventually(lambda: "127.0.0.1: the TLS handshake failed (not_tls)" in talkative.stderr)
    assert "handshake" not in quiet.stderr and "error" not in quiet.stderr


def test_a_handshake_that_stands_still_is_ended_by_the_header_timeout(secure, connect, upstream):
    proxy = secure(upstream(answering()), timeout={"header": "300ms"})
    silent, half = connect(proxy), connect(proxy)
    half.send(b"\x16\x03\x01\x02\x00\x01\x00")
    with Stopwatch() as watch:
        assert silent.to_end() == half.to_end() == b""
    assert watch.seconds < 5
    assert eventually(lambda: failures(proxy, "timeout") == 2)


def test_a_client_that_leaves_in_the_middle_is_counted(secure, connect, upstream):
    proxy = secure(upstream(answering()))
    for last_words in (b"", b"\x16\x03\x01\x02\x00\x01\x00"):
        client = connect(proxy)
        client.send(last_words)
        client.half_close()
        client.to_end()
    assert eventually(lambda: failures(proxy, "ended") == 2)


def hello(authority):
    """The first flight of a real client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = authority.client().wrap_bio(incoming, outgoing, server_hostname="app.test")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("length", [0, 1, 100, None], ids=["silent", "one byte", "half a hello", "a whole hello"])
def test_500_that_do_not_finish_delay_nobody(secure, connect, upstream, authority, length):
    proxy = secure(upstream(answering()), clients={"max_connections_per_ip": 2000})
    first = hello(authority)[:length]
    flood = []
    for _ in range(500):
        sock = socket.create_connection(proxy.address)
        sock.sendall(first)
        flood.append(sock)
    try:
        with Stopwatch() as watch:
            assert connect(proxy, tls=authority.client()).ask().status == 200
        assert watch.seconds < 2
    finally:
        for sock in flood:
            sock.close()


def test_a_flood_of_handshakes_does_not_stop_who_is_through(secure, connect, upstream, authority):
    proxy = secure(upstream(answering()), clients={"max_connections_per_ip": 2000})
    client = connect(proxy, tls=authority.client())
    assert client.ask().status == 200
    first = hello(authority)
    stop = threading.Event()

    def flood():
        while not stop.is_set():
            socks = [socket.create_connection(proxy.address) for _ in range(50)]
            for sock in socks:
                sock.sendall(first)
            for sock in socks:
                sock.close()

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        times = []
        for _ in range(100):
            with Stopwatch() as watch:
                assert client.ask().status == 200
            times.append(watch.seconds)
    finally:
        stop.set()
        thread.join()
    assert sorted(times)[90] < 0.25, sorted(times)[80:]


def test_an_address_has_its_share_of_handshakes_too(secure, connect, upstream, authority):
    proxy = secure(upstream(answering()), clients={"max_connections_per_ip": 3})
    half_open = [connect(proxy, source="127.0.0.2") for _ in range(3)]
    with pytest.raises((ssl.SSLError, OSError)):
        connect(proxy, source="127.0.0.2", tls=authority.client())
    assert connect(proxy, tls=authority.client()).ask().status == 200
    half_open[0].close()
    eventually(lambda: failures(proxy, "ended") == 1)
    assert connect(proxy, source="127.0.0.2", tls=authority.client()).ask().status == 200


def test_renegotiation_is_refused(secure, upstream, authority):
    proxy = secure(upstream(answering()))
    done = subprocess.run(
        ["openssl", "s_client", "-connect", "%s:%d" % proxy.address, "-tls1_2", "-CAfile", authority.ca, "-servername", "app.test"],
        input=b"R\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert b"no renegotiation" in done.stderr or done.returncode != 0, done.stderr
    assert proxy.is_running


def test_a_drain_does_not_wait_for_those_who_have_said_nothing(secure, connect, upstream):
    proxy = secure(upstream(answering()), drain="5s")
    silent = connect(proxy)
    eventually(lambda: scrape(proxy).one("weir_client_connections") == 1)
    with Stopwatch() as watch:
        proxy.signal(signal.SIGTERM)
        silent.to_end()
        assert proxy.wait() == 0
    assert watch.seconds < 3


# ---- certificates that cannot be used


def check(directory, tls, command=("check",)):
    text = "upstream: http://127.0.0.1:1\nlisten:\n  - address: 127.0.0.1:0\n    tls:\n"
    text += "".join(f"      {key}: {value}\n" for key, value in tls.items())
    (directory / "weir.yaml").write_text(text)
    return harness_weir.run(directory, *command)


def test_check_and_start_say_at_its_place_what_is_wrong_with_a_key(tmp_path, authority):
    tls = {"certificate": authority.issue()[0], "key": authority.issue()[1]}
    for command in (("check",), ("--config", "weir.yaml")):
        code, _, stderr = check(tmp_path, tls, command)
        assert code == 1
        assert "weir.yaml:6:7: error: `listen[0].tls.key`: the key in" in stderr
        assert "is not the one of the certificate" in stderr


def test_a_missing_file_stops_the_start_and_check_warns_of_it(tmp_path, authority):
    tls = {"certificate": "/nowhere.pem", "key": authority.issue()[1]}
    code, _, stderr = check(tmp_path, tls)
    assert code == 0
    assert "weir.yaml:5:7: warning: `listen[0].tls.certificate`: cannot read `/nowhere.pem`: No such file" in stderr
    code, _, stderr = check(tmp_path, tls, ("--config", "weir.yaml"))
    assert code == 1
    assert "weir.yaml:5:7: error: `listen[0].tls.certificate`: cannot read `/nowhere.pem`: No such file" in stderr


def test_check_warns_of_an_expired_certificate_and_of_a_key_for_everybody(tmp_path, authority):
    certificate, key = authority.issue(days=-1)
    key.chmod(0o644)
    code, _, stderr = check(tmp_path, {"certificate": certificate, "key": key})
    assert code == 0
    assert "weir.yaml:5:7: warning: " in stderr and "has expired" in stderr
    assert "weir.yaml:6:7: warning: " in stderr and "everybody on this machine can read the key" in stderr


# ---- certificates that change


def test_a_reload_brings_new_certificates_and_leaves_connections_and_tickets_alone(secure, connect, upstream, authority, tmp_path):
    files = {"certificate": tmp_path / "app.pem", "key": tmp_path / "app.key"}

    def install(names):
        for target, made in zip(files.values(), authority.issue(names)):
            target.write_bytes(made.read_bytes())
            target.chmod(0o600)

    install("DNS:app.test,DNS:before.test")
    proxy = secure(upstream(answering()), files)
    tls = authority.client()
    old = connect(proxy, tls=tls)
    assert old.ask().status == 200 and "before.test" in names_in(old)
    install("DNS:app.test,DNS:after.test")
    proxy.signal(signal.SIGHUP)
    eventually(lambda: "the configuration that was read holds" in proxy.stderr)
    assert "after.test" in names_in(connect(proxy, tls=authority.client()))
    assert old.ask().status == 200
    assert connect(proxy, tls=tls, session=old.sock.session).sock.session_reused

    files["key"].write_text("nothing\n")
    proxy.signal(signal.SIGHUP)
    eventually(lambda: "not reloaded" in proxy.stderr)
    assert "`listen[0].tls.key`: there is no private key in" in proxy.stderr
    assert "after.test" in names_in(connect(proxy, tls=authority.client()))
