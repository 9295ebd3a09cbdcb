"""Caps on what is inside the app at once, and the fair queue before them."""

import threading

import pytest

from harness.message import CutShort
from harness.poll import Stopwatch, eventually
from harness.upstream import answering, replying


class Room:
    """The script of an app that answers only when it is let; counts who is inside."""

    def __init__(self, body=b"ok"):
        self.body = body
        self.inside = 0
        self.most = 0
        self.entered = []  # targets, in the order in which they came in
        self._lock = threading.Lock()
        self._passes = threading.Semaphore(0)

    def __call__(self, connection):
        while request := connection.request():
            with self._lock:
                self.inside += 1
                self.most = max(self.most, self.inside)
                self.entered.append(request.target)
            assert self._passes.acquire(timeout=20)
            with self._lock:
                self.inside -= 1
            connection.answer(self.body, method=request.method)

    def let(self, count=1):
        for _ in range(count):
            self._passes.release()

    def wait_for(self, count):
        """Until that many have come in, ever."""
        eventually(lambda: len(self.entered) >= count, what=f"{count} requests inside the app")


@pytest.fixture
def room():
    return Room()


def capped(concurrency, size=0, wait="10s", **more):
    return {"concurrency": concurrency, "queue": {"size": size, "wait": wait}, **more}


def send_all(connect, proxy, targets, **options):
    """One client for each target; their requests are at weir in that order."""
    return [connect(proxy, **options).request(target) for target in targets]


def test_a_hundred_wait_for_four_slots_and_all_are_served(weir, connect, upstream, room):
    proxy = weir(upstream(room), limits=capped(4, 100))
    clients = send_all(connect, proxy, [f"/{n}" for n in range(104)])
    room.wait_for(4)
    room.let(104)
    assert [client.response().status for client in clients] == [200] * 104
    assert room.most == 4


def test_what_finds_the_queue_full_is_refused_at_once(weir, connect, upstream, room):
    app = upstream(room)
    proxy = weir(app, limits=capped(2, 3))
    served = send_all(connect, proxy, ["/"] * 2)
    room.wait_for(2)
    waiting = send_all(connect, proxy, ["/"] * 3)
    with Stopwatch() as watch:
        refused = eventually(lambda: next((c for c in send_all(connect, proxy, ["/late"]) if c.is_readable(within=0.05)), None))
    problem = refused.assert_problem(503, "queue_full")
    assert watch.seconds < 2
    assert problem.json["rule"] == "concurrency"
    assert int(problem.value("retry-after")) >= 1
    room.let(5)
    assert {client.response().status for client in served + waiting} == {200}
    assert "/late" not in [request.target for request in app.requests]


def test_without_a_queue_what_is_above_the_cap_is_refused(weir, connect, upstream, room):
    proxy = weir(upstream(room), limits={"concurrency": 1})
    first = connect(proxy).request()
    room.wait_for(1)
    connect(proxy).request().assert_problem(503, "queue_full")
    room.let()
    assert first.response().status == 200
    room.let()
    assert connect(proxy).ask().status == 200


def test_the_cap_holds_for_all_workers_together(weir, connect, upstream, room):
    proxy = weir(upstream(room), limits=capped(3, 100), workers=4)
    clients = send_all(connect, proxy, ["/"] * 60)
    room.wait_for(3)
    room.let(60)
    assert [client.response().status for client in clients] == [200] * 60
    assert room.most == 3


def test_who_leaves_while_waiting_makes_room_and_never_reaches_the_app(weir, connect, upstream, room):
    app = upstream(room)
    proxy = weir(app, limits=capped(1, 1))
    first = connect(proxy).request("/first")
    room.wait_for(1)
    leaver = connect(proxy).request("/leaver")
    eventually(lambda: connect(proxy).ask("/full").status == 503)
    leaver.close()
    lines = eventually(lambda: [line for line in proxy.log_lines(1) if line["path"] == "/leaver"])
    assert (lines[0]["status"], lines[0]["cut"]) == (499, "client_gone")
    assert lines[0]["queue_ms"] > 0
    third = connect(proxy).request("/third")
    room.let(2)
    assert (first.response().status, third.response().status) == (200, 200)
    assert room.entered == ["/first", "/third"]


