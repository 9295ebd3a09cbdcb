"""Whoever has connected when a drain begins, and has not asked yet, is heard: whatever stands in front of its request."""

import signal
import ssl
import threading

import pytest

from harness import h2
from harness.metrics import scrape
from harness.poll import Stopwatch, eventually
from harness.process import listening_ports
from harness.upstream import answering

BALANCER = "127.0.0.2"
HEADER = b"PROXY TCP4 203.0.113.9 192.0.2.1 56324 443\r\n"


def begin_handshake(client, authority, protocols=("http/1.1",)):
    """TLS over memory, so that each flight is sent when the test says so."""
    context = authority.client()
    context.set_alpn_protocols(list(protocols))
    return Handshake(client, context)


class Handshake:
    def __init__(self, client, context):
        self._client = client
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname="app.test")

    def send_flight(self):
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        self._flush()

    def finish(self):
        while True:
            try:
                self._tls.do_handshake()
                return self._flush()
            except ssl.SSLWantReadError:
                self._flush()
                self._in.write(self._client.sock.recv(65536))

    def _flush(self):
        self._client.sock.sendall(self._out.read())

    def ask(self):
        """The first bytes of the answer."""
        self._tls.write(b"GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
        self._flush()
        while True:
            try:
                return self._tls.read(65536)
            except ssl.SSLWantReadError:
                received = self._client.sock.recv(65536)
                assert received, "closed without an answer"
                self._in.write(received)


@pytest.fixture
def start(weir, upstream, authority):
    """start(tls=..., proxy=...) starts a proxy with one address; its app answers."""

    def start_one(tls=False, proxy=False, **settings):
        address = {"address": "127.0.0.1:PORT"}
        if tls:
            address["tls"] = authority.files()
        if proxy:
            address["proxy_protocol"] = True
            settings["clients"] = {"trusted_proxies": BALANCER}
        return weir(upstream(answering()), listen=[address], admin="127.0.0.1:0", **settings)

    return start_one


def drain(proxy):
    """Returns when the worker has heard of it."""
    eventually(lambda: scrape(proxy).one("weir_client_connections") == 1, what="the client has come")
    proxy.signal(signal.SIGTERM)
    eventually(lambda: proxy.address[1] not in listening_ports(proxy.pid), what="it drains")


def assert_served(response):
    assert (response.status, response.value("connection")) == (200, "close")


def test_a_new_connection_may_still_ask(start, connect):
    proxy = start()
    client = connect(proxy)
    drain(proxy)
    assert_served(client.ask())
    assert proxy.wait() == 0


def test_one_that_has_shaken_hands_may_still_ask(start, connect, authority):
    proxy = start(tls=True)
    client = connect(proxy, tls=authority.client())
    drain(proxy)
    assert_served(client.ask())
    assert proxy.wait() == 0


@pytest.mark.parametrize("flights", [0, 1], ids=["before", "within"])
def test_one_that_has_not_shaken_hands_yet_may_do_so_and_ask(start, connect, authority, flights):
    proxy = start(tls=True)
    client = connect(proxy)
    handshake = begin_handshake(client, authority)
    for _ in range(flights):
        handshake.send_flight()
    drain(proxy)
    handshake.finish()
    answer = handshake.ask()
    assert answer.startswith(b"HTTP/1.1 200 ") and b"\r\nConnection: close\r\n" in answer
    client.close()
    assert proxy.wait() == 0


@pytest.mark.parametrize("sent", [0, 10, len(HEADER)])
def test_one_whose_balancer_has_not_said_all_may_still_ask(start, connect, sent):
    proxy = start(proxy=True)
    client = connect(proxy, source=BALANCER)
    client.send(HEADER[:sent])
    drain(proxy)
    client.send(HEADER[sent:])
    assert_served(client.ask())
    assert proxy.wait() == 0


def test_a_balancer_may_announce_a_client_that_shakes_hands_and_asks(start, connect, authority):
    proxy = start(tls=True, proxy=True)
    client = connect(proxy, source=BALANCER)
    drain(proxy)
    client.send(HEADER)
    handshake = begin_handshake(client, authority)
    handshake.finish()
    assert handshake.ask().startswith(b"HTTP/1.1 200 ")
    client.close()
    assert proxy.wait() == 0


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("begins", [False, True], ids=["silent", "begun"])
def test_one_that_speaks_http2_may_still_ask(start, stage, authority, tls, begins):
    proxy = start(tls=tls)
    context = authority.client() if tls else None
    if tls:
        context.set_alpn_protocols(["h2"])
    client = stage.keep(h2.H2Client(proxy.address, begins=False, tls=context))
    if begins:
        client.begin({})
        client.hear_until(lambda: client.settings is not None)
    drain(proxy)
    if not begins:
        client.begin({})
        client.hear_until(lambda: client.settings is not None)
    client.sync()
    assert not client.goaways, "nothing has told it to ask elsewhere"
    stream = client.open("/")
    assert client.answer(stream).status == 200
    assert client.goodbye() == (stream, h2.NO_ERROR)
    client.close()
    assert proxy.wait() == 0


@pytest.mark.parametrize("kind", ["plain", "connected", "within", "shaken", "header", "h2"])
def test_who_stays_silent_holds_it_up_for_a_moment_alone(start, connect, stage, authority, kind):
    proxy = start(tls=kind in ("connected", "within", "shaken"), proxy=kind == "header", drain="20s", timeout={"header": "3s"})
    if kind == "h2":
        client = stage.keep(h2.H2Client(proxy.address))
        client.hear_until(lambda: client.settings is not None)
    elif kind == "shaken":
        client = connect(proxy, tls=authority.client())
    else:
        client = connect(proxy, source=BALANCER)
    if kind == "within":
        begin_handshake(client, authority).send_flight()
    with Stopwatch() as watch:
        drain(proxy)
        client.to_end() if kind != "h2" else client.goodbye()
        client.close()
        assert proxy.wait() == 0
    assert 0.5 < watch.seconds < 5
    assert "cut off" not in proxy.stderr


def test_an_end_while_the_app_is_in_the_middle_of_an_answer_for_nobody(weir, connect, upstream):
    """Under a cap, what it works on outlives the client that has left."""
    has_begun, has_heard, may_end = threading.Event(), threading.Event(), threading.Event()

    def answering_by_halves(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nServer: half")
        has_begun.set()
        connection.wait_for_close()
        has_heard.set()
        may_end.wait(20)

    proxy = weir(upstream(answering_by_halves), limits={"concurrency": 1})
    client = connect(proxy).request()
    assert has_begun.wait(10)
    client.close()
    assert has_heard.wait(10)
    proxy.signal(signal.SIGTERM)
    code = proxy.wait()
    may_end.set()
    assert code == 0, proxy.stderr
