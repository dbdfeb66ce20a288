"""The arithmetic of a plan, from a probe and hits that were made up: what comes out can be worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.forecast import Hitwork, Work, forecast, pace
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


def warming(row: float, cold: float, count: int = 24) -> Probed:
    """A probe whose workers take row + cold / m for a molecule when they have done m."""
    pieces = []
    for at in range(count):
        middle = 1000 + 1000 * (at // 2) + 500
        seconds = 1000 * (row + cold / middle)
        pieces.append(replace(PIECES[at], seconds=seconds, cpu=seconds / 2))
    return replace(PROBED, pieces=tuple(pieces), merge_s=0.0)


def test_workers_that_get_faster_as_they_learn() -> None:
    """500,000 rows are left for each, and what is new in them is (1 / m) of it at each: cold * ln(501,000 / 1,000) in all."""
    probed = warming(0.001, 3.0)
    found = pace(probed)
    assert (found.row, found.cold) == pytest.approx((0.001, 3.0))
    assert (found.cpu_row, found.cpu_cold) == pytest.approx((0.0005, 1.5))
    assert (found.low, found.high) == pytest.approx((1.0, 1.0))
    said = forecast(WORK, probed, HITS)
    assert said.parts["screen"] == pytest.approx(500.0 + 3.0 * math.log(501))
    assert said.resources.cpu_s == pytest.approx(
        4.0 + 4.5 + 500.0 + 2 * 1.5 * math.log(501) + 2 * 2.0 + 2 * said.parts["describe"]
    )


def test_workers_that_get_slower_do_not_learn() -> None:
    slower = tuple(replace(piece, seconds=1.0 + at / 24) for at, piece in enumerate(PIECES))
    found = pace(replace(PROBED, pieces=slower, merge_s=0.0))
    assert found.cold == 0.0
    assert found.row == pytest.approx(sum(piece.seconds for piece in slower) / 24_000)


def test_a_few_pieces_promise_no_more_than_half() -> None:
    """Two pieces, the second twice as fast: a line through both would come out below nothing."""
    two = (replace(PIECES[0], seconds=2.0), replace(PIECES[2], seconds=0.5))
    found = pace(replace(PROBED, pieces=two, merge_s=0.0))
    assert found.row == pytest.approx(0.00025)
    assert found.cold > 0
    assert 0 < found.low <= 1 <= found.high


def test_the_range_is_that_of_six_rounds() -> None:
    """Rounds of four pieces; noise that rises and falls is no learning."""
    noisy = tuple(replace(piece, seconds=(1.0, 0.9, 1.0, 1.1, 1.0, 1.0)[at // 4]) for at, piece in enumerate(PIECES))
    probed = replace(PROBED, pieces=noisy, merge_s=0.0)
    found = pace(probed)
    assert found.cold == pytest.approx(0.0, abs=0.02)
    assert (found.low, found.row, found.high) == pytest.approx((0.9, 0.001, 1.1), rel=0.01)
    said = forecast(WORK, probed, HITS)
    assert said.seconds.low < said.seconds.likely < said.seconds.high
    assert said.seconds.high - said.seconds.likely == pytest.approx(said.parts["screen"] * (found.high - 1))
    assert said.pace.low < said.pace.likely < said.pace.high


def test_a_probe_of_a_single_piece_has_a_range() -> None:
    found = pace(replace(PROBED, pieces=PIECES[:1]))
    assert (found.row, found.low, found.high) == pytest.approx((0.001, 1.0, 2.5))
    assert pace(replace(PROBED, pieces=())).row > 0


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 10_000), st.floats(1e-6, 1e3)), max_size=40))
def test_whatever_a_probe_comes_to_there_is_a_forecast(found: list[tuple[str, int, float]]) -> None:
    pieces = tuple(Piece(worker, rows, seconds, seconds, MB) for worker, rows, seconds in found)
    said = forecast(WORK, replace(PROBED, pieces=pieces), HITS)
    assert 0 < said.seconds.low <= said.seconds.likely <= said.seconds.high < math.inf
    assert 0 < said.pace.low <= said.pace.likely <= said.pace.high < math.inf
    assert said.resources.cpu_s > 0


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