def test_who_has_waited_long_enough_is_refused_and_never_reaches_the_app(weir, connect, upstream, room):
    proxy = weir(upstream(room), limits=capped(1, 10, wait="300ms"))
    first = connect(proxy).request("/first")
    room.wait_for(1)
    with Stopwatch() as watch:
        problem = connect(proxy).request("/late").assert_problem(503, "queue_timeout")
    assert 0.25 < watch.seconds < 2
    assert int(problem.value("retry-after")) >= 1
    room.let()
    assert first.response().status == 200
    assert room.entered == ["/first"]
    line = next(line for line in proxy.log_lines(1) if line["path"] == "/late")
    assert line["rule"] == "concurrency"
    assert line["queue_ms"] >= 300


def test_waiting_uses_up_the_total(weir, connect, upstream, room):
    proxy = weir(upstream(room), limits=capped(1, 10, wait="10s"), timeout={"total": "400ms"})
    connect(proxy).request("/first")
    room.wait_for(1)
    with Stopwatch() as watch:
        refused = connect(proxy).request("/second").response()
    assert watch.seconds < 2
    # The slot of the first becomes free when its own total is over, just before that of the second.
    assert refused.status in (503, 504)
    room.let(2)


def test_the_app_is_told_what_waiting_has_left_of_the_time(weir, connect, upstream, room):
    app = upstream(room)
    proxy = weir(app, limits=capped(1, 10), timeout={"total": "20s"})
    clients = send_all(connect, proxy, ["/first", "/second"])
    room.wait_for(1)
    with Stopwatch() as watch:
        eventually(lambda: watch.so_far > 0.3)
    room.let(2)
    assert [client.response().status for client in clients] == [200, 200]
    first, second = (int(request.value("x-request-deadline")) for request in app.requests)
    assert first > 19_900
    assert second < 19_750


def test_a_free_slot_goes_to_the_client_with_the_fewest_inside(weir, connect, upstream, room):
    proxy = weir(upstream(room), limits=capped(2, 100))
    greedy = send_all(connect, proxy, [f"/greedy/{n}" for n in range(10)], source="127.0.0.2")
    room.wait_for(2)
    polite = connect(proxy, source="127.0.0.3").request("/polite")
    assert not polite.is_readable(within=0.1)
    room.let()
    room.wait_for(3)
    assert room.entered[2] == "/polite"
    room.let(10)
    assert {client.response().status for client in [*greedy, polite]} == {200}


def test_a_full_queue_turns_away_the_newest_of_whom_most_are_waiting(weir, connect, upstream, room):
    proxy = weir(upstream(room), limits=capped(1, 3))
    greedy = send_all(connect, proxy, ["/0"], source="127.0.0.2")
    room.wait_for(1)
    for n in range(1, 4):
        greedy += send_all(connect, proxy, [f"/{n}"], source="127.0.0.2")
    eventually(lambda: connect(proxy, source="127.0.0.2").ask("/full").status == 503)
    polite = connect(proxy, source="127.0.0.3").request("/polite")
    greedy[3].assert_problem(503, "queue_full")
    room.let(4)
    assert [client.response().status for client in [*greedy[:3], polite]] == [200] * 4
    assert "/polite" in room.entered[1:3]


def test_a_client_above_its_share_waits_while_others_get_in(weir, connect, upstream, room):
    proxy = weir(upstream(room), limits=capped(3, 10, per_client_concurrency=1))
    busy = send_all(connect, proxy, ["/busy/0"], source="127.0.0.2")
    room.wait_for(1)
    busy += send_all(connect, proxy, ["/busy/1"], source="127.0.0.2")
    other = connect(proxy, source="127.0.0.3").request("/other")
    room.wait_for(2)
    assert room.entered == ["/busy/0", "/other"]
    room.let(3)
    assert {client.response().status for client in [*busy, other]} == {200}
    assert room.most == 2


