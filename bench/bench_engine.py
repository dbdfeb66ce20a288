"""The engine against PyG, chemprop, BLAS and itself, one core, equality first: python bench/bench_engine.py [--parts abcdefgs]

    a  from a library (Parquet) to the exact k best      e  the product kernel against BLAS on the same shapes
    b  PyG from SMILES, the same shape of network        f  two workers against one, on a large library
    c  chemprop predict, in an environment of its own    g  the cascade against the full screen, and against PyG
    d  the same encoder in PyG, batches already made     s  CPU of `drylab screen` on 1,000 molecules, kernels cached

b and c are compared with a of the same round. Each measurement is a process of its own, held to one core and one thread, and
takes turns with those it is compared with; ratios are of CPU seconds, pair by pair. The molecules are distinct ones of three
real libraries, and all read the same. Cold: the process has screened 64 molecules of another library, so that all is loaded and
compiled, and nothing of this one; warm: it has screened this library once. Everything else keeps its best batch size. Minutes.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import engine_ours as ours
from peers import chemprop
from processes import Step, ran, run_step, step
from timing import Ratio, of_pairs, report

KS = (100, 1000)
CASCADE_K = 10_000  # the fewer, the larger the sample that certifies: below 1,415 no sample of half the library does
REAL = (
    *("libraries/zinc_a.smi.gz", "libraries/zinc_b.smi.gz", "libraries/pubchem_100k.csv.gz"),
    *("libraries/natural_products_50k.smi.gz", "benchmarks/dude_decoys_by_id.tsv.gz"),
)
GOALS = {"b": 12.0, "c": 20.0, "d": 0.0, "e": 0.9, "f": 1.8, "g": 60.0}
MOST_START_S = 3.0
CERTAIN = 0.99
FEW = 1000  # molecules whose time is start-up


def pyg_screen(library: str, k: str) -> dict[str, Any]:
    """PyTorch Geometric from the SMILES of a library, with a network of the shape of drylab's model."""
    from peers import pyg

    from drylab.score.model import load_model

    layers, width, _ = load_model().encoder.w1.shape
    return pyg.screen(ours.texts_of(library), int(k), width, layers)


def pyg_network(library: str) -> dict[str, Any]:
    """PyTorch Geometric with drylab's own network and batches already made."""
    from peers import pyg

    return pyg.same_network(ours.texts_of(library))


def blas() -> dict[str, Any]:
    """GFLOP/s of the product kernel and of BLAS."""
    from peers.blas import rates

    return {"rates": rates()}


STEPS: dict[str, Step] = {
    "build": ours.build,
    "equal": ours.equal,
    "screen": ours.screen,
    "network": ours.network,
    "workers": ours.workers,
    "cascade": ours.cascade,
    "pyg_screen": pyg_screen,
    "pyg_network": pyg_network,
    "blas": blas,
}


@dataclass(frozen=True, slots=True)
class Bench:
    """What is asked, and where: data, a scratch folder, the rows of the large libraries; verdicts are collected."""

    parts: str
    rounds: int
    data: Path
    home: Path
    rows: int
    large: int
    verdicts: list[str] = field(default_factory=list)

    def judge(self, what: str, value: float, wanted: float, most: bool = False) -> None:
        """Remember whether a goal is met."""
        met = value <= wanted if most else value >= wanted
        sign = "<=" if most else ">="
        self.verdicts.append(f"{'met   ' if met else 'MISSED'} {what}: {value:.3g}, wanted {sign} {wanted:g}")


def ends(b: Bench, library: Path, texts: Sequence[str]) -> None:
    """Parts a, b and c: from a library to the k best, and the peers in the same rounds."""
    said = step("equal", str(library), str(max(KS)), cores=1)
    print(
        f"equal: the {said['k']} best are the float64 reference's; {said['probes']} probes of {said['rows']:,} molecules are within "
        f"{said['share_of_bound']:.2f} of their bounds of PyG in float64"
    )
    taken: dict[str, list[dict[str, Any]]] = {}

    def note(name: str, *what: str) -> None:
        taken.setdefault(name, []).append(step(*what, cores=1))

    predictor = chemprop.Predictor(b.data, b.home, texts, FEW) if "c" in b.parts else None
    for _ in range(b.rounds):
        for k in KS:
            note(f"ours {k}", "screen", str(library), str(k))
        if "b" in b.parts:
            note("pyg", "pyg_screen", str(library), str(KS[0]))
        if predictor:
            predictor.round()
    for k in KS:
        print_ours(k, taken[f"ours {k}"])
    if "b" in b.parts:
        print_pyg(len(texts), taken["pyg"])
        for k in KS:
            compare(b, "b", f"PyG from SMILES, k = {k}", len(texts), taken[f"ours {k}"], taken["pyg"])
    if predictor:
        theirs = predictor.best()
        for k in KS:
            compare(b, "c", f"chemprop predict net of start-up, k = {k}", len(texts), taken[f"ours {k}"], theirs)


