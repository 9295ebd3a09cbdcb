"""weir under a service manager: it says how it is, takes over sockets, and its unit files are in order."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from contextlib import closing

import pytest

from harness.client import Client
from harness.load import Load
from harness.metrics import ask_admin
from harness.service import NotifySocket, hanging, handing_over
from harness.upstream import answering
from harness.weir import BINARY, ROOT, run, start

ADMIN = "127.0.0.1:0"


@pytest.fixture
def manager():
    made = NotifySocket()
    yield made
    made.close()


def listening(address=("127.0.0.1", 0), family=socket.AF_INET):
    sock = socket.socket(family)
    sock.bind(address)
    sock.listen(128)
    return sock


def name_of(sock):
    return "%s:%d" % sock.getsockname()


def test_it_says_when_it_is_ready_and_when_it_drains_and_asks_for_the_time_that_takes(weir, upstream, manager):
    proxy = weir(upstream(answering()), env=manager.env, drain="7s")
    ready = manager.message()
    assert ready["READY"] == "1"
    assert ready["STATUS"].startswith("listens on 127.0.0.1:%d, the app is at 127.0.0.1:" % proxy.address[1])
    assert manager.messages_for(1.5) == []
    proxy.signal(signal.SIGTERM)
    stopping = manager.message()
    assert stopping == {"STOPPING": "1", "EXTEND_TIMEOUT_USEC": "17000000", "STATUS": "draining"}


def test_a_reload_is_announced_and_its_end_too_whether_it_is_good_or_not(weir, upstream, manager):
    proxy = weir(upstream(answering()), env=manager.env)
    assert manager.message()["READY"] == "1"
    config = proxy.log_path.parent / "weir.yaml"
    good = config.read_text()
    for text, status in [
        (good + "workers: 1\n", "listens on "),
        (good + "wrkers: 1\n", "the former configuration holds, see the log; listens on "),
    ]:
        config.write_text(text)
        before = time.monotonic()
        proxy.signal(signal.SIGHUP)
        begun = manager.message()
        assert begun["RELOADING"] == "1"
        assert before <= int(begun["MONOTONIC_USEC"]) / 1e6 <= time.monotonic()
        over = manager.message()
        assert over["READY"] == "1"
        assert over["STATUS"].startswith(status)


def test_it_gives_no_sign_of_life_unless_it_is_asked_to(weir, upstream, manager):
    proxy = weir(upstream(answering()), env={**manager.env, "WATCHDOG_USEC": "8000000", "WATCHDOG_PID": "1"})
    assert manager.message()["READY"] == "1"
    assert manager.messages_for(3.5) == []
    assert proxy.is_running


def test_it_gives_signs_of_life_until_a_worker_hangs(weir, upstream, manager):
    proxy = weir(upstream(answering()), env={**manager.env, "WATCHDOG_USEC": "4000000"}, admin=ADMIN, workers=2)
    assert manager.message()["READY"] == "1"
    assert len([each for each in manager.messages_for(5) if each == {"WATCHDOG": "1"}]) >= 2
    try:
        with hanging(proxy.pid):
            manager.messages_for(4.5)
            assert manager.messages_for(4) == []
            assert ask_admin(proxy, "/livez").status == 200  # the control thread is well
    except PermissionError:
        pytest.skip("this machine lets nobody stop a thread")
    assert manager.message() == {"WATCHDOG": "1"}


def test_it_gives_signs_of_life_while_it_drains(weir, upstream, manager, connect):
    def never_answering(connection):
        connection.request()
        connection.wait_for_close()

    proxy = weir(upstream(never_answering), env={**manager.env, "WATCHDOG_USEC": "4000000"}, workers=2, drain="4s")
    connect(proxy).request("/")
    assert manager.message()["READY"] == "1"
    proxy.signal(signal.SIGTERM)
    found = manager.messages_for(3.5)
    assert {"WATCHDOG": "1"} in found[1:], found


@pytest.mark.parametrize("workers", [1, 2])
def test_a_socket_that_is_handed_over_is_served(stage, upstream, workers):
    with closing(listening()) as sock:
        proxy = stage.weir(upstream(answering(b"hello")), listen=name_of(sock), workers=workers, **handing_over(sock))
        with closing(Client(sock.getsockname())) as client:
            assert client.ask().body == b"hello"
        proxy.stop()
        # It is still open, and nobody is refused there.
        Client(sock.getsockname()).close()


def test_a_unix_socket_that_is_handed_over_keeps_its_file(stage, upstream, tmp_path):
    path = str(tmp_path / "s")
    with closing(listening(path, socket.AF_UNIX)) as sock:
        os.chmod(path, 0o600)
        proxy = stage.weir(upstream(answering(b"hello")), listen=f"unix:{path}", **handing_over(sock))
        with closing(Client(path)) as client:
            assert client.ask().body == b"hello"
        proxy.stop()
        assert os.stat(path).st_mode & 0o777 == 0o600


def test_sockets_are_told_apart_by_their_address_and_the_rest_are_opened(stage, upstream, weir):
    with closing(listening()) as one, closing(listening()) as two:
        listen = ["127.0.0.1:PORT", name_of(two), name_of(one)]
        proxy = stage.weir(upstream(answering(b"hello")), listen=listen, **handing_over(one, two))
        for address in [proxy.address, one.getsockname(), two.getsockname()]:
            with closing(Client(address)) as client:
                assert client.ask().body == b"hello"


def test_a_socket_that_no_listen_names_keeps_it_from_starting(tmp_path):
    with closing(listening()) as sock:
        with pytest.raises(AssertionError, match="ended with 3") as refused:
            start(tmp_path / "weir", "http://127.0.0.1:1", {}, **handing_over(sock))
        assert f"the socket at {name_of(sock)} was handed over, and `listen` does not name" in str(refused.value)


def test_what_is_no_listening_socket_keeps_it_from_starting(tmp_path):
    with closing(socket.socket()) as sock, pytest.raises(AssertionError, match="ended with 3") as refused:
        start(tmp_path / "weir", "http://127.0.0.1:1", {}, **handing_over(sock))
    assert "descriptor 3 was handed over, and is not a listening socket" in str(refused.value)


def test_a_restart_on_a_socket_that_stays_loses_no_connection(stage, upstream):
    app = upstream(answering(b"hello"))
    with closing(listening()) as sock:
        settings = {"listen": name_of(sock), "workers": 2}
        proxy = stage.weir(app, **settings, **handing_over(sock))
        with Load(sock.getsockname(), keep=False) as load:
            for _ in range(3):
                load.wait_for_more(50)
                proxy.stop()
                proxy = stage.weir(app, **settings, **handing_over(sock))
            load.wait_for_more(50)
        assert set(load.statuses) == {200}, load.failures


ANALYZE = shutil.which("systemd-analyze")
needs_analyze = pytest.mark.skipif(not ANALYZE, reason="systemd-analyze is not installed")


@needs_analyze
def test_the_service_is_confined():
    done = subprocess.run(
        [ANALYZE, "security", "--offline=yes", "--no-pager", ROOT / "systemd/weir.service"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    level = re.search(r"Overall exposure level for weir.service: (\d+\.\d+)", done.stdout)
    assert level, done.stdout + done.stderr
    assert float(level[1]) <= 2.0, done.stdout


@needs_analyze
def test_the_unit_files_are_sound(tmp_path):
    service = (ROOT / "systemd/weir.service").read_text()
    assert service.count("ExecStart=weir ") == service.count("ExecReload=weir ") == 1
    (tmp_path / "weir.service").write_text(service.replace("=weir ", f"={BINARY} "))
    shutil.copy(ROOT / "systemd/weir.socket", tmp_path)
    done = subprocess.run(
        [ANALYZE, "verify", "--man=no", tmp_path / "weir.service", tmp_path / "weir.socket"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_socket_unit_has_the_address_of_the_configuration_that_is_installed(tmp_path):
    listen = re.search(r"^ListenStream=(.*)$", (ROOT / "systemd/weir.socket").read_text(), re.M)[1]
    code, shown, errors = run(tmp_path, "check", ROOT / "conf/installed.yaml")
    assert (code, errors) == (0, "")
    assert re.search(rf"^listen: {re.escape(listen)} ", shown, re.M), shown