def test_what_cannot_be_served_in_time_is_refused_on_arrival(weir, connect, upstream, room):
    """The app takes 300 ms, so the eighth in the queue would wait for more than 2 s."""
    proxy = weir(upstream(room), limits=capped(1, 100, wait="2s"))
    client = connect(proxy)
    for _ in range(8):
        client.request()
        with Stopwatch() as watch:
            eventually(lambda: watch.so_far > 0.3)
        room.let()
        assert client.response().status == 200
    clients = send_all(connect, proxy, ["/inside"])
    room.wait_for(9)
    clients += send_all(connect, proxy, ["/next"])
    with Stopwatch() as watch:
        late = [connect(proxy).request(f"/{n}") for n in range(8)]
        problem = late[-1].assert_problem(503, "predicted_wait")
    assert watch.seconds < 1.5
    # It says for how long: what is predicted is more than the two seconds that it may wait.
    assert 3 <= int(problem.value("retry-after")) <= 6
    room.let(10)
    assert clients[0].response().status == 200


def test_the_slot_is_free_when_the_app_is_done_however_slow_the_client(weir, connect, upstream):
    body = b"x" * 200_000
    proxy = weir(upstream(answering(body)), limits={"concurrency": 1})
    slow = connect(proxy, receive_buffer=4096).request()
    slow.head()
    other = eventually(lambda: answer if (answer := connect(proxy).ask()).status == 200 else None)
    assert other.body == body


def test_a_slow_upload_holds_no_slot(weir, connect, upstream):
    proxy = weir(upstream(answering()), limits={"concurrency": 1})
    slow = connect(proxy)
    slow.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
    assert connect(proxy).ask().status == 200
    slow.send(b"cd")
    assert slow.response().status == 200


def test_a_large_upload_waits_its_turn_and_arrives_whole(weir, connect, upstream, room):
    app = upstream(room)
    proxy = weir(app, limits=capped(1, 10))
    first = connect(proxy).request()
    room.wait_for(1)
    body = bytes(range(256)) * 2000
    upload = connect(proxy)
    sender = threading.Thread(target=lambda: upload.request("/upload", "POST", body=body))
    sender.start()
    room.let(2)
    assert first.response().status == 200
    assert upload.response().status == 200
    sender.join()
    assert app.requests[1].body == body


def test_a_slot_stays_taken_while_the_app_works_for_nobody(weir, connect, upstream, room):
    """An app that does not look at its connections: leaving and asking again must not buy more of it."""
    app = upstream(room)
    proxy = weir(app, limits=capped(1, 10))
    for n in range(3):
        leaver = connect(proxy).request(f"/leaver/{n}")
        if n == 0:
            room.wait_for(1)
        leaver.close()
    eventually(lambda: len(proxy.log_lines(3)) == 3)
    last = connect(proxy).request("/last")
    assert not last.is_readable(within=0.2)
    assert room.entered == ["/leaver/0"]
    room.let(2)
    assert last.response().status == 200
    assert room.entered == ["/leaver/0", "/last"]


def test_an_app_that_notices_that_its_client_has_left_frees_the_slot(weir, connect, upstream):
    def noticing(connection):
        connection.request()
        connection.wait_for_close()

    app = upstream([noticing, answering()])
    proxy = weir(app, limits=capped(1, 10))
    leaver = connect(proxy).request("/leaver")
    app.wait_for_requests(1)
    leaver.close()
    assert connect(proxy).ask("/next").status == 200


def test_a_deadline_inside_the_app_frees_the_slot(weir, connect, upstream):
    app = upstream([lambda connection: (connection.request(), connection.wait_for_close()), answering()])
    proxy = weir(app, limits=capped(1, 10), timeout={"total": "500ms"})
    first = connect(proxy).request("/first")
    app.wait_for_requests(1)
    second = connect(proxy).request("/second")
    first.assert_problem(504, "deadline")
    assert second.response().status in (200, 503)
    assert connect(proxy).ask("/third").status == 200


def test_an_app_that_fails_gives_the_slot_to_the_next(weir, connect, upstream):
    app = upstream([replying(b"nonsense\r\n\r\n"), answering()])
    proxy = weir(app, limits=capped(1, 10))
    connect(proxy).request("/", "POST", body=b"x").assert_problem(502, "upstream_protocol")
    assert connect(proxy).ask().status == 200


