"""Addresses and socket files that two processes want: nobody takes what another one still uses."""

import signal

import pytest

from harness import weir as binary
from harness.client import Client
from harness.poll import eventually
from harness.upstream import answering


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weir.sock"


def refuses(path):
    try:
        Client(str(path)).close()
    except OSError:
        return True
    return False


def test_a_second_process_leaves_the_socket_file_of_the_first(weir, connect, upstream, tmp_path, path):
    app = upstream(answering())
    first = weir(app, listen=f"unix:{path}")
    code, _, err = binary.run(tmp_path, "--listen", f"unix:{path}", "--upstream", app.url)
    assert code == 3
    assert str(path) in err
    assert connect(first).ask().status == 200


def test_a_process_that_drains_leaves_the_socket_file_of_the_next(weir, connect, upstream, path):
    def script(connection):
        while request := connection.request():
            if request.target == "/held":
                app.released.wait(10)
            connection.answer()

    app = upstream(script)
    first = weir(app, listen=f"unix:{path}", drain="20s")
    held = connect(first).request("/held")
    app.wait_for_requests(1)
    first.signal(signal.SIGTERM)
    eventually(lambda: refuses(path), what="the first one listens no more")
    next_one = weir(app, listen=f"unix:{path}")
    eventually(lambda: not refuses(path), what="the next one listens")
    app.release()
    assert held.response().status == 200
    assert first.wait(5) == 0
    assert connect(next_one).ask().status == 200


def test_the_socket_file_goes_with_its_process(weir, upstream, path):
    weir(upstream(answering()), listen=f"unix:{path}").stop()
    assert not path.exists()


def test_the_socket_file_of_a_dead_process_is_replaced(weir, connect, upstream, path):
    app = upstream(answering())
    dead = weir(app, listen=f"unix:{path}")
    dead.expected_codes = (-signal.SIGKILL,)
    dead.kill_group()
    assert path.exists()
    proxy = weir(app, listen=f"unix:{path}")
    eventually(lambda: not refuses(path), what="it listens")
    assert connect(proxy).ask().status == 200


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_process_on_the_same_port_does_not_start(weir, connect, upstream, tmp_path, workers):
    app = upstream(answering())
    first = weir(app, workers=workers)
    address = "%s:%d" % first.address
    flags = ["--listen", address, "--upstream", app.url, "--set", f"workers={workers}"]
    code, _, err = binary.run(tmp_path, *flags)
    assert code == 3
    assert address in err
    assert connect(first).ask().status == 200
