"""Upgraded connections: both sides talk as if nothing stood between them, and each end of one reaches the other."""

import threading

import pytest

from harness import websocket
from harness.poll import Stopwatch, eventually
from harness.upstream import answering, reporting

SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n"
ASK = {"Connection": "Upgrade", "Upgrade": "raw"}


@pytest.fixture
def echo(weir, connect, app):
    """A raw client connection to the proxy in front of a Node WebSocket server."""
    return connect(weir(app("node", script="node_ws.js")))


def switching(play):
    """The script of an app that agrees to the upgrade and then plays."""

    def script(connection):
        connection.request()
        connection.send(SWITCH)
        play(connection)

    return script


def echoing(connection):
    while connection.fill():
        connection.send(connection.take(len(connection.buffer)))


def test_messages_go_both_ways(echo):
    assert websocket.handshake(echo).status == 101
    for text in (b"hello", b"", b"x" * 200, b"y" * 70_000):
        echo.send(websocket.frame(text))
        assert websocket.read_frame(echo) == (websocket.TEXT, text)


def test_a_message_right_behind_the_handshake_is_not_lost(echo):
    assert websocket.handshake(echo, behind=websocket.frame(b"eager")).status == 101
    assert websocket.read_frame(echo) == (websocket.TEXT, b"eager")


def test_the_app_may_speak_first(echo):
    websocket.handshake(echo, "/greet")
    assert websocket.read_frame(echo) == (websocket.TEXT, b"welcome")


def test_pings_are_answered_by_the_app(echo):
    websocket.handshake(echo)
    echo.send(websocket.frame(b"beat", websocket.PING))
    assert websocket.read_frame(echo) == (websocket.PONG, b"beat")


def test_a_closing_handshake_ends_the_connection(echo):
    websocket.handshake(echo)
    echo.send(websocket.frame(b"\x03\xe8", websocket.CLOSE))
    assert websocket.read_frame(echo)[0] == websocket.CLOSE
    echo.assert_closed()


def test_large_messages_pass_unchanged(echo):
    websocket.handshake(echo)
    payload = bytes(range(256)) * 16384
    sender = threading.Thread(target=echo.send, args=(websocket.frame(payload, websocket.BINARY),))
    sender.start()
    assert websocket.read_frame(echo) == (websocket.BINARY, payload)
    sender.join()


def test_a_refused_upgrade_is_an_answer_like_any_other(echo):
    answer = websocket.handshake(echo, "/reject")
    assert (answer.status, answer.body) == (403, b"not today")


def test_an_app_that_ignores_the_upgrade_answers_as_usual(weir, connect, upstream):
    app = upstream(reporting)
    client = connect(weir(app))
    for _ in range(2):
        assert client.ask("/plain", fields=ASK).json["target"] == "/plain"


def test_the_upgrade_is_passed_on_only_where_connection_names_it(weir, connect, upstream):
    app = upstream(answering())
    connect(weir(app)).ask(fields={"Upgrade": "raw"})
    assert "upgrade" not in app.requests[0].names


def test_the_app_sees_the_upgrade(weir, connect, upstream):
    app = upstream(switching(echoing))
    assert connect(weir(app)).ask(fields=ASK).status == 101
    request = app.requests[0]
    assert (request.value("connection").lower(), request.value("upgrade")) == ("upgrade", "raw")


def test_bytes_of_any_kind_pass(weir, connect, upstream):
    client = connect(weir(upstream(switching(echoing))))
    assert client.ask(fields=ASK).status == 101
    payload = bytes(range(256)) * 8 + b"GET / HTTP/1.1\r\n\r\n\0"
    client.send(payload)
    assert client.exactly(len(payload)) == payload


def test_a_client_that_ends_its_side_still_hears_the_rest(weir, connect, upstream):
    def play(connection):
        said = connection.to_end()
        connection.send(b"heard " + said)

    client = connect(weir(upstream(switching(play))))
    client.ask(fields=ASK)
    client.send(b"last words")
    client.half_close()
    assert client.to_end() == b"heard last words"


