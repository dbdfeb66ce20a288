"""CUDA on one core (cuda_host.h) does what a GPU does, and a mistake is caught."""

from __future__ import annotations

import subprocess

import pytest

from tests.gpu import on_host

pytestmark = pytest.mark.skipif(on_host.COMPILER is None, reason="no g++ here to build CUDA kernels as C++")
PROGRAM = on_host.HERE / "planted.cpp"
EACH = sum(range(64))


def ran(which: str, backwards: bool, sanitized: bool = False) -> subprocess.CompletedProcess[str]:
    program = on_host.built(PROGRAM, sanitized=sanitized)
    return subprocess.run([program, which, str(int(backwards))], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(("which", "want"), [("right", 2 * EACH), ("patient", EACH)])
def test_a_right_kernel(which: str, want: int, backwards: bool) -> None:
    for sanitized in (False, True):
        done = ran(which, backwards, sanitized)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{want}\n", "")


def test_a_read_beyond_shared_memory_is_caught() -> None:
    done = ran("beyond", backwards=False, sanitized=True)
    assert done.returncode != 0
    assert "heap-buffer-overflow" in done.stderr
    assert "in neighbours" in done.stderr


def test_a_barrier_that_not_all_reach_is_caught() -> None:
    done = ran("divergent", backwards=False)
    assert done.returncode == 3
    assert "deadlock: 32 threads of block 0 wait, 32 of them at __syncthreads" in done.stderr


@pytest.mark.parametrize("which", ["race", "hasty"])
def test_a_missing_wait_shows_when_the_order_is_turned_round(which: str) -> None:
    assert ran(which, backwards=False).stdout != ran(which, backwards=True).stdout
