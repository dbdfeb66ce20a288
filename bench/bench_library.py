"""Building and reading a library: rates of one core, and memory that does not grow: python bench/bench_library.py [--rows 10000000]

Each measurement is a process of its own, so that its CPU seconds and its memory are its own (PSS of the process and its
workers, sampled). Equality comes first: what is built is what went in. The peers do the same work in the way it is
usually done: pandas, RDKit and a set to build; pyarrow.dataset to scan.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from processes import Step, cpu, run_step, step
from timing import Ratio, report

ENDS = (
    *("F", "Cl", "O", "N(C)C", "C#N", "c2ccccc2", "C2CC2", "OC", "S(C)(=O)=O", "C(F)(F)F", "n2ccnc2"),
    *("Br", "N", "C(C)C", "C(=O)O", "c2ccncc2", "C2CCC2", "OCC", "SC", "C(F)F", "n2cccn2", "C(N)=O"),
)
TAILS = ["C" * length + end for end in ENDS for length in range(1, 11)]
PEER_ROWS = 20_000
WANTED = {"none": 100_000, "scan": 5_000_000}  # rows/s of one core
MOST_BYTES = 1.5e9


def molecules(rows: int) -> Iterator[str]:
    """Distinct drug-like molecules: a core with three of 220 tails, in an order that mixes small and large."""
    every = len(TAILS) ** 3
    for number in range(rows):
        a, rest = divmod(number * 6_180_341 % every, len(TAILS) ** 2)  # a step without a common factor visits all
        b, c = divmod(rest, len(TAILS))
        yield f"O=C(N{TAILS[a]})c1ccc(NC(=O){TAILS[b]})cc1O{TAILS[c]}"


def write_source(path: Path, rows: int) -> None:
    """A .smi file of so many rows."""
    texts = enumerate(molecules(rows))
    with open(path, "w", encoding="ascii") as file:
        while part := list(itertools.islice(texts, 100_000)):
            file.write("".join(f"{text}\tM{number:09d}\n" for number, text in part))


def build(source: str, out: str, recipe: str, workers: str) -> dict[str, Any]:
    """A build, after a small one that loads what is compiled; with one worker in this process."""
    from drylab.build import BuildOptions, build_library
    from drylab.execute import processes, serial

    options = BuildOptions(recipe=recipe)
    build_library(source, f"{out}-small", options=BuildOptions(recipe=recipe, limit=2000), force=True)
    start = cpu()
    executor = serial() if workers == "1" else processes(int(workers))
    library = build_library(source, out, options=options, executor=executor, force=True)
    return {"rows": library.rows, "cpu": cpu() - start}


def peer_build(source: str, out: str) -> dict[str, Any]:
    """The same with pandas, RDKit and a set, a row at a time."""
    import pandas as pd
    from rdkit import Chem, RDLogger
    from rdkit.Chem import Crippen, Descriptors, rdMolDescriptors

    RDLogger.DisableLog("rdApp.*")
    start = cpu()
    frame = pd.read_csv(source, sep="\t", names=["smiles", "id"])
    seen, rows = set(), []
    for text, ident in zip(frame["smiles"], frame["id"], strict=True):
        mol = Chem.MolFromSmiles(text)
        if mol is None or text in seen:
            continue
        seen.add(text)
        numbers = (Descriptors.MolWt(mol), Crippen.MolLogP(mol), rdMolDescriptors.CalcTPSA(mol))
        counts = (
            rdMolDescriptors.CalcNumHBD(mol),
            rdMolDescriptors.CalcNumHBA(mol),
            rdMolDescriptors.CalcNumRotatableBonds(mol),
        )
        rows.append((ident, text, *numbers, *counts))
    pd.DataFrame(rows, columns=["id", "smiles", "mw", "clogp", "tpsa", "hbd", "hba", "rotatable"]).sort_values(
        "mw"
    ).to_parquet(out)
    return {"rows": len(rows), "cpu": cpu() - start}


def scan(library: str, checked: str, times: str) -> dict[str, Any]:
    """Every SMILES of a library, so many times over, on one core; "yes": the SHA-256 of every file is compared first."""
    import pyarrow as pa

    from drylab.library.reading import scan as scanned
    from drylab.library.store import open_library

    opened = open_library(library)
    again = range(int(times))
    return _scanned(lambda: (table for _ in again for table in scanned(opened, ["smiles"], checked == "yes")), pa)


def peer_scan(library: str) -> dict[str, Any]:
    """The same with pyarrow.dataset in one thread."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    data = ds.dataset(f"{library}/shards")
    return _scanned(lambda: data.to_batches(columns=["smiles"], use_threads=False), pa)


