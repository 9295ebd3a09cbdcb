"""Real apps and a real client, as people run them."""

import concurrent.futures
import hashlib
import os
import subprocess

import pytest

from harness import websocket
from harness.message import chunked

FLASK = [
    {"worker": "sync"},
    {"worker": "gthread"},
    {"worker": "sync", "unix": True},
    {"worker": "gthread", "unix": True},
]
each_flask = pytest.mark.parametrize(
    "options", FLASK, ids=["sync", "gthread", "sync on a socket file", "gthread on a socket file"]
)


@each_flask
def test_flask_answers_over_a_kept_connection(weir, connect, app, options):
    client = connect(weir(app("gunicorn", **options)))
    for _ in range(10):
        assert client.ask("/hello").body == b"hello from flask\n"
    assert client.ask("/empty").status == 204
    assert client.ask("/broken").status == 500
    assert client.ask("/nowhere").status == 404
    assert client.ask("/bytes/100000", "HEAD").value("content-length") == "100000"


@each_flask
def test_flask_reads_uploads_of_both_framings(weir, connect, app, options):
    client = connect(weir(app("gunicorn", **options)))
    body = os.urandom(1 << 20)
    assert client.ask("/digest", "POST", body=body).body.decode() == hashlib.sha256(body).hexdigest()
    client.request("/digest", "POST", {"Transfer-Encoding": "chunked"})
    client.send(chunked(body[:300_000], body[300_000:]))
    assert client.response().body.decode() == hashlib.sha256(body).hexdigest()


@each_flask
def test_flask_streams_without_a_length(weir, connect, app, options):
    client = connect(weir(app("gunicorn", **options)))
    for _ in range(2):
        assert client.ask("/stream/1000").body.decode().splitlines() == [f"line {number}" for number in range(1000)]


def test_flask_sees_the_client_not_the_proxy(weir, connect, app):
    headers = connect(weir(app("gunicorn"))).ask("/echo?a=%20b", host="shop.test").json["headers"]
    assert (headers["X-Forwarded-For"], headers["X-Forwarded-Proto"], headers["Host"]) == (
        "127.0.0.1",
        "http",
        "shop.test",
    )


def test_no_field_makes_flask_serve_another_path_than_the_one_that_was_routed(weir, connect, app):
    static = {"match": {"path": "/static/*"}, "limits": {"rate": "none"}}
    client = connect(weir(app("gunicorn"), limits={"rate": "1/min"}, routes=[static]))
    for name in ("SCRIPT_NAME", "Script_Name", "PATH_INFO"):
        value = "/echo" if name == "PATH_INFO" else "/static/x"
        assert client.ask("/static/x/echo", fields={name: value}).status == 404


def test_no_spelling_of_a_method_walks_around_the_route_that_takes_it(weir, connect, app):
    posts = {"match": {"path": "/echo", "method": ["POST"]}, "limits": {"rate": "1/min"}}
    proxy = weir(app("gunicorn"), routes=[posts])
    assert connect(proxy).ask("/echo", "POST").status == 200
    assert connect(proxy).ask("/echo", "POST").status == 429
    assert connect(proxy).ask("/echo", "POSt").status == 400
    assert connect(proxy).ask("/bytes/1000", "HEAd").status == 400


def test_a_crowd_of_clients_all_get_their_own_answer(weir, app):
    proxy = weir(app("node"))

    def ask_often(name):
        client = proxy.connect()
        seen = [
            client.ask(f"/echo?{name}-{number}", "POST", body=f"{name}/{number}".encode()).json for number in range(30)
        ]
        client.close()
        return [(answer["url"], answer["body"]) for answer in seen]

    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        for name, answers in enumerate(pool.map(ask_often, range(40))):
            assert answers == [(f"/echo?{name}-{number}", f"{name}/{number}") for number in range(30)]


def test_several_workers_serve_as_one(weir, app):
    proxy = weir(app("node"), workers=2)
    clients = [proxy.connect() for _ in range(20)]
    for _ in range(5):
        assert all(client.ask("/hello").body == b"hello from node\n" for client in clients)
    for client in clients:
        client.close()
    assert len(proxy.log_lines(100)) == 100


def test_node_gives_trailers_and_hints(weir, connect, app):
    client = connect(weir(app("node")))
    answer = client.ask("/trailers", fields={"TE": "trailers"})
    assert (answer.body, answer.trailers) == (b"body", [("X-Sum", "42")])
    assert client.ask("/early-hints").status == 103
    assert client.response().body == b"after hints"


def test_node_gets_trailers(weir, connect, app):
    client = connect(weir(app("node")))
    client.request("/echo", "POST", {"Transfer-Encoding": "chunked", "Trailer": "X-Sum"})
    client.send(chunked(b"body", trailers=[(b"X-Sum", b"42")]))
    assert client.response().json["trailers"] == {"x-sum": "42"}


def test_uvicorn_answers_streams_and_echoes(weir, connect, app):
    client = connect(weir(app("uvicorn")))
    assert client.ask("/").body == b"hello from uvicorn\n"
    assert client.ask("/stream").body == b"".join(b"piece %d\n" % number for number in range(20))
    assert client.ask("/echo?x=%2F", "POST", body=b"12345").json["length"] == 5
    events = client.ask("/events")
    assert (events.value("content-type"), events.body) == (
        "text/event-stream",
        b"".join(b"data: %d\n\n" % number for number in range(5)),
    )


def test_uvicorn_speaks_websockets(weir, connect, app):
    client = connect(weir(app("uvicorn")))
    assert websocket.handshake(client, "/ws").status == 101
    client.send(websocket.frame(b"hello"))
    assert websocket.read_frame(client) == (websocket.TEXT, b"hello")


def curl(*arguments):
    done = subprocess.run(["curl", "-sS", "--max-time", "30", *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_curl_gets_and_posts(weir, app, tmp_path):
    proxy = weir(app("gunicorn", worker="gthread"))
    body = os.urandom(3 << 20)
    upload = tmp_path / "upload"
    upload.write_bytes(body)
    digest = hashlib.sha256(body).hexdigest().encode()
    assert curl(f"{proxy.url}/hello") == b"hello from flask\n"
    assert curl("--data-binary", f"@{upload}", f"{proxy.url}/digest") == digest
    assert curl("-H", "Transfer-Encoding: chunked", "--data-binary", f"@{upload}", f"{proxy.url}/digest") == digest
    assert curl("-H", "Expect: 100-continue", "-T", upload, "-X", "POST", f"{proxy.url}/digest") == digest
    assert len(curl(f"{proxy.url}/bytes/5000000")) == 5_000_000
    assert curl("--http1.0", f"{proxy.url}/hello") == b"hello from flask\n"
    assert b"HTTP/1.1 200" in curl("-I", f"{proxy.url}/hello")


def test_curl_reads_many_urls_over_one_connection(weir, app):
    proxy = weir(app("node"))
    out = curl("-w", "%{num_connects}\n", *[f"{proxy.url}/hello"] * 5)
    assert out.decode().replace("hello from node\n", "").split() == ["1", "0", "0", "0", "0"]
