"""`weir explain` agrees with what a running weir does: both are asked the same of the same file."""

import re
import ssl

import pytest

from harness import weir as binary
from harness.metrics import scrape
from harness.poll import free_port
from harness.upstream import answering

SERVED = "the request reaches the app"
ROUTES = {
    "routes": [
        {"match": {"path": "/reports/*"}, "name": "reports", "methods": ["GET", "POST"], "limits": {"rate": ["3/min"]}},
        {"match": {"path": "/json"}, "content_types": ["application/json"], "limits": {"body": "10B"}},
        {
            "match": {"path": "/documents/{id}"},
            "params": {
                "path": {"id": {"int": "1.."}},
                "query": {
                    "page": {"int": "1..", "default": "1"},
                    "page_size": {"int": "1..100", "default": "20", "on_violation": "clamp"},
                },
            },
        },
        {"match": {"path": "/static/*"}, "limits": {"rate": "none"}},
        {"match": {"path": "/versioned", "header": {"X-Version": "2"}}, "limits": {"rate": ["2/min"]}},
    ],
    "limits": {"rate": ["5/min", {"limit": "60/hour", "cost": 7, "name": "heavy"}]},
}
SHADOW = {
    "limits": {"rate": [{"limit": "4/min", "mode": "shadow", "name": "tried"}]},
    "shadow": [{"name": "tighter", "rate": "2/min"}],
}
KEYED = {
    "limits": {"rate": [{"limit": "3/min", "key": "header:X-Key"}, {"limit": "1/hour", "burst": 4, "name": "bucket"}]}
}
PLAIN = {"limits": {"uri": "64B", "header": "1KiB"}}

TABLE = [
    (ROUTES, "GET /", []),
    (ROUTES, "GET /reports/7", []),
    (ROUTES, "HEAD /reports/7", []),
    (ROUTES, "DELETE /reports/7", []),
    (ROUTES, "POST /json", ["Content-Type: text/plain", "Content-Length: 1"]),
    (ROUTES, "POST /json", ["Content-Type: application/json", "Content-Length: 11"]),
    (ROUTES, "GET /documents/7?x=%2f&page_size=500&y=a+b", []),
    (ROUTES, "GET /documents/7", []),
    (ROUTES, "GET /documents/none", []),
    (ROUTES, "GET /documents/7?page=0", []),
    (ROUTES, "GET /documents/7?page=2;page=0", []),
    (ROUTES, "GET /documents%2f7", []),
    (ROUTES, "GET /x/..//static/../reports/7", []),
    (ROUTES, "GET /static/logo.png", []),
    (ROUTES, "GET /versioned", []),
    (ROUTES, "GET /versioned", ["X-Version: 2"]),
    (SHADOW, "GET /", []),
    (KEYED, "GET /", []),
    (KEYED, "GET /", ["X-Key: a"]),
    (PLAIN, "GET /a%2fb", []),
    (PLAIN, "GET /" + "x" * 80, []),
    (PLAIN, "GET /", ["X: " + "x" * 1000]),
    (PLAIN, "GET nowhere", []),
    (PLAIN, "GET /#top", []),
    (PLAIN, "GET /x HTTP/1.2", []),
    (PLAIN, "CONNECT example.org:443", []),
    (PLAIN, "GET /", ["Folded : x"]),
    (PLAIN, "GET /", ["Transfer-Encoding: gzip"]),
    (PLAIN, "GET /", ["Expect: the impossible"]),
]


class Explained:
    def __init__(self, directory, proxy, request, headers, more=(), host="weir.test"):
        options = [argument for header in headers for argument in ("-H", header)]
        config = proxy.log_path.parent / "weir.yaml"
        self.code, self.text, self.stderr = binary.run(
            directory, "explain", "--config", config, "--header", f"Host: {host}", *options, *more, request
        )
        self.rates = re.findall(r"^ {13}([\w-]+): .* the (\d+)\w\w (?:within|at once)", self.text, re.M)

    def say(self, label):
        found = re.search(rf"^{label} +(.*)$", self.text, re.M)
        return found and found[1]

    @property
    def route(self):
        named = re.match(r"(\S+) \(routes\[", self.say("route") or "")
        return named and named[1]

    @property
    def shadows(self):
        return {name: int(nth) for name, nth in self.rates if f"{name}: " in self.shadow_lines}

    @property
    def shadow_lines(self):
        return "\n".join(line for line in self.text.splitlines() if line.endswith("(shadow)"))

    @property
    def first_refusal(self):
        """Which request is refused first, and by which rules: several may be at their end then."""
        enforced = {name: int(nth) for name, nth in self.rates if name not in self.shadows}
        nth = min(enforced.values(), default=None)
        return nth, {name for name in enforced if enforced[name] == nth}


