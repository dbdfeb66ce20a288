"""The encoder on a GPU: equal to its definition and to the CPU engine first, then molecules a second and share of the peak.

    python bench/bench_gine.py [--data ../shared/data] [--rows 1000000] [--rounds 20]

bench/gpu.sh runs it at the end of bench_gpu.py. First the un-fused path against its definition on the CPU, to the bit; then
the fused kernel against the un-fused path, and all values against the CPU engine's, on every molecule, within the sum of
the two bounds. Then device time of each kernel, and wall time from SMILES on the host to the rows that reach a threshold,
a thousand of them, rows that RDKit has to parse included. The share of the peak counts the products alone, 4 l w u
operations an atom, against dense bfloat16 as the vendor states it. Without a GPU, kernels run on a core
(tests/gpu/cupy_on_host.py): `--rows 50 --rounds 1` tries the script.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench.timing_gpu import Table, copy_rate, device_ms, times, wait, wall_ms
from drylab.device import gpus, to_device, to_host
from drylab.featurize.route import take
from drylab.kernels import gine, gine_gpu
from drylab.score.engine import fold_engine
from drylab.score.engine_gpu import PRECISION, Bfloat16Values, GpuFold, engine_of, gpu_fold
from drylab.score.features import graph_arrays
from drylab.score.model import Model, load_model
from drylab.streaming import candidates
from drylab.types import PARSED, MolGraphs, SmilesBatch
from tests.gpu.cupy_on_host import CupyOnHost
from tests.kernels.twins import moved

# Dense bfloat16 with float32 sums, operations a second, from the data sheets (SXM).
PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "B200": 2250e12}
SAMPLE = 2000  # molecules for what is compared with NumPy
BATCH = 250_000
KEPT = 1000
SLOW_ROUNDS = 3


def peak() -> float:
    """Of the GPU at hand; 0 where the table does not say."""
    name = gpus()[0][0]
    return next((flops for known, flops in PEAKS.items() if known in name), 0.0)


def errors(model: Model, graphs: MolGraphs) -> np.ndarray:
    """The largest error of each probe, from the model file, or else measured on a sample."""
    said = model.info.get("engine", {}).get(PRECISION)
    if said is not None:
        return np.array(said["largest_error"])
    some = take(graphs, np.arange(min(SAMPLE, len(graphs))))
    print(f"the model file does not say how far {PRECISION} is from float64: measured on {len(some)} molecules")
    exact = fold_engine(model, range(len(model.probes)), "float64").values(some)
    return np.abs(Bfloat16Values.of(model)(some) - exact).max(axis=0)


def compare(model: Model, fold: GpuFold, graphs: MolGraphs) -> None:
    """Assert that definition, un-fused path, fused kernel and CPU engine agree; says by how much."""
    engine, arrays = engine_of(fold), moved(to_device, graph_arrays(graphs))
    few = gine.some(np.arange(min(SAMPLE, len(graphs))), *graph_arrays(graphs))
    unfused = gine.pooled(engine.layout, *arrays)
    exact = Bfloat16Values.of(model)
    want = gine.pooled(exact.layout, *few)
    assert to_host(unfused[: len(want)]).tobytes() == want.tobytes(), "the un-fused path is not its definition"
    print(f"un-fused: equal to its definition to the bit on {len(want)} molecules")
    fused = engine.pooled(*arrays)
    assert to_host(engine.pooled(*arrays)).tobytes() == to_host(fused).tobytes(), "a second run gives other bits"
    apart = abs(engine.probed(fused, arrays[4]) - engine.probed(unfused, arrays[4]))
    same = float((fused == unfused).all(axis=1).mean())
    worst = to_host(apart.max(axis=0))
    print(f"fused: the same bits in {same:.2%} of {len(graphs)} molecules, values at most {worst.max():.1e} apart")
    assert (worst <= fold.bounds).all(), "fused and un-fused are further apart than the bound"
    cpu = fold_engine(model, fold.rows.tolist())
    started = time.perf_counter()
    theirs = np.concatenate([cpu.values(take(graphs, part)) for part in _parts(len(graphs))])
    seconds = time.perf_counter() - started
    error = np.abs(fold.values(graphs) - theirs)
    share = (error / (fold.bounds + cpu.bounds)).max()
    print(
        f"CPU engine ({cpu.precision}, {len(graphs) / seconds:,.0f} molecules/s on one core): values at most {error.max():.1e} apart, "
        f"{share:.2f} of the bound at most, on {len(graphs)} molecules"
    )
    assert share <= 1, "a value is further from the CPU engine's than the bounds allow"


def _parts(n: int) -> list[np.ndarray]:
    return np.array_split(np.arange(n), max(1, n // 20_000))


def kernels(fold: GpuFold, graphs: MolGraphs, table: Table, rounds: int) -> None:
    """Rows for each kernel alone, on graphs that are there."""
    engine, arrays = engine_of(fold), moved(to_device, graph_arrays(graphs))
    n, atoms = len(graphs), len(graphs.element)
    layers, width, hidden = engine.layout.w1.shape
    flops = 4.0 * layers * width * hidden * atoms
    tiles = engine.packed(arrays[4])
    count = int(to_host(tiles.count)[0])
    print(
        f"{count} tiles, {atoms / (128 * count):.1%} full; {int(tiles.left.sum())} molecules left to the un-fused path"
    )
    shape = f"{width} x {hidden} x {layers}"
    table.add("packing into tiles", n, times(device_ms, lambda: engine.packed(arrays[4]), rounds))
    for threads in (256, 128):
        other = gine_gpu.GpuEncoder(engine.layout, engine.probes, threads)
        took = times(device_ms, lambda other=other: other.fused(tiles, *arrays), rounds)
        assert bool((other.fused(tiles, *arrays) == engine.fused(tiles, *arrays)).all()), "threads change bits"
        table.add(f"fused encoder {shape}, {threads} threads", n, took, flops=flops, peak=peak())
    slow = min(rounds, SLOW_ROUNDS)
    took = times(device_ms, lambda: gine.pooled(engine.layout, *arrays), slow)
    table.add(f"un-fused encoder {shape}", n, took, flops=flops, peak=peak())
    table.add(
        f"graph to {len(fold.rows)} values, all kernels", n, times(device_ms, lambda: engine.values(*arrays), rounds)
    )


def probes(fold: GpuFold, graphs: MolGraphs, table: Table, rounds: int) -> None:
    """A row for the probe kernel."""
    engine, atom_ptr = engine_of(fold), to_device(graphs.atom_ptr)
    pooled = engine.pooled(*moved(to_device, graph_arrays(graphs)))
    took = times(device_ms, lambda: engine.probed(pooled, atom_ptr), rounds)
    table.add(f"{len(fold.rows)} probes", len(graphs), took)


def end_to_end(
    fold: GpuFold, text: tuple[np.ndarray, np.ndarray], graphs: MolGraphs, table: Table, rounds: int
) -> None:
    """Rows from SMILES on the host to the candidates on the host, in batches, reading ahead."""
    data, offsets = text
    n = len(offsets) - 1
    whole = SmilesBatch(np.zeros((n, 2), np.uint64), np.arange(n), data, offsets)
    batches = [whole.slice(at, min(at + BATCH, n)) for at in range(0, n, BATCH)]
    values = fold.values(graphs)[graphs.status == PARSED]
    thresholds = np.full(len(fold.rows), np.inf)
    thresholds[0] = np.sort(values[:, 0])[-min(KEPT, len(values))]

    def run() -> Any:
        return [(found.rows, found.values) for found in candidates(fold, batches, thresholds)]

    kept = sum(len(rows) for rows, _ in run())
    assert kept >= min(KEPT, len(values)), "rows that the kernel parsed are among those that come back"
    table.add(f"SMILES on the host to candidates, {len(fold.rows)} probes", n, times(wall_ms, run, rounds))


def measure(text: tuple[np.ndarray, np.ndarray], graphs: MolGraphs, table: Table, rounds: int) -> None:
    """All of it, for SMILES and what the kernel parsed of them, on the host."""
    model = load_model()
    known, probe_count = errors(model, graphs), len(model.probes)
    started = time.perf_counter()
    all_probes = gpu_fold(model, range(probe_count), known)
    all_probes.values(take(graphs, np.arange(1)))
    wait()
    print(f"first call of the encoder {time.perf_counter() - started:.1f} s")
    compare(model, all_probes, graphs)
    kernels(all_probes, graphs, table, rounds)
    for count in (1, 100):
        fold = gpu_fold(model, [row % probe_count for row in range(count)], known)
        probes(fold, graphs, table, rounds)
        end_to_end(fold, text, graphs, table, min(rounds, SLOW_ROUNDS))


def main() -> None:
    # bench_gpu runs this file's measure.
    from bench.bench_gpu import DATA, graphs_of, molecules
    from drylab.featurize.text import as_bytes
    from drylab.kernels import smiles

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    asked = parser.parse_args()
    names, why = gpus()
    if not names:
        print(f"no GPU here ({why}): kernels run on a core, times say nothing, and no rows are written")
        sys.modules["cupy"] = CupyOnHost()
    text = as_bytes(molecules(asked.data, asked.rows))
    table = Table(copy_rate(asked.rounds))
    measure(text, graphs_of(smiles.parse_on_cpu(*text)), table, asked.rounds)


if __name__ == "__main__":
    main()
