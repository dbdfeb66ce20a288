"""Memory of a screen, of 1 and of 10 million molecules, for 1 and for 100 targets: python bench/bench_screen_memory.py [--rows 10000000]

The peak is that of all processes together (PSS, sampled), from the start of the interpreter until the run folders are written.
The library is of real pieces joined two by two, in which new surroundings of atoms keep coming: what is remembered of them
fills up, which on a library of few parts it would not. Time is CPU of the fold on one core, until the best are known.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import engine_ours as ours
from processes import Step, run_step, step
from timing import Ratio, append, report

MANY = 100
MOST_BYTES, MOST_RATIO = 1e9, 1.3
GROWTH = 1.1  # of two peaks that are the same but for noise


def targets(count: int, k: int) -> list[dict[str, Any]]:
    """The panel's targets; a second time round with an anti-target and a limit on hERG as well."""
    from drylab.score.model import load_model

    panel = [probe.name for probe in load_model().probes.probes if probe.kind == "affinity"]
    asked = []
    for number in range(count):
        lap, at = divmod(number, len(panel))
        said = {"name": f"t{number}", "target": {"panel": panel[at]}, "screen": {"top_k": k}}
        if lap:
            anti = panel[(at + lap) % len(panel)]
            said["anti_targets"] = [{"name": anti, "panel": anti, "min_delta": 0.5}]
            said["toxicity"] = {"herg": {"red": 6.0, "unit": "pIC50", "report_only": False}}
        asked.append(said)
    return asked


def screen(library: str, out: str, count: str, k: str, workers: str) -> dict[str, Any]:
    """A whole screen for so many targets, into run folders; seconds of the fold, and of all."""
    import drylab
    from drylab.execute import processes, serial

    ours.load()
    executor = serial() if workers == "1" else processes(int(workers))
    asked, clock = targets(int(count), int(k)), ours.Clock()
    files = drylab.screen_many_to(asked, out, library, executor=executor, progress=clock.progress())
    assert len(files) == int(count), files
    return {"fold": ours.pair(clock.known[0]), "all": ours.pair(clock.now())}


STEPS: dict[str, Step] = {"build": ours.build, "screen": screen}


def measure(home: Path, said: argparse.Namespace) -> None:
    """A tenth of the rows and all of them, one target and many, on one core; then the most of it on two workers."""
    from pieces import write_products

    peaks: dict[tuple[int, int], int] = {}
    for rows in (said.rows // 10, said.rows):
        write_products(home / "source.smi", said.data, rows)
        library = home / f"library-{rows}"
        built = step("build", str(home / "source.smi"), str(library), "none", "2")
        print(f"{built['rows']:,} molecules, built in {built['wall']:.0f} s", flush=True)
        taken = {}
        for count in (1, MANY):
            taken[count] = run(home, library, count, said.k, 1)
            peaks[rows, count] = taken[count]["peak"]
            note(built["rows"], count, 1, taken[count])
        one, many = (taken[count]["fold"]["cpu"] for count in (1, MANY))
        report(
            "screen_memory",
            f"1 target, {MANY} targets: time",
            built["rows"],
            Ratio(one, many, many / one, many / one, many / one),
        )
    both = run(home, library, MANY, said.k, 2)
    note(built["rows"], MANY, 2, both)
    most, least = max(peaks.values()), min(peaks.values())
    met = {
        "memory": max(most, both["peak"]) <= MOST_BYTES,
        "growth": most <= GROWTH * least,
        f"{MANY} targets": many <= MOST_RATIO * one,
    }
    print(", ".join(f"{name}: {'met' if good else 'MISSED'}" for name, good in met.items()))


def run(home: Path, library: Path, count: int, k: int, workers: int) -> dict[str, Any]:
    """A screen, its folders removed."""
    taken = step(
        "screen", str(library), str(home / "runs"), str(count), str(k), str(workers), cores=workers, watched=True
    )
    shutil.rmtree(home / "runs")
    return taken


def note(rows: int, count: int, workers: int, taken: dict[str, Any]) -> None:
    """A line, and a row of the results."""
    peak, fold, whole = taken["peak"] / 1e6, taken["fold"], taken["all"]
    print(
        f"  {rows:>10,} molecules, {count:>3} targets, {workers} worker(s): {peak:,.0f} MB at most, fold {fold['cpu']:.1f} s CPU "
        f"({rows / fold['cpu']:,.0f}/s), {fold['wall']:.1f} s wall; described and written {whole['cpu']:.1f} s CPU",
        flush=True,
    )
    names = ("rows", "targets", "workers", "peak_mb", "fold_cpu_s", "fold_wall_s")
    append(
        "screen_memory_peaks", names, (rows, count, workers, f"{peak:.0f}", f"{fold['cpu']:.1f}", f"{fold['wall']:.1f}")
    )


def main() -> None:
    """Everything happens in a scratch folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--k", type=int, default=100, help="hits of each target: describing them is most of the time")
    parser.add_argument("--folder", default=None, help="where some 3 GB for 10 million rows are free")
    said = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="drylab-bench-", dir=said.folder))
    try:
        measure(home, said)
    finally:
        shutil.rmtree(home)


if __name__ == "__main__" and not run_step(STEPS):
    main()
