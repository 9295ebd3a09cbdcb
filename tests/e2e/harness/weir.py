"""The proxy under test: the binary named by WEIR_BIN, started on a free port with settings of the test's choosing."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

from .client import Client
from .poll import eventually, free_port
from .process import Process

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("WEIR_BIN", ROOT / "build" / "weir")).resolve()
SANITIZER_REPORT = re.compile(r"Sanitizer|runtime error:|LeakSanitizer|Assertion .* failed", re.M)
ADMIN_LINE = re.compile(r"metrics and states are at 127\.0\.0\.1:(\d+)$", re.M)
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "exitcode=66:atexit_sleep_ms=0:history_size=4:second_deadlock_stack=1",
}


def is_sanitized():
    """Under a sanitizer memory and time are no measure."""
    program = BINARY.read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


def to_yaml(value):
    """Flow style; scalars stay plain where YAML lets them, as an operator would write them."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {to_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(to_yaml(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return text if re.fullmatch(r"[\w./%~-]+(:[\w./]+)*", text) else json.dumps(text)


class Weir(Process):
    def __init__(self, directory, command, env, address, pass_fds=()):
        """`address` is (host, port), or the path of a UNIX socket."""
        self.address = address
        self.log_path = directory / "access.log"
        self.expected_codes = (0,)
        super().__init__(command, directory, "weir", {**SANITIZER_OPTIONS, **(env or {})}, pass_fds)
        if isinstance(address, str):
            eventually(lambda: os.path.exists(address) or not self.is_running, what=f"{address} exists")
        else:
            self.wait_until_listening(address[1])

    @property
    def url(self):
        return "http://%s:%d" % self.address

    @property
    def admin(self):
        """Where its admin address is; the settings may leave the port to the kernel."""
        port = eventually(lambda: ADMIN_LINE.search(self.stderr), what="an admin address")[1]
        return ("127.0.0.1", int(port))

    def connect(self, **options):
        return Client(self.address, **options)

    def log_lines(self, count):
        """The access log once it has `count` lines, each parsed; fails on a line that is not JSON."""
        lines = eventually(lambda: self._whole_lines(count), what=f"{count} lines in the access log")
        return [json.loads(line) for line in lines]

    def raw_log(self, count):
        return eventually(lambda: self._whole_lines(count), what=f"{count} lines in the access log")

    def _whole_lines(self, count):
        if not self.log_path.exists():
            return None
        lines = self.log_path.read_text().split("\n")[:-1]
        return lines if len(lines) >= count else None

    def stop(self):
        """Ends it as an operator would; what it left behind has to be in order."""
        if self.is_running:
            self.signal(signal.SIGTERM)
        try:
            code = self.wait()
        except AssertionError:
            self.kill_group()
            raise
        assert not SANITIZER_REPORT.search(self.stderr), self.stderr
        assert code in self.expected_codes, f"exit code {code}\n{self.stderr}"


def start(directory, app, settings, flags=(), env=None, prefix=(), pass_fds=()):
    """`app` is anything with a url, a URL, or None where the settings or flags say it. Tries another port on a clash."""
    directory.mkdir(parents=True, exist_ok=True)
    for attempt in range(5):
        port = free_port()
        command, address = compose(directory, app, dict(settings), port)
        try:
            return Weir(directory, [*prefix, *command, *flags], env, address, pass_fds)
        except AssertionError as failure:
            if attempt == 4 or "in use" not in str(failure).lower():
                raise
    raise AssertionError("unreachable")


def start_bare(directory, *arguments, env=None):
    """With a command line of the test's own; PORT in it becomes a free port, on which it has to listen."""
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [BINARY, *(str(argument).replace("PORT", str(port)) for argument in arguments)]
    return Weir(directory, command, {"WEIR_ADMIN": "~", **(env or {})}, ("127.0.0.1", port))


def run(directory, *arguments, env=None):
    """A command that ends by itself: (exit code, stdout, stderr)."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("WEIR_")}
    done = subprocess.run(
        [BINARY, *map(str, arguments)],
        cwd=directory,
        env={**clean, **SANITIZER_OPTIONS, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert not SANITIZER_REPORT.search(done.stderr), done.stderr
    return done.returncode, done.stdout, done.stderr


def compose(directory, app, settings, port):
    """Writes the config file; the command, and the address it will listen on."""
    url = getattr(app, "url", app)
    listen = settings.setdefault("listen", f"127.0.0.1:{port}")
    upstream = settings.get("upstream", {})
    if url and isinstance(upstream, dict):
        settings["upstream"] = {"servers": [url], **upstream} if upstream else url
    settings["log"] = {"access": directory / "access.log", **settings.get("log", {})}
    settings.setdefault("drain", "5s")
    settings.setdefault("admin", "~")  # many run at once, and only one of them could have the default
    settings = {key: value for key, value in settings.items() if value is not None}
    text = "".join(f"{key}: {to_yaml(value)}\n" for key, value in settings.items())
    config = directory / "weir.yaml"
    config.write_text(text.replace("PORT", str(port)))
    own = re.fullmatch(r"127\.0\.0\.1:(\d+)", str(listen))
    address = listen[5:] if str(listen).startswith("unix:") else ("127.0.0.1", int(own[1]) if own else port)
    return [BINARY, "--config", config], address
