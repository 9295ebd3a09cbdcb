"""The configurations and recipes that the project recommends, in front of real apps that run as they say."""

import os
import re
import shlex
import subprocess
import sys
import threading
from contextlib import closing

import pytest
import yaml

from harness.apps import App
from harness.client import Client
from harness.metrics import scrape
from harness.poll import eventually, free_port
from harness.weir import BINARY, ROOT, is_sanitized, run

CONF = ROOT / "conf"
FLASK = """
import time
from flask import Flask

app = Flask(__name__)

@app.get("/health")
def health():
    return "ok"

@app.get("/slow")
@app.get("/reports/slow")
def slow():
    time.sleep(0.1)
    return "done"
"""
ASGI = """
import asyncio

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    if scope["path"] == "/slow":
        await asyncio.sleep(0.1)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
"""
NODE = """
const http = require('http');
const server = http.createServer((request, response) => {
  if (request.url === '/events') {
    response.writeHead(200, {'Content-Type': 'text/event-stream'});
    response.write('data: hello\\n\\n');
  } else if (request.url === '/slow') {
    setTimeout(() => response.end('done'), 100);
  } else {
    response.end('ok');
  }
});
SETTINGS
server.listen(Number(process.argv[2]), '127.0.0.1');
"""


def comments_of(name):
    return "\n".join(re.findall(r"^# ?(.*)$", (CONF / name).read_text(), re.M))


def gunicorn_as_recommended(directory):
    """The command of conf/flask.yaml, but for its port and the app."""
    command = re.search(r"^ *gunicorn ((?:.*\\\n)*.*) app:app$", comments_of("flask.yaml"), re.M)[1]
    arguments = shlex.split(command.replace("\\\n", " "))
    port = free_port()
    assert arguments[:2] == ["--bind", "127.0.0.1:5000"]
    (directory / "recipe_app.py").write_text(FLASK)
    command = [sys.executable, "-m", "gunicorn", "--chdir", directory, "--bind", f"127.0.0.1:{port}"]
    return App(directory, "gunicorn", [*command, *arguments[2:], "recipe_app:app"], port)


def uvicorn_as_recommended(directory):
    """The command of README.md, but for its port and the app."""
    command = re.search(r"^uvicorn (--host 127.0.0.1 --port 5000 .*) app:app$", (ROOT / "README.md").read_text(), re.M)[1]
    port = free_port()
    (directory / "recipe_app.py").write_text(ASGI)
    arguments = shlex.split(command.replace("5000", str(port)))
    command = [sys.executable, "-m", "uvicorn", "--app-dir", directory, *arguments, "recipe_app:app"]
    return App(directory, "uvicorn", command, port)


def node_as_recommended(directory):
    settings = re.findall(r"^ *(server\.\w+ = .*)$", comments_of("node.yaml"), re.M)
    assert len(settings) == 3
    (directory / "app.js").write_text(NODE.replace("SETTINGS", "\n".join(settings)))
    port = free_port()
    return App(directory, "node", ["node", directory / "app.js", port], port)


@pytest.fixture
def behind_weir(stage, tmp_path):
    """behind_weir(app, "flask.yaml"): weir with that file, but for the two addresses."""

    def start(make, name):
        app = stage.adopt(make(tmp_path))
        admin = {"WEIR_ADMIN": "127.0.0.1:0"}
        return stage.bare_weir("-c", CONF / name, "-l", "127.0.0.1:PORT", "-u", app.url, env=admin)

    return start


def ask_together(proxy, target, count):
    """The statuses of as many requests at once, each from an address of its own."""
    statuses = []

    def ask(number):
        with closing(Client(proxy.address, source=f"127.0.1.{number + 1}")) as client:
            statuses.append(client.ask(target).status)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


@pytest.mark.parametrize("name", ["flask.yaml", "node.yaml", "minimal.yaml", "installed.yaml", "weir.yaml"])
def test_a_recommended_configuration_has_no_risks(tmp_path, name):
    code, _, errors = run(tmp_path, "check", CONF / name)
    assert (code, errors) == (0, "")


