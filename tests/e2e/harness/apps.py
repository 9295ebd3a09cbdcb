"""Real apps as backends: Flask under gunicorn, Node, an ASGI app under uvicorn. Each is one process group."""

import sys
from pathlib import Path

from .poll import eventually, free_port
from .process import Process

APPS = Path(__file__).resolve().parent.parent / "apps"


class App(Process):
    def __init__(self, directory, name, command, port=None, path=None, env=None):
        super().__init__(command, directory, name, env)
        self.port = port
        self.path = path
        self.url = f"unix:{path}" if path else f"http://127.0.0.1:{port}"
        self.command = command
        if path:
            eventually(lambda: path.exists(), 20, f"{name} listens on {path}\n{self.stderr}")
        else:
            self.wait_until_listening(port)


def gunicorn(directory, worker="sync", workers=1, unix=False, port=None, env=None):
    port = None if unix else port or free_port()
    path = directory / "app.sock" if unix else None
    bind = f"unix:{path}" if unix else f"127.0.0.1:{port}"
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--chdir",
        APPS,
        "-b",
        bind,
        "-k",
        worker,
        "-w",
        workers,
        "--keep-alive",
        "2",
        "--graceful-timeout",
        "1",
        *(["--threads", "8"] if worker == "gthread" else []),
        "flask_app:app",
    ]
    return App(directory, "gunicorn", command, port, path, env)


def node(directory, script="node_http.js", port=None, env=None):
    port = port or free_port()
    return App(directory, "node", ["node", APPS / script, port], port, env=env)


def uvicorn(directory, port=None):
    port = port or free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "--app-dir",
        APPS,
        "--host",
        "127.0.0.1",
        "--port",
        port,
        "--log-level",
        "warning",
        "asgi_app:app",
    ]
    return App(directory, "uvicorn", command, port)


def mixed(directory, port=None):
    """Not a real one, but fast: see there."""
    port = port or free_port()
    return App(directory, "mixed", [sys.executable, APPS / "mixed_app.py", port], port)


KINDS = {"gunicorn": gunicorn, "node": node, "uvicorn": uvicorn, "mixed": mixed}
