"""From outcomes to a table in Markdown."""

from collections import Counter
from dataclasses import dataclass

from load import Outcome

COLUMNS = (
    *("the app", "clients", "in front", "200", "503", "failed", "p50 ms", "p99 ms", "p99 ms of a 503"),
    *("outcome", "MiB in front"),
)


@dataclass(frozen=True)
class Run:
    """A scene that was played once."""

    outcomes: list[Outcome]
    seconds: float
    app_lives: bool
    peak_processes: int | None  # None: the app does not start any
    memory: tuple[int, int, int] | None  # bytes of the front before, at most and after; None: there is no front

    @property
    def goodput(self):
        """Requests a second that were answered with 200 within the time."""
        return sum(one.ending == "200" and one.ended <= self.seconds for one in self.outcomes) / self.seconds


def percentile(outcomes, share):
    """In milliseconds, as text; empty where there is nothing."""
    if not outcomes:
        return ""
    durations = sorted(one.seconds for one in outcomes)
    return f"{durations[min(len(durations) - 1, int(len(durations) * share))] * 1000:,.0f}"


def failures(outcomes):
    endings = Counter(one.ending for one in outcomes if one.ending not in ("200", "503"))
    what = ", ".join(f"{count:,} × {ending}" for ending, count in endings.most_common())
    return what or "0"


def fate(scene, run, own):
    """What became of the app; `own` is the run without a front, or None where there is none yet."""
    if run.peak_processes is not None:
        return f"{'lives' if run.app_lives else '**died**'}, {run.peak_processes} processes at most"
    is_compared = scene.is_full and own and own is not run and own.goodput
    return f"{run.goodput:,.0f}/s" + (f", {run.goodput / own.goodput:.0%} of its own" if is_compared else "")


def memory(run):
    return " / ".join(f"{bytes_ / (1 << 20):.1f}" for bytes_ in run.memory) if run.memory else ""


def group_cells(run, group):
    mine = [one for one in run.outcomes if one.group == group.name]
    good, turned_away = ([one for one in mine if one.ending == status] for status in ("200", "503"))
    return [
        *(f"{len(good):,}", f"{len(turned_away):,}", failures(mine)),
        *(percentile(good, 0.5), percentile(good, 0.99), percentile(turned_away, 0.99)),
    ]


def line(cells):
    return "| " + " | ".join(cells) + " |"


def heading():
    return [line(COLUMNS), line(["---"] * len(COLUMNS))]


def rows(scene, front, run, own):
    """A line for each group; what holds for the whole run stands in the first."""
    shared = [fate(scene, run, own), memory(run)]
    for group in scene.groups:
        yield line([scene.title, group.name, front, *group_cells(run, group), *shared])
        shared = ["", ""]
