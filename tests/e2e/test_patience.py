"""A client's own deadline: it may shorten the total time, never lengthen it."""

import pytest

from harness.client import assert_problem
from harness.poll import Stopwatch
from harness.upstream import answering


def silent(connection):
    connection.request()
    connection.wait_for_close()


@pytest.mark.parametrize(
    "fields",
    [
        {"X-Request-Timeout": "300ms"},
        {"X-Request-Timeout": "0.3"},
        {"grpc-timeout": "300m"},
        {"grpc-timeout": "10S", "X-Request-Timeout": "0.3s"},
        [("X-Request-Timeout", "10s"), ("X-Request-Timeout", "300ms")],
    ],
)
def test_a_client_may_shorten_the_total_time(weir, connect, upstream, fields):
    proxy = weir(upstream(silent), timeout="20s")
    with Stopwatch() as watch:
        assert_problem(connect(proxy).ask(fields=fields), 504, "deadline")
    assert 0.25 < watch.seconds < 5


def test_it_may_not_lengthen_it(weir, connect, upstream):
    proxy = weir(upstream(silent), timeout="300ms")
    with Stopwatch() as watch:
        assert_problem(connect(proxy).ask(fields={"X-Request-Timeout": "1m"}), 504, "deadline")
    assert watch.seconds < 5


def test_it_holds_for_a_route_that_may_take_long_too(weir, connect, upstream):
    routes = [{"match": {"path": "/long"}, "timeout": "1h"}]
    proxy = weir(upstream(silent), timeout="10s", routes=routes)
    with Stopwatch() as watch:
        assert_problem(connect(proxy).ask("/long", fields={"X-Request-Timeout": "300ms"}), 504, "deadline")
    assert watch.seconds < 5


def test_a_route_of_less_time_than_others_is_cut_off_in_time(weir, connect, upstream):
    """Also on a connection that was open already, where no connect looks at the clock."""
    app = upstream([lambda connection: (connection.request(), connection.answer(), silent(connection))])
    routes = [{"match": {"path": "/short"}, "timeout": "300ms"}]
    client = connect(weir(app, timeout="20s", routes=routes))
    assert client.ask().status == 200
    with Stopwatch() as watch:
        assert_problem(client.ask("/short"), 504, "deadline")
    assert watch.seconds < 1.5


@pytest.mark.parametrize("value", ["soon", "", "-1s", "5h", "1e-9"])
def test_what_cannot_be_read_is_passed_over(weir, connect, upstream, value):
    app = upstream(answering())
    answer = connect(weir(app)).ask(fields={"X-Request-Timeout": value, "grpc-timeout": "1"})
    assert answer.status == 200
    assert app.requests[0].value("x-request-timeout") == value


@pytest.mark.parametrize("fields", [{"X-Request-Timeout": "0"}, {"X-Request-Timeout": "0.1ms"}, {"grpc-timeout": "0S"}])
def test_no_time_at_all_is_answered_at_once_without_the_app(weir, connect, upstream, fields):
    app = upstream(answering())
    proxy = weir(app, limits={"rate": ["1/hour"]})
    client = connect(proxy)
    for _ in range(3):
        assert_problem(client.ask(fields=fields), 504, "deadline")
    assert client.ask().status == 200, "it cost no quota, and the connection goes on"
    assert len(app.requests) == 1
    assert "server" not in proxy.log_lines(1)[0]


def test_the_app_is_told_what_is_left_of_it(weir, connect, upstream):
    app = upstream(answering())
    assert connect(weir(app)).ask(fields={"X-Request-Timeout": "5s"}).status == 200
    request = app.requests[0]
    assert 4000 < int(request.value("x-request-deadline")) <= 5000
    assert request.value("x-request-timeout") == "5s"


def test_an_upload_that_takes_longer_than_its_client_will_wait(weir, connect, upstream):
    client = connect(weir(upstream(answering())))
    client.request("/", "POST", {"X-Request-Timeout": "300ms", "Content-Length": 5})
    client.assert_problem(408, "body_timeout")
