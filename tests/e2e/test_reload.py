"""SIGHUP and POST /reload: another configuration takes the place of the one that holds, and nobody notices but by it."""

import os
import re
import select
import signal
import time
from contextlib import closing

import pytest

from harness import weir as harness
from harness.client import Client
from harness.load import Load
from harness.metrics import ask_admin, scrape
from harness.poll import eventually, free_port
from harness.upstream import answering

ADMIN = "127.0.0.1:0"


class Reloadable:
    """A proxy whose settings a test changes as its operator would: in the file."""

    def __init__(self, weir, app, env=None, **settings):
        self.app = app
        self.settings = {"admin": ADMIN, **settings}
        self.proxy = weir(app, env=env, **self.settings)
        self.listen = "127.0.0.1:%d" % self.proxy.address[1]
        self.config = self.proxy.log_path.parent / "weir.yaml"

    def change(self, app=None, **settings):
        """Writes the file anew and reloads; the answer of POST /reload."""
        self.settings.update(settings)
        self.write(app)
        return self.reload()

    def write(self, app=None):
        self.app = app or self.app
        written = {"listen": self.listen, **self.settings}
        harness.compose(self.proxy.log_path.parent, self.app, written, self.proxy.address[1])

    def reload(self):
        return ask_admin(self.proxy, "/reload", "POST")

    def until_adopted(self, what):
        """Pages go over when all workers have."""
        eventually(lambda: what in ask_admin(self.proxy, "/metrics").body.decode(), what=what)


@pytest.fixture
def reloadable(weir):
    return lambda app, **settings: Reloadable(weir, app, **settings)


def holding(upstream):
    """An app that answers once it is released."""
    apps = []

    def script(connection):
        while connection.request():
            apps[0].released.wait(20)
            connection.answer()

    apps.append(upstream(script))
    return apps[0]


def inside_and_waiting(proxy):
    stats = ask_admin(proxy, "/stats").json["concurrency"]
    return stats["activeProcesses"], stats["queuedTasks"]


def statuses(client, count, path="/"):
    return [client.ask(path).status for _ in range(count)]


@pytest.mark.parametrize("workers", [1, 4])
def test_a_limit_changes_under_open_connections(reloadable, connect, upstream, workers):
    served = reloadable(upstream(answering()), workers=workers, limits={"rate": ["2/min"]})
    client = connect(served.proxy)
    assert statuses(client, 3) == [200, 200, 429]
    assert served.change(limits={"rate": ["5/min"]}).status == 200
    eventually(lambda: client.ask("/").status == 200, what="the new limit")
    assert statuses(client, 6)[-1] == 429


def test_what_a_rule_remembers_survives_where_the_rule_does(reloadable, connect, upstream):
    limits = {"rate": ["5/min", {"limit": "100/hour", "name": "hourly"}]}
    served = reloadable(upstream(answering()), limits=limits)
    client = connect(served.proxy)
    assert statuses(client, 3) == [200] * 3
    # Something else changes, and a second rule with it.
    limits = {"rate": ["5/min", {"limit": "200/hour", "name": "hourly"}]}
    assert served.change(limits=limits, timeout="7s").status == 200
    assert statuses(client, 3) == [200, 200, 429]


def test_what_waits_and_what_runs_goes_on(reloadable, connect, upstream):
    app = holding(upstream)
    served = reloadable(app, limits={"concurrency": 1, "queue": {"size": 10, "wait": "20s"}}, timeout="30s")
    clients = [connect(served.proxy) for _ in range(4)]
    for client in clients:
        client.send(b"GET / HTTP/1.1\r\nHost: weir.test\r\n\r\n")
    eventually(lambda: inside_and_waiting(served.proxy) == (1, 3), what="three that wait")
    # Who waits gets the slots that there are more of now.
    assert served.change(limits={"concurrency": 3, "queue": {"size": 10, "wait": "20s"}}).status == 200
    eventually(lambda: len(app.requests) == 3, what="three inside the app")
    eventually(lambda: inside_and_waiting(served.proxy) == (3, 1), what="one that still waits")
    app.release()
    assert [client.response().status for client in clients] == [200] * 4


