"""Time on a GPU: CUDA events, the speed of a copy to hold a kernel's against, and rows in bench/results/gpu.csv.

Without a GPU, as in the CUDA simulator, wall time stands for device time, and no row is written.
"""

from __future__ import annotations

import csv
import importlib.metadata
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from drylab.device import gpus, to_device
from tests.kernels.twins import SIMULATED

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("numba", "numba-cuda", "cupy-cuda13x", "numpy")
COPY_BYTES = 2**31
ON_GPU = bool(gpus()[0]) and not SIMULATED
HEADER = (
    "day", "gpu", "versions", "commit", "what", "molecules", "molecules_per_s", "median_ms", "p20_ms", "p80_ms",
    "bytes", "fraction_of_copy", "copy_tb_per_s", "compile_s", "tflop_per_s", "fraction_of_peak",
)  # fmt: skip
there = to_device if ON_GPU else np.copy  # the simulator writes every array back: it gets copies


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds: median, 20th and 80th percentile."""

    median: float
    low: float
    high: float


def wait() -> None:
    """Until the GPU has done all it was given."""
    if ON_GPU:
        import cupy

        cupy.cuda.get_current_stream().synchronize()


def wall_ms(work: Callable[[], Any]) -> float:
    """Milliseconds on the host's clock until everything is done."""
    started = time.perf_counter()
    result = work()
    wait()
    elapsed = 1e3 * (time.perf_counter() - started)
    del result  # giving memory back is no part of the work
    return elapsed


def device_ms(work: Callable[[], Any]) -> float:
    """Milliseconds between two CUDA events around the work; wall time without a GPU."""
    if not ON_GPU:
        return wall_ms(work)
    import cupy

    start, stop = cupy.cuda.Event(), cupy.cuda.Event()
    start.record()
    result = work()
    stop.record()
    stop.synchronize()
    del result
    return float(cupy.cuda.get_elapsed_time(start, stop))


def times(clock: Callable[[Callable[[], Any]], float], work: Callable[[], Any], rounds: int) -> Times:
    """Warm up once, then measure."""
    clock(work)
    low, median, high = np.percentile([clock(work) for _ in range(rounds)], (20, 50, 80))
    return Times(float(median), float(low), float(high))


def copy_rate(rounds: int) -> float:
    """Bytes a second of a copy on the device, read and written both counted: the limit that memory sets."""
    size = COPY_BYTES if ON_GPU else 2**20
    source = there(np.ones(size // 8, np.int64))
    return 2 * size / (times(device_ms, source.copy, rounds).median * 1e-3)


class Table:
    """Prints rows and appends them to bench/results/gpu.csv (not what a simulator did)."""

    def __init__(self, copy: float) -> None:
        self.copy = copy
        self.file = Path(__file__).parent / "results" / "gpu.csv"
        versions = " ".join(f"{name} {_version(name)}" for name in PACKAGES)
        gpu = gpus()[0][0] if ON_GPU else "no GPU"
        self.about = (f"{datetime.now(UTC):%Y-%m-%d}", gpu, f"{versions} {_driver()}".strip(), _commit())
        print(", ".join(self.about), f"copy {copy / 1e12:.2f} TB/s", sep=", ")

    def add(
        self,
        what: str,
        n: int,
        took: Times,
        size: int = 0,
        compile_s: float = 0.0,
        flops: float = 0.0,
        peak: float = 0.0,
    ) -> None:
        """One row: n molecules in ``took``. size: the least bytes moved; flops: operations of products; peak: how many a second the GPU
        is said to do. 0 where they say nothing."""
        rate = n / (took.median * 1e-3)
        fraction = size / (took.median * 1e-3) / self.copy
        done = flops / (took.median * 1e-3)
        of_peak = done / peak if peak else 0.0
        print(
            f"{what:<38} {rate / 1e6:10.3f} M/s  {took.median:9.3f} ms ({took.low:.3f} to {took.high:.3f})"
            + (f"  {size / n:6.0f} B each, {100 * fraction:5.1f} % of a copy" if size else "")
            + (f"  {done / 1e12:6.1f} TFLOP/s" if flops else "")
            + (f", {100 * of_peak:.1f} % of {peak / 1e12:.0f}" if of_peak else "")
        )
        if not ON_GPU:
            return
        new = not self.file.exists()
        self.file.parent.mkdir(exist_ok=True)
        with open(self.file, "a", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            if new:
                writer.writerow(HEADER)
            spread = [f"{ms:.3f}" for ms in (took.median, took.low, took.high)]
            limit = [size, f"{fraction:.4f}"] if size else ["", ""]
            first = f"{compile_s:.1f}" if compile_s else ""
            products = [f"{done / 1e12:.1f}" if flops else "", f"{of_peak:.4f}" if of_peak else ""]
            writer.writerow(
                [*self.about, what, n, f"{rate:.0f}", *spread, *limit, f"{self.copy / 1e12:.2f}", first, *products]
            )


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "-"


def _driver() -> str:
    if not ON_GPU or not shutil.which("nvidia-smi"):
        return ""
    ask = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    return "driver " + subprocess.run(ask, capture_output=True, text=True, check=False).stdout.partition("\n")[0]


def _commit() -> str:
    """Of the checkout, or what DRYLAB_COMMIT says where only the files were copied."""
    if "DRYLAB_COMMIT" in os.environ or not shutil.which("git"):
        return os.environ.get("DRYLAB_COMMIT", "")
    ask = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    return subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()
