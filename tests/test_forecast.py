"""The arithmetic of a plan, from a probe and hits that were made up: what comes out can be worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from drylab.forecast import Hitwork, Span, Work, forecast, row_seconds
from drylab.probing import Piece, Probed

MB = 1_000_000
# Two workers; a row takes each of them 1 ms, and 0.2 ms of this process to merge. The first pieces took 3 s each to be done.
PIECES = tuple(Piece("ab"[at % 2], 1000, 1.0, 1.0, 100 * MB + at * MB) for at in range(24))
PROBED = Probed(
    first=(Piece("a", 1000, 2.0, 2.0, 90 * MB), Piece("b", 1000, 2.5, 2.5, 90 * MB)),
    pieces=PIECES,
    start_s=3.0,
    wall_s=15.0,
    merge_s=0.0002,
    workers=2,
    cpu_row_s=0.0011,
    start_cpu_s=4.0,
    here_bytes=200 * MB,
    worker_bytes=150 * MB,
    gpus=0,
    watts={"cpu": 50.0, "gpu": 0.0},
    not_known={},
)
WORK = Work(
    rows=1_002_000, groups=1002, skipped=5, checked=40 * MB, check_speed=10 * MB, columns=30 * MB, kept=1000, shown=200, explained=50
)  # fmt: skip
HITS = Hitwork(
    explained_s=0.02, drawn_s=0.01, plain_s=0.005, start_s=1.0, workers=2, write_s=0.5, write_hit_s=0.001, runs=1,
    disk=MB, disk_hit=1000.0, disk_shown=5000.0,
)  # fmt: skip


def test_time_is_the_sum_of_its_parts() -> None:
    said = forecast(WORK, PROBED, HITS)
    # 1,000,000 rows are left after the first pieces: 1.2 ms each, two at a time.
    assert said.parts == pytest.approx(
        {"start": 3.0, "check": 2.0, "screen": 600.0, "describe": 1.0 + (50 * 0.02 + 150 * 0.01 + 800 * 0.005) / 2, "write": 1.5}
    )  # fmt: skip
    assert said.seconds.likely == pytest.approx(sum(said.parts.values()))
    assert said.pace.likely == pytest.approx(2 / 0.0012)
    assert said.resources.wall_s == pytest.approx(said.seconds.likely - 1.5)
    assert said.resources.screen_s == pytest.approx(605.0)
    assert said.resources.core_hours == pytest.approx(2 * said.resources.wall_s / 3600)
    assert said.resources.gpu_hours == 0


def test_memory_disk_and_energy() -> None:
    said = forecast(WORK, PROBED, HITS)
    assert said.disk_bytes == MB + 1000 * 1000 + 200 * 5000
    assert said.resources.peak_bytes == 200 * MB + said.disk_bytes
    assert said.resources.all_bytes == said.resources.peak_bytes + 2 * 150 * MB
    assert said.resources.read_bytes == 70 * MB
    assert said.resources.energy_j == {"cpu": pytest.approx(50.0 * said.resources.wall_s), "gpu": 0.0}
    unknown = forecast(
        replace(WORK, columns=-1),
        replace(PROBED, watts={"cpu": None, "gpu": 0.0}, not_known={"energy_j.cpu": "why"}),
        HITS,
    )
    assert (unknown.resources.read_bytes, unknown.resources.energy_j["cpu"]) == (None, None)
    assert set(unknown.resources.not_known) == {"energy_j.cpu", "read_bytes"}


def test_memory_grows_on_as_with_each_doubling_of_the_probe() -> None:
    """From its sixth piece to its twelfth each worker grew by 12 MB; the library is 1,002 / 26 times the probe."""
    work = replace(WORK, grows=10**12)
    grown = forecast(work, PROBED, HITS).resources.all_bytes - forecast(WORK, PROBED, HITS).resources.all_bytes
    assert grown == pytest.approx(2 * 12 * MB * math.log2(1002 / 26), rel=1e-6)
    limited = forecast(replace(WORK, grows=5 * MB), PROBED, HITS).resources.all_bytes
    assert limited - forecast(WORK, PROBED, HITS).resources.all_bytes == 2 * 5 * MB


def test_a_warming_probe_counts_its_later_half() -> None:
    """What the cold half took more than it would later is paid once."""
    cold = tuple(replace(piece, seconds=3.0) for piece in PIECES[:12]) + PIECES[12:]
    said = forecast(WORK, replace(PROBED, pieces=cold), HITS)
    assert said.parts["screen"] == pytest.approx(600.0 + 12 * 2.0 / 2)


def test_the_range_is_that_of_six_rounds() -> None:
    later = tuple(
        replace(piece, seconds=(0.9, 1.0, 1.0, 1.0, 1.0, 1.1)[at // 2]) for at, piece in enumerate(PIECES[12:])
    )
    span = row_seconds(replace(PROBED, pieces=PIECES[:12] + later))
    assert (span.low, span.likely, span.high) == pytest.approx((0.0011, 0.0012, 0.0013))
    said = forecast(WORK, replace(PROBED, pieces=PIECES[:12] + later), HITS)
    assert said.seconds.low < said.seconds.likely < said.seconds.high
    assert said.seconds.high - said.seconds.likely == pytest.approx(1e6 * 0.0001 / 2)
    assert said.pace.low < said.pace.likely < said.pace.high


def test_a_probe_of_a_single_piece_has_a_range() -> None:
    span = row_seconds(replace(PROBED, pieces=PIECES[:1]))
    assert span == Span(pytest.approx(0.0012), pytest.approx(0.0012), pytest.approx(0.0027))
    assert row_seconds(replace(PROBED, pieces=())).likely > 0


def test_merging_cannot_be_shared() -> None:
    slow = replace(PROBED, merge_s=0.01)
    assert forecast(WORK, slow, HITS).parts["screen"] == pytest.approx(1e6 * 0.01)


def test_fewer_row_groups_than_workers() -> None:
    said = forecast(replace(WORK, groups=1), PROBED, HITS)
    assert said.parts["screen"] == pytest.approx(1200.0)
    assert said.resources.workers == 2


def test_nothing_to_read() -> None:
    said = forecast(replace(WORK, rows=0, groups=0, checked=0, columns=0, kept=0, shown=0, explained=0), PROBED, HITS)
    assert said.parts["screen"] == said.parts["check"] == 0
    assert said.seconds.likely > 0


def test_gpu_hours_are_those_of_the_screening() -> None:
    said = forecast(WORK, replace(PROBED, gpus=2), HITS)
    assert said.resources.gpu_hours == pytest.approx(2 * said.resources.screen_s / 3600)
    assert said.to_dict()["resources"]["gpus"] == 2
