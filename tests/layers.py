#!/usr/bin/python3
"""Checks what the compiler does not: which folder may include which, where a library is quarantined, who may read a
clock, who may allocate by hand, how long a file may be. Each rule first proves that it catches a violation."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES = 500

MAY_INCLUDE = {
    "main": {"app"},
    "app": {"proxy", "net", "http", "policy", "config", "base", "demo", "cli"},
    "cli": {"config", "http", "policy", "base", "demo"},
    "proxy": {"net", "http", "policy", "config", "base"},
    "policy": {"config", "base"},
    "config": {"base"},
    "http": {"base"},
    "net": {"base"},
    "demo": {"base"},
    "base": set(),
}

# What an include begins with, and the paths that may name it.
QUARANTINE = {
    "event2/": ("net/",),
    "openssl/": ("net/", "demo/"),
    "nghttp2/": ("http/h2_session.cc",),
    "yaml-cpp/": ("config/",),
    "spdlog/": ("base/log.cc",),
    "nlohmann/": ("app/", "cli/", "demo/"),
    "CLI/": ("app/", "cli/"),
    "prometheus/": ("app/metrics_page.",),
    "systemd/": ("app/service_notice.cc",),
}

CLOCK_READ = re.compile(
    r"\b(?:(?:steady|system|high_resolution)_clock|Clock)::now\b|\bclock_gettime\b|\bgettimeofday\b"
    r"|\btime\s*\(\s*(?:nullptr|NULL|0)\s*\)|(?<![.>\w])(?:monotonic|wall)_now\s*\("
)
MAY_READ_CLOCK = ("base/clock.h", "net/loop.", "app/", "demo/", "proxy/log_writer.cc")

ALLOCATION = re.compile(r"(?<!operator )\bnew\b(?!\s*[;,.)\"'>])|(?<!= )(?<!operator )\bdelete\b(?!\s*[;,_])")
MAY_ALLOCATE = ("base/block_pool.", "base/object_pool.")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)


def code_of(text):
    """Without comments and literals; lines stay where they are."""
    return NOISE.sub(lambda match: " " + "\n" * match[0].count("\n"), text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def sources(tree):
    """(path below src/, text) of the product's C++ files."""
    return [(path[4:], text) for path, text in tree.items() if path.startswith("src/") and path.endswith((".cc", ".h"))]


def folder_of(path):
    return path.split("/")[0] if "/" in path else path.rsplit(".", 1)[0]


def check_directions(tree):
    for path, text in sources(tree):
        allowed = MAY_INCLUDE.get(folder_of(path))
        if allowed is None:
            yield f"src/{path}: the folder stands in no layer"
            continue
        for match in INCLUDE.finditer(text):
            target = match[2].split("/")[0]
            if match[1] == '"' and target not in allowed | {folder_of(path)}:
                yield f"src/{path}:{line_of(text, match.start())}: {folder_of(path)} may not include {match[2]}"


def check_quarantine(tree):
    for path, text in sources(tree):
        for match in INCLUDE.finditer(text):
            for library, places in QUARANTINE.items():
                if match[2].startswith(library) and not path.startswith(places):
                    yield f"src/{path}:{line_of(text, match.start())}: {match[2]} belongs in {', '.join(places)} alone"


def check_pattern(tree, pattern, places, complaint):
    for path, text in sources(tree):
        if path.startswith(places):
            continue
        code = code_of(text)
        for match in pattern.finditer(code):
            yield f"src/{path}:{line_of(code, match.start())}: {complaint}: {match[0].strip()}"


def check_clocks(tree):
    return check_pattern(tree, CLOCK_READ, MAY_READ_CLOCK, "reads a clock instead of being given the time")


def check_allocations(tree):
    return check_pattern(tree, ALLOCATION, MAY_ALLOCATE, "allocates or frees by hand")


def check_length(tree):
    for path, text in tree.items():
        if path.endswith((".cc", ".h", ".py")) and text.count("\n") > MAX_LINES:
            yield f"{path}: {text.count(chr(10))} lines, at most {MAX_LINES} are allowed"


