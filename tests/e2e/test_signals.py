"""Signals: draining, leaving at once, and new log files."""

import signal
import subprocess
import threading

import pytest

from harness.message import CutShort
from harness.poll import Stopwatch, eventually
from harness.process import listening_ports
from harness.upstream import answering
from harness.wire import Closed


@pytest.fixture
def waiting(weir, connect, upstream):
    """waiting(**settings): a proxy, its app, and a client whose request is inside the app."""

    def make(**settings):
        def script(connection):
            while connection.request():
                app.released.wait(10)
                connection.answer(b"finished")

        app = upstream(script)
        proxy = weir(app, **settings)
        client = connect(proxy).request("/held")
        app.wait_for_requests(1)
        return proxy, app, client

    return make


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_runs_is_finished_before_it_exits(waiting, number):
    proxy, app, client = waiting(drain="10s")
    proxy.signal(number)
    eventually(lambda: not listening_ports(proxy.pid), what="the listener is closed")
    assert proxy.is_running
    app.release()
    answer = client.response()
    assert (answer.body, answer.value("connection")) == (b"finished", "close")
    client.assert_closed()
    assert proxy.wait(5) == 0


def test_new_connections_are_refused_while_draining(waiting, connect):
    proxy, app, _ = waiting(drain="10s")
    proxy.signal(signal.SIGTERM)
    eventually(lambda: not listening_ports(proxy.pid), what="the listener is closed")
    with pytest.raises(OSError):
        connect(proxy)
    app.release()


def test_connections_without_a_request_are_closed_when_draining_begins(waiting, connect):
    proxy, app, _ = waiting(drain="10s")
    silent = connect(proxy)
    proxy.signal(signal.SIGTERM)
    silent.assert_closed()
    assert proxy.is_running
    app.release()


def test_a_new_connection_may_still_ask_when_draining_begins(waiting, connect):
    proxy, app, _ = waiting(drain="10s")
    fresh = connect(proxy)
    with proxy.stopped():
        proxy.signal(signal.SIGTERM)
    eventually(lambda: "draining" in proxy.stderr, what="it drains")
    fresh.request()
    app.release()
    answer = fresh.response()
    assert (answer.status, answer.value("connection")) == (200, "close")


def test_an_idle_proxy_exits_at_once(weir, connect, upstream):
    proxy = weir(upstream(answering()), drain="30s")
    client = connect(proxy)
    client.ask()
    with Stopwatch() as watch:
        proxy.stop()
    assert watch.seconds < 3
    client.assert_closed()


def test_draining_ends_after_its_time(waiting):
    proxy, _, client = waiting(drain="400ms")
    with Stopwatch() as watch:
        proxy.signal(signal.SIGTERM)
        assert proxy.wait(5) == 0
    assert 0.2 < watch.seconds < 3
    with pytest.raises((Closed, CutShort)):
        while client.response().status == 503:
            pass


def test_a_second_signal_exits_at_once(waiting):
    proxy, _, _ = waiting(drain="30s")
    proxy.expected_codes = (0, -signal.SIGTERM, 128 + signal.SIGTERM)
    proxy.signal(signal.SIGTERM)
    eventually(lambda: not listening_ports(proxy.pid), what="the first signal was taken")
    with Stopwatch() as watch:
        proxy.signal(signal.SIGTERM)
        proxy.wait(5)
    assert watch.seconds < 2


SLOW_LOOK_UP = """
#include <netdb.h>
#include <unistd.h>
int getaddrinfo(const char* name, const char* service, const struct addrinfo* hints, struct addrinfo** found) {
    sleep(60);
    return EAI_AGAIN;
}
"""


@pytest.fixture
def slow_look_ups(tmp_path):
    """The environment in which a look-up of a name takes a minute."""
    library = tmp_path / "slow.so"
    command = ["cc", "-shared", "-fPIC", "-x", "c", "-o", str(library), "-"]
    subprocess.run(command, input=SLOW_LOOK_UP, text=True, check=True, timeout=30)
    return {"LD_PRELOAD": str(library), "ASAN_OPTIONS": "verify_asan_link_order=0"}


def test_a_name_that_is_being_looked_up_holds_up_no_exit(weir, connect, slow_look_ups):
    proxy = weir("http://app.test:80", env=slow_look_ups, upstream={"hold": "0s"})
    connect(proxy).request().assert_problem(502, "upstream_connect")
    with Stopwatch() as watch:
        proxy.stop()
    assert watch.seconds < 3


def test_a_request_that_comes_in_pieces_is_finished_too(weir, connect, upstream):
    app = upstream(answering(b"whole"))
    proxy = weir(app, drain="10s")
    client = connect(proxy)
    client.request("/", "POST", {"Content-Length": 200_000})
    client.send(b"x" * 100_000)
    app.wait_for_connections(1)
    proxy.signal(signal.SIGTERM)
    eventually(lambda: not listening_ports(proxy.pid), what="the listener is closed")
    client.send(b"x" * 100_000)
    assert client.response().body == b"whole"
    assert proxy.wait(5) == 0


def test_log_files_are_opened_anew_on_sigusr1(weir, connect, upstream):
    proxy = weir(upstream(answering()))
    client = connect(proxy)
    client.ask("/before")
    proxy.log_lines(1)
    rotated = proxy.log_path.rename(proxy.log_path.with_suffix(".1"))
    proxy.signal(signal.SIGUSR1)
    eventually(lambda: client.ask("/after").status == 200 and proxy.log_path.exists(), what="a new log file")
    assert proxy.log_lines(1)[-1]["path"] == "/after"
    assert "/before" in rotated.read_text()


def test_no_line_is_lost_by_rotation_under_load(weir, connect, upstream):
    proxy = weir(upstream(answering()))
    files = [proxy.log_path]

    def ask_often():
        client = connect(proxy)
        for _ in range(200):
            client.ask()

    threads = [threading.Thread(target=ask_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(5):
        eventually(proxy.log_path.exists, what="the log file")
        files.append(proxy.log_path.rename(proxy.log_path.with_suffix(f".{number}")))
        proxy.signal(signal.SIGUSR1)
        eventually(lambda: proxy.log_path.exists() or not any(thread.is_alive() for thread in threads))
    for thread in threads:
        thread.join()
    proxy.stop()
    assert sum(len(path.read_text().splitlines()) for path in files if path.exists()) == 800


def test_a_client_that_breaks_its_pipe_does_not_end_the_proxy(weir, connect, upstream):
    proxy = weir(upstream(answering(b"x" * 1_000_000)))
    for _ in range(20):
        client = connect(proxy, receive_buffer=4096).request()
        client.exactly(100)
        client.reset()
    assert connect(proxy).ask().status == 200
