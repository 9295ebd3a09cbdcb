"""The demo: a sample app behind a proxy, to be tried with what it prints."""

import re
import subprocess

import pytest

from harness.poll import eventually


@pytest.fixture
def demo(stage):
    """A running demo; its printed text."""
    started = stage.bare_weir("demo", "--listen", "127.0.0.1:PORT")
    eventually(lambda: len(commands_in(started)) >= 3, what="three commands to try")
    return started


def commands_in(demo):
    return re.findall(r"^\s*\$?\s*(curl .*)$", demo.stdout, re.M)


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


def test_one_route_fails_and_one_streams(demo):
    statuses = {curl(url)[0] for url in urls_in(demo)}
    assert statuses & set(range(200, 300))
    assert statuses & set(range(500, 600)), "the failing route"


def test_it_goes_away_when_asked(demo):
    demo.stop()
