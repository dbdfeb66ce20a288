"""drylab/kernels/gine.cu built as C++ and run on a CPU (cuda_host.h), as a function of NumPy arrays."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from drylab.kernels import gine, gine_gpu

HERE = Path(__file__).parent
COMPILER = shutil.which("g++")
FLAGS = (
    "-std=c++17",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-unknown-pragmas",
    "-fno-strict-aliasing",
    "-x",
    "c++",
)
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")


class Found(NamedTuple):
    """pooled (n, w) float32, left (n,) uint8, values (n, t) float64, tiles (tiles, 2) int32: what the kernels wrote."""

    pooled: np.ndarray
    left: np.ndarray
    values: np.ndarray
    tiles: np.ndarray


@cache
def folder() -> Path:
    """Where programs are built, until this process ends."""
    _KEPT.append(tempfile.TemporaryDirectory(prefix="drylab-host-"))
    return Path(_KEPT[-1].name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


@cache
def built(source: Path, macros: tuple[str, ...] = (), sanitized: bool = False) -> Path:
    """The program made of a C++ file; warnings are errors."""
    assert COMPILER
    name = hashlib.sha256(repr((source, macros, sanitized)).encode()).hexdigest()[:16]
    program = folder() / name
    subprocess.run(
        [COMPILER, *FLAGS, *(SANITIZERS if sanitized else ()), *macros, "-o", str(program), str(source)], check=True
    )
    return program


def run(
    layout: gine.Layout,
    graphs: tuple[np.ndarray, ...],
    probes: gine_gpu.Probes,
    *,
    threads: int = gine_gpu.THREADS,
    grid: int = 2,
    backwards: bool = False,
    sanitized: bool = False,
) -> Found:
    """The four kernels, one after the other; graphs as in message.encode."""
    shape = gine_gpu.Shape.of(layout, threads)
    x, begin, end, e, atom_ptr, bond_ptr = graphs
    sizes = np.array([x.shape[1], len(layout.b1), layout.edges.shape[1], len(probes.constant)], np.int32)
    arrays = (
        sizes, x, begin, end, e, atom_ptr, bond_ptr,
        layout.kinds, layout.rests, layout.stride, layout.edges, layout.b1, layout.b2, layout.steps,
        probes.mean, probes.total, probes.constant, probes.empty, probes.logistic,
    )  # fmt: skip
    program = built(HERE / "gine_host.cpp", shape.macros(), sanitized)
    with tempfile.TemporaryDirectory(dir=folder()) as place:
        there, back = Path(place) / "in", Path(place) / "out"
        with open(there, "wb") as file:
            for array in arrays:
                file.write(np.int64(array.nbytes).tobytes() + np.ascontiguousarray(array).tobytes())
        subprocess.run([program, there, back, str(grid), str(int(backwards))], check=True)
        pooled, left, values, tiles = _read(back.read_bytes())
    return Found(
        pooled.view(np.float32).reshape(-1, shape.width),
        left,
        values.view(np.float64).reshape(-1, len(probes.constant)),
        tiles.view(np.int32).reshape(-1, 2),
    )


def _read(text: bytes) -> list[np.ndarray]:
    arrays, at = [], 0
    while at < len(text):
        size = int(np.frombuffer(text, np.int64, 1, at)[0])
        arrays.append(np.frombuffer(text, np.uint8, size, at + 8))
        at += 8 + size
    return arrays
