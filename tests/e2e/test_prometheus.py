"""A real Prometheus reads what weir says, its rules fire when they should, and the dashboard asks for what there is."""

import json
import re
import shutil
import subprocess
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from harness.metrics import ask_admin
from harness.poll import eventually, free_port
from harness.process import Process
from harness.upstream import answering
from harness.weir import ROOT

CONF = ROOT / "conf/prometheus"
PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")
needs_prometheus = pytest.mark.skipif(
    not (PROMETHEUS and PROMTOOL), reason="Debian's package prometheus is not installed"
)
EVERYTHING = {
    "admin": "127.0.0.1:0",
    "limits": {"concurrency": 4, "queue": {"size": 8}, "rate": ["1000/min"]},
    "health": {"path": "/health"},
    "shadow": [{"name": "tight", "rate": "1/hour"}],
    "routes": [{"match": {"path": "/few"}, "name": "few", "limits": {"rate": ["1/hour"]}}],
}


def promtool(*arguments):
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, timeout=30, check=False, cwd=CONF)
    return done.returncode, done.stdout + done.stderr


@needs_prometheus
def test_the_files_for_prometheus_are_sound():
    for arguments in [("config", "prometheus.yml"), ("rules", "weir.rules.yml")]:
        code, said = promtool("check", *arguments)
        assert code == 0, said


@needs_prometheus
def test_each_alert_fires_when_it_should_and_not_before():
    code, said = promtool("test", "rules", "weir.test.yml")
    assert code == 0, said
    alerts = set(re.findall(r"- alert: (\w+)", (CONF / "weir.rules.yml").read_text()))
    assert len(alerts) >= 6
    tests = (CONF / "weir.test.yml").read_text()
    untested = {alert for alert in alerts if not re.search(rf"alertname: {alert}\n\s+exp_alerts", tests)}
    assert untested == set()


def names_in(expression):
    """The metrics that a query asks for."""
    return {
        re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"\b(?:weir|process)_\w+", expression)
    }


def expressions_in(value):
    if isinstance(value, dict):
        yield from ([value["expr"]] if "expr" in value else [])
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from expressions_in(each)


def test_the_dashboard_and_the_alerts_ask_for_metrics_that_there_are(weir, upstream):
    proxy = weir(upstream(answering()), **EVERYTHING)
    exposed = set(re.findall(r"^# TYPE (\w+) ", ask_admin(proxy, "/metrics").body.decode(), re.M))
    dashboard = json.loads((ROOT / "conf/grafana/weir.json").read_text())
    expressions = list(expressions_in(dashboard))
    assert len(expressions) >= 20
    shown = set().union(*map(names_in, expressions))
    assert shown - exposed == set()
    alerted = names_in("\n".join(re.findall(r"expr: (.*(?:\n {10}.*)*)", (CONF / "weir.rules.yml").read_text())))
    assert len(alerted) >= 8
    assert alerted - exposed == set()
    # What an operator is not shown has to be something else than a figure of traffic.
    assert {name for name in exposed - shown if not name.startswith("process_")} <= {
        "weir_build_info",
        "weir_h2_floods_total",
        "weir_config_reload_timestamp_seconds",
        "weir_pool_reuse_total",
        "weir_queue_peak",
    }


def test_the_panels_of_the_dashboard_do_not_overlap():
    panels = json.loads((ROOT / "conf/grafana/weir.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


class RunningPrometheus(Process):
    """With the project's own configuration, but for the target and the pace."""

    def __init__(self, directory, target):
        self.port = free_port()
        text = (CONF / "prometheus.yml").read_text()
        assert text.count("127.0.0.1:9180") == 1
        text = text.replace("127.0.0.1:9180", target).replace("15s", "1s")
        (directory / "prometheus.yml").write_text(text)
        shutil.copy(CONF / "weir.rules.yml", directory)
        command = [
            PROMETHEUS,
            "--config.file=prometheus.yml",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]
        super().__init__(command, directory, "prometheus")

    def ask(self, path):
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", timeout=5) as answer:
                return json.load(answer)["data"]
        except OSError:
            assert self.is_running, self.stderr
            return None

    def value(self, query):
        """Of the only series that the query finds, or None."""
        found = self.ask(f"query?query={quote(query)}")
        if not found or len(found["result"]) != 1:
            return None
        return float(found["result"][0]["value"][1])


@needs_prometheus
def test_a_real_prometheus_scrapes_weir_and_answers(weir, upstream, connect, tmp_path):
    proxy = weir(upstream(answering()), **EVERYTHING)
    running = RunningPrometheus(tmp_path, "127.0.0.1:%d" % proxy.admin[1])
    try:
        eventually(lambda: running.value('up{job="weir"}') == 1, within=30, what="a first scrape")
        client = connect(proxy)
        for target in ["/", "/", "/few", "/few"]:
            client.ask(target)
        eventually(lambda: running.value('weir_requests_total{route="(none)", code="200"}') == 2)
        assert running.value('weir_refused_total{rule="few-per-hour", mode="enforce"}') == 1
        assert running.value('sum(weir_refused_total{rule="tight", mode="shadow"})') >= 1
        assert running.value('weir_request_duration_seconds_bucket{route="(none)", le="+Inf"}') == 2
        assert running.value("weir_upstream_up") == 1
        eventually(lambda: running.value('weir_health_checks_total{result="passed"}') >= 1)
        for expression in expressions_in(json.loads((ROOT / "conf/grafana/weir.json").read_text())):
            query = expression.replace("$instance", ".*").replace("$__rate_interval", "1m")
            assert running.ask(f"query?query={quote(query)}") is not None, query
        target = running.ask("targets")["activeTargets"][0]
        assert (target["health"], target["lastError"]) == ("up", "")
        rules = [rule for group in running.ask("rules")["groups"] for rule in group["rules"]]
        assert {rule["health"] for rule in rules} <= {"ok", "unknown"}
        assert {rule["state"] for rule in rules if rule["name"] in ("WeirDown", "WeirNoUpstream")} == {"inactive"}
    finally:
        running.kill_group()
