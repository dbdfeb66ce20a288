"""The GPU twins of the kernels: equal to the CPU twins on every molecule first, then molecules a second.

    python bench/bench_gpu.py [--data ../shared/data] [--rows 1000000] [--rounds 20] [--tests]

For each kernel: the time of the first call (compilation), equality with the CPU twin to the bit, and device time between CUDA
events around the launcher, its own allocations and launches included (median, 20th and 80th percentile of --rounds, after
the call that compared). The fraction is the least bytes the kernel could move (inputs read once, results written once) over
its time, against a device-to-device copy measured in the same run. End to end starts at an Arrow column on the host and
is wall time. The encoder follows (bench_gine.py). Appends rows to bench/results/gpu.csv, except in the CUDA simulator, where --rows 50 tries the script itself:
    NUMBA_ENABLE_CUDASIM=1 NUMBA_DISABLE_JIT=1 python bench/bench_gpu.py --rows 50 --rounds 1
"""

from __future__ import annotations

import argparse
import itertools
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench import bench_gine
from bench.timing_gpu import ROOT, Table, copy_rate, device_ms, there, times, wait, wall_ms
from drylab.device import gpus, on_device, to_host
from drylab.featurize.route import ATOM_FIELDS, BOND_FIELDS
from drylab.featurize.text import as_bytes
from drylab.kernels import descriptors as descriptors_cpu
from drylab.kernels import descriptors_gpu, morgan, morgan_gpu, smiles, topk
from drylab.library import embedded
from drylab.types import DECLINED, PARSED, MolGraphs
from tests.kernels.twins import GPU, SIMULATED, moved
from tests.real import DATA, smiles_of

# Real libraries first; the million quinazolines fill up what is left.
LIBRARIES = (
    "libraries/zinc_a.smi.gz",
    "libraries/zinc_b.smi.gz",
    "libraries/pubchem_100k.csv.gz",
    "libraries/natural_products_50k.smi.gz",
    "libraries/chembl_10k.smi.gz",
    "benchmarks/muv_dud.csv.gz",
    "libraries/quinazoline_1M.csv.gz",
)
# A few of every kind, so that a first call compiles every kernel: small, not small, stereo, declined, no SMILES.
FEW = ("CCO", "FS(F)(F)(F)(F)F", "C[C@H](F)/C=C/Cl", "CC(=O)Oc1ccccc1C(=O)O", "CC.C", "C(", "C1CC2CCC1C2")
PARSE = "SMILES to graph"
BEST = 1000
Text = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True)
class Case:
    """One kernel: its launchers, their arguments on the host, and the arrays among them that it has to read."""

    what: str
    cpu: Callable[..., Any]
    gpu: Callable[..., Any]
    arguments: tuple[Any, ...]
    read: tuple[np.ndarray, ...]


def molecules(data: Path, rows: int) -> pa.Array:
    """``rows`` SMILES, the longest part of each, in a fixed random order; the embedded library where there is no data."""
    texts = list(itertools.islice(_texts(data), rows))
    random.Random(0).shuffle(texts)
    return pa.array(list(itertools.islice(itertools.cycle(texts), rows)))


def _texts(data: Path) -> Iterator[str]:
    files = [data / name for name in LIBRARIES if (data / name).is_file()]
    if files:
        for file in files:
            yield from (max(text.split("."), key=len) for text in smiles_of(file))
    else:
        print(f"no libraries in {data}: molecules of the embedded library")
        yield from (text for _, text in embedded.products())


def graphs_of(parsed: smiles.Parsed) -> MolGraphs:
    """What the kernel parsed as MolGraphs; rows that it did not parse stay empty."""
    fields = dict(zip(ATOM_FIELDS, parsed.atoms, strict=True)) | dict(zip(BOND_FIELDS, parsed.bonds, strict=True))
    status = (parsed.reason != smiles.OK).astype(parsed.reason.dtype)
    assert (PARSED, DECLINED) == (0, 1)
    return MolGraphs(atom_ptr=parsed.atom_ptr, bond_ptr=parsed.bond_ptr, status=status, **fields)


def parsed_on_cpu(data: np.ndarray, offsets: np.ndarray) -> smiles.Parsed:
    """The CPU twin, without the room it leaves behind its columns."""
    return smiles.parse_on_cpu(data, offsets)._replace(room=None)


def cases(text: Text, parsed: smiles.Parsed) -> list[Case]:
    """Every kernel with a GPU twin, with what it works on for these molecules; all on the host."""
    g, n = graphs_of(parsed), len(parsed.reason)
    common = (
        g.atom_ptr,
        g.bond_ptr,
        g.status,
        g.element,
        g.charge,
        g.hydrogens,
        g.degree,
        g.isotope,
        g.atom_ring,
        g.begin,
        g.end,
        g.order,
    )
    described = (*common, g.aromatic, g.bond_ring, g.chirality, g.direction)
    ecfp4, names = (g, 2, 2048, None), descriptors_cpu.NAMES
    rng = np.random.default_rng(0)
    scores, keys = rng.standard_normal(n).round(4), rng.integers(0, 2**63, (n, 2)).astype(np.uint64)
    return [
        Case(PARSE, parsed_on_cpu, smiles.parse_on_gpu, text, text),
        Case("graph to ECFP4, 2048 bits", morgan.bits_on_cpu, morgan_gpu.bits_on_gpu, ecfp4, common),
        Case("graph to ECFP4, counts", morgan.counts_on_cpu, morgan_gpu.counts_on_gpu, ecfp4, common),
        Case(f"graph to {len(names)} descriptors", descriptors_cpu.descriptors_on_cpu, descriptors_gpu.descriptors_on_gpu, (g, names), described),
        Case(f"{BEST} best of n scores", topk.topk, topk.topk, (scores, keys, np.arange(n), min(BEST, n)), (scores,)),
    ]  # fmt: skip