def test_an_answer_cut_short_frees_the_slot(weir, connect, upstream):
    def dying(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")

    proxy = weir(upstream([dying, answering()]), limits={"concurrency": 1})
    with pytest.raises(CutShort):
        connect(proxy).ask()
    assert connect(proxy).ask().status == 200


def test_a_web_socket_gives_its_slot_back(weir, connect, upstream):
    def switching(connection):
        connection.request()
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
        connection.wait_for_close()

    app = upstream([switching, answering()])
    proxy = weir(app, limits={"concurrency": 1})
    tunnel = connect(proxy).request(fields={"Upgrade": "echo", "Connection": "Upgrade"})
    assert tunnel.head().status == 101
    assert connect(proxy).ask().status == 200


def test_routes_of_a_group_share_one_cap(weir, connect, upstream, room):
    routes = [
        {"match": {"path": "/a"}, "limits": {**capped(1, 5), "group": "slow"}},
        {"match": {"path": "/b"}, "limits": {"group": "slow"}},
    ]
    proxy = weir(upstream(room), routes=routes)
    first = connect(proxy).request("/a")
    room.wait_for(1)
    second = connect(proxy).request("/b")
    free = connect(proxy).request("/free")
    room.wait_for(2)
    assert room.entered == ["/a", "/free"]
    room.let(3)
    assert {client.response().status for client in (first, second, free)} == {200}
    assert room.entered[2] == "/b"


def test_a_route_s_cap_and_the_global_one_both_hold(weir, connect, upstream, room):
    routes = [{"match": {"path": "/report"}, "name": "reports", "limits": capped(1)}]
    proxy = weir(upstream(room), routes=routes, limits=capped(2, 10))
    clients = send_all(connect, proxy, ["/report"])
    room.wait_for(1)
    problem = connect(proxy).request("/report").assert_problem(503, "queue_full")
    assert problem.json["rule"] == "reports-concurrency"
    clients += send_all(connect, proxy, ["/other"])
    room.wait_for(2)
    clients += send_all(connect, proxy, ["/another"])
    assert not clients[-1].is_readable(within=0.1)
    room.let(3)
    assert {client.response().status for client in clients} == {200}
    assert room.most == 2


def test_a_cap_in_shadow_refuses_nobody(weir, connect, upstream, room):
    proxy = weir(upstream(room), limits={"mode": "shadow", **capped(1, 1)})
    clients = send_all(connect, proxy, ["/"] * 5)
    room.wait_for(5)
    room.let(5)
    assert {client.response().status for client in clients} == {200}
    assert [line.get("shadow") for line in proxy.log_lines(5)].count(["concurrency"]) == 3


def test_a_cap_in_shadow_behind_another_is_not_asked_of_who_still_waits(weir, connect, upstream, room):
    routes = [{"match": {"path": "/report"}, "limits": {"mode": "enforce", **capped(1, 10)}}]
    proxy = weir(upstream(room), routes=routes, limits={"mode": "shadow", **capped(1, 1)})
    clients = send_all(connect, proxy, ["/report"] * 5)
    room.wait_for(1)
    room.let(5)
    assert {client.response().status for client in clients} == {200}
    assert not any("shadow" in line for line in proxy.log_lines(5))


def test_what_a_rate_in_shadow_would_refuse_does_not_come_to_the_cap_beside_it(weir, connect, upstream, room):
    proxy = weir(upstream(room), limits={"mode": "shadow", "rate": ["1/hour"], **capped(1)})
    clients = send_all(connect, proxy, ["/"] * 3)
    room.wait_for(3)
    room.let(3)
    assert {client.response().status for client in clients} == {200}
    assert [line["shadow"] for line in proxy.log_lines(3) if "shadow" in line] == [["per-hour"]] * 2


def test_stopping_lets_those_who_wait_finish(weir, connect, upstream, room):
    proxy = weir(upstream(room), limits=capped(1, 10))
    clients = send_all(connect, proxy, ["/first", "/second"])
    room.wait_for(1)
    stopper = threading.Thread(target=proxy.stop)
    stopper.start()
    room.let(2)
    assert [client.response().status for client in clients] == [200, 200]
    stopper.join()
