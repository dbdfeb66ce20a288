"""Merging a part of real size stays in the memory that a worker has."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from drylab.library import layout, merging, runs
from tests.library import made_rows

# VmHWM, not ru_maxrss: that one starts at what the parent had.
MERGER = """
import pickle, sys
from pathlib import Path
from drylab.library import merging

def peak():
    return next(int(line.split()[1]) for line in Path("/proc/self/status").open() if line.startswith("VmHWM"))

part = pickle.loads(sys.stdin.buffer.read())
before = peak()
merging.merge_part(part)
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("rows_of_a_run", [80_000, 4_000])
def test_a_part_of_real_size_in_little_memory(tmp_path: Path, rows_of_a_run: int) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("needs /proc")
    n = 1 << 20
    table = made_rows.many(n)
    own = [
        runs.write_run(table.slice(first, rows_of_a_run), str(tmp_path / f"{first}.run"))
        for first in range(0, n, rows_of_a_run)
    ]
    keys = np.unique(layout.number_keys(table.column("key")), axis=0)
    del table
    (tmp_path / "shards").mkdir()
    parts = merging.parts(
        own, merging.cuts(own, rows=1 << 19), f"{tmp_path}/shards/v1-{{:05d}}.parquet", f"{tmp_path}/{{:05d}}", {}, {}
    )
    assert len(parts) == 2
    for part in parts:
        said = subprocess.run([sys.executable, "-c", MERGER], input=pickle.dumps(part), capture_output=True, check=True)
        megabytes = int(said.stdout) / 1000
        print(f"{len(own)} runs, part {part.number}: {megabytes:.0f} MB above the imports")
        assert megabytes < 350
    merged = [merging.finished(part) for part in parts]
    assert sum(sum(one.kept.values()) for one in merged if one) == len(keys)
    assert sum(sum(one.duplicates.values()) for one in merged if one) + sum(
        sum(run.duplicates.values()) for run in own
    ) == n - len(keys)