def test_who_waits_for_a_cap_that_goes_is_let_in(reloadable, connect, upstream):
    app = holding(upstream)
    served = reloadable(app, limits={"concurrency": 1, "queue": {"size": 10, "wait": "20s"}}, timeout="30s")
    clients = [connect(served.proxy).request() for _ in range(4)]
    eventually(lambda: inside_and_waiting(served.proxy) == (1, 3), what="three that wait")
    assert served.change(limits={"rate": ["1000/min"]}).status == 200
    eventually(lambda: len(app.requests) == 4, what="all inside the app")
    app.release()
    assert [client.response().status for client in clients] == [200] * 4


def test_an_exchange_ends_with_what_it_began_with(reloadable, connect, upstream):
    app = holding(upstream)
    served = reloadable(app, timeout="20s", routes=[{"match": {"path": "/*"}, "name": "first"}])
    client = connect(served.proxy)
    client.send(b"GET /x HTTP/1.1\r\nHost: weir.test\r\n\r\n")
    eventually(lambda: app.requests, what="a request inside the app")
    assert served.change(timeout="300ms", routes=[{"match": {"path": "/*"}, "name": "second"}]).status == 200
    late = connect(served.proxy)
    assert late.ask("/y").status == 504
    app.release()
    assert client.response().status == 200
    first = {line["path"]: line["route"] for line in served.proxy.log_lines(2)}
    assert first == {"/x": "first", "/y": "second"}
    served.until_adopted('route="second"')
    # The route that it took is no longer there: it counts as a request without one.
    assert scrape(served.proxy).one("weir_requests_total", route="(none)", code="200") == 1


MISTAKES = [
    ("limits: {rate: [60/mni]}\n", r"weir.yaml:\d+:\d+: error: .*60/mni"),
    ("upstream: http://127.0.0.1:1\nlisten: 127.0.0.1:0\nnonsense: 1\n", r"weir.yaml:3:1: error: .*nonsense"),
    ("{", r"weir.yaml:\d+"),
    ("", "upstream"),
]


@pytest.mark.parametrize("text, said", MISTAKES)
def test_a_bad_file_changes_nothing(reloadable, connect, upstream, text, said):
    served = reloadable(upstream(answering()), limits={"rate": ["3/min"]})
    client = connect(served.proxy)
    assert client.ask("/").status == 200
    served.config.write_text(text)
    refused = served.reload()
    assert refused.status == 422 and re.search(said, refused.body.decode()), refused.body
    served.proxy.signal(signal.SIGHUP)
    eventually(lambda: served.proxy.stderr.count("not reloaded") == 2, what="two refusals in the log")
    assert re.search(said, served.proxy.stderr)
    assert scrape(served.proxy).one("weir_config_reload_success") == 0
    assert statuses(client, 3) == [200, 200, 429]
    served.write()
    assert served.reload().status == 200
    assert scrape(served.proxy).one("weir_config_reload_success") == 1
    assert client.ask("/").status == 429


def test_an_address_that_is_taken_changes_nothing(reloadable, connect, upstream):
    app = upstream(answering())
    served = reloadable(app, limits={"rate": ["2/min"]})
    refused = served.change(listen=[served.listen, f"127.0.0.1:{app.port}"], limits={"rate": ["9/min"]})
    assert refused.status == 422 and str(app.port) in refused.body.decode()
    assert statuses(connect(served.proxy), 3) == [200, 200, 429]


@pytest.mark.parametrize("workers", [1, 3])
def test_addresses_come_and_go(reloadable, connect, upstream, workers):
    served = reloadable(upstream(answering()), workers=workers)
    kept = connect(served.proxy)
    assert kept.ask("/").status == 200
    other = ("127.0.0.1", free_port())
    assert served.change(listen=[served.listen, "127.0.0.1:%d" % other[1]]).status == 200
    both = [eventually(lambda: attempt(connect, other), what="the new address"), connect(served.proxy)]
    assert [client.ask("/").status for client in both] == [200, 200]
    assert served.change(listen=["127.0.0.1:%d" % other[1]]).status == 200
    eventually(lambda: refuses(connect, served.proxy.address), what="the former address is closed")
    assert [client.ask("/").status for client in (kept, *both)] == [200] * 3