def test_an_app_that_ends_its_side_still_hears_the_rest(weir, connect, upstream):
    heard = []

    def play(connection):
        connection.send(b"over")
        connection.half_close()
        heard.append(connection.to_end())

    client = connect(weir(upstream(switching(play))))
    client.ask(fields=ASK)
    assert client.to_end() == b"over"
    client.send(b"and out")
    client.half_close()
    eventually(lambda: heard == [b"and out"])


def test_a_client_that_vanishes_takes_the_tunnel_with_it(weir, connect, upstream):
    app = upstream(switching(echoing))
    client = connect(weir(app))
    client.ask(fields=ASK)
    client.reset()
    eventually(app.connections[0].is_over.is_set, within=3)


def test_an_app_that_vanishes_takes_the_tunnel_with_it(weir, connect, upstream):
    def play(connection):
        app.released.wait(10)
        connection.reset()

    app = upstream(switching(play))
    client = connect(weir(app))
    assert client.ask(fields=ASK).status == 101
    app.release()
    client.assert_closed()


def test_a_silent_tunnel_is_closed_after_its_own_timeout(weir, connect, upstream):
    app = upstream(switching(echoing))
    client = connect(weir(app, timeout={"tunnel": "400ms"}))
    client.ask(fields=ASK)
    with Stopwatch() as watch:
        client.assert_closed()
    assert 0.2 < watch.seconds < 3
    eventually(app.connections[0].is_over.is_set)


def test_a_tunnel_that_is_in_use_outlives_that_timeout(weir, connect, upstream):
    client = connect(weir(upstream(switching(echoing)), timeout={"tunnel": "500ms"}))
    client.ask(fields=ASK)
    with Stopwatch() as watch:
        while watch.so_far < 2:
            client.send(b"ping")
            assert client.exactly(4) == b"ping"
            client.assert_silent(0.05)
    client.assert_closed()


@pytest.mark.parametrize("side", ["client", "app"])
def test_one_side_that_talks_keeps_a_tunnel(weir, connect, upstream, side):
    heard = []

    def play(connection):
        if side == "client":
            heard.append(connection.to_end())
        else:
            connection.send_slowly(b"x" * 40, pause=0.05)

    client = connect(weir(upstream(switching(play)), timeout={"tunnel": "500ms"}))
    client.ask(fields=ASK)
    if side == "client":
        client.send_slowly(b"x" * 40, pause=0.05)
        client.half_close()
        client.assert_closed()
    else:
        heard.append(client.to_end())
    assert heard == [b"x" * 40]


def test_neither_stall_nor_deadline_hold_for_a_tunnel(weir, connect, upstream):
    client = connect(weir(upstream(switching(echoing)), timeout={"total": "300ms", "stall": "200ms"}))
    client.ask(fields=ASK)
    client.assert_silent(0.8)
    client.send(b"still here")
    assert client.exactly(10) == b"still here"


def test_hints_in_front_of_an_upgrade_reach_the_one_who_asked(weir, connect, upstream):
    def hinting(connection):
        connection.request()
        connection.send(b"HTTP/1.1 103 Early Hints\r\nX-Hint: first\r\n\r\n" + SWITCH)
        echoing(connection)

    client = connect(weir(upstream(hinting)))
    hints = client.ask(fields=ASK)
    assert (hints.status, hints.value("x-hint")) == (103, "first")
    assert client.response().status == 101
    client.send(b"through")
    assert client.exactly(7) == b"through"


def test_nothing_of_an_upgrade_with_hints_reaches_another_client(weir, connect, upstream):
    def hinting(connection):
        connection.request()
        connection.send(b"HTTP/1.1 103 Early Hints\r\nX-Secret: of another\r\n\r\n" + SWITCH)
        connection.wait_for_close()

    app = upstream([hinting, answering(b"own")])
    proxy = weir(app)
    connect(proxy).request(fields=ASK)
    app.wait_for_requests(1)
    for _ in range(5):
        answer = connect(proxy).ask()
        assert (answer.status, answer.body, answer.value("x-secret")) == (200, b"own", None)


def test_an_upgrade_is_one_line_in_the_access_log(weir, connect, upstream):
    proxy = weir(upstream(switching(echoing)))
    client = connect(proxy)
    client.ask("/tunnel", fields=ASK)
    client.send(b"12345")
    client.exactly(5)
    client.close()
    (line,) = proxy.log_lines(1)
    assert (line["status"], line["path"]) == (101, "/tunnel")
