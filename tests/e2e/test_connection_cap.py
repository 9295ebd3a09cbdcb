"""Under a cap on concurrency there are never more connections to the app than it, whichever worker has them."""

import random
import threading
import time
from collections import Counter

import pytest

from harness.client import Client
from harness.counting import CountingApp
from harness.poll import eventually
from harness.upstream import answering

CAP = 4
WORKERS = 4


@pytest.fixture
def counting(stage):
    """counting(seconds, ...) starts an app that counts."""
    return lambda *arguments, **options: stage.adopt_upstream(CountingApp(*arguments, **options))


class Crowd:
    """Clients that ask for a while, each with pauses and connections of its own, so that all workers have some."""

    def __init__(self, proxy, clients, seconds, seed):
        self.statuses = Counter()
        self.waits = []
        self._proxy, self._until = proxy, time.monotonic() + seconds
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._ask, args=(seed + number,)) for number in range(clients)]
        for thread in self._threads:
            thread.start()

    def wait(self):
        for thread in self._threads:
            thread.join()
        return self

    def _ask(self, seed):
        dice = random.Random(seed)
        client = Client(self._proxy.address)
        while time.monotonic() < self._until:
            if dice.random() < 0.05:
                client.close()
                client = Client(self._proxy.address)
            begun = time.monotonic()
            status = client.ask("/", dice.choice(["GET", "GET", "POST", "DELETE"])).status
            with self._lock:
                self.statuses[status] += 1
                self.waits.append(time.monotonic() - begun)
            if dice.random() < 0.3:
                time.sleep(dice.random() * 0.02)
        client.close()


def start(weir, app, **settings):
    limits = {"concurrency": CAP, "queue": {"size": 100, "wait": "10s"}}
    return weir(app, workers=WORKERS, **{"limits": limits, **settings})


@pytest.mark.parametrize("closing", [0.0, 0.2])
@pytest.mark.parametrize("pool", [{}, {"min_idle": 2}, {"max_requests": 7}])
def test_the_connections_of_all_workers_never_pass_the_cap(weir, counting, closing, pool):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    app = counting(lambda: random.random() * 0.004, closing, seed)
    proxy = start(weir, app, upstream={"pool": pool})
    crowd = Crowd(proxy, clients=24, seconds=3, seed=seed).wait()
    assert set(crowd.statuses) == {200}
    assert app.most_connections <= CAP and app.most_inside <= CAP, (app.most_connections, app.most_inside)
    assert app.served == crowd.statuses[200] > 500
    assert max(crowd.waits) < 1.5, "nobody waits for a connect to time out"


def test_an_idle_connection_of_another_worker_is_handed_over_and_used(weir, counting):
    """One connection for all: it goes from worker to worker, and the app never sees a second one."""
    app = counting(0.0)
    proxy = start(weir, app, limits={"concurrency": 1, "queue": {"size": 10}})
    crowd = Crowd(proxy, clients=8, seconds=2, seed=1).wait()
    assert set(crowd.statuses) == {200}
    assert app.most_connections == 1
    assert app.accepted == 1


def test_a_connection_under_tls_is_handed_over_too(weir, upstream, authority):
    app = upstream(answering(), tls=authority.server())
    proxy = start(
        weir, app, limits={"concurrency": 1, "queue": {"size": 10}}, upstream={"tls": {"ca": authority.ca}}
    )
    crowd = Crowd(proxy, clients=8, seconds=1, seed=1).wait()
    assert set(crowd.statuses) == {200}
    assert len(app.connections) == 1
    assert len(app.requests) == crowd.statuses[200]


def test_the_app_is_kept_as_busy_as_by_itself(weir, counting):
    seconds = 0.02
    app = counting(seconds)
    proxy = start(weir, app)

    def busy_share():
        begun = time.monotonic()
        crowd = Crowd(proxy, clients=24, seconds=2, seed=1).wait()
        assert set(crowd.statuses) == {200}
        return crowd.statuses[200] * seconds / CAP / (time.monotonic() - begun)

    # The first round warms up; a machine with other work may spoil one or another.
    assert any(busy_share() > 0.7 for _ in range(5))
    assert app.most_connections <= CAP


def test_a_server_s_own_cap_bounds_its_connections_alone(weir, counting):
    capped, free = counting(0.002), counting(0.002)
    servers = [{"url": capped.url, "max_in_flight": 2}, {"url": free.url}]
    proxy = weir(None, workers=WORKERS, upstream={"servers": servers})
    crowd = Crowd(proxy, clients=24, seconds=2, seed=1).wait()
    assert set(crowd.statuses) == {200}
    assert capped.most_connections <= 2 and capped.most_inside <= 2
    assert capped.served > 100
    assert free.most_connections > 2


def test_a_route_s_cap_bounds_no_connections(weir, counting):
    """Requests of other routes may use what its requests have left idle."""
    app = counting(0.005)
    routes = [{"match": {"path": "/reports/*"}, "name": "reports", "limits": {"concurrency": 1}}]
    crowd = Crowd(weir(app, workers=WORKERS, routes=routes), clients=24, seconds=1, seed=1).wait()
    assert set(crowd.statuses) == {200}
    assert app.most_connections > 1


def test_a_cap_that_is_lowered_takes_idle_connections_with_it(weir, counting):
    app = counting(0.005)
    proxy = start(weir, app, limits={"concurrency": 12, "queue": {"size": 100, "wait": "10s"}})
    Crowd(proxy, clients=24, seconds=1, seed=1).wait()
    assert app.connections > CAP
    config = proxy.log_path.parent / "weir.yaml"
    config.write_text(config.read_text().replace("concurrency: 12", f"concurrency: {CAP}"))
    proxy.signal(1)
    eventually(lambda: app.connections <= CAP, what=f"{CAP} connections are left")
    app.most_connections = app.most_inside = 0
    crowd = Crowd(proxy, clients=24, seconds=1, seed=2).wait()
    assert set(crowd.statuses) == {200}
    assert app.most_connections <= CAP and app.most_inside <= CAP


def test_full_servers_take_no_more_and_nobody_takes_them_for_gone(weir, counting):
    """Slots are as many as the servers take together, so that whoever has one finds room in one of them."""
    apps = [counting(lambda: random.random() * 0.004) for _ in range(3)]
    servers = [{"url": app.url, "max_in_flight": 2} for app in apps]
    proxy = weir(None, workers=WORKERS, upstream={"servers": servers}, limits={"queue": {"size": 0}})
    crowd = Crowd(proxy, clients=24, seconds=3, seed=1).wait()
    assert set(crowd.statuses) == {200}
    assert [app.most_connections for app in apps] == [app.most_inside for app in apps] == [2, 2, 2]
    held = [line for line in proxy.log_lines(crowd.statuses[200]) if "hold_ms" in line]
    assert not held, (len(held), held[0])