def compare(b: Bench, part: str, what: str, n: int, ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    """Rows of a peer against us, cold and warm; the goal is for cold."""
    for state in ("cold", "warm"):
        ratio = of_pairs([(mine[state]["cpu"], peer["cpu"]) for mine, peer in zip(ours, theirs, strict=True)])
        report("engine", f"{what}, {state}", n, ratio)
        if state == "cold" and GOALS[part]:
            b.judge(f"{what}, cold", ratio.median, GOALS[part])


def print_ours(k: int, runs: list[dict[str, Any]]) -> None:
    """Our seconds of each round."""
    rows = runs[0]["rows"]
    for state in ("cold", "warm", "described"):
        seconds = sorted(run[state]["cpu"] for run in runs)
        wall = min(run[state]["wall"] for run in runs)
        print(
            f"  ours, k = {k}, {state}: {seconds[len(seconds) // 2]:.3f} s CPU, {wall:.3f} s wall at best: {rows / wall:,.0f}/s"
        )


def print_pyg(n: int, runs: list[dict[str, Any]]) -> None:
    """PyG's stages."""
    best = min(runs, key=lambda run: run["cpu"])
    parts = ", ".join(
        f"{name} {best[name]:.2f} s ({n / best[name]:,.0f}/s)" for name in ("from_smiles", "collate", "forward")
    )
    print(
        f"  PyG, batches of {best['best_batch']}: {parts}; in all {n / best['cpu']:,.0f}/s of CPU, {best['wall']:.1f} s wall"
    )


def same(b: Bench, library: Path) -> None:
    """Part d: the network alone, and what it would be worth if nothing were looked up."""
    pairs = [
        (step("network", str(library), cores=1), step("pyg_network", str(library), cores=1)) for _ in range(b.rounds)
    ]
    mine, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    print(f"  PyG, batches made: best of batches of {theirs[0]['best_batch']}")
    compare(b, "d", "the same network in PyG float32, batches made", mine[0]["rows"], mine, theirs)
    for state in ("cold", "warm"):
        rate = mine[0]["flop"] / min(run[state]["cpu"] for run in mine) / 1e9
        print(f"  network, {state}: the products of all atoms at {rate:,.0f} GFLOP/s, were none looked up")


def products(b: Bench) -> None:
    """Part e."""
    for width, rows in step("blas", cores=1)["rates"].items():
        for m, mine, theirs in rows:
            print(f"  {m} x {width} x {width}: ours {mine:.0f} GFLOP/s, BLAS {theirs:.0f}, ratio {mine / theirs:.2f}")
        best = max(mine for _, mine, _ in rows), max(theirs for _, _, theirs in rows)
        ratio = best[0] / best[1]
        report(
            "engine",
            f"GFLOP/s of the product {width} wide, BLAS",
            1,
            Ratio(1 / best[0], 1 / best[1], ratio, ratio, ratio),
        )
        b.judge(f"product {width} wide, of BLAS's rate", ratio, GOALS["e"])


def two(b: Bench, large: Path, small: Path) -> None:
    """Part f: wall seconds; start-up is what two workers take for the small library beyond what one takes."""
    runs = []
    for _ in range(b.rounds):
        runs.append([step("workers", str(large), str(count), cores=count) for count in (1, 2)])
    start = step("workers", str(small), "2", cores=2)["wall"]
    n = runs[0][0]["rows"]
    ratio = of_pairs([(pair[1]["wall"], pair[0]["wall"]) for pair in runs])
    report("engine", f"{n / 1e6:.1f} million molecules, two workers (ours), one (theirs), wall", n, ratio)
    print(f"  of that start-up, at most: {start:.2f} s, which is a screen of the small library on two workers")
    b.judge("two workers against one", ratio.median, GOALS["f"])


def first(b: Bench, real: Path, library: Path, n: int) -> None:
    """Part g: the cascade on a large real library; PyG's rate from the small one, in the same rounds."""
    runs = []
    for _ in range(b.rounds):
        runs.append(
            (step("cascade", str(real), str(CASCADE_K), cores=1), step("pyg_screen", str(library), str(KS[0]), cores=1))
        )
    rows = runs[0][0]["rows"]
    full = of_pairs([(mine["cascade"]["cpu"], mine["full"]["cpu"]) for mine, _ in runs])
    report("engine", "the cascade, the full screen", rows, full)
    pyg = of_pairs([(mine["cascade"]["cpu"], peer["cpu"] * rows / n) for mine, peer in runs])
    report("engine", "the cascade, PyG from SMILES", rows, pyg)
    said = runs[0][0]
    print(f"  {said['sentence']}\n  It held {said['found']:.4f} of the full screen's {CASCADE_K:,}.")
    b.judge("recall that the cascade certifies", said["certified"], CERTAIN)
    b.judge("recall that the cascade has", said["found"], CERTAIN)
    b.judge("the cascade against PyG", pyg.median, GOALS["g"])


def start(b: Bench, texts: Sequence[str]) -> None:
    """Part s: the command as its users call it, on all cores, from a library and from a file; user and system seconds of all processes."""
    file, target = b.home / "few.smi", b.home / "few.yaml"
    few = texts[:: len(texts) // FEW][:FEW]
    file.write_text("".join(f"{text}\tm{i}\n" for i, text in enumerate(few)), encoding="utf-8")
    target.write_text(f"name: few\ntarget:\n  panel: {ours.TARGET}\n", encoding="utf-8")
    drylab = str(Path(sys.executable).with_name("drylab"))
    ran([drylab, "library", "build", str(file), "--out", str(b.home / "few")])
    for what, where in (("a library", b.home / "few"), ("a .smi file", file)):
        command = [drylab, "screen", str(target), "--library", str(where), "--out", str(b.home / "run"), "--force"]
        ran(command)
        seconds = sorted(ran(command).cpu for _ in range(max(3, b.rounds)))
        middle = seconds[len(seconds) // 2]
        print(f"  drylab screen, {FEW} molecules of {what}: {middle:.2f} s CPU ({seconds[0]:.2f} to {seconds[-1]:.2f})")
        b.judge(f"CPU seconds of drylab screen, {FEW} molecules of {what}", middle, MOST_START_S, most=True)


def library_of(b: Bench, name: str, files: Sequence[Path], recipe: str) -> Path:
    """A library in the scratch folder, built on two workers before any clock."""
    sources, out = [str(path) for path in files], b.home / name
    built = step("build", "\n".join(sources), str(out), recipe, "2")
    print(f"{name}: {built['rows']:,} molecules, recipe {recipe}, built in {built['wall']:.0f} s", flush=True)
    return out


def measure(b: Bench) -> None:
    """The parts that were asked for."""
    from bench_featurize import LIBRARIES, molecules

    texts = [text for name in LIBRARIES for text in molecules(b.data / name, b.rows)]
    source = b.home / "small.smi"
    source.write_text("".join(f"{text}\tm{i}\n" for i, text in enumerate(texts)), encoding="utf-8")
    small = library_of(b, "small", [source], "standard")
    texts = ours.texts_of(str(small))
    print(f"{len(texts):,} molecules of {len(LIBRARIES)} libraries, {ours.atoms_of(texts):.1f} atoms on average")
    if set("abc") & set(b.parts):
        ends(b, small, texts)
    if "d" in b.parts:
        same(b, small)
    if "e" in b.parts:
        products(b)
    if "f" in b.parts:
        from pieces import write_products

        write_products(b.home / "large.smi", b.data, b.large)
        two(b, library_of(b, "large", [b.home / "large.smi"], "none"), small)
    if "g" in b.parts:
        first(b, library_of(b, "real", [b.data / name for name in REAL], "standard"), small, len(texts))
    if "s" in b.parts:
        start(b, texts)
    print("\n".join(b.verdicts))


def main() -> None:
    """Everything happens in a scratch folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--parts", default="abcdefgs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=7_000, help="molecules of each of three libraries")
    parser.add_argument("--large", type=int, default=5_000_000, help="rows of the library for two workers")
    parser.add_argument("--folder", default=None, help="where a gigabyte is free")
    said = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="drylab-bench-", dir=said.folder))
    try:
        measure(Bench(said.parts, said.rounds, said.data, home, said.rows, said.large))
    finally:
        shutil.rmtree(home)


if __name__ == "__main__" and not run_step(STEPS):
    main()
