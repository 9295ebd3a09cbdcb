"""Standard streams that take nothing: closed, full, or a pipe whose reader has stopped reading."""

import os
import signal
import subprocess
from contextlib import contextmanager

import pytest

from harness import weir as harness
from harness.poll import eventually
from harness.upstream import answering


def fill(pipe):
    """By an open file of its own: whether weir's blocks is none of its business."""
    writer = os.open(f"/proc/self/fd/{pipe}", os.O_WRONLY | os.O_NONBLOCK)
    try:
        for piece in (b"." * 4096, b"."):
            try:
                while os.write(writer, piece):
                    pass
            except BlockingIOError:
                pass
    finally:
        os.close(writer)


@contextmanager
def pipe():
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)


def test_nobody_waits_for_a_reader_of_stderr_that_has_stopped(weir, connect, upstream):
    """Neither the worker, which tells of the app, nor the control thread, which tells of signals."""
    passive = {"failures": 1, "window": "10s", "eject": "100ms"}

    def resetting_once(connection):
        connection.request()
        connection.reset()

    apps = [upstream([resetting_once, answering()]) for _ in range(2)]
    with pipe() as (reader, writer):
        proxy = weir(
            None,
            upstream={"servers": [app.url for app in apps], "retry": 1},
            health={"passive": passive},
            prefix=["sh", "-c", f'exec "$@" 2>/proc/self/fd/{writer}', "sh"],
            pass_fds=[writer],
        )
        fill(writer)
        client = connect(proxy)
        eventually(lambda: [client.ask().status for _ in range(4)] == [200] * 4, what="both answer again")
        for _ in range(2):
            proxy.signal(signal.SIGUSR1)
        proxy.signal(signal.SIGTERM)
        assert proxy.wait() == 0
        os.set_blocking(reader, False)
        assert b"left out" not in os.read(reader, 1 << 20)


@pytest.mark.parametrize("closed", ["0<&- 2>&-", "1>&-", "0<&- 1>&- 2>&-"])
def test_a_standard_stream_that_is_closed_is_no_other_file(weir, connect, upstream, closed):
    proxy = weir(upstream(answering()), prefix=["sh", "-c", f'exec "$@" {closed}', "sh"])
    assert connect(proxy).ask().status == 200
    for number in range(3):
        assert os.readlink(f"/proc/{proxy.pid}/fd/{number}").endswith(("/dev/null", "weir.stdout", "weir.stderr"))
    proxy.log_lines(1)


def run(directory, arguments, **streams):
    env = {key: value for key, value in os.environ.items() if not key.startswith("WEIR_")}
    return subprocess.run(arguments, cwd=directory, env=env, text=True, timeout=20, check=False, **streams)


def test_an_access_log_on_a_stream_that_is_closed_keeps_it_from_starting(upstream, tmp_path):
    options = ["--upstream", upstream(answering()).url, "--listen", "127.0.0.1:0", "--set", "admin=~"]
    done = run(tmp_path, ["sh", "-c", 'exec "$@" 1>&-', "sh", harness.BINARY, *options], stderr=subprocess.PIPE)
    assert (done.returncode, "cannot open the access log stdout" in done.stderr) == (3, True), done.stderr


@pytest.mark.parametrize("command", ["check", "schema", "version", "--help"])
def test_what_cannot_be_printed_is_said_by_the_exit_code(tmp_path, command):
    (tmp_path / "weir.yaml").write_text("listen: 127.0.0.1:8080\nupstream: http://127.0.0.1:1\n")
    with open("/dev/full", "wb") as full:
        done = run(tmp_path, [harness.BINARY, command], stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (5, "weir: cannot write to stdout\n")


def test_a_mistake_that_cannot_be_told_is_told_by_the_exit_code(tmp_path):
    with open("/dev/full", "wb") as full:
        done = run(tmp_path, [harness.BINARY, "--listen", "?"], stderr=full)
    assert done.returncode == 1
