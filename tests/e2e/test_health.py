"""Servers are asked whether they are well: what they answer, what they do not, and what the operator is told of it."""

import re
import threading

import pytest

from harness.poll import Stopwatch, eventually, free_port
from harness.process import HighWater, open_files
from harness.upstream import answering

QUICK = {"path": "/up", "interval": "250ms", "timeout": "5s", "rise": 2, "fall": 2}
HASTY = {**QUICK, "timeout": "500ms"}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"


class Moody:
    """The script of an app whose answer to checks the test changes; all else is answered with ok."""

    def __init__(self, answer=OK):
        self.answer = answer
        self.checks = 0

    def __call__(self, connection):
        while request := connection.request():
            if request.target != "/up":
                connection.answer()
                continue
            self.checks += 1
            if self.answer is None:
                connection.wait_for_close()
            else:
                connection.send(self.answer)
            return

    def wait_for_more(self, count):
        goal = self.checks + count
        eventually(lambda: self.checks >= goal, what=f"{count} more checks")


def told(proxy, pattern):
    """What the diagnostic log says of servers, once it matches."""
    return eventually(lambda: re.search(pattern, proxy.stderr), what=f"{pattern} in\n{proxy.stderr}")


def lines_of(proxy):
    """The part of each line on a server that follows its name."""
    return re.findall(r"server \S+ (.*)", proxy.stderr)


def test_a_check_is_a_request_of_its_own(weir, upstream):
    app = upstream(Moody())
    proxy = weir(app, health=QUICK)
    told(proxy, re.escape(f"server {app.url} is up"))
    app.wait_for_requests(3)
    for request in app.requests[:3]:
        assert (request.method, request.target, request.body) == ("GET", "/up", b"")
        assert dict(request.fields) == {
            "Host": app.url.removeprefix("http://"),
            "User-Agent": "weir-health",
            "Connection": "close",
        }
    assert all(len(connection.requests) == 1 for connection in app.connections)
    assert not proxy.log_path.read_text(), "the access log is about clients"


def test_the_checks_have_the_configured_host(weir, upstream):
    app = upstream(Moody())
    weir(app, health=QUICK, upstream={"host": "app.example"})
    assert app.wait_for_requests(1)[0].value("host") == "app.example"


def test_the_server_of_a_unix_socket_is_asked_too(weir, upstream, tmp_path):
    app = upstream(Moody(), path=tmp_path / "app.sock")
    proxy = weir(app, health=QUICK)
    told(proxy, re.escape(f"server {app.url} is up"))
    assert app.requests[0].value("host") == "localhost"


@pytest.mark.parametrize(
    "answer, cause",
    [
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\nfine", "it answered /up with 500"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope", "its answer lacks the text of `health.expect.body`"),
        (None, "no answer within 500ms"),
        (b"", "it closed the connection without an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "[^\n]+"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfine", "it closed the connection in the middle of its answer"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\nx", "[^\n]+"),
    ],
    ids=["500", "wrong body", "hanging", "closing", "garbage", "truncated", "bad chunk"],
)
def test_a_server_goes_down_and_comes_up_again_by_its_answers(weir, upstream, answer, cause):
    moody = Moody()
    app = upstream(moody)
    proxy = weir(app, health={**(QUICK if answer is not None else HASTY), "expect": {"body": "fine"}})
    told(proxy, "is up")
    moody.answer = answer
    told(proxy, rf" warning server {re.escape(app.url)} is down: 2 checks failed, last: {cause}\n")
    moody.answer = OK
    told(proxy, rf"server {re.escape(app.url)} is up again after \d+\.\d s\n")
    assert len(lines_of(proxy)) == 3, "a line for each change, and no more"


def test_an_app_that_is_gone_is_noticed_and_so_is_its_return(weir, app):
    backend = app("node")
    proxy = weir(backend, health={**QUICK, "path": "/hello"})
    told(proxy, "is up")
    backend.kill_group()
    told(proxy, rf"is down: 2 checks failed, last: cannot connect to 127.0.0.1:{backend.port}: Connection refused\n")
    app("node", port=backend.port)
    told(proxy, "is up again")