def test_an_address_that_comes_back_at_once_is_listened_on(reloadable, upstream):
    """Whether or not its closing is over by then."""
    served = reloadable(upstream(answering()), workers=3)
    other = ("127.0.0.1", free_port())
    lists = [[served.listen], [served.listen, "127.0.0.1:%d" % other[1]]]
    for number in range(60):
        assert served.change(listen=lists[number % 2]).status == 200
    eventually(lambda: all(answers(address) for address in (served.proxy.address, other)), what="both answer")


def answers(address):
    try:
        with closing(Client(address)) as client:
            return client.ask("/").status == 200
    except OSError:
        return False


def test_http2_is_switched_for_connections_that_come(reloadable, connect, upstream):
    served = reloadable(upstream(answering()))
    listen = {"address": served.listen, "http2": "false"}
    assert served.change(listen=[listen]).status == 200
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    def refuses():
        with closing(Client(served.proxy.address)) as client:
            client.send(preface)
            return bytes(client.exactly(8)) == b"HTTP/1.1"

    eventually(refuses, what="HTTP/2 is no longer spoken")
    assert "restart" not in served.proxy.stderr


def attempt(connect, address):
    try:
        return connect(address)
    except ConnectionRefusedError:
        return None


def refuses(connect, address):
    """Who waits in the queue of a socket that closes is reset, and may find another one open."""
    try:
        return attempt(connect, address) is None
    except ConnectionResetError:
        return False


def test_servers_come_and_go_and_the_others_keep_their_connections(reloadable, connect, upstream):
    first, second = upstream(answering(b"first")), upstream(answering(b"second"))
    served = reloadable(first, upstream={"balance": "round_robin"})
    client = connect(served.proxy)
    assert client.ask("/").body == b"first"
    both = {"servers": [second.url, first.url], "balance": "round_robin"}
    assert served.change(app=None, upstream=both).status == 200
    assert {client.ask("/").body for _ in range(6)} == {b"first", b"second"}
    assert len(first.connections) == 1
    served.settings["upstream"] = {"servers": [second.url]}
    assert served.change().status == 200
    eventually(lambda: client.ask("/").body == b"second", what="the server that is left")
    assert {client.ask("/").body for _ in range(4)} == {b"second"}
    assert len(second.connections) == 1
    eventually(lambda: first.connections[0].is_over.is_set(), what="the connection to the former server is closed")


def test_checks_come_and_go(reloadable, connect, upstream):
    app = upstream(answering(status=500))
    served = reloadable(app)
    assert ask_admin(served.proxy, "/readyz").status == 200
    checked = {"path": "/up", "interval": "250ms", "fall": 1, "rise": 1}
    assert served.change(health=checked).status == 200
    eventually(lambda: ask_admin(served.proxy, "/readyz").status == 503, what="the app is found down")
    assert served.change(health={**checked, "expect": {"status": "200-599"}}).status == 200
    eventually(lambda: ask_admin(served.proxy, "/readyz").status == 200, what="the app is up")
    assert served.change(health={**checked, "expect": {"status": 200}}).status == 200
    eventually(lambda: ask_admin(served.proxy, "/readyz").status == 503, what="down again")
    assert served.change(health="~").status == 200
    eventually(lambda: ask_admin(served.proxy, "/readyz").status == 200, what="nobody asks any more")
    assert connect(served.proxy).ask("/").status == 500


def test_a_server_that_is_well_before_and_after_is_not_said_to_fail(reloadable, upstream):
    stays, comes = upstream(answering()), upstream(answering())
    checked = {"path": "/up", "interval": "250ms"}
    served = reloadable(None, upstream={"servers": [stays.url]}, health=checked)
    eventually(lambda: ask_admin(served.proxy, "/readyz").status == 200, what="the app is up")
    before = len(stays.requests)
    assert served.change(upstream={"servers": [stays.url, comes.url]}).status == 200
    comes.wait_for_requests(2)
    stays.wait_for_requests(before + 2)
    assert "fails" not in served.proxy.stderr


def test_the_log_goes_where_it_is_told(reloadable, connect, upstream):
    served = reloadable(upstream(answering()))
    client = connect(served.proxy)
    client.ask("/one")
    assert served.proxy.log_lines(1)[0]["path"] == "/one"
    elsewhere = served.proxy.log_path.with_name("other.log")
    assert served.change(log={"access": elsewhere, "format": "combined"}).status == 200
    client.ask("/two")
    eventually(lambda: elsewhere.exists() and '"GET /two HTTP/1.1"' in elsewhere.read_text(), what="a line elsewhere")
    assert served.change(log={"access": "off"}).status == 200
    assert client.ask("/three").status == 200
    assert "three" not in elsewhere.read_text()


