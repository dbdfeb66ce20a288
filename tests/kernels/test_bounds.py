"""No byte leads a kernel out of its arrays: the fuzzer runs with every index checked, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def fuzz(cache: Path, *arguments: str) -> str:
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(cache)}
    command = [sys.executable, "-m", "tests.kernels.fuzz", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_parser_stays_in_its_arrays(tmp_path: Path) -> None:
    assert "indices checked" in fuzz(tmp_path, "50")


@pytest.mark.slow
def test_all_kernels_stay_in_their_arrays(tmp_path: Path) -> None:
    assert "indices checked" in fuzz(tmp_path, "500", "all")
