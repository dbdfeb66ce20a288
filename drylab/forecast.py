"""The arithmetic of a plan: from what a probe measured of a few shards to what a screen of the whole library takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log2
from typing import Any

from drylab.probing import Piece, Probed
from drylab.resources import Resources

# The whole's pace is between the least and the greatest of so many independent, equally good estimates of it with a chance of
# 1 - 2 * 2**-6 = 97 %, whatever their distribution: it is not when all lie on one side of the median.
ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Work:
    """What a screen has to do.

    rows      molecules to read, in so many row groups          skipped  molecules that statistics filter without reading
    checked   bytes of the files that are compared with their SHA-256, at ``check_speed`` bytes a second of one core
    columns   bytes of the columns that are read; -1 where they are not counted
    kept      hits that are described, of which the first ``shown`` are drawn, of which the first ``explained`` are shaded
    grows     bytes that a worker's memory may still grow by, at most, past what the probe saw
    """

    rows: int
    groups: int
    skipped: int
    checked: int
    check_speed: float
    columns: int
    kept: int
    shown: int
    explained: int
    grows: int = 0


@dataclass(frozen=True, slots=True)
class Hitwork:
    """What a hit takes. Seconds of one core: one that is shaded, one that is drawn only, and one that is neither.

    start_s, write_s, disk   of each of so many ``runs`` (targets): to begin with, seconds to write its folder, bytes of it
    write_hit_s, disk_hit, disk_shown   the same of each hit, and bytes more of one that is shown
    workers   that describe hits: 1 where there are few
    """

    explained_s: float
    drawn_s: float
    plain_s: float
    start_s: float
    workers: int
    write_s: float
    write_hit_s: float
    runs: int
    disk: int
    disk_hit: float
    disk_shown: float


@dataclass(frozen=True, slots=True)
class Span:
    """A quantity that is foretold: in all likelihood from low to high."""

    low: float
    likely: float
    high: float

    def plus(self, constant: float) -> Span:
        """Later by as much."""
        return Span(self.low + constant, self.likely + constant, self.high + constant)

    def to_dict(self) -> dict[str, float]:
        """For programs."""
        return {name: round(getattr(self, name), 3) for name in ("low", "likely", "high")}


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a screen takes.

    seconds  wall time of it all, writing included      parts  of its likely value: "start", "check", "screen", ...
    pace     molecules a second, all workers together   resources  as a run would measure them: without writing
    disk_bytes  of the run folder
    """

    seconds: Span
    parts: dict[str, float]
    pace: Span
    resources: Resources
    disk_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "seconds": self.seconds.to_dict(),
            "seconds_of": {name: round(value, 3) for name, value in self.parts.items()},
            "molecules_per_s": self.pace.to_dict(),
            "disk_bytes": self.disk_bytes,
            "resources": self.resources.to_dict(),
        }


def forecast(work: Work, probed: Probed, hits: Hitwork) -> Forecast:
    """What the work takes, by what the probe and a few hits took."""
    workers = max(1, min(probed.workers, work.groups))
    row_s = row_seconds(probed)
    fold = Span(*(_fold_seconds(pace, work, probed, workers) for pace in (row_s.low, row_s.likely, row_s.high)))
    check = work.checked / work.check_speed / workers if work.checked else 0.0
    describe, write = _describing(work, hits), hits.runs * hits.write_s + work.kept * hits.write_hit_s
    parts = {"start": probed.start_s, "check": check, "screen": fold.likely, "describe": describe, "write": write}
    disk = round(hits.runs * hits.disk + work.kept * hits.disk_hit + work.shown * hits.disk_shown)
    screen_s = probed.start_s + check + fold.likely
    wall_s = screen_s + describe
    here = probed.here_bytes + disk + (0 if probed.worker_bytes else _growth(work, probed))
    worker = probed.worker_bytes + _growth(work, probed) if probed.worker_bytes else 0
    return Forecast(
        seconds=fold.plus(probed.start_s + check + describe + write),
        parts=parts,
        pace=Span(workers / row_s.high, workers / row_s.likely, workers / row_s.low),
        resources=Resources(
            rows=work.rows,
            workers=probed.workers,
            wall_s=wall_s,
            screen_s=screen_s,
            cpu_s=probed.start_cpu_s + work.rows * (probed.cpu_row_s + probed.merge_s) + check * workers
            + describe * hits.workers,
            gpus=probed.gpus,
            peak_bytes=max(here, worker),
            all_bytes=here + worker * probed.workers,
            read_bytes=work.checked + work.columns if work.columns >= 0 else None,
            energy_j={kind: None if watts is None else watts * wall_s for kind, watts in probed.watts.items()},
            not_known=probed.not_known if work.columns >= 0 else {**probed.not_known, "read_bytes": "not counted"},
        ),
        disk_bytes=disk,
    )  # fmt: skip


def row_seconds(probed: Probed) -> Span:
    """Seconds of one worker for a row of the library, once it is warm: from the later half of the probe.

    The pieces of each round are spread evenly over the library and follow those of the round before in time: so the range
    holds what differs between molecules, and what else the machine does.
    """
    pieces = probed.pieces or probed.first
    later = pieces[len(pieces) // 2 :]
    rounds = [seconds / rows + probed.merge_s for seconds, rows in map(_sums, _chunks(later))]
    if len(rounds) == 1:  # all that is known besides: how long pieces took as they warmed up
        rounds = [
            seconds / rows + probed.merge_s for seconds, rows in map(_sums, ([p] for p in (*probed.first, *pieces)))
        ]
    seconds, rows = _sums(later)
    likely = seconds / rows + probed.merge_s
    return Span(min(likely, *rounds), likely, max(likely, *rounds))


def _chunks(pieces: Sequence[Piece]) -> list[Sequence[Piece]]:
    count = min(ROUNDS, len(pieces))
    ends = [round(at * len(pieces) / count) for at in range(count + 1)]
    return [pieces[start:stop] for start, stop in pairwise(ends)]


def _sums(pieces: Sequence[Piece]) -> tuple[float, int]:
    return sum(piece.seconds for piece in pieces), max(1, sum(piece.rows for piece in pieces))


def _fold_seconds(row_s: float, work: Work, probed: Probed, workers: int) -> float:
    """Wall time of the rows that are left when every worker has done its first piece."""
    left = max(0, work.rows - sum(piece.rows for piece in probed.first))
    seconds, rows = _sums(probed.pieces)
    warming = max(0.0, seconds - rows * (row_s - probed.merge_s)) if left > rows else 0.0
    # This process merges what the others find; it is one of those that share the cores, and it cannot be shared itself.
    return max((left * row_s + warming) / workers, left * probed.merge_s)


def _describing(work: Work, hits: Hitwork) -> float:
    explained = min(work.kept, work.explained)
    drawn = max(0, min(work.kept, work.shown) - explained)
    plain = work.kept - explained - drawn
    seconds = explained * hits.explained_s + drawn * hits.drawn_s + plain * hits.plain_s
    return hits.runs * hits.start_s + seconds / hits.workers


def _growth(work: Work, probed: Probed) -> int:
    """Bytes that a worker's memory grows by after the probe, to what it may take at most.

    By as much for each doubling of its molecules as from the middle of the probe to its end: what is new in them gets rarer.
    """
    left = max(1.0, work.rows / max(1, probed.rows))
    grown = []
    for worker in {piece.worker for piece in probed.pieces}:
        mine = [piece.memory for piece in probed.pieces if piece.worker == worker]
        grown.append(max(0, mine[-1] - mine[(len(mine) - 1) // 2]))
    return min(work.grows, round(max(grown) * log2(left))) if grown else 0
