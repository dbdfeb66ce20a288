"""numpy's BLAS against kernels/dense.py on the shapes of the network: equality first, GFLOP/s of one thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

ROWS = (64, 128, 256, 512, 1024, 2048)
WIDTHS = (64, 128)
ROUNDS = 25
WORTH = 3e8  # operations a measurement, some milliseconds


def rates() -> dict[str, Any]:
    """For each width, (rows, GFLOP/s of ours, of BLAS), the best of ROUNDS taken in turn; ours adds the bias and cuts at 0 as well."""
    return {str(width): [(rows, *_both(rows, width)) for rows in ROWS] for width in WIDTHS}


def _both(rows: int, width: int) -> tuple[float, float]:
    from drylab.kernels.dense import dense, dense_reference, pack, padded, padded_rows

    random = np.random.default_rng(rows)
    x = random.standard_normal((padded_rows(rows), width)).astype(np.float32)
    weight, bias = random.standard_normal((width, width)).astype(np.float32), np.zeros(width, np.float32)
    panels, ends = pack(weight, bias)
    out, product = np.empty((len(x), padded(width)), np.float32), np.empty((rows, width), np.float32)
    dense(x, panels, ends, out, rows, True)
    np.matmul(x[:rows], weight, out=product)
    exact = dense_reference(x[:rows], weight, bias, False)
    # Twice what BLAS is off by is rounding; more would be another product.
    off = np.abs(out[:rows, :width] - np.maximum(exact, 0)).max()
    assert off <= 2 * np.abs(product - exact).max(), f"{rows} x {width}: off by {off:.1e}"
    work = 2.0 * rows * width * width
    repeats = int(np.ceil(WORTH / work))
    pairs = [
        (
            _rate(lambda: dense(x, panels, ends, out, rows, True), work, repeats),
            _rate(lambda: np.matmul(x[:rows], weight, out=product), work, repeats),
        )
        for _ in range(ROUNDS)
    ]
    return max(ours for ours, _ in pairs), max(theirs for _, theirs in pairs)


def _rate(work: Callable[[], object], operations: float, repeats: int) -> float:
    start = time.process_time()
    for _ in range(repeats):
        work()
    return operations * repeats / (time.process_time() - start) / 1e9
