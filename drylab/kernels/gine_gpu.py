"""Launchers of kernels/gine.cu: the encoder and the probes on a GPU, CuPy arrays in and out. Header and limits: there.

    engine = GpuEncoder(layout, probes)       weights go to the GPU that is current
    engine.pooled(x, begin, end, e, atom_ptr, bond_ptr) -> (n, w) float32      arrays as in message.encode, on that GPU
    engine.values(...the same) -> (n, t) float64                               every probe, in its own unit

The source is compiled by NVRTC for the GPU at hand when it is first needed (about a second), and CuPy keeps the result on
disk. What the fused kernel leaves (more than 128 atoms, an atom of more than 8 bonds) and widths above 128 go through
kernels/gine.py.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.device import to_device
from drylab.errors import DeviceError
from drylab.kernels import gine
from drylab.kernels.message import SUM_SCALE

SOURCE = Path(__file__).with_name("gine.cu")
ROWS, SLOTS, STAGES, CHUNK, PER_BLOCK = 128, 8, 3, 512, 32  # as in gine.cu
THREADS = 256  # of a block; gine.cu can do with 128 too
KERNELS = ("pack", "list_tiles", "gine", "probe")
LARGEST = 128  # width and hidden of the fused kernel
PROBE_BYTES = 128 << 10  # of shared memory for the probe kernel at most: a width of 1,000
OLDEST = 80  # compute capability that has mma of bfloat16


@dataclass(frozen=True, slots=True)
class Shape:
    """What gine.cu is compiled for."""

    width: int
    hidden: int
    threads: int = THREADS

    @classmethod
    def of(cls, layout: gine.Layout, threads: int = THREADS) -> Shape:
        """The padded sizes of a layout."""
        return cls(layout.b2.shape[1], layout.b1.shape[1], threads)

    @property
    def fused(self) -> bool:
        """Whether the fused kernel can be this large."""
        return max(self.width, self.hidden) <= LARGEST

    @property
    def shared_bytes(self) -> int:
        """Of a block: states, m or u, stages of weights, and 28 bytes about each row."""
        larger = max(self.width, self.hidden)
        return ROWS * (4 * self.width + 2 * larger + 2 * SLOTS + 12) + STAGES * gine.STEP * larger * 2

    @property
    def blocks(self) -> int:
        """On a multiprocessor: as many as shared memory holds."""
        return 3 if max(self.width, self.hidden) == gine.PAD else 2

    def macros(self) -> tuple[str, ...]:
        """As options of a compiler."""
        sizes = {"WIDTH": self.width, "HIDDEN": self.hidden, "THREADS": self.threads}
        sizes |= {"SHARED_BYTES": self.shared_bytes, "BLOCKS": self.blocks}
        return tuple(f"-D{name}={value}" for name, value in sizes.items())


@dataclass(frozen=True, slots=True)
class Probes:
    """t probes with the read-out folded in: a value is (p . mean) / atoms + p . total + constant, of a sum of states p.

    mean, total (w, t), constant, empty (t,) float64; empty is the value of a molecule without atoms
    logistic (t,) uint8: then 1 / (1 + exp(-value))
    """

    mean: Any
    total: Any
    constant: Any
    empty: Any
    logistic: Any


def folded(r_mean, r_sum, c, weights, bias, logistic, width: int) -> Probes:
    """Read-out (message.py) and probes (probe.py) as one, float64; ``width`` is the padded width."""
    mean, total = np.zeros((width, len(bias))), np.zeros((width, len(bias)))
    mean[: len(r_mean)], total[: len(r_sum)] = r_mean @ weights.T, r_sum @ weights.T / SUM_SCALE
    return Probes(mean, total, weights @ c + bias, np.array(bias), logistic.astype(np.uint8))


def values_reference(probes: Probes, pooled: NDArray[np.float32], atom_ptr: NDArray[np.int32]) -> NDArray[np.float64]:
    """(n, t) float64: the probe kernel in NumPy."""
    atoms, sums = np.diff(atom_ptr)[:, None], pooled.astype(np.float64)
    value = sums @ probes.mean / np.maximum(atoms, 1) + sums @ probes.total + probes.constant
    value = np.where(atoms == 0, probes.empty, value)
    return np.where(probes.logistic == 1, 1.0 / (1.0 + np.exp(-value)), value)


@cache
def _kernels(shape: Shape, device: int) -> dict[str, Any]:
    import cupy

    if int(cupy.cuda.Device(device).compute_capability) < OLDEST:
        raise DeviceError(
            f"GPU {device} has compute capability {cupy.cuda.Device(device).compute_capability}, bfloat16 products need "
            f"{OLDEST} (Ampere) or newer; set the device to cpu"
        )
    module = cupy.RawModule(code=SOURCE.read_text(encoding="utf-8"), options=("-std=c++17", *shape.macros()))
    kernels = {name: module.get_function(name) for name in KERNELS}
    kernels["gine"].max_dynamic_shared_size_bytes = shape.shared_bytes
    kernels["probe"].max_dynamic_shared_size_bytes = PROBE_BYTES
    kernels["gine"].preferred_shared_memory_carveout = 100  # per cent: else one block may get what is for two
    return kernels


@dataclass(frozen=True, slots=True)
class Tiles:
    """Molecules packed into tiles: count (1,), tiles (most, 2), order (n,) int32, row (n,) uint8, left (n,) uint8 as in gine.cu."""

    count: Any
    tiles: Any
    order: Any
    row: Any
    left: Any


class GpuEncoder:
    """Encoder and probes of one model on one GPU. Calls are asynchronous until ``left`` is asked for."""

    def __init__(self, layout: gine.Layout, probes: Probes, threads: int = THREADS) -> None:
        import cupy

        self.device = cupy.cuda.Device()
        self.shape = Shape.of(layout, threads)
        self.layout, self.probes = _moved(layout), _moved(probes)
        # Probes are in the same source; where the encoder is too wide for it, any width does for the compiler.
        self._kernels = _kernels(self.shape if self.shape.fused else Shape(LARGEST, LARGEST), self.device.id)
        self._blocks = self.shape.blocks * self.device.attributes["MultiProcessorCount"]

    def values(self, x: Any, begin: Any, end: Any, e: Any, atom_ptr: Any, bond_ptr: Any) -> Any:
        """(n, t) float64 of every molecule."""
        return self.probed(self.pooled(x, begin, end, e, atom_ptr, bond_ptr), atom_ptr)

    def pooled(self, x: Any, begin: Any, end: Any, e: Any, atom_ptr: Any, bond_ptr: Any) -> Any:
        """(n, w) float32: the sum of the last states of each molecule."""
        import cupy

        arrays = tuple(cupy.ascontiguousarray(array) for array in (x, begin, end, e, atom_ptr, bond_ptr))
        assert [array.dtype for array in arrays] == [np.uint8] * 4 + [np.int32] * 2
        if not self.shape.fused:
            return gine.pooled(self.layout, *arrays)
        tiles = self.packed(atom_ptr)
        out = self.fused(tiles, *arrays)
        rows = cupy.flatnonzero(tiles.left)
        if len(rows):
            out[rows] = gine.pooled(self.layout, *gine.some(rows, *arrays))
        return out

    def packed(self, atom_ptr: Any) -> Tiles:
        """Molecules into tiles of at most 128 atoms; those that are larger are marked in ``left``."""
        import cupy

        n = len(atom_ptr) - 1
        assert n < 2**31 - CHUNK
        chunks = -(-n // CHUNK)
        order, ends, counts = (cupy.zeros(size, np.int32) for size in (n, n, chunks))
        row, row_of, left = (cupy.zeros(n, np.uint8) for _ in range(3))
        tiles, total = cupy.zeros((n, 2), np.int32), cupy.zeros(1, np.int32)
        if n:
            grid = (-(-chunks // 32),)
            tile_of = cupy.empty(n, np.uint16)
            self._launch("pack", grid, 32, np.int32(n), atom_ptr, order, row, ends, counts, tile_of, row_of, left)
            counts = cupy.cumsum(counts, dtype=np.int32)
            self._launch("list_tiles", grid, 32, np.int32(n), ends, counts, tiles)
            total = counts[-1:]
        return Tiles(total, tiles, order, row, left)

    def fused(self, tiles: Tiles, x: Any, begin: Any, end: Any, e: Any, atom_ptr: Any, bond_ptr: Any) -> Any:
        """(n, w) float32 of the molecules in tiles; ``tiles.left`` says whose rows mean nothing."""
        import cupy

        n, w = len(atom_ptr) - 1, self.layout
        assert x.shape[1] == len(w.stride)
        out = cupy.zeros((n, self.shape.width), np.float32)
        if n:
            counts = (np.int32(w.b1.shape[0]), np.int32(w.edges.shape[1]))
            self._launch(
                "gine", (self._blocks,), self.shape.threads, tiles.count, tiles.tiles, tiles.order, tiles.row, atom_ptr, bond_ptr,
                x, np.int32(x.shape[1]), w.stride, begin, end, e, *counts, w.kinds, w.rests, w.edges, w.steps, w.b1, w.b2,
                out, tiles.left, shared_mem=self.shape.shared_bytes,
            )  # fmt: skip
        return out

    def probed(self, pooled: Any, atom_ptr: Any) -> Any:
        """(n, t) float64 from sums of states."""
        import cupy

        n, t, p = len(pooled), len(self.probes.constant), self.probes
        values = cupy.empty((n, t), np.float64)
        if n and t:
            self._launch(
                "probe", (-(-n // PER_BLOCK),), self.shape.threads, np.int32(n), np.int32(t), np.int32(pooled.shape[1]), atom_ptr, pooled,
                p.mean, p.total, p.constant, p.empty, p.logistic, values, shared_mem=PER_BLOCK * (pooled.shape[1] + 1) * 4,
            )  # fmt: skip
        return values

    def _launch(self, name: str, grid: tuple[int, ...], threads: int, *arguments: Any, shared_mem: int = 0) -> None:
        self._kernels[name](grid, (threads,), arguments, shared_mem=shared_mem)


def _moved(container: Any) -> Any:
    """Its arrays on the current GPU, each in one piece."""
    arrays = {f.name: getattr(container, f.name) for f in fields(container)}
    return replace(
        container, **{k: to_device(np.ascontiguousarray(v)) for k, v in arrays.items() if isinstance(v, np.ndarray)}
    )