def ends(column: pa.Array) -> dict[str, Callable[[], Any]]:
    """What is done from an Arrow column on the host to the end; text is copied over, and of results what is said."""

    def graphs() -> MolGraphs:
        return graphs_of(smiles.parse_on_gpu(*(there(part) for part in as_bytes(column))))

    return {
        "Arrow to graph on the GPU": graphs,
        "Arrow to ECFP4, 2048 bits on the GPU": lambda: morgan_gpu.bits_on_gpu(graphs(), 2, 2048, None),
        "Arrow to descriptors and back": lambda: moved(
            to_host, descriptors_gpu.descriptors_on_gpu(graphs(), descriptors_cpu.NAMES)
        ),
    }


def leaves(value: Any, name: str = "result") -> Iterator[tuple[str, Any]]:
    """Every array in a result, with a name to print."""
    if hasattr(value, "dtype"):
        yield name, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, f"{name}[{key!r}]")
    elif isinstance(value, tuple):
        for i, part in enumerate(value):
            yield from leaves(part, f"{name}[{i}]")


def assert_equal(what: str, ours: Any, theirs: Any) -> None:
    """To the last bit, array by array."""
    for (name, a), (_, b) in zip(leaves(moved(to_host, ours)), leaves(theirs), strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape), f"{what}, {name}: {a.dtype} {a.shape}, CPU {b.dtype} {b.shape}"
        if a.tobytes() != b.tobytes():
            wrong = np.argwhere(a != b)
            raise AssertionError(f"{what}, {name}: {len(wrong)} values differ from the CPU twin, first at {wrong[:1]}")


def compile_all() -> dict[str, float]:
    """First calls, on a few molecules: case -> seconds. Almost all of it is compiling."""
    seconds: dict[str, float] = {}

    def timed(what: str, work: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = work()
        wait()
        seconds[what] = time.perf_counter() - started
        print(f"first call {what:<38} {seconds[what]:6.1f} s", flush=True)
        return result

    text = as_bytes(FEW)
    parsed = timed(PARSE, lambda: smiles.parse_on_gpu(*moved(there, text)))
    for case in cases(text, moved(to_host, parsed))[1:]:
        arguments = moved(there, case.arguments)
        timed(case.what, lambda case=case, arguments=arguments: case.gpu(*arguments))
    return seconds


def warm_up_cpu() -> None:
    """Compile the CPU twins into Numba's cache, for the process that compiles the GPU twins meanwhile."""
    text = as_bytes(FEW)
    for case in cases(text, smiles.parse_on_cpu(*text)):
        case.cpu(*case.arguments)


GPU_TESTS = tuple(
    ROOT / "tests" / name for name in ("kernels", "featurize/test_columns.py", "score/test_engine_gpu.py")
)


def run_tests() -> int:
    """The tests that need a GPU, in this process, where the kernels are compiled already: pytest's exit status."""
    import pytest

    # Another machine's packages may warn of what is no matter of ours.
    return int(pytest.main(["-m", "gpu", "-W", "default", "-p", "no:cacheprovider", *map(str, GPU_TESTS)]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--tests", action="store_true", help="run the gpu tests first, in this process")
    parser.add_argument("--warm-up", action="store_true", help="only compile the CPU twins into Numba's cache")
    asked = parser.parse_args()
    if asked.warm_up:
        warm_up_cpu()
        return 0
    if not (GPU or SIMULATED):
        print(f"no GPU here ({gpus()[1]}); NUMBA_ENABLE_CUDASIM=1 NUMBA_DISABLE_JIT=1 with --rows 50 tries the script")
        return 1
    # Half of the compiling, beside the other half; the simulator compiles nothing.
    helper = None if SIMULATED else subprocess.Popen([sys.executable, __file__, "--warm-up"])
    first = compile_all()
    if helper:
        helper.wait()
    failed = run_tests() if asked.tests else 0
    table = Table(copy_rate(asked.rounds))
    column = molecules(asked.data, asked.rows)
    text = as_bytes(column)
    parsed = smiles.parse_on_cpu(*text)
    print(
        f"{len(column)} molecules, {len(text[0]) / len(column):.1f} characters, {np.mean(parsed.reason > 0):.3%} not parsed"
    )
    for case in cases(text, parsed):
        arguments = moved(there, case.arguments)
        expected, found = case.cpu(*case.arguments), case.gpu(*arguments)
        assert SIMULATED or all(on_device(array) for _, array in leaves(found)), f"{case.what}: results left the GPU"
        assert_equal(case.what, found, expected)
        size = sum(array.nbytes for array in case.read) + sum(array.nbytes for _, array in leaves(expected))
        del found
        took = times(device_ms, lambda case=case, arguments=arguments: case.gpu(*arguments), asked.rounds)
        table.add(case.what, len(column), took, size, first[case.what])
    print(f"equal to the CPU twins on {len(column)} molecules, all {len(first)} kernels")
    for what, work in ends(column).items():
        table.add(what, len(column), times(wall_ms, work, asked.rounds))
    if not SIMULATED:  # bench_gine.py tries itself without a GPU
        bench_gine.measure(text, graphs_of(parsed), table, asked.rounds)
    return failed


if __name__ == "__main__":
    sys.exit(main())
