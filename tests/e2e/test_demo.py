"""The demo: a sample app behind a proxy, to be tried with what it prints."""

import re
import signal
import subprocess

import pytest

from harness import weir as binary
from harness.poll import eventually
from harness.process import Process


@pytest.fixture
def demo(stage):
    """A running demo; its printed text."""
    started = stage.bare_weir("demo", "--listen", "127.0.0.1:PORT")
    eventually(lambda: len(commands_in(started)) >= 3, what="three commands to try")
    return started


def commands_in(demo):
    return re.findall(r"^ +((?:curl|for) .*)$", demo.stdout, re.M)


def urls_in(demo):
    return sorted(set(re.findall(rf"{re.escape(demo.url)}/[^\s'\"]*", demo.stdout)))


def curl(url, *options):
    """(status, body)."""
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "20", "-w", "\n%{http_code}", *options, url],
        capture_output=True,
        text=True,
        check=False,
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def test_the_commands_name_the_address_it_listens_on(demo):
    assert all(demo.url in command for command in commands_in(demo)), demo.stdout


def test_every_printed_url_answers(demo):
    urls = urls_in(demo)
    assert len(urls) >= 3, demo.stdout
    for url in urls:
        status, _ = curl(url)
        assert status not in (0, 404), url


def test_every_printed_command_runs(demo, tmp_path):
    for command in commands_in(demo):
        done = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, timeout=30, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, (command, done.stderr)


def test_one_route_answers_and_one_fails(demo):
    statuses = {curl(url)[0] for url in urls_in(demo)}
    assert statuses & set(range(200, 300))
    assert statuses & set(range(500, 600)), "the failing route"


def test_the_loop_it_prints_ends_in_refusals_that_say_why(demo):
    (loop,) = [command for command in commands_in(demo) if "seq 35" in command]
    done = subprocess.run(["bash", "-c", loop], capture_output=True, text=True, timeout=30, check=False)
    codes = re.findall(r" (\d{3})$", done.stdout, re.M)
    assert codes == ["200"] * 30 + ["429"] * 5, done.stdout
    assert done.stdout.count('"reason":"rate_limited","rule":"slow-per-10s"') == 5


def test_a_crowd_waits_in_the_queue_that_the_demo_has(demo):
    (crowd,) = [command for command in commands_in(demo) if "seq 28" in command]
    done = subprocess.run(["bash", "-c", crowd], capture_output=True, text=True, timeout=30, check=False)
    answers = [line.split() for line in done.stdout.splitlines()]
    assert len(answers) == 28
    assert {code for code, _ in answers} <= {"200", "503"}
    assert sum(code == "200" for code, _ in answers) >= 24
    assert max(float(seconds) for _, seconds in answers) > 2, "the last ones have waited"


def test_a_burst_takes_nothing_from_the_other_routes(demo, stage):
    client = stage.connect(demo)
    assert [client.ask("/slow?ms=0").status for _ in range(40)].count(429) == 10
    answer = client.ask("/fast")
    assert answer.status == 200
    assert answer.value("ratelimit-policy") == '"per-min";q=300;w=60'


def test_limits_may_be_others(stage):
    client = stage.connect(stage.bare_weir("demo", "-l", "127.0.0.1:PORT", "--set", "limits.rate=[2/min]"))
    assert [client.ask("/fast").status for _ in range(3)] == [200, 200, 429]


def test_it_goes_away_when_asked(demo):
    demo.stop()


def test_it_may_listen_anywhere(stage):
    """Port 0 is one that is free, and no address is all of them: what it prints works nevertheless."""
    started = Process([binary.BINARY, "demo", "--listen", ":0"], stage.directory, "demo", binary.SANITIZER_OPTIONS)
    try:
        eventually(lambda: len(commands_in(started)) >= 3, what="three commands to try")
        (url,) = set(re.findall(r"http://\S+?/fast", started.stdout))
        assert curl(url)[0] == 200
    finally:
        started.signal(signal.SIGTERM)
    assert started.wait() == 0


def test_flags_behind_its_name_are_heard(stage):
    started = stage.bare_weir("demo", "-l", "127.0.0.1:PORT", "--set", "timeout.total=300ms", "--set", "limits.uri=64B")
    client = stage.connect(started)
    assert client.ask("/slow?ms=10").status == 200
    client.request("/slow?ms=5000").assert_problem(504, "deadline")
    client.request("/" + "x" * 64).assert_problem(414, "uri_too_long")


def test_flags_that_are_wrong_are_told(tmp_path):
    code, _, err = binary.run(tmp_path, "demo", "--set", "timeout.totl=5s")
    assert code == 1
    assert "timeout.totl" in err
