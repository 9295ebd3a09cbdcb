#!/usr/bin/env python3
"""embed_page.py PAGE.html OUT.cc: makes the page for the operator a C++ file, with the Content-Security-Policy that lets
its own <script> and <style> run, by their hashes, and nothing else."""

import base64
import hashlib
import re
import sys
from pathlib import Path

SOURCE = """// Made from {name}.
#include "app/admin_page.h"

namespace weir::app {{

namespace {{
constexpr std::string_view kHtml =
{html};
constexpr std::string_view kPolicy =
    "{policy}";
}}  // namespace

AdminPage admin_page() {{ return {{.html = kHtml, .policy = kPolicy}}; }}

}}  // namespace weir::app
"""


def hashes(page, element):
    found = re.findall(rf"<{element}>(.*?)</{element}>", page, re.S)
    if not found:
        sys.exit(f"there is no <{element}> without attributes")
    digests = (hashlib.sha256(text.encode()).digest() for text in found)
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


def literal(text):
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'    "{escaped}"'


def main(source, target):
    page = Path(source).read_text(encoding="utf-8")
    if re.search(r"""\s(?:on\w+|style)\s*=\s*["']|(?:src|href)\s*=\s*["'](?:https?:)?//""", page):
        sys.exit(f"{source}: handlers, styles in attributes and other hosts are what its policy forbids")
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {hashes(page, 'script')}",
            f"style-src {hashes(page, 'style')}",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )
    html = "\n".join(literal(line) for line in page.splitlines(keepends=True))
    Path(target).write_text(SOURCE.format(name=Path(source).name, html=html, policy=policy), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
