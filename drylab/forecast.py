"""The arithmetic of a plan: from what a probe measured of a few shards to what a screen of the whole library takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log1p, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    found, first = pace(probed), sum(piece.rows for piece in probed.first)
    # Wall time of the rows that are left when every worker has done its first piece. This process merges what the others
    # find: it is one of those that share the cores, and cannot be shared itself.
    left = max(0, work.rows - first)
    mine, theirs = left / workers, first / len(probed.first)
    folded, merged = found.seconds(theirs, mine) + mine * probed.merge_s, left * probed.merge_s
    fold = Span(*(max(folded * factor, merged) for factor in (found.low, 1.0, found.high)))
    row = found.row + probed.merge_s
    cpu_s = left * (found.cpu_row + probed.merge_s) + workers * found.cpu_cold * log1p(mine / theirs)
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
        pace=Span(*(workers / (row * factor) for factor in (found.high, 1.0, found.low))),
        resources=Resources(
            rows=work.rows,
            workers=probed.workers,
            wall_s=wall_s,
            screen_s=screen_s,
            cpu_s=probed.start_cpu_s + sum(p.cpu for p in probed.first) + cpu_s + check * workers + describe * hits.workers,
            gpus=probed.gpus,
            peak_bytes=max(here, worker),
            all_bytes=here + worker * probed.workers,
            read_bytes=work.checked + work.columns if work.columns >= 0 else None,
            energy_j={kind: None if watts is None else watts * wall_s for kind, watts in probed.watts.items()},
            not_known=probed.not_known if work.columns >= 0 else {**probed.not_known, "read_bytes": "not counted"},
        ),
        disk_bytes=disk,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pace:
    """What a row takes a worker that has done m of them: ``row + cold / m`` seconds, and the same in CPU seconds.

    What is new to a worker gets rarer as the library goes on: of the environments that the engine has computed and keeps,
    the share that a molecule lacks falls about as 1 / m (measured: docs/plan.md). All of it times ``low`` to ``high``.
    """

    row: float
    cold: float
    low: float
    high: float
    cpu_row: float
    cpu_cold: float

    def seconds(self, first: float, rows: float) -> float:
        """Of one worker, for ``rows`` more after its ``first``."""
        return rows * self.row + self.cold * log1p(rows / first)


def pace(probed: Probed) -> Pace:
    """By least squares through all pieces but those that warmed the workers up; the range is that of its rounds.

    The pieces of each round are spread evenly over the library and follow those of the round before in time: so the range
    holds what differs between molecules, and what else the machine does.
    """
    pieces = probed.pieces or probed.first
    rows, before = np.array([piece.rows for piece in pieces], np.float64), _before(probed, pieces)
    took, cpu = (np.array([getattr(piece, name) for piece in pieces]) for name in ("seconds", "cpu"))
    (row, cold), (cpu_row, cpu_cold) = (_fitted(values / rows, rows, before) for values in (took, cpu))
    rounds = np.array_split(np.arange(len(pieces)), min(ROUNDS, len(pieces)))
    told = rows * (row + cold / before)
    ratios = [float(took[at].sum() / told[at].sum()) for at in rounds]
    if len(rounds) == 1:  # all that is known besides: how long pieces took as they warmed up
        ratios += [piece.seconds / piece.rows / row for piece in probed.first]
    return Pace(row, cold, min(1.0, *ratios), max(1.0, *ratios), cpu_row, cpu_cold)


def _before(probed: Probed, pieces: Sequence[Piece]) -> NDArray[np.float64]:
    """(p,) rows that each piece's worker had done by the middle of it."""
    done: Counter[str] = Counter()
    if pieces is probed.pieces:
        done.update({piece.worker: piece.rows for piece in probed.first})
    found = []
    for piece in pieces:
        found.append(done[piece.worker] + piece.rows / 2)
        done[piece.worker] += piece.rows
    return np.array(found)


def _fitted(values: NDArray[np.float64], rows: NDArray[np.float64], before: NDArray[np.float64]) -> tuple[float, float]:
    """(row, cold): values as row + cold / before, each weighed by its rows; cold is 0 where they do not fall.

    row is at least half of what the later half of them came to: a few pieces do not show more than that.
    """
    x, least = 1 / before, float(np.average(values[len(values) // 2 :], weights=rows[len(rows) // 2 :])) / 2
    mean, centre = np.average(values, weights=rows), np.average(x, weights=rows)
    spread = np.average((x - centre) ** 2, weights=rows)
    cold = float(np.average((x - centre) * (values - mean), weights=rows) / spread) if spread > 0 else 0.0
    cold = max(0.0, min(cold, float((mean - least) / centre)))
    return float(mean - cold * centre), cold


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