# Each rule with files it has to complain about and files it has to let pass.
RULES = {
    "includes go downwards": (
        check_directions,
        [
            {"src/base/a.h": '#include "net/loop.h"\n'},
            {"src/net/a.cc": '#include "http/message.h"\n'},
            {"src/policy/a.h": '#include "http/message.h"\n'},
            {"src/cli/a.cc": '#  include "app/worker.h"\n'},
            {"src/main.cc": '#include "proxy/exchange.h"\n'},
            {"src/misc/a.h": ""},
            {"src/http/a.h": '#include "config/settings.h"\n'},
        ],
        [
            {"src/proxy/a.cc": '#include "proxy/a.h"\n#include "net/loop.h"\n#include <vector>\n'},
            {"src/main.cc": '#include "app/main_program.h"\n'},
        ],
    ),
    "libraries stay in quarantine": (
        check_quarantine,
        [
            {"src/proxy/a.cc": "#include <event2/event.h>\n"},
            {"src/http/a.cc": "#include <openssl/ssl.h>\n"},
            {"src/proxy/client_h2.cc": "#include <nghttp2/nghttp2.h>\n"},
            {"src/app/a.cc": "#include <yaml-cpp/yaml.h>\n"},
            {"src/base/a.cc": "#include <spdlog/spdlog.h>\n"},
            {"src/http/reason.cc": "#include <nlohmann/json.hpp>\n"},
            {"src/config/a.cc": "#include <CLI/CLI.hpp>\n"},
            {"src/proxy/metrics.cc": "#include <prometheus/counter.h>\n"},
            {"src/app/server.cc": "#include <systemd/sd-daemon.h>\n"},
        ],
        [
            {"src/net/a.cc": "#include <event2/event.h>\n#include <openssl/ssl.h>\n"},
            {"src/base/log.cc": "#include <spdlog/spdlog.h>\n"},
        ],
    ),
    "time is handed in": (
        check_clocks,
        [
            {"src/policy/a.cc": "auto now = std::chrono::steady_clock::now();\n"},
            {"src/proxy/a.cc": "auto t = monotonic_now();\n"},
            {"src/http/a.cc": "time_t t = time(nullptr);\n"},
            {"src/net/a.cc": "clock_gettime(CLOCK_MONOTONIC, &t);\n"},
            {"src/config/a.cc": "return Clock::now();\n"},
            {"src/base/a.cc": "auto t = wall_now ();\n"},
        ],
        [
            {"src/base/clock.h": "Clock::now()\n"},
            {"src/proxy/a.cc": "Time now = loop.wall_now();\n"},
            {"src/policy/a.cc": "// steady_clock::now() is read elsewhere\nTime now;\n"},
            {"src/http/a.cc": 'const char* s = "time(nullptr)";\nTimePoint run_time(int);\n'},
        ],
    ),
    "nobody allocates by hand": (
        check_allocations,
        [
            {"src/http/a.cc": "int* p = new int[3];\n"},
            {"src/http/a.cc": "delete p;\n"},
            {"src/proxy/a.cc": "delete[] p;\n"},
            {"src/net/a.cc": "auto* p = ::new (memory) Thing;\n"},
        ],
        [
            {
                "src/http/a.cc": "A(const A&) = delete;\n// a new one; delete it\nconst char* s = \"new delete\";\nMethod m = Method::delete_;\n"
            },
            {"src/http/a.h": "void* operator new(size_t);\n"},
        ],
    ),
    f"no file is longer than {MAX_LINES} lines": (
        check_length,
        [{"src/http/a.cc": "\n" * 501}, {"tests/unit/a_test.cc": "\n" * 501}, {"tests/e2e/test_a.py": "\n" * 501}],
        [{"src/http/a.cc": "\n" * 500}, {"tests/fuzz/corpus/a": "\n" * 900}],
    ),
}


def read_tree():
    files = [path for folder in ("src", "tests") for path in (ROOT / folder).rglob("*")]
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for path in files
        if path.suffix in (".cc", ".h", ".py") and "node_modules" not in path.parts
    }


def main():
    tree = read_tree()
    results = []
    for name, (check, guilty, innocent) in RULES.items():
        blind = [example for example in guilty if not list(check(example))]
        harsh = [complaint for example in innocent for complaint in check(example)]
        results.append((f"the rule itself works: {name}", [f"not caught: {example}" for example in blind] + harsh))
        results.append((name, list(check(tree))))
    for name, complaints in results:
        for complaint in complaints:
            print(f"{complaint}   [{name}]")
    failed = sum(1 for _, complaints in results if complaints)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
