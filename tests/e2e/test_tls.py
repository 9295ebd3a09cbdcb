"""https:// from clients: all that works without TLS works with it."""

import socket
import ssl
import threading
import time

import pytest

from harness import message, websocket
from harness.process import cpu_seconds
from harness.upstream import answering, reporting

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
versions = pytest.mark.parametrize("version", [TLS12, TLS13], ids=["TLS1.2", "TLS1.3"])
NO_LENGTH = b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.fixture
def secure(weir, authority):
    """secure(app, ...) starts a proxy that speaks TLS; its `listen` may have more keys."""

    def start(app, tls=None, listen=None, **settings):
        address = {"address": "127.0.0.1:PORT", "tls": tls or authority.files(), **(listen or {})}
        return weir(app, listen=[address], **settings)

    return start


@pytest.fixture
def visit(connect, authority):
    """visit(proxy, version) is a client that has shaken hands."""

    def open_one(proxy, version=None, **options):
        return connect(proxy, tls=authority.client(version=version), **options)

    return open_one


@versions
def test_a_request_and_its_answer(secure, visit, upstream, version):
    proxy = secure(upstream(reporting))
    client = visit(proxy, version)
    seen = client.ask("/path?q=1", "POST", body=b"hello").json
    assert (seen["method"], seen["target"], seen["body"]) == ("POST", "/path?q=1", "hello")
    fields = {name.lower(): value for name, value in seen["fields"]}
    assert fields["x-forwarded-proto"] == "https"
    assert fields["x-forwarded-for"] == "127.0.0.1"
    assert "x-client-cert-subject" not in fields
    line = proxy.log_lines(1)[0]
    assert line["tls"] == ("TLSv1.2" if version == TLS12 else "TLSv1.3")
    assert line["protocol"] == "HTTP/1.1" and line["status"] == 200


def test_the_scheme_of_a_trusted_proxy_is_believed_and_without_it_the_connections_holds(secure, visit, upstream):
    proxy = secure(upstream(reporting), clients={"trusted_proxies": "127.0.0.2"})

    def scheme(source, **fields):
        seen = visit(proxy, source=source).ask(fields=fields).json["fields"]
        return {name.lower(): value for name, value in seen}["x-forwarded-proto"]

    assert scheme("127.0.0.2") == "https"
    assert scheme("127.0.0.2", **{"X-Forwarded-Proto": "http"}) == "http"
    assert scheme("127.0.0.2", **{"X-Forwarded-Proto": "gopher"}) == "https"
    assert scheme("127.0.0.2", **{"X-Forwarded-Proto": "http, https"}) == "https"
    assert scheme("127.0.0.1", **{"X-Forwarded-Proto": "http"}) == "https"


@versions
def test_a_connection_is_kept_for_many_requests(secure, visit, upstream, version):
    client = visit(secure(upstream(answering())), version)
    for _ in range(20):
        assert client.ask().body == b"ok"


@versions
def test_pipelined_requests_are_answered_in_order(secure, visit, upstream, version):
    client = visit(secure(upstream(reporting)), version)
    client.send(b"".join(message.head_bytes(f"GET /{number} HTTP/1.1", [("Host", "a")]) for number in range(50)))
    for number in range(50):
        assert client.response().json["target"] == f"/{number}"


def test_a_request_byte_by_byte_in_records_of_their_own(secure, visit, upstream):
    client = visit(secure(upstream(answering())))
    client.send_slowly(message.head_bytes("GET / HTTP/1.1", [("Host", "a")]))
    assert client.response().status == 200


def test_head_and_body_of_an_answer_are_one_record(secure, upstream, authority):
    proxy = secure(upstream(answering(b"x" * 1000)))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = authority.client(version=TLS13).wrap_bio(incoming, outgoing, server_hostname="app.test")
    with socket.create_connection(proxy.address) as sock:

        def until(step):
            while True:
                try:
                    result = step()
                    sock.sendall(outgoing.read())
                    return result
                except ssl.SSLWantReadError:
                    sock.sendall(outgoing.read())
                    incoming.write(sock.recv(65536))

        until(tls.do_handshake)
        tls.write(message.head_bytes("GET / HTTP/1.1", [("Host", "a")]))
        # Two tickets may come in front of it.
        got = until(lambda: tls.read(65536))
        assert got.startswith(b"HTTP/1.1 200 ") and got.endswith(b"x" * 1000)


