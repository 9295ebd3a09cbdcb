"""A real browser, Debian's Chromium, driven through browser/visit.js."""

import json
import os
import shutil
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent / "browser" / "visit.js"
PHONE = (360, 740)
DESK = (1080, 900)


class Browser:
    def __init__(self, directory):
        chromium = shutil.which("chromium")
        assert chromium, "there is no chromium: scripts/install_packages.sh test"
        self._errors = directory / "browser.stderr"
        with self._errors.open("wb") as errors:
            self._popen = subprocess.Popen(
                ["node", SCRIPT, chromium],
                cwd=directory,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "HOME": str(directory)},  # its profile is nobody else's
            )

    def _do(self, deed, **order):
        self._popen.stdin.write(json.dumps({"do": deed, **order}) + "\n")
        self._popen.stdin.flush()
        line = self._popen.stdout.readline()
        assert line, f"the browser is gone\n{self._errors.read_text(errors='replace')}"
        answer = json.loads(line)
        assert "error" not in answer, f"{deed} {order}: {answer['error']}"
        return answer["result"]

    def open(self, url, size=DESK, dark=False, scale=1, trusting=False):
        """`scale`: pixels of a picture for each one of the page; `trusting`: any certificate is good."""
        self._do("open", url=url, width=size[0], height=size[1], dark=dark, scale=scale, trusting=trusting)

    def wait(self, selector, text="", within=20):
        """Until the element is visible and has this in its text."""
        self._do("wait", selector=selector, text=text, within=within)

    def texts(self, selector):
        return [" ".join(text.split()) for text in self._do("texts", selector=selector)]

    def text(self, selector):
        (text,) = self.texts(selector)
        return text

    def click(self, selector):
        self._do("click", selector=selector)

    def type(self, selector, text):
        """Fills a field in and sends its form."""
        self._do("type", selector=selector, text=text)

    def evaluate(self, script):
        return self._do("evaluate", script=script)

    def shoot(self, path, whole=True):
        self._do("shoot", path=str(path), whole=whole)

    @property
    def console(self):
        return self._do("report")["console"]

    @property
    def requests(self):
        return self._do("report")["requests"]

    def close(self):
        self._popen.stdin.close()
        try:
            self._popen.wait(15)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait(10)
        self._popen.stdout.close()