def send(client, request, headers):
    line = request if " HTTP/" in request else request + " HTTP/1.1"
    fields = "".join(f"{field}\r\n" for field in ["Host: weir.test", *headers])
    client.send(f"{line}\r\n{fields}\r\n".encode())
    return client.response(request.split(" ")[0])


@pytest.mark.parametrize("settings, request_line, headers", TABLE, ids=lambda value: str(value)[:60].replace("/", ":"))
def test_explain_says_what_weir_does(tmp_path, weir, connect, upstream, settings, request_line, headers):
    app = upstream(answering())
    proxy = weir(app, **settings)
    explained = Explained(tmp_path, proxy, request_line, headers)
    client = connect(proxy)
    answer = send(client, request_line, headers)
    (line,) = proxy.log_lines(1)

    assert line.get("route") == explained.route
    if answer.status != 200:
        problem = answer.json
        said = explained.say("result")
        assert explained.code == 4, explained.text
        assert said.startswith(f"refused with {answer.status} {problem['reason']}: {problem['detail']}")
        assert ("; rule " + problem["rule"] in said) if "rule" in problem else ("; rule" not in said)
        if answer.status == 405:
            assert said.endswith("; Allow: " + answer.value("allow"))
        return

    assert (explained.code, explained.say("result")) == (0, SERVED), explained.stderr
    target = explained.say("target")
    sent = request_line.split(" ")[1]
    assert app.requests[0].target == (sent if target == "as it came" else target.removeprefix("rewritten to "))
    assert f"127.0.0.1:{app.port}" in explained.say("app")
    check_rates(proxy, client, explained, (request_line, headers))


def check_rates(proxy, client, explained, question):
    """Asks until the first refusal that was foretold, or past the last one that a shadow would have made."""
    refused_at, rules = explained.first_refusal
    asked = refused_at or max(explained.shadows.values(), default=1) + 1
    statuses = [200] + [send(client, *question).status for _ in range(asked - 1)]
    lines = proxy.log_lines(asked)
    if refused_at:
        assert statuses == [200] * (refused_at - 1) + [429]
        assert lines[-1]["rule"] in rules
    else:
        assert statuses == [200] * asked
    for name, nth in explained.shadows.items():
        assert [name in line.get("shadow", []) for line in lines] == [n >= nth for n in range(1, asked + 1)]


def test_the_table_meets_every_kind_of_answer(tmp_path, weir, upstream):
    """So that none of it is tested of nothing."""
    proxies = {}
    results, refusals, shadows = set(), set(), 0
    for settings, request_line, headers in TABLE:
        if str(settings) not in proxies:
            proxies[str(settings)] = weir(upstream(answering()), **settings)
        explained = Explained(tmp_path, proxies[str(settings)], request_line, headers)
        results.add(explained.say("result").split(":")[0])
        refusals.add(explained.first_refusal[0])
        shadows += len(explained.shadows)
    refused = {int(result.split()[2]) for result in results if result.startswith("refused")}
    assert {400, 405, 413, 414, 415, 417, 431, 501, 505} <= refused
    assert {3, 4, 5, 6, None} >= refusals and len(refusals) >= 3
    assert shadows >= 2


def test_secrets_are_not_printed(tmp_path, weir, upstream):
    proxy = weir(upstream(answering()), limits={"rate": [{"limit": "3/min", "key": "header:X-Key"}]})
    explained = Explained(tmp_path, proxy, "GET /", ["X-Key: s3cret"])
    assert "header:x-key (given, not shown)" in explained.text
    assert "s3cret" not in explained.text


