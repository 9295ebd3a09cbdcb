"""The units as they are installed, under a real systemd. Where there can be none, these tests are skipped."""

import os
import random
import re
import shutil
import signal
import socket
import time
from contextlib import closing, suppress

import pytest

from harness.client import Client
from harness.load import Load
from harness.poll import eventually, free_port
from harness.process import thread_states
from harness.systemd import Systemd, Unavailable
from harness.upstream import answering
from harness.weir import BINARY, ROOT, is_sanitized

CONFIG = "/etc/weir/weir.yaml"
LOG = "/var/log/weir/access.log"


@pytest.fixture(scope="module")
def manager(tmp_path_factory):
    if is_sanitized():
        pytest.skip("the service's confinement is not made for sanitizers")
    folder = tmp_path_factory.mktemp("systemd")
    (folder / "units").mkdir()
    for name, place in [("weir.sysusers", "usr/lib/sysusers.d/weir.conf"), ("../conf/installed.yaml", CONFIG[1:])]:
        target = folder / "files" / place
        target.parent.mkdir(parents=True)
        shutil.copy(ROOT / "systemd" / name, target)
    try:
        made = Systemd(folder, BINARY)
    except Unavailable as reason:
        pytest.skip(f"no systemd can be started here: {reason}")
    yield made
    made.close()


def free_low_port():
    """One that not everybody may bind to."""
    for port in random.sample(range(600, 1024), 400):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("there is none")


class Service:
    """weir.service with a configuration, and drop-ins."""

    def __init__(self, manager, app):
        self.manager = manager
        self.app = app
        self.address = ("127.0.0.1", free_port())
        self.write()
        for name in ("weir.service", "weir.socket"):
            shutil.copy(ROOT / "systemd" / name, manager.units)
        socket_unit = manager.units / "weir.socket"
        socket_unit.write_text(socket_unit.read_text().replace("127.0.0.1:8080", "%s:%d" % self.address))
        self.drop_in("log", "StandardOutput=null", "StandardError=append:/run/test/weir.err")

    def write(self, **sections):
        listen = "%s:%d" % self.address
        settings = {"listen": listen, "upstream": self.app.url, "admin": "unix:/run/weir/admin", **sections}
        self.manager.path(CONFIG).write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))

    def drop_in(self, name, *lines):
        folder = self.manager.units / "weir.service.d"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.conf").write_text("\n".join(["[Service]", *lines, ""]))
        self.manager.do("daemon-reload")

    def end(self):
        self.manager.ask("stop", "weir.socket", "weir.service")
        shutil.rmtree(self.manager.units / "weir.service.d")
        self.manager.ask("reset-failed")

    @property
    def errors(self):
        return (self.manager.folder / "weir.err").read_text()

    def status_of(self, address=None):
        with closing(Client(address or self.address)) as client:
            return client.ask().status


@pytest.fixture
def service(manager, upstream):
    made = Service(manager, upstream(answering()))
    yield made
    made.end()


def test_it_starts_confined_and_works_so(manager, service):
    port = free_low_port()
    service.write(listen=f'[127.0.0.1:{port}, "unix:/run/weir/s"]', log=f"{{access: {LOG}}}", health="/", workers="auto")
    manager.do("start", "weir")
    assert manager.show("StatusText").startswith(f"listens on 127.0.0.1:{port}, unix:/run/weir/s, the app is at ")
    process = manager.main_process()
    status = dict(re.findall(r"^(\w+):\s+(.*)$", open(f"/proc/{process}/status").read(), re.M))
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2" and status["Uid"].split()[0] != "0"
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 1 << 10  # to bind to such a port
    assert service.status_of(("127.0.0.1", port)) == service.status_of(str(manager.path("/run/weir/s"))) == 200
    with closing(Client(str(manager.path("/run/weir/admin")))) as operator:
        eventually(lambda: operator.ask("/health").json["status"] == "ok", what="the app is found well")
        assert b"\nprocess_open_fds " in operator.ask("/metrics").body
    log = manager.path(LOG)
    log.rename(log.with_name("access.log.1"))
    manager.do("kill", "-s", "USR1", "weir")
    eventually(log.exists, what="another log")
    manager.do("stop", "weir")
    assert manager.show("Result") == "success"


def test_a_reload_says_whether_the_configuration_holds(manager, service):
    manager.do("start", "weir")
    process = manager.main_process()
    service.write(timeout="7s")
    manager.do("reload", "weir")
    service.write(tmeout="7s")
    refused = manager.ask("reload", "weir")
    assert refused.returncode == 1
    assert "unknown key `tmeout`" in service.errors and "did you mean `timeout`?" in service.errors
    assert manager.show("StatusText").startswith("the former configuration holds, see the log; listens on ")
    assert manager.show("ActiveState") == "active" and service.status_of() == 200
    service.write()
    manager.do("reload", "weir")
    assert manager.show("StatusText").startswith("listens on ")
    assert manager.main_process() == process


def test_a_configuration_that_is_wrong_is_not_tried_again_and_again(manager, service):
    service.write(tmeout="7s")
    assert manager.ask("start", "weir").returncode == 1
    assert (manager.show("ActiveState"), manager.show("NRestarts")) == ("failed", "0")


def test_a_process_that_hangs_is_started_anew(manager, service):
    service.drop_in("watchdog", "WatchdogSec=4s")
    manager.do("start", "weir")
    process = manager.main_process()
    os.kill(process, signal.SIGSTOP)
    eventually(lambda: manager.show("NRestarts") == "1" and manager.show("ActiveState") == "active", 20, "another one")
    assert service.status_of() == 200
    another = manager.main_process()
    assert another not in (0, process)
    time.sleep(5)  # what is well is left alone
    assert manager.main_process() == another and set(thread_states(another)) <= {"S", "R"}


def test_a_drain_has_the_time_that_it_asks_for(manager, service, upstream):
    def slow(connection):
        connection.request()
        time.sleep(3)
        connection.answer(b"late")

    service.app = upstream(slow)
    service.write(drain="10s")
    service.drop_in("patience", "TimeoutStopSec=1s")
    manager.do("start", "weir")
    with closing(Client(service.address)) as client:
        client.request()
        service.app.wait_for_connections(1)
        manager.do("stop", "weir")
        assert client.response().body == b"late"
    assert manager.show("Result") == "success"


def test_a_restart_on_the_socket_unit_loses_no_connection(manager, service):
    service.write(workers=2)
    manager.do("start", "weir.socket")
    assert manager.show("ActiveState") == "inactive"
    assert service.status_of() == 200  # whoever comes first starts it
    with Load(service.address, target="/", keep=False) as load:
        for _ in range(3):
            load.wait_for_more(50)
            manager.do("restart", "weir")
        load.wait_for_more(50)
    assert set(load.statuses) == {200}, load.failures