def _scanned(batches: Callable[[], Any], pa: Any) -> dict[str, Any]:
    next(iter(batches()))
    rows = size = 0
    start = cpu()
    for batch in batches():
        column = batch.column(batch.schema.get_field_index("smiles"))
        rows += len(column)
        size += (
            column.nbytes if not isinstance(column, pa.ChunkedArray) else sum(chunk.nbytes for chunk in column.chunks)
        )
    return {"rows": rows, "cpu": cpu() - start}


def prune(library: str) -> dict[str, Any]:
    """Row groups that a range of mw reads, those that statistics say it needs, and whether the rows are all."""
    import pyarrow.parquet as pq

    from drylab.library.pruning import plan
    from drylab.library.store import open_library

    opened = open_library(library)
    low, high = 300.0, 400.0
    planned = plan(opened, (("mw", low, high),))
    read = sum(shard.groups for shard in planned.read)
    rows = sum(shard.rows for shard in planned.read)
    needed = there = inside = 0
    for entry in opened.entries():
        file = pq.ParquetFile(entry["path"])
        at = file.schema_arrow.get_field_index("mw")
        for group in range(file.num_row_groups):
            said = file.metadata.row_group(group).column(at).statistics
            there += 1
            needed += said.max >= low and said.min <= high
        values = file.read(columns=["mw"]).column("mw").to_numpy()
        inside += int(((values >= low) & (values <= high)).sum())
    return {"read": read, "needed": needed, "all": there, "rows": rows, "inside": inside, "cpu": 0.0}


STEPS: dict[str, Step] = {
    "build": build,
    "peer_build": peer_build,
    "scan": scan,
    "peer_scan": peer_scan,
    "prune": prune,
}


def rate(what: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """One line of rows per CPU second, ours and theirs."""
    a, b = ours["cpu"] / ours["rows"], theirs["cpu"] / theirs["rows"]
    report("library", what, 1_000_000, Ratio(a * 1e6, b * 1e6, b / a, b / a, b / a))


def main() -> None:
    """Sources of a tenth and of all rows; the same steps on both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--folder", default=None, help="where some 5 GB for 10 million rows are free")
    said = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="drylab-bench-", dir=said.folder))
    try:
        compare(home, said.rows)
    finally:
        shutil.rmtree(home)


def compare(home: Path, rows: int) -> None:
    """All measurements, in a folder."""
    peaks: dict[str, list[int]] = {"build": [], "scan": []}
    write_source(home / "peer.smi", PEER_ROWS)
    for n in (rows // 10, rows):
        source, out = home / f"{n}.smi", home / f"library-{n}"
        write_source(source, n)
        both = step("build", str(source), str(out), "none", "2", watched=True)
        assert both["rows"] == n, both
        # As many rows for both, so that what the allocator keeps is not taken for growth with the library.
        scanned = step("scan", str(out), "yes", str(rows // n), watched=True)
        assert scanned["rows"] == rows, scanned
        peaks["build"].append(both["peak"])
        peaks["scan"].append(scanned["peak"])
        print(
            f"{n:,} rows: built on 2 workers in {both['wall']:.0f} s, {both['peak'] / 1e6:,.0f} MB; scanned with {scanned['peak'] / 1e6:,.0f} MB"
        )
    one = step("build", str(home / f"{rows // 10}.smi"), str(home / "one"), "none", "1")
    rate(
        "build, recipe none, against pandas + RDKit",
        one,
        step("peer_build", str(home / "peer.smi"), str(home / "peer.parquet")),
    )
    print(f"  on 2 workers: {both['rows'] / both['cpu']:,.0f} rows per CPU second")
    theirs = step("peer_scan", str(out))
    rate("scan of SMILES with checksums, against pyarrow.dataset", scanned, theirs)
    rate("scan of SMILES without, against pyarrow.dataset", step("scan", str(out), "no", "1"), theirs)
    pruned = step("prune", str(out))
    print(
        f"mw 300 to 400: reads {pruned['read']} of {pruned['all']} row groups, {pruned['needed']} have a row in it by their statistics; "
        f"{pruned['rows']:,} rows read for {pruned['inside']:,}"
    )
    assert pruned["read"] == pruned["needed"], pruned
    met = {
        "ingest": one["rows"] / one["cpu"] >= WANTED["none"],
        "scan": scanned["rows"] / scanned["cpu"] >= WANTED["scan"],
        "memory": max(max(two) for two in peaks.values()) <= MOST_BYTES,
        "growth": all(two[1] <= 1.15 * two[0] for two in peaks.values()),
    }
    print(", ".join(f"{name}: {'met' if good else 'MISSED'}" for name, good in met.items()))


if __name__ == "__main__" and not run_step(STEPS):
    main()
