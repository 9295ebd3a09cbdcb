"""A machine that sleeps, a container that is paused: what came meanwhile goes before the deadlines that passed."""

import signal
import socket
import threading
import time

import pytest

from harness.poll import eventually
from harness.process import socket_inodes
from harness.upstream import answering

BOUND = "2s"
LONGER_THAN_BOUND = 2.2


def stand_still(proxy, meanwhile):
    with proxy.stopped():
        meanwhile()
        time.sleep(LONGER_THAN_BOUND)


class Slow:
    """The script of an app that answers requests for `path` when it is let to."""

    def __init__(self, path):
        self.path = path
        self.came = threading.Event()
        self.may_answer = threading.Event()

    def __call__(self, connection):
        while request := connection.request():
            if request.target == self.path:
                self.came.set()
                assert self.may_answer.wait(10)
            connection.answer()


def test_a_new_client_is_heard(weir, connect, upstream):
    proxy = weir(upstream(answering()), timeout={"header": BOUND})
    client = connect(proxy)
    stand_still(proxy, client.request)
    assert client.response().status == 200


def test_a_client_that_asks_again_is_heard(weir, connect, upstream):
    proxy = weir(upstream(answering()), timeout={"keepalive": BOUND})
    client = connect(proxy)
    assert client.ask().status == 200
    stand_still(proxy, client.request)
    assert client.response().status == 200


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_who_asks_during_a_drain_is_heard(weir, connect, upstream, authority, tls):
    address = {"address": "127.0.0.1:PORT"} | ({"tls": authority.files()} if tls else {})
    proxy = weir(upstream(answering()), listen=[address])
    client = connect(proxy, tls=authority.client() if tls else None)
    proxy.signal(signal.SIGTERM)
    eventually(lambda: "draining" in proxy.stderr, what="it drains")
    stand_still(proxy, client.request)
    assert client.response().status == 200
    assert proxy.wait() == 0


def test_handshakes_that_have_begun_come_to_their_end(weir, connect, upstream, authority):
    address = {"address": "127.0.0.1:PORT", "tls": authority.files()}
    proxy = weir(upstream(answering()), listen=[address], timeout={"header": BOUND})
    sockets_at_first = len(socket_inodes(proxy.pid))
    arrivals = [socket.create_connection(proxy.address) for _ in range(20)]
    is_taken = lambda: len(socket_inodes(proxy.pid)) == sockets_at_first + len(arrivals)  # noqa: E731
    eventually(is_taken, what="all are accepted")
    context, answers = authority.client(), []

    def shake(arrival):
        arrival.settimeout(10)
        with context.wrap_socket(arrival, server_hostname="app.test") as secured:
            secured.sendall(b"GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
            answers.append(secured.recv(12))

    threads = [threading.Thread(target=shake, args=(arrival,)) for arrival in arrivals]
    stand_still(proxy, lambda: [thread.start() for thread in threads])
    for thread in threads:
        thread.join()
    assert answers == [b"HTTP/1.1 200"] * len(arrivals)


def test_an_answer_of_the_app_is_passed_on(weir, connect, upstream):
    slow = Slow("/")
    proxy = weir(upstream(slow), timeout={"total": BOUND})
    client = connect(proxy).request()
    assert slow.came.wait(10)
    stand_still(proxy, slow.may_answer.set)
    assert client.response().status == 200


def test_a_server_that_answered_its_check_is_not_counted_down(weir, upstream):
    slow = Slow("/up")
    app = upstream(slow)
    proxy = weir(app, health={"path": "/up", "interval": "250ms", "timeout": BOUND, "rise": 1, "fall": 1})
    assert slow.came.wait(10)
    stand_still(proxy, slow.may_answer.set)
    app.wait_for_requests(3)
    assert "is up" in proxy.stderr
    assert "is down" not in proxy.stderr
