"""From vendor files to a library: every row is somewhere, the bytes do not depend on the executor, a failure leaves nothing."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import Crippen, Descriptors

from drylab import intake
from drylab.build import BuildOptions, build_library, build_totals, within, write_library
from drylab.errors import DrylabError, InputError, OutputError
from drylab.execute import Executor, dask, processes, serial
from drylab.featurize import reference
from drylab.library import embedded, layout
from drylab.library.picking import find_library
from drylab.library.reading import read_shard
from drylab.library.rows import Columns
from drylab.library.standardize import standardize_texts
from drylab.library.store import Library, open_library
from drylab.progress import Progress

ALL = BuildOptions(max_rejected=1.0)
# The same molecule in several ways, salts of it, and what is refused for each of the reasons.
POOL = ("CCO", "OCC", "C(O)C", "CC[O-].[Na+]", "CCN", "CC[NH3+].[Cl-]", "c1ccccc1", "C1=CC=CC=C1", "CC(=O)O", "N[C@@H](C)C(=O)O",
        "N[C@H](C)C(=O)O", "", "C1CC", "[Na+].[Cl-]", "C" * 5001)  # fmt: skip


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks, row groups and files of a few rows, so that a test crosses their edges (in this process)."""
    monkeypatch.setattr(intake, "BLOCK_BYTES", {"none": 90, "standard": 90, "tautomer": 90})
    monkeypatch.setattr(layout, "GROUP_ROWS", 5)
    monkeypatch.setattr(layout, "SHARD_ROWS", 20)


