"""What became of a request, asked by its id at the admin address."""

import threading
from urllib.parse import quote

import pytest

from harness.metrics import ask_admin
from harness.poll import eventually
from harness.process import resident_bytes
from harness.upstream import answering

ADMIN = "127.0.0.1:0"
REMEMBERED = 10_000


def why(proxy, request_id):
    """What is known of it, once it is: the books of a request are closed when its answer is out."""
    target = "/why/" + quote(request_id, safe="")
    return eventually(lambda: (answer := ask_admin(proxy, target)).status == 200 and answer, what=target).json


def is_known(proxy, request_id):
    answer = ask_admin(proxy, f"/why/{request_id}")
    assert answer.status in (200, 404)
    return answer.status == 200


def test_who_was_refused_by_a_rate_is_told_which_and_what_to_do(weir, upstream, connect):
    proxy = weir(upstream(answering()), admin=ADMIN, limits={"rate": ["1/hour"]})
    client = connect(proxy)
    client.ask("/a")
    refused = client.ask("/a?page=2&api_key=hidden&x=y", method="POST")
    assert refused.status == 429
    found = why(proxy, refused.json["request_id"])
    line = proxy.log_lines(2)[1]
    for name in ("client", "method", "path", "status", "reason", "rule"):
        assert found[name] == line[name], name
    assert (found["request_id"], found["time"], found["total_ms"]) == (line["id"], line["time"], line["total_ms"])
    assert found["path"] == "/a?page=2&api_key=***&x=y"
    assert found["detail"] == refused.json["detail"] and found["retry_after"] == refused.json["retry_after"]
    assert found["rule"] == "per-hour" and "`per-hour`" in found["what_to_do"]
    assert "server" not in found and found["retries"] == 0


def test_a_slow_request_is_told_of_with_its_times_and_a_quick_one_is_not(weir, upstream, connect):
    def script(connection):
        while request := connection.request():
            threading.Event().wait(0.15 if request.target == "/slow" else 0)
            connection.answer()

    proxy = weir(upstream(script), admin=ADMIN, log={"slow": "100ms"})
    client = connect(proxy)
    quick = client.ask("/quick").value("x-request-id")
    slow = client.ask("/slow").value("x-request-id")
    found = why(proxy, slow)
    assert found["slow"] is True and found["status"] == 200 and "reason" not in found
    assert found["total_ms"] >= 100 and found["first_byte_ms"] >= 100
    assert found["server"] in found["what_to_do"]
    assert not is_known(proxy, quick)


def test_who_waited_in_vain_is_told_of_the_queue(weir, upstream, connect):
    app = upstream(lambda connection: (connection.request(), app.released.wait(20), connection.answer()))
    proxy = weir(app, admin=ADMIN, limits={"concurrency": 1, "queue": {"size": 1, "wait": "100ms"}})
    first = connect(proxy).request()
    app.wait_for_requests(1)
    refused = connect(proxy).ask()
    assert refused.status == 503 and refused.json["reason"] == "queue_timeout"
    found = why(proxy, refused.json["request_id"])
    assert found["queue_ms"] >= 100 and found["rule"] == "concurrency"
    assert "limits.concurrency" in found["what_to_do"]
    app.release()
    assert first.response().status == 200


def test_what_the_app_broke_off_is_told_of(weir, upstream, connect):
    def script(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of")

    proxy = weir(upstream(script), admin=ADMIN)
    client = connect(proxy)
    client.request(method="POST")
    head = client.head()
    found = why(proxy, head.value("x-request-id"))
    assert found["cut"] == "upstream_reset" and found["status"] == 200
    assert found["server"] in found["what_to_do"]


def test_a_head_that_was_not_to_be_read_is_told_of_too(weir, upstream, connect):
    proxy = weir(upstream(answering()), admin=ADMIN)
    client = connect(proxy)
    client.send(b"GET /\xff\x00<b> HTTP/1.1\r\nHost: a\r\n\r\n")
    refused = client.assert_problem(400, "bad_request")
    assert why(proxy, refused.json["request_id"])["reason"] == "bad_request"


def test_rules_in_shadow_are_told_of(weir, upstream, connect):
    proxy = weir(upstream(answering()), admin=ADMIN, shadow=[{"name": "tighter", "rate": "1/hour"}])
    client = connect(proxy)
    first, second = (client.ask().value("x-request-id") for _ in range(2))
    assert why(proxy, second)["shadow"] == ["tighter"]
    assert not is_known(proxy, first)


@pytest.mark.parametrize("request_id", ["a/b/../c", "-._~+/=:@", "..", "%", "x" * 128, "a?b", "a#b", " ", "é", "%00"])
def test_an_id_may_have_odd_characters(weir, upstream, connect, request_id):
    """Those that no client may choose are asked for all the same, and are not known."""
    proxy = weir(upstream(answering()), admin=ADMIN, limits={"rate": ["1/hour"]})
    client = connect(proxy)
    client.ask()
    is_sane = set(request_id) <= set("abcdefghijklmnopqrstuvwxyz-._~+/=:@")
    client.ask(fields={"X-Request-ID": request_id} if is_sane else ())
    if is_sane:
        assert why(proxy, request_id)["request_id"] == request_id
    unknown = ask_admin(proxy, "/why/" + quote(request_id + "x", safe=""))
    assert unknown.status == 404 and unknown.value("content-type") == "application/problem+json"
    assert "no request with this id" in unknown.json["detail"]


@pytest.mark.parametrize("target", ["/why", "/why/", "/why/%", "/why/%zz", "/why/%00", "/why?id"])
def test_what_is_no_id_is_not_found(weir, upstream, target):
    proxy = weir(upstream(answering()), admin=ADMIN)
    assert ask_admin(proxy, target).status == 404


def refuse(client, first, count):
    """So many requests that are refused, sent without waiting in between."""
    for start in range(first, first + count, 100):
        ids = range(start, min(start + 100, first + count))
        client.send(b"".join(b"GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID: id-%d\r\n\r\n" % number for number in ids))
        for _ in ids:
            assert client.response().status == 429


def test_the_oldest_gives_way_and_memory_stays_flat(weir, upstream, connect, sanitized):
    proxy = weir(upstream(answering()), admin=ADMIN, limits={"rate": ["1/day"]})
    client = connect(proxy)
    client.ask()
    refuse(client, 1, REMEMBERED)
    why(proxy, f"id-{REMEMBERED}")
    assert is_known(proxy, "id-1")
    full = resident_bytes(proxy.pid)
    refuse(client, REMEMBERED + 1, 10)
    why(proxy, f"id-{REMEMBERED + 10}")
    assert [is_known(proxy, f"id-{number}") for number in (1, 10, 11, 12)] == [False, False, True, True]
    refuse(client, REMEMBERED + 11, REMEMBERED)
    why(proxy, f"id-{2 * REMEMBERED + 10}")
    assert not is_known(proxy, f"id-{REMEMBERED + 10}") and is_known(proxy, f"id-{REMEMBERED + 11}")
    assert sanitized or resident_bytes(proxy.pid) - full < 1 << 20


def test_each_worker_has_its_share(weir, upstream, connect):
    proxy = weir(upstream(answering()), admin=ADMIN, workers=3, limits={"rate": ["1/day"]})
    connect(proxy).ask()
    for number in range(24):  # the kernel spreads them over the workers
        connect(proxy).ask(fields={"X-Request-ID": f"of-{number}"})
    for number in range(24):
        assert why(proxy, f"of-{number}")["status"] == 429