def test_a_log_that_is_stuck_holds_up_nobody_as_another_takes_its_place(reloadable, connect, upstream, tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    app = holding(upstream)
    app.release()
    running = reloadable(app, log={"access": path})
    client = connect(running.proxy)
    assert {client.ask("/" + "a" * 1500).status for _ in range(200)} == {200}  # more than it has room for
    app.released.clear()
    last = connect(running.proxy).request()  # the former settings are over when this is
    app.wait_for_requests(201)
    assert running.change(log={"access": tmp_path / "another.log"}).status == 200
    app.release()
    assert last.response().status == 200
    has_let_go, longest = select.poll(), 0.0
    has_let_go.register(reader, 0)  # for POLLHUP alone
    while not has_let_go.poll(0):
        begun = time.monotonic()
        assert client.ask().status == 200
        longest = max(longest, time.monotonic() - begun)
    os.close(reader)
    assert longest < 0.8


def test_figures_go_on(reloadable, connect, upstream):
    routes = [{"match": {"path": "/a/*"}, "name": "a"}, {"match": {"path": "/b/*"}, "name": "b"}]
    served = reloadable(upstream(answering()), routes=routes, limits={"rate": ["8/min"]}, workers=2)
    client = connect(served.proxy)
    statuses(client, 4, "/a/1"), statuses(client, 3, "/b/1"), statuses(client, 2, "/c")
    refused = {"route": "(none)", "rule": "per-min", "reason": "rate_limited"}
    assert scrape(served.proxy).one("weir_refused_total", **refused) == 1
    served.change(routes=[routes[1], {"match": {"path": "/new/*"}, "name": "new"}])
    served.until_adopted('route="new"')
    figures = scrape(served.proxy)
    assert figures.one("weir_requests_total", route="b", code="200") == 3
    assert figures.one("weir_refused_total", **refused) == 1
    assert figures.matching("weir_requests_total", route="a") == []
    assert figures.one("weir_request_duration_seconds_count", route="b") == 3
    assert figures.one("weir_requests_in_progress") == 0


def test_the_figures_are_those_of_the_servers_and_caps_that_there_are(reloadable, upstream):
    apps = [upstream(answering()) for _ in range(3)]
    servers = {"servers": [app.url for app in apps]}
    served = reloadable(apps[0], upstream=servers, limits={"concurrency": 3})
    started = scrape(served.proxy).one("process_start_time_seconds")

    def until_shown(count, caps):
        def is_shown():
            figures = scrape(served.proxy)
            shown = {labels["server"] for labels, _ in figures.matching("weir_upstream_up")}
            named = {labels["queue"] for labels, _ in figures.matching("weir_in_flight")}
            return shown == {app.url.removeprefix("http://") for app in apps[-count:]} and named == caps

        eventually(is_shown, what=f"{count} servers and {caps}")

    until_shown(3, {"concurrency"})
    served.settings["upstream"] = {"servers": [apps[2].url]}
    assert served.change(limits=None).status == 200
    until_shown(1, set())
    served.settings["upstream"] = servers
    routes = [{"match": {"path": "/a"}, "name": "a", "limits": {"concurrency": 1}}]
    assert served.change(limits={"concurrency": 3}, routes=routes).status == 200
    until_shown(3, {"concurrency", "a-concurrency"})
    assert scrape(served.proxy).one("process_start_time_seconds") == started


def test_what_takes_a_restart_is_said(reloadable, upstream):
    served = reloadable(upstream(answering()))
    for count in (1, 2):
        assert served.change(workers=3).status == 200
        assert served.proxy.stderr.count("workers has changed: that takes a restart") == count


@pytest.mark.parametrize("admin", ["127.0.0.2:1", "~", "unix:/run/weir/admin"])
def test_an_admin_address_that_takes_a_restart_keeps_its_token_until_then(reloadable, upstream, admin):
    """Without one it would stand open where other machines can reach it."""
    served = reloadable(upstream(answering()), admin={"address": ADMIN, "token": "t" * 40})
    token = {"Authorization": "Bearer " + "t" * 40}
    for count in (1, 2):
        served.settings["admin"] = admin
        served.settings["timeout"] = f"{count}s"
        served.write()
        assert ask_admin(served.proxy, "/reload", "POST", fields=token).status == 200
        eventually(
            lambda: f'"timeout":"{count}s"' in ask_admin(served.proxy, "/limits", fields=token).body.decode(),
            what="the new configuration",
        )
        assert ask_admin(served.proxy, "/metrics").status == 401
        assert served.proxy.stderr.count("admin.address has changed: that takes a restart") == count


def test_the_token_changes_with_a_reload(reloadable, upstream):
    served = reloadable(upstream(answering()), admin={"address": ADMIN, "token": "t" * 40})
    served.settings["admin"] = {"address": ADMIN, "token": "u" * 40}
    served.write()
    assert ask_admin(served.proxy, "/reload", "POST", fields={"Authorization": "Bearer " + "t" * 40}).status == 200
    another = {"Authorization": "Bearer " + "u" * 40}
    eventually(lambda: ask_admin(served.proxy, "/livez", fields=another).status == 200, what="the other token")
    assert ask_admin(served.proxy, "/livez", fields={"Authorization": "Bearer " + "t" * 40}).status == 401


def test_a_reload_takes_no_body_and_no_get(reloadable, connect, upstream):
    served = reloadable(upstream(answering()))
    assert ask_admin(served.proxy, "/reload").value("allow") == "POST"
    client = connect(served.proxy.admin)
    client.send(b"POST /reload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\n\r\nabc")
    assert client.response("POST").status == 413


def test_a_reload_while_draining_is_refused(reloadable, connect, upstream):
    app = holding(upstream)
    served = reloadable(app, drain="20s")
    client = connect(served.proxy)
    client.send(b"GET / HTTP/1.1\r\nHost: weir.test\r\n\r\n")
    eventually(lambda: app.requests, what="a request inside the app")
    assert ask_admin(served.proxy, "/drain", "POST").status == 202
    eventually(lambda: ask_admin(served.proxy, "/readyz").status == 503, what="draining")
    assert served.reload().status == 422
    app.release()
    assert client.response().status == 200


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


@pytest.mark.parametrize("workers", [1, 2])
def test_a_thousand_reloads_under_load_lose_nothing_and_cost_nothing(reloadable, upstream, workers):
    count = 100 if harness.is_sanitized() else 1000
    app = upstream(answering())
    served = reloadable(
        app,
        workers=workers,
        limits={"rate": ["1000000/s"], "concurrency": 50, "queue": {"size": 100}},
        health={"path": "/up", "interval": "1s"},
        routes=[{"match": {"path": "/reports/*"}, "name": "reports", "limits": {"concurrency": 3}}],
    )
    pid = served.proxy.pid
    with Load(served.proxy, target="/") as load:
        load.wait_for_more(100)
        for number in range(count):
            served.settings["timeout"] = f"{10 + number % 5}s"
            served.settings["limits"] = {**served.settings["limits"], "concurrency": 50 + number % 7}
            assert served.change().status == 200
            if number == count // 10:
                before = (len(os.listdir(f"/proc/{pid}/fd")), resident_kib(pid))
        time.sleep(1.2)  # a sweep, after which nothing of a former plan is left
        after = (len(os.listdir(f"/proc/{pid}/fd")), resident_kib(pid))
    assert load.failures == []
    assert abs(after[0] - before[0]) <= 3, (before, after)
    if not harness.is_sanitized():
        assert after[1] - before[1] < 4096, (before, after)
    assert scrape(served.proxy).one("weir_config_reload_success") == 1
    assert len([line for line in served.proxy.raw_log(load.sent) if '"path":"/"' in line]) == load.sent


def test_addresses_that_are_found_while_their_servers_go_are_nobody_elses(reloadable, upstream, connect):
    """Each reload begins to look up what it names: the next one comes while that is under way."""
    app = upstream(answering())
    few = {"servers": [f"http://localhost:{app.port}"]}
    many = {"servers": few["servers"] + [f"http://localhost:{port}" for port in range(1, 256)]}
    changed = reloadable(app, upstream=few)
    for _ in range(25):
        assert changed.change(upstream=many).status == 200
        assert changed.change(upstream=few).status == 200
    assert connect(changed.proxy).ask().status == 200
