"""Standard streams that take nothing."""

import os
import signal
from contextlib import contextmanager

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