def alkanes(n: int, start: int = 1) -> list[str]:
    return ["C" * (i % 30 + 1) + "N" * (i // 30 % 2) + "O" for i in range(start, start + n)]


def write(path: Path, smiles: Sequence[str]) -> Path:
    """A row a SMILES; its id is the one that a row without an id would get."""
    rows = [(f"{path.name.split('.')[0]}:{i}", text) for i, text in enumerate(smiles, 1)]
    if path.suffix == ".parquet":
        pq.write_table(pa.table({"id": [row[0] for row in rows], "smiles": [row[1] for row in rows]}), path)
    elif ".csv" in path.name:
        path.write_text("id,smiles\n" + "".join(f"{ident},{text}\n" for ident, text in rows))
    else:
        data = "".join(f"{text} {ident}\n" for ident, text in rows).encode()
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def stored(library: Library) -> list[tuple[str, bytes, str]]:
    """(id, key, SMILES) of each row, in library order."""
    return [
        (ident, key.astype(">u8").tobytes(), smiles)
        for shard in library.shards()
        for batch in read_shard(shard, 100)
        for ident, key, smiles in zip(batch.ids.to_pylist(), batch.keys, batch.strings(), strict=True)
    ]


def in_library_order(rows: Sequence[tuple[str, bytes, str]]) -> list[tuple[str, bytes, str]]:
    """The same by whole daltons, then logP in single precision, then key: by RDKit and Python's sort."""
    mols = [Chem.MolFromSmiles(row[2]) for row in rows]
    order = [
        (int(Descriptors.MolWt(mol)), np.float32(Crippen.MolLogP(mol)), row[1])
        for mol, row in zip(mols, rows, strict=True)
    ]
    return [row for _, row in sorted(zip(order, rows, strict=True), key=lambda pair: pair[0])]


def table(library: Library, name: str) -> list[dict[str, Any]]:
    return pq.read_table(Path(library.path) / f"{name}.parquet").to_pylist()


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too: what a failure left behind is seen."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(files: Any, out: Path | str, error: type[DrylabError] = InputError, **how: Any) -> str:
    with pytest.raises(error, match=r".") as caught:
        build_library(files, out, **how)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert len(message) < 700
    return message


def fates(paths: Sequence[Path], files: Sequence[Sequence[str]]) -> list[tuple[str, str, int, str, str, str]]:
    """What becomes of each row, by a loop and a set: (fate or reason, path, line, id, text, canonical SMILES)."""
    seen: set[str] = set()
    rows = []
    for path, smiles in zip(paths, files, strict=True):
        for number, (text, (canonical, reason)) in enumerate(zip(smiles, standardize_texts(smiles), strict=True), 1):
            fate = reason or ("duplicates" if canonical in seen else "kept")
            seen.add(canonical)
            line = number + (path.suffix == ".csv")
            rows.append((fate, str(path), line, f"{path.name.split('.')[0]}:{number}", text, canonical))
    return rows


def key(canonical: str) -> bytes:
    return hashlib.blake2b(canonical.encode(), digest_size=16).digest()


@settings(max_examples=60)
@given(
    files=st.lists(st.lists(st.sampled_from(POOL), min_size=1, max_size=30), min_size=1, max_size=3),
    suffix=st.sampled_from([".smi", ".csv", ".parquet", ".smi.gz"]),
)
def test_every_row_is_kept_or_a_duplicate_or_rejected(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[str]], suffix: str
) -> None:
    folder = tmp_path_factory.mktemp("law")
    if suffix.startswith(".smi"):  # a line has no way to say that its SMILES is missing
        files = [[text or "C1CC" for text in smiles] for smiles in files]
    paths = [write(folder / f"{number}{suffix}", smiles) for number, smiles in enumerate(files)]
    rows = fates(paths, files)
    if not any(row[0] == "kept" for row in rows):
        assert f"{len(rows)} of {len(rows)} rows are rejected" in refused(paths, folder / "lib", options=ALL)
        return
    library = build_library(paths, folder / "lib", options=ALL)
    kept = [(ident, key(text), text) for fate, _, _, ident, _, text in rows if fate == "kept"]
    assert stored(library) == in_library_order(kept)
    assert sorted(tuple(row.values()) for row in table(library, "duplicates")) == sorted(
        (ident, key(text), path, line) for fate, path, line, ident, _, text in rows if fate == "duplicates"
    )
    assert [tuple(row.values()) for row in table(library, "rejected")] == [
        (path, line, ident, text[:200], "standardise", reason)
        for reason, path, line, ident, text, good in rows
        if not good
    ]
    sources = library.sources()
    assert [(entry["path"], entry["read"]) for entry in sources] == [
        (str(path), len(smiles)) for path, smiles in zip(paths, files, strict=True)
    ]
    for entry in sources:
        want = Counter(fate for fate, path, *_ in rows if path == entry["path"])
        assert Counter({"kept": entry["kept"], "duplicates": entry["duplicates"]}) + Counter(entry["rejected"]) == want
        assert entry["read"] == want.total()
    totals = build_totals(library)
    assert totals["read"] == totals["kept"] + totals["duplicates"] + sum(totals["rejected"].values()) == len(rows)
    assert totals["kept"] == library.rows


def test_a_row_that_comes_twice_is_found_across_chunks_files_and_formats(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, alkanes(40)) for name in ("a.smi", "b.csv", "c.parquet", "d.smi.gz")]
    library = build_library(paths, tmp_path / "lib")
    kept = stored(library)
    assert sorted(ident for ident, _, _ in kept) == sorted(f"a:{i}" for i in range(1, 41))
    found = {row["id"]: row["key"] for row in table(library, "duplicates")}
    assert found == {ident.replace("a", name, 1): key for ident, key, _ in kept for name in "bcd"}


def test_the_same_file_twice_is_all_duplicates_and_progress_is_told_of_every_row(tmp_path: Path) -> None:
    told: list[int] = []
    path = write(tmp_path / "a.smi", alkanes(9))
    stages: list[str] = []
    shares: list[float] = []
    progress = Progress(lambda name, rows: stages.append(name), told.append, shares.append)
    library = build_library([path, path], tmp_path / "lib", progress=progress)
    assert build_totals(library) == {"read": 18, "kept": 9, "duplicates": 9, "rejected": {}}
    assert stages == ["reading and standardising", "writing shards"]
    assert sum(told) == 18 + 18
    assert shares[-1] == 1


def backwards() -> Executor:
    """Gives the results last first: what a cluster may do at worst."""

    def results(task: Any, items: Any) -> Iterator[tuple[int, Any]]:
        return iter([(number, task(item)) for number, item in enumerate(items)][::-1])

    return Executor("backwards", 1, results)


def threads() -> Executor:
    """Two at a time, in this process."""

    def results(task: Any, items: Any) -> Iterator[tuple[int, Any]]:
        with ThreadPoolExecutor(2) as pool:
            yield from enumerate(pool.map(task, items))

    return Executor("threads", 2, results)


