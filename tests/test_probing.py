"""The probe: shards from all over, every worker warmed up, and a piece of work measured where it was done."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab import execute
from drylab.execute import Executor
from drylab.probing import LEAST, probe, spread
from drylab.types import Shard

SHARDS = [Shard(f"f{at}", 0, 100 + at, 0, "") for at in range(50)]


def burn(shard: Shard) -> tuple[str, ...]:
    """Uses 20 ms of CPU."""
    end = time.process_time() + 0.02
    while time.process_time() < end:
        pass
    return (shard.path,)


@dataclass(frozen=True)
class Together:
    """``burn``, begun only when so many workers have come: how late one starts then does not matter."""

    folder: Path
    count: int

    def __call__(self, shard: Shard) -> tuple[str, ...]:
        (self.folder / str(os.getpid())).touch()
        end = time.monotonic() + 60
        while len(list(self.folder.iterdir())) < self.count and time.monotonic() < end:
            time.sleep(0.01)
        return burn(shard)


def joined(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return one + other


@given(st.integers(0, 300), st.integers(1, 300))
def test_the_first_few_are_spread_evenly(length: int, few: int) -> None:
    order = list(spread(range(length)))
    assert sorted(order) == list(range(length))
    chosen = sorted(order[:few])
    if len(chosen) > 1:
        # No gap is more than four times what it would be if all were alike.
        gaps = [b - a for a, b in zip([0, *chosen], [*chosen, length - 1], strict=True)]
        assert max(gaps) <= 4 * max(1, length / len(chosen))


@pytest.mark.parametrize("executor", [execute.serial(), execute.processes(2)], ids=lambda e: e.kind)
def test_every_worker_is_warmed_up_and_measured(executor: Executor, tmp_path: Path) -> None:
    count = executor.workers or 1
    found, probed = probe(Together(tmp_path, count), joined, SHARDS, executor, 0.3)
    workers = {piece.worker for piece in (*probed.first, *probed.pieces)}
    assert len(probed.first) == len(workers) == probed.workers == count
    assert len(found) == len(probed.first) + len(probed.pieces) >= LEAST * count
    rows = {shard.path: shard.rows for shard in SHARDS}
    assert probed.rows == sum(rows[path] for path in found)
    assert 0 < probed.start_s < probed.wall_s
    assert all(piece.cpu >= 0.02 and piece.seconds > 0 and piece.memory > 0 for piece in probed.pieces)
    assert probed.here_bytes > 0
    assert (probed.worker_bytes > 0) == (count > 1)
    assert (probed.start_cpu_s > 0) == (count > 1)
    if count == 1:
        assert list(found) == [shard.path for shard in islice(spread(SHARDS), len(found))]


def test_time_ends_a_probe_and_so_does_the_library() -> None:
    found, _ = probe(burn, joined, SHARDS, execute.serial(), 0.0)
    assert len(found) == LEAST
    found, _ = probe(burn, joined, SHARDS[:1], execute.serial(), 60.0)
    assert len(found) == LEAST
    found, _ = probe(burn, joined, SHARDS[:7], execute.serial(), 60.0)
    assert sorted(found) == [shard.path for shard in SHARDS[:7]]