@pytest.mark.parametrize(
    "arguments, code",
    [(["GET /", "--ip", "nobody"], 2), ([], 2), (["GET /\r\nX: y"], 2), (["GET /", "-s", "workers=none"], 1)],
)
def test_a_question_that_is_none_is_told_from_a_refusal(tmp_path, arguments, code):
    url = "http://127.0.0.1:5000"
    done, out, err = binary.run(tmp_path, "explain", "-l", "127.0.0.1:8080", "-u", url, *arguments)
    assert (done, out) == (code, "")
    assert err


def test_explain_tells_whom_a_trusted_proxy_speaks_for(tmp_path, weir, connect, upstream):
    settings = {"clients": {"trusted_proxies": ["127.0.0.0/8"]}, "limits": {"rate": ["2/min"]}}
    app = upstream(answering())
    proxy = weir(app, **settings)
    headers = ["X-Forwarded-For: 203.0.113.9"]
    explained = Explained(tmp_path, proxy, "GET /", headers)
    assert explained.say("client") == "ip 203.0.113.9, as the trusted proxy 127.0.0.1 says"
    client = connect(proxy)
    assert send(client, "GET /", headers).status == 200
    assert proxy.log_lines(1)[0]["client"] == "203.0.113.9"
    stranger = binary.run(
        tmp_path, "explain", "--config", proxy.log_path.parent / "weir.yaml", "--ip", "192.0.2.1", "-H", *headers, "GET /"
    )[1]
    assert re.search(r"^client +ip 192\.0\.2\.1$", stranger, re.M), stranger


OWN = {
    "cors": {"origins": ["https://app.example"], "methods": ["GET", "PUT"]},
    "public": {"health": "/up", "queue_stats": "/queue"},
}
PREFLIGHT = ["Origin: https://app.example", "Access-Control-Request-Method: PUT"]


@pytest.mark.parametrize(
    "request_line, headers, status, said",
    [
        ("OPTIONS /x", PREFLIGHT, 204, "weir answers by itself with 204"),
        ("GET /up", [], 200, "weir answers by itself: the path is one of `public`"),
        ("GET /%75p", [], 200, "weir answers by itself: the path is one of `public`"),
        ("GET /queue", [], 200, "weir answers by itself: the path is one of `public`"),
        ("POST /up", [], 405, "refused with 405 method_not_allowed: this path is read, with GET or HEAD"),
        ("OPTIONS /x", PREFLIGHT[:1], 200, SERVED),
        ("GET /upper", [], 200, SERVED),
    ],
)
def test_explain_tells_what_weir_answers_by_itself(
    tmp_path, weir, connect, upstream, request_line, headers, status, said
):
    app = upstream(answering())
    proxy = weir(app, **OWN)
    explained = Explained(tmp_path, proxy, request_line, headers)
    assert explained.say("result").startswith(said), explained.text
    assert explained.code == (4 if status == 405 else 0)
    assert send(connect(proxy), request_line, headers).status == status
    assert len(app.requests) == (1 if said == SERVED else 0)


def test_explain_tells_how_long_the_client_waits(tmp_path, weir, connect, upstream):
    app = upstream(answering())
    proxy = weir(app, timeout="30s")
    assert Explained(tmp_path, proxy, "GET /", []).say("deadline") == "30s for all of it"
    shorter = Explained(tmp_path, proxy, "GET /", ["X-Request-Timeout: 2s", "grpc-timeout: 5S"])
    assert shorter.say("deadline") == "2s for all of it, as the client says; else 30s"
    assert Explained(tmp_path, proxy, "GET /", ["X-Request-Timeout: 90s"]).say("deadline") == "30s for all of it"
    none = Explained(tmp_path, proxy, "GET /", ["X-Request-Timeout: 0"])
    assert (none.code, none.say("result")) == (4, "refused with 504 deadline: the client leaves no time for an answer")
    assert send(connect(proxy), "GET /", ["X-Request-Timeout: 0"]).status == 504
    assert app.requests == []


# ---- the address that a request comes to

