#!/usr/bin/python3
"""Apps that fall over, without weir and with it: plays the scenes on loopback and prints a table in Markdown."""

import argparse
import pathlib
import resource
import signal
import sys
import time

from catalogue import SCENES
from figures import Run, heading, rows
from fronts import fronts
from load import play
from processes import Stage, ProcessError, free_port

ROOT = pathlib.Path(__file__).resolve().parents[3]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weir", type=pathlib.Path, default=ROOT / "build/weir", help="the binary")
    parser.add_argument("--only", choices=sorted({scene.name for scene in SCENES}), help="one scene")
    parser.add_argument("--seconds", type=float, default=10, help="of load for each run")
    parser.add_argument("--fronts", default="nothing,weir", help="of nothing, weir, haproxy, nginx")
    arguments = parser.parse_args()
    known = fronts(arguments.weir.resolve())
    try:
        arguments.fronts = {name: known[name] for name in arguments.fronts.split(",")}
    except KeyError as unknown:
        parser.error(f"--fronts knows no {unknown}, but {', '.join(known)}")
    return arguments


def play_scene(scene, front, seconds):
    with Stage() as stage:
        app_port = port = free_port()
        peak_path = stage.folder / "peak"
        app = stage.start("app", scene.app(app_port, peak_path), app_port)
        proxy = before = None
        if front:
            port = free_port()
            proxy = stage.start("proxy", front(port, app_port, scene, stage.folder), port)
            before, _ = proxy.memory()
        outcomes = play(scene.groups, port, seconds)
        after, most = proxy.memory() if proxy else (None, None)
        return Run(
            outcomes,
            seconds,
            app.is_running,
            int(peak_path.read_text()) if peak_path.exists() else None,
            (before, most, after) if proxy else None,
        )


def own_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main():
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by way of Stage, which ends what was started
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    print(*heading(), sep="\n", flush=True)
    for scene in SCENES:
        if arguments.only not in (None, scene.name):
            continue
        own = None
        for name, front in arguments.fronts.items():
            began, busy = time.monotonic(), own_seconds()
            run = play_scene(scene, front, arguments.seconds)
            load = (own_seconds() - busy) / (time.monotonic() - began)
            own = run if name == "nothing" else own
            print(*rows(scene, name, run, own), sep="\n", flush=True)
            print(f"{scene.name} {name}: the clients used {load:.0%} of a core", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except (ProcessError, OSError) as error:
        sys.exit(str(error))
