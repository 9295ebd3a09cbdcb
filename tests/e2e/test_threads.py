"""All that crosses threads, at the same time: several workers with one queue, one set of rates and one fleet, the operator's
pages, reloads, signals, checks, the log. What is said here is little; under a thread sanitizer it is much."""

import random
import signal
import ssl
import threading
import time
from contextlib import closing

from harness import weir as harness
from harness.h2 import H2Client
from harness.metrics import ask_admin, scrape
from harness.poll import eventually, free_port

SECONDS = 4
REFUSALS = {429, 502, 503}
PAGES = ["/metrics", "/stats", "/clients", "/config", "/health", "/readyz", "/why/nobody", "/"]


def moody(connection):
    """The script of an app that is slow now and then, drops a connection, or does not feel well."""
    while request := connection.request():
        mood = random.random()
        if request.target == "/up":
            connection.answer(status=200 if mood < 0.7 else 500)
            continue
        if mood < 0.02:
            return
        time.sleep(0.02 * mood**4)
        connection.answer(b"x" * random.choice((2, 2, 50_000)))


class Crowd:
    """Clients of all kinds, each in a thread, until the block is left."""

    def __init__(self, proxy, secure_port, tls):
        self.proxy = proxy
        self.secure = ("127.0.0.1", secure_port)
        self.tls = tls
        self.is_over = threading.Event()
        self.statuses = []
        self.failures = []
        kinds = [self.stay, self.stay, self.leave, self.leave, self.come_and_go, self.shake_hands, self.multiplex, self.multiplex]
        self.threads = [threading.Thread(target=self.run, args=(kind, {"x-user": n})) for n, kind in enumerate(kinds)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join(20)

    def run(self, kind, fields):
        try:
            while not self.is_over.is_set():
                kind(fields)
        except Exception as failure:  # noqa: BLE001 - told of at the end of the test
            self.failures.append((kind.__name__, failure))

    def stay(self, fields):
        with closing(self.proxy.connect()) as client:
            for _ in range(50):
                self.statuses.append(client.ask("/stay", fields=fields).status)

    def leave(self, fields):
        with closing(self.proxy.connect()) as client:
            client.request("/leave", fields=fields)
            time.sleep(random.choice((0, 0.001, 0.01)))

    def come_and_go(self, fields):
        with closing(self.proxy.connect()) as client:
            self.statuses.append(client.ask("/reports/1", "POST", fields, body=b"y" * 3000).status)

    def shake_hands(self, fields):
        """Resumes where it may, by a ticket that any worker can have given."""
        ticket = None
        for _ in range(5):
            with closing(harness.Client(self.secure, tls=self.tls, session=ticket)) as client:
                self.statuses.append(client.ask("/secure", fields=fields).status)
                ticket = client.sock.session

    def multiplex(self, fields):
        with closing(H2Client(self.proxy.address)) as client:
            for _ in range(10):
                left, *streams = [client.open(f"/{n}", fields=fields) for n in range(4)]
                client.reset_stream(left)
                self.statuses += [client.answer(stream).status for stream in streams]


def operate(proxy, settings, certificates):
    """What an operator may do meanwhile, all of it again and again; how often."""
    rounds = 0
    over = time.monotonic() + SECONDS
    while time.monotonic() < over:
        rounds += 1
        settings["limits"]["concurrency"] = 3 + rounds % 4
        settings["upstream"]["servers"][0]["max_in_flight"] = 4 + rounds % 3
        settings["routes"][0]["name"] = f"reports-{rounds % 2}"
        settings["listen"][1]["tls"] = certificates[rounds % 2]
        settings["log"] = {"access": proxy.log_path.with_name(f"access-{rounds // 5 % 2}.log")}
        harness.compose(proxy.log_path.parent, None, dict(settings), proxy.address[1])
        if rounds % 3:
            assert ask_admin(proxy, "/reload", "POST").status == 200
        else:
            proxy.signal(signal.SIGHUP)
        proxy.signal(signal.SIGUSR1)
        for page in PAGES:
            ask_admin(proxy, page)
    return rounds


def test_all_at_once_does_no_harm(weir, upstream, authority):
    secure_port = free_port()
    certificates = [authority.files(), authority.files()]
    servers = [{"url": upstream(moody).url, "max_in_flight": 4}, {"url": upstream(moody).url.replace("127.0.0.1", "localhost")}]
    settings = {
        "workers": 4,
        "admin": "127.0.0.1:0",
        "listen": [{"address": "127.0.0.1:PORT"}, {"address": f"127.0.0.1:{secure_port}", "tls": certificates[0]}],
        "upstream": {"servers": servers, "hold": "1s", "pool": {"max_idle": 2, "min_idle": 1}},
        "health": {"path": "/up", "interval": "250ms", "timeout": "200ms", "rise": 1, "fall": 1, "passive": {"failures": 1, "eject": "100ms"}},
        "clients": {"key": "header:X-User"},
        "limits": {
            "rate": ["100/s", {"limit": "5000/s", "key": "all", "name": "everyone"}],
            "concurrency": 4,
            "per_client_concurrency": 2,
            "queue": {"size": 5, "wait": "1s"},
        },
        "shadow": [{"name": "tight", "rate": "50/s"}],
        "routes": [{"match": {"path": "/reports/*"}, "name": "reports", "limits": {"rate": ["100/s"], "concurrency": 2}}],
        "timeout": "5s",
    }
    proxy = weir(None, **settings)
    tls = ssl.create_default_context(cafile=authority.ca)
    with Crowd(proxy, secure_port, tls) as crowd:
        rounds = operate(proxy, settings, certificates)
    assert crowd.failures == []
    assert set(crowd.statuses) <= {200, *REFUSALS}
    assert crowd.statuses.count(200) > 50 and rounds > 5, (len(crowd.statuses), rounds)

    def is_at_rest():
        cap = ask_admin(proxy, "/stats").json["concurrency"]
        figures = scrape(proxy)
        return cap["activeProcesses"] == cap["queuedTasks"] == figures.one("weir_requests_in_progress") == 0

    eventually(is_at_rest, what="every slot and every place given back")
    assert scrape(proxy).one("weir_config_reload_success") == 1
