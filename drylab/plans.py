"""What a screen would take, as a plan says it: in lines for people, JSON-ready for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from drylab.forecast import Forecast, Hitwork, Work
from drylab.planning import BuildPlan
from drylab.probing import Probed
from drylab.quantities import duration, hours, size
from drylab.resources import energy_in_words

BUSY = 0.85  # the share of a core that a worker has to get, for the machine to count as quiet


@dataclass(frozen=True, slots=True)
class Plan:
    """What a screen would take; ``str(plan)`` is for people, ``to_dict`` for programs.

    targets   their names                      library, molecules   where it is, and how many it holds
    build     of the library, where it is vendor files: the rest then is of a library of its first rows, scaled up
    work      what has to be done              probed    what was measured to tell how long it takes
    hits      what a hit takes                 forecast  the whole
    hardware  what the probe ran on            no_gpu    why on no GPU, "" if it ran on one
    cascade   whether a target says mode: cascade, which this plan takes as exact
    """

    targets: tuple[str, ...]
    library: str
    molecules: int
    build: BuildPlan | None
    work: Work
    probed: Probed
    hits: Hitwork
    forecast: Forecast
    hardware: str
    no_gpu: str
    cascade: bool

    @property
    def quiet_share(self) -> float:
        """The share of a core that a worker got while the probe ran, at most 1: the rest went to other programs."""
        pieces = self.probed.pieces or self.probed.first
        return min(1.0, sum(piece.cpu for piece in pieces) / max(1e-9, sum(piece.seconds for piece in pieces)))

    def lines(self) -> tuple[tuple[str, str], ...]:
        """(heading, text): what is shown of it."""
        return tuple(_lines(self))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        work = {name: value for name, value in asdict(self.work).items() if name not in ("check_speed", "grows")}
        return {
            "schema": "drylab.plan/1",
            "targets": list(self.targets),
            "library": {"path": self.library, "molecules": self.molecules},
            "build": None if self.build is None else {"rows": self.build.rows, "seconds": self.build.seconds},
            "work": work,
            "probe": {
                "molecules": self.probed.rows,
                "pieces": len(self.probed.first) + len(self.probed.pieces),
                "seconds": round(self.probed.wall_s, 3),
                "share_of_core": round(self.quiet_share, 3),
            },
            "hardware": {"name": self.hardware, "gpus": self.probed.gpus, "why_no_gpu": self.no_gpu},
            **self.forecast.to_dict(),
        }

    def __str__(self) -> str:
        return "\n".join(f"{heading:<12} {text}" for heading, text in self.lines())

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{escape(heading)}</th><td>{escape(text)}</td></tr>" for heading, text in self.lines())
        return f"<table style='text-align:left'>{rows}</table>"


def _lines(plan: Plan) -> Iterator[tuple[str, str]]:
    said, work, probed = plan.forecast, plan.work, plan.probed
    it, parts = said.resources, said.parts
    about = "" if plan.build is None else "about "
    yield "targets" if len(plan.targets) > 1 else "target", ", ".join(plan.targets)
    yield "library", f"{plan.library}: {about}{plan.molecules:,} molecules"
    if plan.build is not None:
        yield (
            "build first",
            f"{duration(plan.build.seconds)} on {plan.build.workers} worker(s); `drylab library build` keeps it",
        )
    if plan.cascade:
        yield "mode", "cascade, planned as exact: a first stage that pays takes less than this"
    skipped = f", {work.skipped:,} are filtered by their statistics without being read" if work.skipped else ""
    yield "rows", f"{about}{work.rows:,} in {work.groups:,} row groups are read{skipped}"
    yield "hardware", plan.hardware + (f"; no GPU: {plan.no_gpu}" if plan.no_gpu else f", on {probed.gpus} GPU(s)")
    pieces = len(probed.first) + len(probed.pieces)
    yield "probe", f"{probed.rows:,} molecules of {pieces} row groups, {duration(probed.wall_s)}{_busy(plan)}"
    each = said.pace.likely / max(1, min(probed.workers, work.groups or 1))
    yield (
        "molecules/s",
        f"{said.pace.likely:,.0f} ({said.pace.low:,.0f} to {said.pace.high:,.0f}), {each:,.0f} a worker",
    )
    of = {
        "start": "start",
        "check": "checksums",
        "screen": "screening",
        "describe": f"{work.kept:,} hits",
        "write": "files",
    }
    spelled = ", ".join(f"{name} {duration(parts[part])}" for part, name in of.items())
    yield (
        "time",
        f"{duration(said.seconds.likely)} ({duration(said.seconds.low)} to {duration(said.seconds.high)}): {spelled}",
    )
    yield "memory", f"{size(it.all_bytes)} of all processes, {size(it.peak_bytes)} of the largest"
    read = "not known here" if it.read_bytes is None else size(it.read_bytes)
    yield "disk", f"{size(said.disk_bytes)} of run folder; {read} of the library are read"
    yield "core-hours", hours(it.core_hours)
    if it.gpus:
        yield "GPU-hours", hours(it.gpu_hours)
    yield "energy", energy_in_words(it.energy_j, it.not_known)


def _busy(plan: Plan) -> str:
    share = plan.quiet_share
    if share >= BUSY:
        return ""
    return f"; other programs took {1 - share:.0%} of the workers' time, so a quiet machine is faster"