BALANCER = "127.0.0.2"
HEADER = b"PROXY TCP4 203.0.113.9 192.0.2.1 56324 443\r\n"


class Doors:
    """A proxy with an address of each kind."""

    def __init__(self, weir, connect, authority, app):
        self._connect, self._authority = connect, authority
        self.ports = {name: free_port() for name in ("secure", "redirect", "balanced")}
        address = {name: {"address": f"127.0.0.1:{port}"} for name, port in self.ports.items()}
        open_, closed = authority.files("DNS:app.test"), authority.files("DNS:closed.test", client_ca=authority.ca)
        listen = [
            {"address": "127.0.0.1:PORT"},
            {**address["secure"], "tls": [open_, closed]},
            {**address["redirect"], "redirect_https": 8443},
            {**address["balanced"], "proxy_protocol": True},
        ]
        self.proxy = weir(app, listen=listen, clients={"trusted_proxies": BALANCER}, admin="127.0.0.1:0")
        self.ports["plain"] = self.proxy.address[1]

    def at(self, door):
        return f"127.0.0.1:{self.ports[door]}"

    def meet(self, door, request, headers, host, way):
        """What a client gets there: an answer, or the cause in the metrics why it gets none."""
        port = self.ports[door]
        tls = None
        if "name" in way:
            tls = self._authority.client(self._authority.issue() if way.get("shows") else None)
            tls.check_hostname = False  # a name that none is for gets the first
        name = way.get("name") or "app.test"
        try:
            client = self._connect(
                ("127.0.0.1", port), tls=tls, name=name, source=way.get("source"), greeting=way.get("greeting", b"")
            )
            fields = "".join(f"{field}\r\n" for field in [f"Host: {host}", *headers])
            client.send(f"{request} HTTP/1.1\r\n{fields}\r\n".encode())
            return client.response(request.split(" ")[0]), None
        except (ssl.SSLError, OSError, AssertionError):
            seen = scrape(self.proxy)
            handshakes, headers = "weir_tls_handshake_failures_total", "weir_proxy_headers_refused_total"
            causes = [(handshakes, "no_certificate"), (headers, "untrusted")]
            (cause,) = [cause for metric, cause in causes if seen.one(metric, cause=cause) == 1]
            return None, cause


# The address, the request, its host, what `weir explain` is told of the way, the way, and what both say.
WAYS = [
    ("plain", "GET /", "app.test", [], {}, 200),
    ("secure", "GET /", "app.test", [], {"name": "app.test"}, 200),
    ("secure", "GET /", "unknown.test", [], {"name": "unknown.test"}, 200),
    ("secure", "GET /", "closed.test", [], {"name": "closed.test"}, "no_certificate"),
    ("secure", "GET /", "closed.test", ["--client-certificate"], {"name": "closed.test", "shows": True}, 200),
    ("secure", "GET /", "closed.test", ["--server-name", "app.test"], {"name": "app.test"}, 421),
    ("secure", "GET /", "app.test", ["--server-name", "closed.test", "--client-certificate"], {"name": "closed.test", "shows": True}, 421),
    ("secure", "GET http://app.test/", "app.test", [], {}, 400),
    ("secure", "GET https://app.test/", "app.test", [], {"name": "app.test"}, 200),
    ("secure", "GET nowhere", "app.test", [], {"name": "app.test"}, 400),
    ("redirect", "GET /x?y=%2f", "app.test:80", [], {}, 308),
    ("redirect", "GET /", "a!b", [], {}, 400),
    ("redirect", "OPTIONS *", "app.test", [], {}, 400),
    ("redirect", "GET /", "app.test", ["--ip", BALANCER, "-H", "X-Forwarded-Proto: https"], {"source": BALANCER}, 200),
    ("redirect", "GET /", "app.test", ["-H", "X-Forwarded-Proto: https"], {}, 308),
    ("balanced", "GET /", "app.test", ["--ip", "203.0.113.9"], {"source": BALANCER, "greeting": HEADER}, 200),
    ("balanced", "GET /", "app.test", ["--ip", "203.0.113.9", "--balancer", BALANCER], {"source": BALANCER, "greeting": HEADER}, 200),
    ("balanced", "GET /", "app.test", ["--balancer", "127.0.0.3"], {"source": "127.0.0.3", "greeting": HEADER}, "untrusted"),
]