def test_one_failure_among_passes_changes_nothing(weir, upstream):
    def script(connection):
        connection.request()
        connection.send(OK if connection.number % 2 else b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")

    app = upstream(script)
    proxy = weir(app, health=QUICK)
    app.wait_for_requests(8)
    assert lines_of(proxy) == ["fails its first check: it answered /up with 500", "is up"]


@pytest.mark.parametrize("answer", [b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", None], ids=["404", "silent"])
def test_weir_starts_whatever_the_first_check_says(weir, connect, upstream, answer):
    app = upstream(Moody(answer))
    proxy = weir(app, health={**HASTY, "fall": 100})
    cause = "it answered /up with 404" if answer else "no answer within 500ms"
    told(proxy, rf" warning server {re.escape(app.url)} fails its first check: {cause}\n")
    assert connect(proxy).ask("/").status == 200, "the app is tried as long as it is not known to be down"
    assert len(lines_of(proxy)) == 1


def test_a_client_is_told_of_failed_checks_where_these_keep_it_from_the_app(weir, connect, upstream):
    app = upstream(Moody(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
    proxy = weir(app, health=QUICK, upstream={"hold": "100ms"})
    told(proxy, "is down")
    problem = connect(proxy).request().assert_problem(503, "upstream_unavailable")
    assert problem.json["detail"] == "the app fails its health checks"


def test_a_name_that_cannot_be_resolved_fails_its_checks(weir):
    proxy = weir("http://no.such.host.invalid:5000", health=QUICK)
    told(proxy, "server http://no.such.host.invalid:5000 fails its first check: its name cannot be resolved: ")
    told(proxy, "server http://no.such.host.invalid:5000 is down: 2 checks failed, last: its name cannot be resolved: ")


def test_a_port_that_takes_no_connection_is_given_up_in_time(weir, stage):
    app = stage.deaf_upstream()
    proxy = weir(app, health=HASTY)
    told(proxy, r"is down: 2 checks failed, last: cannot connect to [\d.:]+: no connection within 500ms\n")


def test_of_two_servers_each_is_judged_by_itself(weir, upstream):
    well = upstream(Moody())
    ill = f"http://127.0.0.1:{free_port()}"
    proxy = weir(None, upstream={"servers": [ill, well.url]}, health=QUICK)
    told(proxy, re.escape(f"server {ill} is down"))
    told(proxy, re.escape(f"server {well.url} is up"))
    assert len(lines_of(proxy)) == 3


def test_a_server_that_is_down_gets_no_requests_until_it_is_up_again(weir, connect, upstream):
    """It answers requests as before: what its checks say alone decides."""
    moody = Moody()
    well, ill = upstream(Moody()), upstream(moody)
    proxy = weir(None, upstream={"servers": [ill.url, well.url], "balance": "round_robin"}, health=QUICK)
    told(proxy, re.escape(f"server {well.url} is up"))
    told(proxy, re.escape(f"server {ill.url} is up"))
    client = connect(proxy)

    def asked():
        return sum(request.target == "/" for request in ill.requests)

    moody.answer = b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"
    told(proxy, re.escape(f"server {ill.url} is down"))
    before = asked()
    assert [client.ask("/").status for _ in range(20)] == [200] * 20
    assert asked() == before
    moody.answer = OK
    told(proxy, re.escape(f"server {ill.url} is up again"))
    assert [client.ask("/").status for _ in range(20)] == [200] * 20
    assert asked() > before


def test_a_failing_request_brings_the_next_check_forward(weir, connect, upstream):
    moody = Moody()
    app = upstream(moody)
    proxy = weir(app, health={**QUICK, "interval": "10s", "fall": 1})
    told(proxy, "is up")
    app.close()
    with Stopwatch() as watch:
        connect(proxy).ask("/")
        told(proxy, "is down")
    assert watch.seconds < 7, "a fifth of the interval, with room for a busy machine"


@pytest.mark.parametrize(
    "head, piece, outcome",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n", b"." * 65536, "is up"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"." * 65536, "is up"),
        (b"HTTP/1.1 200 OK\r\n", b"X-Endless: yes\r\n" * 1024, "is down: 2 checks failed, last: the head"),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 64, "is down: 2 checks failed, last: it sent too many"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1;" + b"x" * 999, "is down"),
    ],
    ids=["length", "until close", "head", "interim", "extension"],
)
def test_an_endless_answer_costs_little_and_holds_nobody_up(weir, connect, upstream, sanitized, head, piece, outcome):
    def script(connection):
        request = connection.request()
        if request and request.target == "/up":
            connection.send(head)
            while connection.send_if_possible(piece):
                pass
        elif request:
            connection.answer()

    app = upstream(script)
    proxy = weir(app, health=QUICK, upstream={"hold": "0s"})
    with HighWater(proxy.pid) as memory:
        told(proxy, outcome)
        app.wait_for_connections(6)
        assert connect(proxy).ask("/").status in (200, 503)
    assert sanitized or memory.bytes < 32 << 20
    eventually(lambda: all(connection.is_over.is_set() for connection in app.connections[:5]))


def test_a_body_that_drips_is_given_up_in_time(weir, upstream):
    def script(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while connection.send_if_possible(b"."):
            if connection.is_readable(0.02):
                return

    proxy = weir(upstream(script), health=HASTY)
    told(proxy, "is down: 2 checks failed, last: no complete answer within 500ms")


def test_checks_leave_no_descriptor_behind(weir, upstream):
    moody = Moody()
    proxy = weir(upstream(moody), health=HASTY)
    moody.wait_for_more(2)
    before = open_files(proxy.pid)
    for answer in [OK, None, b"", b"HTTP/1.1 500 Oh\r\n\r\n"]:
        moody.answer = answer
        moody.wait_for_more(3)
    assert open_files(proxy.pid) <= before + 1


def test_a_drain_ends_the_checks(weir, connect, upstream):
    is_asked = threading.Event()

    def script(connection):
        while request := connection.request():
            if request.target != "/up":
                is_asked.set()
                app.released.wait(10)
            connection.answer()

    app = upstream(script)
    proxy = weir(app, health=QUICK)
    told(proxy, "is up")
    client = connect(proxy)
    client.request("/")
    assert is_asked.wait(10)
    proxy.signal(15)
    told(proxy, "draining")
    client.assert_silent(0.2)
    checks = len(app.connections)
    client.assert_silent(0.7)
    assert len(app.connections) == checks
    app.release()
    assert client.response().status == 200


def test_without_a_path_nobody_is_asked(weir, connect, upstream):
    app = upstream(Moody())
    proxy = weir(app)
    client = connect(proxy)
    client.ask("/")
    client.assert_silent(0.5)
    assert [request.target for request in app.requests] == ["/"]
    assert not lines_of(proxy)


def test_a_server_with_tls_is_asked_over_it(weir, upstream, authority):
    app = upstream(answering(), tls=authority.server())
    proxy = weir(app, health=QUICK, upstream={"tls": {"ca": authority.ca}})
    told(proxy, "is up")
    assert app.requests[0].value("user-agent") == "weir-health"
