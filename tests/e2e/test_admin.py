"""The admin address: who may ask, and what is said."""

import re
import threading

import pytest

from harness import weir as harness
from harness.metrics import ask_admin
from harness.poll import eventually
from harness.upstream import answering

ADMIN = "127.0.0.1:0"
TOKEN = "a-secret-of-the-operators"


def test_the_pages_say_how_weir_is_doing(weir, upstream):
    proxy = weir(upstream(answering()), admin=ADMIN, limits={"concurrency": 3})
    assert ask_admin(proxy, "/livez").body == b"ok\n"
    assert ask_admin(proxy, "/readyz").status == 200
    health = ask_admin(proxy, "/health").json
    assert health["status"] == "ok" and health["uptime"] >= 0 and health["version"]
    stats = ask_admin(proxy, "/stats").json["concurrency"]
    assert {"activeProcesses", "queuedTasks", "totalProcessed", "peakQueueSize", "utilizationPercent"} < stats.keys()
    assert stats["totalProcessed"] == 0 and stats["waitSeconds"] is None
    metrics = ask_admin(proxy, "/metrics")
    assert metrics.value("content-type") == "text/plain; version=0.0.4; charset=utf-8"
    config = ask_admin(proxy, "/config").body.decode()
    assert re.search(r"^  concurrency: 3 +# .*weir.yaml:\d+$", config, re.M), config


def test_what_is_not_there_is_said_so(weir, upstream):
    proxy = weir(upstream(answering()), admin=ADMIN)
    assert ask_admin(proxy, "/nothing").status == 404
    wrong = ask_admin(proxy, "/metrics", "POST")
    assert wrong.status == 405 and wrong.value("allow") == "GET, HEAD"
    assert ask_admin(proxy, "/drain").value("allow") == "POST"
    head = ask_admin(proxy, "/metrics", "HEAD")
    assert head.status == 200 and int(head.value("content-length")) > 1000 and not head.body


def test_clients_do_not_reach_the_pages(weir, upstream):
    app = upstream(answering(b"the app's"))
    proxy = weir(app, admin=ADMIN)
    assert proxy.connect().ask("/metrics").body == b"the app's"


def test_a_token_is_asked_for_and_shown_nowhere(stage, weir, upstream):
    proxy = weir(upstream(answering()), admin={"address": ADMIN, "token": TOKEN})
    for fields in ((), {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        refused = ask_admin(proxy, "/metrics", fields=fields)
        assert refused.status == 401
        assert refused.value("www-authenticate").startswith("Bearer")
    shown = {"Authorization": f"Bearer {TOKEN}"}
    assert ask_admin(proxy, "/metrics", fields=shown).status == 200
    config = ask_admin(proxy, "/config", fields=shown).body.decode()
    assert TOKEN not in config and '"***"' in config
    code, out, err = harness.run(
        stage.directory, "check", "-l", "127.0.0.1:1", "-u", "http://127.0.0.1:2", "-s", f"admin.token={TOKEN}"
    )
    assert code == 0 and TOKEN not in out + err
    assert TOKEN not in proxy.stderr


def test_an_address_that_others_can_reach_needs_a_token(stage):
    command = ["check", "-l", "127.0.0.1:1", "-u", "http://127.0.0.1:2", "-s", "admin=0.0.0.0:9180"]
    code, _, err = harness.run(stage.directory, *command)
    assert code == 1 and "admin.token" in err
    code, _, err = harness.run(stage.directory, *command, env={"WEIR_ADMIN_TOKEN": TOKEN})
    assert code == 0 and "warning" in err and TOKEN not in err


def test_several_instances_on_one_machine_share_no_default(weir, upstream):
    app = upstream(answering())
    first = weir(app, admin=None)
    second = weir(app, admin=None)
    for proxy in (first, second):
        assert proxy.connect().ask("/").status == 200
    assert second.stderr.count("there is no admin address: cannot listen on 127.0.0.1:9180") == 1


def test_an_address_that_was_asked_for_and_is_taken_ends_the_start(stage, weir, upstream):
    proxy = weir(upstream(answering()), admin=ADMIN)
    code, _, err = harness.run(
        stage.directory, "-l", "127.0.0.1:0", "-u", "http://127.0.0.1:2", "-s", "admin=%s:%d" % proxy.admin
    )
    assert code == 3 and "the admin address: cannot listen on" in err


def test_without_an_address_there_is_none(weir, upstream):
    proxy = weir(upstream(answering()), admin="~")
    assert proxy.connect().ask("/").status == 200
    assert "metrics and states" not in proxy.stderr


def test_drain_is_what_a_signal_does(weir, upstream):
    arrived = threading.Event()
    released = threading.Event()

    def script(connection):
        connection.request()
        arrived.set()
        released.wait(20)
        connection.answer(b"late")

    proxy = weir(upstream(script), admin=ADMIN, drain="20s")
    client = proxy.connect()
    client.request("/")
    assert arrived.wait(10)
    assert ask_admin(proxy, "/drain", "POST").status == 202
    eventually(lambda: ask_admin(proxy, "/readyz").status == 503)
    assert ask_admin(proxy, "/drain", "POST").status == 202
    assert ask_admin(proxy, "/livez").status == 200
    assert ask_admin(proxy, "/health").json["status"] == "draining"
    released.set()
    assert client.response().body == b"late"
    assert proxy.wait() == 0
    assert "draining" in proxy.stderr and "a second signal" not in proxy.stderr


@pytest.mark.parametrize("fields", [{"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_a_page_in_a_browser_cannot_drain(weir, upstream, fields):
    proxy = weir(upstream(answering()), admin=ADMIN)
    assert ask_admin(proxy, "/drain", "POST", fields).status == 403
    assert ask_admin(proxy, "/readyz").status == 200


def test_a_request_for_a_name_that_leads_here_is_refused(weir, upstream, connect):
    proxy = weir(upstream(answering()), admin=ADMIN)
    assert connect(proxy.admin).ask("/metrics", host="evil.example").status == 421
    assert connect(proxy.admin).ask("/metrics", host="%s:%d" % proxy.admin).status == 200
