"""A machine that has no more of something: what runs goes on, and what cannot be had is said."""

import subprocess

import pytest

from harness import weir as harness
from harness.upstream import answering
from test_reload import Reloadable

NO_THREAD = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) {
    if (access(getenv("THREADS_ARE_USED_UP"), F_OK) == 0) return EAGAIN;
    int (*real)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*) = dlsym(RTLD_NEXT, "pthread_create");
    return real(thread, attributes, run, argument);
}
"""


class Threads:
    """What a process may have of them, by an environment of its own."""

    def __init__(self, directory):
        library = directory / "no_thread.so"
        self._used_up = directory / "used_up"
        command = ["cc", "-shared", "-fPIC", "-x", "c", "-o", str(library), "-", "-ldl"]
        subprocess.run(command, input=NO_THREAD, text=True, check=True, timeout=30)
        self.env = {
            "LD_PRELOAD": str(library),
            "THREADS_ARE_USED_UP": str(self._used_up),
            "ASAN_OPTIONS": "verify_asan_link_order=0",
        }

    def use_up(self):
        self._used_up.touch()

    def free(self):
        self._used_up.unlink()


@pytest.fixture
def threads(tmp_path):
    return Threads(tmp_path)


@pytest.mark.parametrize("what", ["servers", "log"])
def test_a_reload_that_would_need_a_thread_changes_nothing_where_there_is_none(
    weir, connect, upstream, threads, tmp_path, what
):
    app, other = upstream(answering(b"before")), upstream(answering(b"after"))
    reloadable = Reloadable(weir, app, env=threads.env)
    client = connect(reloadable.proxy)
    assert client.ask().body == b"before"
    threads.use_up()
    change = {"servers": {"app": other}, "log": {"log": {"access": tmp_path / "another.log"}}}[what]
    refused = reloadable.change(**change)
    assert (refused.status, b"there is no thread to" in refused.body) == (422, True), refused.body
    assert client.ask().body == b"before"
    threads.free()
    assert reloadable.reload().status == 200
    assert client.ask().body == (b"after" if what == "servers" else b"before")


def test_without_threads_it_says_so_and_does_not_start(upstream, threads, tmp_path):
    threads.use_up()
    arguments = ["--upstream", upstream(answering()).url, "--set", "admin=~", "--set", "log.access=off"]
    code, _, said = harness.run(tmp_path, "--listen", "127.0.0.1:0", *arguments, env=threads.env)
    assert (code, "weir lacks what it needs to start" in said) == (3, True), said