def mixed_files(folder: Path) -> list[Path]:
    mixed = [*alkanes(100), *POOL, *alkanes(80, 30)]
    random.Random(0).shuffle(mixed)
    return [write(folder / "a.smi", mixed), write(folder / "b.parquet", mixed[::-1]), write(folder / "c.csv", mixed)]


def test_the_bytes_do_not_depend_on_the_executor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = mixed_files(tmp_path)
    for name, executor in (("serial", serial()), ("backwards", backwards()), ("threads", threads())):
        build_library(paths, tmp_path / name, options=ALL, executor=executor)
    want = files_in(tmp_path / "serial")
    assert len([name for name in want if name.startswith("shards/")]) > 2
    assert files_in(tmp_path / "backwards") == files_in(tmp_path / "threads") == want
    monkeypatch.undo()  # other processes have the real sizes
    for name, executor in (("one", serial()), ("processes", processes(2)), ("dask", dask(2))):
        build_library(paths, tmp_path / name, options=ALL, executor=executor)
    assert files_in(tmp_path / "one") == files_in(tmp_path / "processes") == files_in(tmp_path / "dask")
    assert stored(open_library(tmp_path / "one")) == stored(open_library(tmp_path / "serial"))


def test_recipes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.smi", ["CC[NH3+].[Cl-]", "CCN", "NCC"])
    assert [smiles for _, _, smiles in stored(build_library(path, tmp_path / "standard"))] == ["CCN"]
    library = build_library(path, tmp_path / "none", options=BuildOptions("none"))
    assert [smiles for _, _, smiles in stored(library)] == ["CCN", "NCC", "CC[NH3+].[Cl-]"]  # as they were written
    assert library.recipe["name"] == "none"
    assert library.manifest["versions"][0]["written_alike"] == {"asked": 3, "alike": 1}
    message = refused(path, tmp_path / "x", options=BuildOptions("nonsense"))
    assert "recipe 'nonsense' is not known; choose one of " in message
    assert not (tmp_path / "x").exists()


