import os
import signal

import pytest

from harness.certificates import Authority
from harness.stage import Stage
from harness.weir import BINARY, is_sanitized


SECONDS_A_TEST = 240 if os.environ.get("WEIR_E2E_LARGE") else 60


def pytest_sessionstart():
    if not os.access(BINARY, os.X_OK):
        pytest.exit(f"there is no binary at {BINARY}: build it, or name another in WEIR_BIN", returncode=2)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """A peer that never stops sending would keep a test for ever."""

    def give_up(*_):
        raise AssertionError(f"took longer than {SECONDS_A_TEST} s")

    former = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(SECONDS_A_TEST)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, former)


@pytest.fixture
def stage(tmp_path):
    """Everything a test starts; taken down, and checked, at its end."""
    stage = Stage(tmp_path)
    yield stage
    stage.take_down()


@pytest.fixture
def weir(stage):
    """weir(app, timeout={...}, ...) starts the proxy in front of `app`."""
    return stage.weir


@pytest.fixture
def connect(stage):
    """connect(proxy) opens a raw connection."""
    return stage.connect


@pytest.fixture
def upstream(stage):
    """upstream(script) starts an app whose every byte the test decides."""
    return stage.upstream


@pytest.fixture
def app(stage):
    """app("gunicorn", ...) starts a real one."""
    return stage.app


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Issues certificates for apps that speak TLS."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def sanitized():
    return is_sanitized()


@pytest.fixture(scope="session")
def large_bytes():
    """The size of a large body; WEIR_E2E_LARGE=1 makes it 1 GiB."""
    if os.environ.get("WEIR_E2E_LARGE"):
        return 1 << 30
    return 32 << 20 if is_sanitized() else 256 << 20
