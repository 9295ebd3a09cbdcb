"""The command line: what it prints, where it points, and with which code it ends."""

import socket

import pytest

from harness import weir as binary
from harness.upstream import answering, reporting

MINIMAL = "listen: 127.0.0.1:8080\nupstream: http://127.0.0.1:5000\n"


@pytest.fixture
def run(tmp_path):
    """run(arguments...) in a directory of its own; (exit code, stdout, stderr)."""
    return lambda *arguments, env=None: binary.run(tmp_path, *arguments, env=env)


@pytest.fixture
def check(run, tmp_path):
    """check(text) checks a config of that text: (exit code, all output)."""

    def go(text, env=None):
        (tmp_path / "weir.yaml").write_text(text)
        code, out, err = run("check", "weir.yaml", env=env)
        return code, out + err

    return go


def line_with(output, word):
    found = [line for line in output.splitlines() if word in line]
    assert found, f"{word} is not in\n{output}"
    return found[0]


def test_version_names_weir_and_its_libraries(run):
    code, out, _ = run("version")
    assert code == 0
    assert out.startswith("weir ")
    assert "libevent" in out


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["demo", "--help"]])
def test_help_is_no_error(run, arguments):
    code, out, _ = run(*arguments)
    assert code == 0
    assert "weir" in out.lower()


@pytest.mark.parametrize(
    "arguments", [["--no-such-flag"], ["no-such-command"], ["--set"], ["check", "--no-such-flag"], ["--config"]]
)
def test_bad_usage_ends_with_2(run, arguments):
    code, _, err = run(*arguments)
    assert code == 2
    assert err


def test_check_of_a_good_file_ends_with_0_and_shows_where_each_value_is_from(check):
    code, output = check(MINIMAL + "timeout:\n  header: 5s\n", env={"WEIR_LIMITS_HEADERS": "50"})
    assert code == 0
    assert line_with(output, "  header: 5s").endswith("weir.yaml:4")
    assert line_with(output, "  total: 30s").endswith("default")
    assert line_with(output, "  headers: 50").endswith("WEIR_LIMITS_HEADERS")


def test_what_check_prints_is_a_config_of_the_same_meaning(check):
    _, first = check(MINIMAL + "limits: {body: 1KiB}\n")
    code, second = check(first)
    assert code == 0
    assert [line.split("#")[0] for line in first.splitlines()] == [line.split("#")[0] for line in second.splitlines()]


def test_an_error_has_file_line_column_the_line_and_the_nearest_name(check):
    code, output = check(MINIMAL + "timeout:\n  heeder: 5s\n")
    assert code == 1
    assert "weir.yaml:4:3" in output
    assert "heeder: 5s" in output
    assert "header" in output


@pytest.mark.parametrize(
    "text, place, word",
    [
        ("timeout: {header: 5}\n", "3:19", "5s"),
        ("workers: many\n", "3:10", "auto"),
        ("limits: {headers: 100000}\n", "3:19", "1000"),
        ("limits: {body: 10 apples}\n", "3:16", ""),
        ("log: {format: xml}\n", "3:15", "json"),
        ("timeout: 1s\ntimeout: 2s\n", "4:1", ""),
        ("workers: [1]\n", "3:10", ""),
        ("log: ${NO_SUCH_NAME}\n", "3:6", "NO_SUCH_NAME"),
        ("workers: *x\n", "3:10", ""),
        ("a: b: c\n", "3:", ""),
    ],
)
def test_mistakes_are_pointed_at(check, text, place, word):
    code, output = check(MINIMAL + text)
    assert code == 1
    assert f"weir.yaml:{place}" in output
    assert word in output


def test_all_mistakes_are_told_at_once(check):
    code, output = check(MINIMAL + "workers: many\nno_such: 1\ntimeout: {header: 5}\n")
    assert code == 1
    for place in ("weir.yaml:3:", "weir.yaml:4:", "weir.yaml:5:"):
        assert place in output


def test_check_without_upstream_says_what_is_missing(check):
    code, output = check("listen: 127.0.0.1:8080\n")
    assert code == 1
    assert "upstream" in output


def test_a_variable_is_filled_in(check):
    code, output = check(MINIMAL + "timeout: ${WAIT:-7s}\nlimits:\n  headers: ${COUNT}\n", env={"COUNT": "42"})
    assert code == 0
    assert line_with(output, "  total: 7s")
    assert line_with(output, "  headers: 42")


def test_a_file_that_is_not_there_is_a_bad_config(run):
    for arguments in (["check", "nowhere.yaml"], ["--config", "nowhere.yaml"]):
        code, out, err = run(*arguments)
        assert code == 1
        assert "nowhere.yaml" in out + err


def test_no_file_and_no_flags_says_what_to_do(run):
    code, _, err = run()
    assert code in (1, 2)
    assert "weir.yaml" in err


def test_a_bad_config_does_not_start(run, tmp_path):
    (tmp_path / "weir.yaml").write_text(MINIMAL + "workers: many\n")
    code, _, err = run("--config", "weir.yaml")
    assert code == 1
    assert "weir.yaml:3:10" in err


def test_a_port_that_is_taken_ends_with_3(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        code, _, err = run("--listen", address, "--upstream", "http://127.0.0.1:5000")
    assert code == 3
    assert address in err


def test_it_runs_on_flags_alone(stage, upstream):
    app = upstream(reporting)
    proxy = stage.bare_weir("--listen", "127.0.0.1:PORT", "--upstream", app.url)
    assert stage.connect(proxy).ask("/flags").json["target"] == "/flags"


def test_it_finds_the_file_of_its_directory(stage, upstream, tmp_path):
    app = upstream(answering())
    directory = tmp_path / "weir-0"
    directory.mkdir()
    (directory / "weir.yaml").write_text(f"upstream: {app.url}\nlisten: 127.0.0.1:1\n")
    proxy = stage.bare_weir("--listen", "127.0.0.1:PORT")
    assert stage.connect(proxy).ask().status == 200


@pytest.mark.parametrize(
    "flags, env, allowed",
    [
        ([], {}, 100),
        ([], {"WEIR_LIMITS_BODY": "200B"}, 200),
        (["--set", "limits.body=300B"], {"WEIR_LIMITS_BODY": "200B"}, 300),
    ],
    ids=["file", "environment", "flag"],
)
def test_environment_goes_over_file_and_flags_over_both(weir, connect, upstream, flags, env, allowed):
    proxy = weir(upstream(answering()), flags=flags, env=env, limits={"body": "100B"})
    assert connect(proxy).ask("/", "POST", body=b"x" * allowed).status == 200
    connect(proxy).request("/", "POST", body=b"x" * (allowed + 1)).assert_problem(413, "body_too_large")


def test_a_bad_flag_value_is_quoted(run):
    code, _, err = run("--listen", "127.0.0.1:8080", "--upstream", "http://127.0.0.1:5000", "--set", "timeout.header=5")
    assert code in (1, 2)
    assert "timeout.header" in err
