"""`weir check` on files that are far from what anybody would write: all is said, and soon."""

import re

from harness.poll import Stopwatch
from harness.weir import is_sanitized, run

SMALLEST = "listen: 127.0.0.1:8080\nupstream: http://127.0.0.1:5000\n"
SOON = 20 if is_sanitized() else 3  # seconds


def check(directory, text):
    (directory / "weir.yaml").write_text(text)
    with Stopwatch() as watch:
        code, _, errors = run(directory, "check", "weir.yaml")
    assert watch.seconds < SOON
    return code, errors


def mistakes_in(errors):
    return re.findall(r"^weir\.yaml:(\d+):\d+: error: (.*)$", errors, re.M)


def test_a_thousand_mistakes_are_all_told_at_their_places(tmp_path):
    kinds = ["  - {{match: {{path: /{n}}}, nmae: a}}", "  - {{match: {{path: x{n}}}}}", "  - {{timeout: {n}}}", "  - {n}"]
    lines = [kinds[n % len(kinds)].format(n=n) for n in range(1000)]
    code, errors = check(tmp_path, SMALLEST + "routes:\n" + "\n".join(lines) + "\n")
    assert code == 1
    assert [int(line) for line, _ in mistakes_in(errors)] == list(range(4, 1004))


def test_past_two_thousand_mistakes_the_rest_is_counted(tmp_path):
    code, errors = check(tmp_path, SMALLEST + "".join(f"unknown_{n}: 1\n" for n in range(3000)))
    found = mistakes_in(errors)
    assert (code, len(found)) == (1, 2001)
    assert found[-1][1].startswith("1000 more mistakes are not shown")


def test_a_line_of_a_mebibyte_is_told_of_in_short(tmp_path):
    keys = ", ".join(f"'{'q' * 500}{n}': 1" for n in range(1900))
    code, errors = check(tmp_path, SMALLEST + f"limits: {{{keys}}}\n")
    assert (code, len(mistakes_in(errors))) == (1, 1900)
    assert len(errors) < 1 << 20
    assert max(map(len, errors.splitlines())) < 300


def test_ten_megabytes_are_refused_by_their_size(tmp_path):
    code, errors = check(tmp_path, SMALLEST + "# " + "x" * 10_000_000 + "\n")
    assert (code, errors) == (1, "weir.yaml: error: the file is larger than 1MiB\n")


def test_a_mebibyte_is_read(tmp_path):
    text = SMALLEST + "# " + "x" * ((1 << 20) - len(SMALLEST) - 3) + "\n"
    assert len(text) == 1 << 20
    assert check(tmp_path, text) == (0, "")


def test_quiet_shows_mistakes_and_warnings_alone(tmp_path):
    (tmp_path / "good.yaml").write_text(SMALLEST)
    (tmp_path / "risky.yaml").write_text(SMALLEST + "clients: {trusted_proxies: [0.0.0.0/0]}\n")
    (tmp_path / "bad.yaml").write_text(SMALLEST + "limts: 1\n")
    assert run(tmp_path, "check", "--quiet", "good.yaml") == (0, "", "")
    code, shown, errors = run(tmp_path, "check", "-q", "risky.yaml")
    assert (code, shown) == (0, "") and ": warning: " in errors
    code, shown, errors = run(tmp_path, "check", "-q", "bad.yaml")
    assert (code, shown) == (1, "") and "did you mean `limits`?" in errors