@versions
def test_large_bodies_pass_both_ways(secure, visit, upstream, version):
    size = 20 << 20

    def script(connection):
        head = connection.head()
        assert head.value("content-length") == str(size)
        received = connection.exactly(size)
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + received)

    body = bytes(range(256)) * (size // 256)
    client = visit(secure(upstream(script), limits={"body": "32MiB"}), version)
    client.send(message.head_bytes("POST / HTTP/1.1", [("Host", "a"), ("Content-Length", size)]))
    client.send(body)
    assert client.response().body == body


@versions
def test_an_answer_without_length_ends_with_a_word(secure, visit, upstream, version):
    """HTTP/1.0 clients get it close-delimited: only close_notify tells them that it is whole."""

    def script(connection):
        connection.request()
        connection.send(NO_LENGTH + b"y" * 300_000)

    client = visit(secure(upstream(script)), version)
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    response = client.to_end()
    assert response.endswith(b"y" * 300_000) and not client.was_cut


@versions
def test_an_answer_without_length_to_a_slow_reader_ends_with_a_word_too(secure, visit, upstream, version):
    size = 4 << 20

    def script(connection):
        connection.request()
        connection.send(NO_LENGTH + b"y" * size)

    client = visit(secure(upstream(script), buffers={"response": "8MiB"}), version, receive_buffer=4096)
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    time.sleep(3)  # longer than weir lingers for those who have been told
    assert client.to_end().endswith(b"y" * 1000) and not client.was_cut


def test_an_answer_without_length_that_is_cut_is_no_whole_one(secure, visit, upstream):
    def script(connection):
        connection.request()
        connection.send(NO_LENGTH + b"part")
        connection.reset()

    client = visit(secure(upstream(script)))
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    client.to_end()
    assert client.was_cut or client.was_reset


def test_chunks_are_passed_on_as_they_come(secure, visit, upstream):
    def script(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(3):
            connection.send(b"1\r\n%d\r\n" % number)
            go_on.wait(10)
            go_on.clear()
        connection.send(b"0\r\n\r\n")

    go_on = threading.Event()
    client = visit(secure(upstream(script)))
    client.request()
    client.head()
    for number in range(3):
        assert client.chunk() == b"%d" % number
        go_on.set()
    assert client.chunk() == b""


@versions
def test_a_slow_reader_gets_all_of_it(secure, visit, upstream, version):
    body = bytes(range(256)) * 8192
    client = visit(secure(upstream(answering(body))), version, receive_buffer=4096)
    client.request()
    received = b""
    head = client.head()
    while len(received) < len(body):
        received += client.exactly(min(30_000, len(body) - len(received)))
        time.sleep(0.002)
    assert head.status == 200 and received == body


def test_the_app_is_told_of_a_client_that_leaves(secure, visit, upstream):
    def script(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        connection.wait_for_close()

    app = upstream(script)
    proxy = secure(app)
    client = visit(proxy)
    client.request()
    client.head()
    client.close()
    assert app.connections[0].is_over.wait(5)
    assert proxy.log_lines(1)[0]["cut"] == "client_gone"


def test_a_client_that_leaves_with_a_word_while_it_waits_is_gone(secure, visit, upstream):
    def script(connection):
        connection.request()
        connection.wait_for_close()

    app = upstream(script)
    proxy = secure(app)
    client = visit(proxy)
    client.request()
    app.wait_for_requests(1)
    client.sock.settimeout(0.1)
    with pytest.raises((TimeoutError, OSError)):
        client.sock.unwrap()
    client.close()
    assert app.connections[0].is_over.wait(5)
    assert proxy.log_lines(1)[0]["status"] == 499


def test_an_app_that_breaks_off_cuts_the_answer(secure, visit, upstream):
    def script(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")
        connection.reset()

    client = visit(secure(upstream(script)))
    client.request()
    assert client.to_end().endswith(b"part")


@versions
def test_websockets_pass(secure, visit, app, version):
    client = visit(secure(app("node", script="node_ws.js")), version)
    assert websocket.handshake(client, behind=websocket.frame(b"eager")).status == 101
    assert websocket.read_frame(client) == (websocket.TEXT, b"eager")
    for text in (b"hello", b"", b"y" * 70_000):
        client.send(websocket.frame(text))
        assert websocket.read_frame(client) == (websocket.TEXT, text)


def test_an_idle_connection_is_closed_with_a_word(secure, visit, upstream):
    client = visit(secure(upstream(answering()), timeout={"keepalive": "200ms"}))
    assert client.ask().status == 200
    client.assert_closed()
    assert not client.was_cut


def test_a_drain_closes_idle_connections_with_a_word_and_answers_the_others(secure, visit, upstream):
    app = upstream(lambda connection: (connection.request(), app.released.wait(10), connection.answer()))
    proxy = secure(app)
    idle, busy = visit(proxy), visit(proxy)
    busy.request()
    app.wait_for_requests(1)
    proxy.signal(15)
    idle.assert_closed()
    assert not idle.was_cut
    app.release()
    response = busy.response()
    assert response.status == 200 and response.value("connection") == "close"
    busy.assert_closed()
    assert not busy.was_cut


def test_idle_connections_cost_no_cpu(secure, visit, upstream):
    proxy = secure(upstream(answering()))
    clients = [visit(proxy) for _ in range(20)]
    assert all(client.ask().status == 200 for client in clients)
    before = cpu_seconds(proxy.pid)
    time.sleep(1)
    assert cpu_seconds(proxy.pid) - before < 0.1


def test_several_workers_share_the_tickets(secure, connect, upstream, authority):
    proxy = secure(upstream(answering()), workers=3)
    tls = authority.client(version=TLS12)
    first = connect(proxy, tls=tls)
    assert first.ask().status == 200
    for _ in range(12):
        again = connect(proxy, tls=tls, session=first.sock.session)
        assert again.ask().status == 200
        assert again.sock.session_reused