@pytest.mark.parametrize(
    "door, request_line, host, options, way, expected", WAYS, ids=[f"{row[0]} {row[2]} {row[5]} {n}" for n, row in enumerate(WAYS)]
)
def test_explain_knows_the_way_in(
    tmp_path, weir, connect, authority, upstream, door, request_line, host, options, way, expected
):
    app = upstream(answering())
    doors = Doors(weir, connect, authority, app)
    explained = Explained(tmp_path, doors.proxy, request_line, [], ["--at", doors.at(door), *options], host)
    headers = [value for option, value in zip(options, options[1:]) if option == "-H"]
    answer, cause = doors.meet(door, request_line, headers, host, way)

    assert explained.say("address").startswith(doors.at(door) + ", "), explained.text
    said = explained.say("result")
    if answer is None:
        assert (cause, explained.code) == (expected, 4)
        assert said.startswith("closed before a request is read: ") and f" {cause}: " in said
        return
    assert answer.status == expected
    if expected == 200:
        assert (explained.code, said) == (0, SERVED)
        assert explained.say("client").split(",")[0] == f"ip {doors.proxy.log_lines(1)[0]['client']}"
    elif expected == 308:
        assert (explained.code, said) == (0, f"weir answers by itself with 308: the client is sent to {answer.value('location')}")
    else:
        problem = answer.json
        assert explained.code == 4
        assert said == f"refused with {expected} {problem['reason']}: {problem['detail']}"
    assert len(app.requests) == (1 if expected == 200 else 0)


def test_the_url_says_which_address_is_meant(tmp_path, weir, connect, authority, upstream):
    doors = Doors(weir, connect, authority, upstream(answering()))

    def address(request, more=()):
        return Explained(tmp_path, doors.proxy, request, [], more).say("address")

    assert address("GET /") == f"{doors.at('plain')}, in plain HTTP"
    assert address("GET http://app.test/") == f"{doors.at('plain')}, in plain HTTP"
    assert address("GET https://app.test/") == f"{doors.at('secure')}, over TLS"
    assert address("GET HTTPS://app.test/") == f"{doors.at('secure')}, over TLS"
    assert address("GET https://app.test/", ["--at", doors.at("redirect")]) == f"{doors.at('redirect')}, in plain HTTP"
    assert address("GET http://app.test/", ["--at", doors.at("secure")]) == f"{doors.at('secure')}, in plain HTTP, where TLS is due"


def test_certificates_that_are_not_here_leave_the_rest_to_be_explained(tmp_path):
    tls = "{certificate: /nowhere.pem, key: /nowhere.key}"
    listen = f"listen=[{{address: 127.0.0.1:8443, tls: {tls}}}]"
    arguments = ["-s", listen, "-u", "http://127.0.0.1:5000", "--client-certificate", "GET /"]
    code, out, _ = binary.run(tmp_path, "explain", *arguments)
    assert code == 0
    assert re.search(r"^TLS +what it asks for is not known here: .*/nowhere\.pem", out, re.M), out
    assert SERVED in out


@pytest.mark.parametrize(
    "options, complaint",
    [
        (["--at", "127.0.0.1:9"], "--at 127.0.0.1:9 is not in `listen`, which has 127.0.0.1:8080"),
        (["--at", "nowhere"], "--at: "),
        (["--server-name", "a"], "--server-name is for an address with `tls`"),
        (["--client-certificate"], "--client-certificate is for an address with `tls`"),
        (["--balancer", "::1"], "--balancer is for an address with `proxy_protocol`"),
    ],
)
def test_a_way_that_does_not_exist_is_no_question(tmp_path, options, complaint):
    code, out, err = binary.run(tmp_path, "explain", "-l", "127.0.0.1:8080", "-u", "http://127.0.0.1:5000", *options, "GET /")
    assert (code, out) == (2, "")
    assert err.startswith("weir: " + complaint)