@pytest.mark.parametrize("target, most", [("/slow", 20), ("/reports/slow", 4)])
def test_flask_under_gunicorn_is_asked_no_more_than_it_has_threads_for(behind_weir, target, most):
    proxy = behind_weir(gunicorn_as_recommended, "flask.yaml")
    eventually(lambda: "is up" in proxy.stderr, what="the check of /health passes")
    assert set(ask_together(proxy, target, most + 10)) == {200}
    with closing(proxy.connect()) as client:
        for _ in range(3):
            assert client.ask("/slow").status == 200
    figures = scrape(proxy)
    assert figures.one("weir_queue_peak", queue="concurrency" if most == 20 else "reports-concurrency") > 0
    assert figures.total("weir_pool_reuse_total") > 0
    assert figures.total("weir_refused_total", mode="enforce") == 0


def test_an_app_under_uvicorn_is_asked_on_connections_that_stay(behind_weir):
    proxy = behind_weir(uvicorn_as_recommended, "flask.yaml")
    eventually(lambda: "is up" in proxy.stderr, within=20, what="the check of /health passes")
    assert set(ask_together(proxy, "/slow", 30)) == {200}
    assert set(ask_together(proxy, "/slow", 10)) == {200}
    assert scrape(proxy).total("weir_pool_reuse_total") > 0


def test_node_streams_events_beside_other_requests(behind_weir):
    proxy = behind_weir(node_as_recommended, "node.yaml")
    eventually(lambda: "is up" in proxy.stderr, what="the check of /health passes")
    with closing(proxy.connect()) as listening:
        listening.request("/events")
        assert listening.head().status == 200
        assert listening.chunk() == b"data: hello\n\n"
        assert set(ask_together(proxy, "/slow", 30)) == {200}
        assert scrape(proxy).one("weir_in_flight", queue="events-concurrency") == 1
    eventually(lambda: scrape(proxy).one("weir_in_flight", queue="concurrency") == 0)


def test_the_manifest_for_kubernetes_agrees_with_itself(tmp_path):
    config, deployment, service = yaml.safe_load_all((CONF / "kubernetes/sidecar.yaml").read_text())
    text = config["data"]["weir.yaml"]
    (tmp_path / "weir.yaml").write_text(text)
    code, _, errors = run(tmp_path, "check", "weir.yaml", env={"WEIR_ADMIN_TOKEN": "0123456789abcdef" * 4})
    assert code == 0
    # The one that it cannot be without: Prometheus asks over the pods' network.
    assert errors.count("warning:") == 1 and "`admin.address`" in errors, errors
    settings = yaml.safe_load(text)
    pod = deployment["spec"]["template"]["spec"]
    app, weir = pod["containers"]
    ports = {port["name"]: port["containerPort"] for port in weir["ports"]}
    assert ports == {"http": 8080, "admin": 9180}
    assert (settings["listen"], settings["admin"]["address"]) == (":8080", ":9180")
    assert weir["livenessProbe"]["httpGet"] == {"path": settings["public"]["health"], "port": "http"}
    assert weir["readinessProbe"]["httpGet"] == {"path": settings["health"], "port": "http"}
    drain = int(settings["drain"].removesuffix("s"))
    pause = weir["lifecycle"]["preStop"]["sleep"]["seconds"]
    stays = int(app["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pause + drain < stays < pod["terminationGracePeriodSeconds"]
    assert weir["args"] == ["--config", weir["volumeMounts"][0]["mountPath"] + "/weir.yaml"]
    assert service["spec"]["ports"][0]["targetPort"] == "http"


def test_the_files_of_a_container_are_all_that_weir_needs(tmp_path):
    if is_sanitized():
        pytest.skip("the sanitizers need more of the machine")
    root = tmp_path / "root"
    subprocess.run([ROOT / "scripts/container_root.sh", root, BINARY], check=True, timeout=30)
    (root / "etc/weir/weir.yaml").write_text((CONF / "minimal.yaml").read_text())
    inside = ["chroot", root] if os.geteuid() == 0 else ["unshare", "--map-root-user", "chroot", root]
    done = subprocess.run(
        [*inside, "/usr/bin/weir", "check"], capture_output=True, text=True, timeout=30, check=False, env={"PATH": "/usr/sbin:/usr/bin"}
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("this machine lets nobody change the root")
    assert (done.returncode, done.stderr) == (0, "")
    assert "upstream:" in done.stdout