def test_columns_and_globs(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.csv").write_text(f"structure,smiles,no\nCCO,x,{name}1\n{'C' * ord(name)}O,x,{name}2\n")
    options = BuildOptions(columns=Columns("structure", "no"))
    library = build_library(str(tmp_path / "[ab].csv"), tmp_path / "lib", options=options)
    assert [ident for ident, _, _ in stored(library)] == ["a1", "a2", "b2"]
    assert [entry["path"] for entry in library.sources()] == [str(tmp_path / f"{name}.csv") for name in "ab"]
    assert "no file matches" in refused(str(tmp_path / "*.smi"), tmp_path / "other")
    options = BuildOptions(columns=Columns("structure", "nope"))
    assert "no column 'nope' for the ids" in refused(tmp_path / "a.csv", tmp_path / "other", options=options)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(("good", "bad", "share", "fails"), [(19, 1, 0.05, False), (18, 1, 0.05, True), (18, 1, 0.06, False),
                                                           (40, 1, 0.0, True), (1, 40, 1.0, False), (0, 3, 1.0, True)])  # fmt: skip
def test_too_many_rejected_rows_name_the_first(tmp_path: Path, good: int, bad: int, share: float, fails: bool) -> None:
    """Exactly the share is allowed; a library of nothing is not, whatever is allowed."""
    paths = [write(tmp_path / "a.smi", alkanes(good))] if good else []
    paths.append(write(tmp_path / "b.csv", ["C1CC", *["CC("] * (bad - 1)]))
    options = BuildOptions(max_rejected=share)
    if not fails:
        totals = build_totals(build_library(paths, tmp_path / "lib", options=options))
        assert totals["rejected"] == {"RDKit cannot parse it": bad}
        return
    message = refused(paths, tmp_path / "lib", options=options)
    why = f"{bad} of {good + bad} rows are rejected (RDKit cannot parse it: {bad})"
    limit = f", more than {share:.0%}" if good else ""
    assert message.startswith(f"{tmp_path}/b.csv:2: {why}{limit}; the first is this one; check")
    assert ("--max-rejected`" in message) == bool(good)
    assert not (tmp_path / "lib").exists()


def cut(path: Path) -> None:
    noise = random.Random(0)
    text = "".join(f"{'C' * (i % 50 + 1)}O {noise.random()}\n" for i in range(3000))
    whole = gzip.compress(text.encode())
    path.write_bytes(whole[: len(whole) // 2])


FAILURES: list[tuple[str, Any, str]] = [
    ("empty.smi", lambda path: write(path, []), "empty.smi: holds no rows"),
    ("empty.csv", lambda path: write(path, []), "empty.csv: holds no rows"),
    ("empty.parquet", lambda path: write(path, []), "empty.parquet: holds no rows"),
    ("cut.smi.gz", cut, "cut.smi.gz: cannot be read past row "),
    ("quote.csv", lambda path: path.write_text("smiles\n" + "CCO\n" * 30 + '"CC\nC\n'), "quote.csv:32: not CSV"),
    ("bad.smi", lambda path: write(path, ["x" * 4000] * 80), "bad.smi:1: 80 of 120 rows are rejected"),
]


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize(("name", "make", "say"), FAILURES)
def test_a_build_that_fails_leaves_everything_as_it_was(
    tmp_path: Path, name: str, make: Any, say: str, there: bool
) -> None:
    """The file that fails is the second: rows are written by then."""
    good = write(tmp_path / "good.smi", alkanes(40))
    make(tmp_path / name)
    if there:
        build_library(good, tmp_path / "lib")
    before = files_in(tmp_path)
    assert say in refused([good, tmp_path / name], tmp_path / "lib", force=there)
    assert files_in(tmp_path) == before


def test_a_build_that_fails_in_processes_leaves_nothing(tmp_path: Path) -> None:
    cut(tmp_path / "cut.smi.gz")
    assert "cannot be read past row" in refused(tmp_path / "cut.smi.gz", tmp_path / "lib", executor=processes(1))
    assert [path.name for path in tmp_path.iterdir()] == ["cut.smi.gz"]


def test_a_library_is_replaced_only_with_force(tmp_path: Path) -> None:
    build_library(write(tmp_path / "a.smi", alkanes(30)), tmp_path / "lib")
    before = files_in(tmp_path)
    new = write(tmp_path / "a.smi", ["CCS"])
    before["a.smi"] = new.read_bytes()
    assert "exists already" in refused(new, tmp_path / "lib", OutputError)
    assert files_in(tmp_path) == before
    library = build_library(new, tmp_path / "lib", force=True)
    assert [smiles for _, _, smiles in stored(library)] == ["CCS"]
    assert "lib/shards/v1-00001.parquet" in before
    assert files_in(tmp_path).keys() == before.keys() - {"lib/shards/v1-00001.parquet"}


@pytest.mark.parametrize("name", ["manifest.json", "rejected.parquet", "a.smi", "library/duplicates.parquet"])
def test_force_does_not_touch_what_is_no_library(tmp_path: Path, name: str) -> None:
    """Not the manifest of something else, not a run folder, and not the folder that holds the sources."""
    source = write(tmp_path / "source.smi", ["CCO"])
    (tmp_path / "lib" / name).parent.mkdir(parents=True)
    (tmp_path / "lib" / name).write_text("{}")
    before = files_in(tmp_path)
    message = refused(source, tmp_path / "lib", OutputError, force=True)
    assert "was not written by drylab (no duplicates.parquet)" in message
    assert files_in(tmp_path) == before


def test_places_for_a_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.smi", ["CCO"])
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert "is the folder you are in" in refused("../a.smi", ".", OutputError)
    assert build_library("../a.smi", "new/lib/").rows == open_library(tmp_path / "here" / "new" / "lib").rows == 1


def test_rows_that_come_from_no_file(tmp_path: Path) -> None:
    rows = [(f"m{i}", text) for i, text in enumerate(alkanes(10))]
    library = write_library(tmp_path / "lib", "memory", rows, BuildOptions(), serial())
    assert build_totals(library) == {"read": 10, "kept": 10, "duplicates": 0, "rejected": {}}
    assert sorted((ident, smiles) for ident, _, smiles in stored(library)) == sorted(rows)
    with pytest.raises(InputError, match=r"^memory: "):
        write_library(tmp_path / "none", "memory", [], BuildOptions(), serial())


def test_only_the_first_rows(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "a.smi", alkanes(30)),
        write(tmp_path / "b.csv", alkanes(30, 20)),
        write(tmp_path / "c.smi", ["C"]),
    ]
    for limit in (1, 29, 30, 31, 45):
        library = build_library(paths, tmp_path / f"lib{limit}", options=BuildOptions(limit=limit))
        assert build_totals(library)["read"] == limit
        assert [(entry["read"], entry["sha256"]) for entry in library.sources()] == [
            (min(limit, 30), ""),
            (max(0, limit - 30), ""),
            (0, ""),
        ]
    assert build_totals(build_library(paths, tmp_path / "all", options=BuildOptions(limit=1000)))["read"] == 61


def test_memory_bounds_the_workers() -> None:
    assert within(processes(64), 2 * 10**9).workers == 2
    assert within(processes(2), 10**12).workers == 2
    assert within(dask(8), 10**9).workers == 1
    with pytest.raises(InputError, match=r"^0.5 GB of memory are too little to build a library; give 1 GB or more$"):
        within(serial(), 5 * 10**8)


def test_more_than_255_atoms_and_what_is_no_molecule_for_the_vendor_who_is_trusted(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.smi", ["CCO", "C" * 256, "C" * 255, "O", "C1CC", "[Na+].[Cl-]", "OCC |x|", "C(C", "[Fe]C"]
    )
    library = build_library(path, tmp_path / "lib", options=BuildOptions("none", max_rejected=1))
    assert build_totals(library)["rejected"] == {
        "more than 255 atoms": 1,
        "no carbon atom": 2,
        "a ring that is not closed": 1,
        "a branch that is not closed": 1,
    }
    assert [row["stage"] for row in table(library, "rejected")] == ["parse"] * 5


def test_every_property_is_rdkits_to_the_last_bit(tmp_path: Path) -> None:
    path = write(tmp_path / "a.smi", [smiles for _, smiles in itertools.islice(embedded.rows(300), 500)])
    library = build_library(path, tmp_path / "lib")
    for entry in library.manifest["versions"][0]["shards"]:
        for row in pq.read_table(Path(library.path) / entry["file"]).to_pylist():
            mol = Chem.MolFromSmiles(row["smiles"])
            assert {name: row[name] for name in layout.PROPERTIES} == {
                name: of(mol) for name, of in reference.PROPERTIES.items()
            }
            for name, (low, high) in entry["ranges"].items():
                assert low <= row[name] <= high


def test_bad_rows_at_the_start_are_weighed_against_all_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "a.smi", [*["nonsense"] * 40, *alkanes(900)])
    assert build_totals(build_library(path, tmp_path / "lib"))["rejected"] == {"RDKit cannot parse it": 40}


@pytest.mark.parametrize(("said", "match"), [({"max_rejected": 5}, "max_rejected is 5, expected a share from 0 to 1"), ({"max_rejected": "0.1"}, "expected a share"),
                                            ({"limit": 0}, "limit is 0, expected None or a whole number of rows"), ({"limit": 2.5}, "limit is 2.5"),
                                            ({"memory": "4GB"}, "memory is '4GB', expected None or a whole number of bytes"), ({"columns": "smiles"}, "columns is 'smiles'")])  # fmt: skip
def test_options_that_cannot_be(said: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        BuildOptions(**said)


def test_two_molecules_under_one_id_are_both_kept_and_found(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,smiles\nX,CCO\nX,CCN\nY,OCC\nX,CCO\n")
    library = build_library(tmp_path / "a.csv", tmp_path / "lib")
    assert sorted((ident, smiles) for ident, _, smiles in stored(library)) == [("X", "CCN"), ("X", "CCO")]
    assert build_totals(library) == {"read": 4, "kept": 2, "duplicates": 2, "rejected": {}}
    found = find_library(library, ["X", "Y"]).to_pylist()
    assert sorted((row["asked"], row["smiles"], row["row"] or 0) for row in found) == [
        ("X", "CCN", 0), ("X", "CCO", 0), ("X", "CCO", 5), ("Y", "CCO", 4)]  # fmt: skip
