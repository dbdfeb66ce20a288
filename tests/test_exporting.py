"""An export holds the rows that were asked for, reads back as what was written, and appears whole or not at all."""

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rdkit import Chem

from drylab.build import BuildOptions, build_library
from drylab.errors import DrylabError, InputError, LibraryError, OutputError
from drylab.execute import Executor, processes
from drylab.exporting import Exported, export_library, write_rows
from drylab.library import exports, layout, places
from drylab.library.embedded import drugs, products
from drylab.library.picking import find_library, sample_library
from drylab.library.rows import Columns
from drylab.library.store import open_library
from drylab.library.summary import library_info
from drylab.progress import Progress
from drylab.verifying import verify_library

# What ids may hold that a format may stumble over; the library has each on a molecule of its own.
ODD = [
    'a "quoted" id',
    "with, commas; and | bars",
    "|bar|first",
    "=1+1",
    "ümlaut µ",
    "'apostrophe",
    "> <tag>",
    "$$$$",
    "C",
    "id",
]
LINES = ["tab\there", "line\nbreak"]


def rows_of(library: Path) -> dict[bytes, tuple[str, str]]:
    """key -> id and SMILES of all rows."""
    return {row["key"]: (row["id"], row["smiles"]) for row in sample_library(library, 10**9).to_pylist()}


def read_csv(path: Path) -> list[dict[str, str]]:
    """As Python's reader has it."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions of several row groups, with odd ids."""
    folder = tmp_path_factory.mktemp("export")
    made = [(ident, smiles) for ident, smiles in islice(products(), 0, 4000, 16)]
    known = [(drug.name, drug.smiles) for drug in drugs()]
    odd = [(ident, "N" + "C" * (i + 1)) for i, ident in enumerate(ODD + LINES)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "GROUP_ROWS", 40)
        patch.setattr(layout, "SHARD_ROWS", 160)
        for name, rows in (("a", [*made, *odd]), ("b", known)):
            pq.write_table(
                pa.table({"id": [r[0] for r in rows], "smiles": [r[1] for r in rows]}), folder / f"{name}.parquet"
            )
            build_library(folder / f"{name}.parquet", folder / "lib", add=name == "b")
    return folder / "lib"


@pytest.mark.parametrize("suffix", [".smi", ".csv", ".tsv", ".parquet", ".smi.gz", ".csv.bz2", ".tsv.zst"])
def test_an_export_builds_the_same_library(library: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out{suffix}"
    done = export_library(library, out)
    changed = 2 if ".smi" in suffix else 0
    assert done == Exported(str(out), open_library(library).rows, changed)
    build_library(out, tmp_path / "back", options=BuildOptions("none"))
    before, after = rows_of(library), rows_of(tmp_path / "back")
    if changed:
        before = {
            key: (exports.one_line(pa.array([ident]))[0].as_py(), smiles) for key, (ident, smiles) in before.items()
        }
    assert after == before


def test_an_sd_file_holds_the_same_molecules(library: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.sdf"
    done = export_library(library, out)
    assert done == Exported(
        str(out), open_library(library).rows, 2 + 2
    )  # tags and ends of records are not to be taken for ones
    before = rows_of(library)
    for number, columns in enumerate((Columns(smiles="smiles"), Columns())):
        build_library(out, tmp_path / f"back{number}", options=BuildOptions("none", columns))
        after = rows_of(tmp_path / f"back{number}")
        assert {smiles for _, smiles in after.values()} == {smiles for _, smiles in before.values()}
        assert sum(after[key] != before[key] for key in before) == 4
    for mol in Chem.SDMolSupplier(str(out)):
        assert mol.GetConformer().Is3D() is False
        assert mol.GetNumAtoms() == int(mol.GetProp("heavy_atoms"))


def test_text_is_what_other_programs_read(library: Path, tmp_path: Path) -> None:
    export_library(library, tmp_path / "a.csv")
    rows = read_csv(tmp_path / "a.csv")
    whole = pa.concat_tables([pq.read_table(entry["path"]) for entry in open_library(library).entries()]).to_pylist()
    assert [row["id"] for row in rows] == [row["id"] for row in whole]
    for name in layout.PROPERTIES:
        assert [float(row[name]) for row in rows] == [row[name] for row in whole]
    export_library(library, tmp_path / "a.smi.gz")
    lines = gzip.decompress((tmp_path / "a.smi.gz").read_bytes()).decode().split("\n")
    assert [line.split("\t")[0].split(" ")[0] for line in lines[:-1]] == [row["smiles"] for row in whole]
    export_library(library, tmp_path / "a.parquet")
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == whole


@pytest.mark.parametrize(
    ("ranges", "since"),
    [
        ([("mw", 300, 400)], 0),
        ([("mw", 300, 400), ("clogp", float("-inf"), 3.0), ("hbd", 1, 2)], 0),
        ([("charge", 1, 9)], 1),
        ([("mw", 0, 1)], 0),
        ([], 1),
    ],
)
def test_ranges_and_versions_are_exact(
    library: Path, tmp_path: Path, ranges: list[tuple[str, float, float]], since: int
) -> None:
    opened = open_library(library)
    whole = pa.concat_tables([pq.read_table(entry["path"]) for entry in opened.entries(since)]).to_pylist()
    wanted = [row["id"] for row in whole if all(low <= row[name] <= high for name, low, high in ranges)]
    done = export_library(opened, tmp_path / "a.csv", ranges=ranges, since=since)
    assert done.rows == len(wanted)
    assert [row["id"] for row in read_csv(tmp_path / "a.csv")] == wanted


def test_a_range_reads_few_row_groups(library: Path, tmp_path: Path) -> None:
    read = []

    def results(task, items):  # type: ignore[no-untyped-def]
        for number, shard in enumerate(items):
            read.append(shard)
            yield number, task(shard)

    done = export_library(
        library, tmp_path / "a.csv", ranges=[("mw", 250, 260)], executor=Executor("counting", 1, results)
    )
    assert done.rows > 0
    assert sum(shard.rows for shard in read) <= done.rows + 2 * 2 * 40  # two ends in each version


@pytest.mark.parametrize("limit", [0, 1, 39, 40, 41, 200, 10_000])
def test_a_limit_is_the_first_rows(library: Path, tmp_path: Path, limit: int) -> None:
    export_library(library, tmp_path / "all.smi")
    done = export_library(library, tmp_path / "some.smi", limit=limit)
    lines = (tmp_path / "all.smi").read_text().split("\n")[:-1]
    assert done.rows == min(limit, len(lines))
    assert (tmp_path / "some.smi").read_text().split("\n")[:-1] == lines[:limit]


@pytest.mark.parametrize("suffix", [".sdf", ".csv.gz"])
def test_bytes_do_not_depend_on_the_executor(library: Path, tmp_path: Path, suffix: str) -> None:
    export_library(library, tmp_path / f"a{suffix}", limit=100)
    export_library(library, tmp_path / f"b{suffix}", limit=100, executor=processes(2))
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_progress_is_told(library: Path, tmp_path: Path) -> None:
    told: list[int] = []
    export_library(
        library,
        tmp_path / "a.smi",
        progress=Progress(stage=lambda name, rows: told.append(-(rows or 0)), rows=told.append),
    )
    assert sum(told) == 0
    assert min(told) == -open_library(library).rows


def test_an_export_that_breaks_leaves_what_was_there(library: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    out.write_text("before")

    def results(task, items: Sequence[object]) -> Iterator[tuple[int, object]]:  # type: ignore[no-untyped-def]
        yield 0, task(items[0])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_library(library, out, force=True, executor=Executor("stopped", 1, results))
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert out.read_text() == "before"


def test_files_are_not_replaced_unasked(library: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("before")
    with pytest.raises(OutputError, match=r"a\.csv: exists already"):
        export_library(library, tmp_path / "a.csv")
    export_library(library, tmp_path / "a.csv", force=True)
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(OutputError, match=r"b\.csv: is a folder"):
        export_library(library, tmp_path / "b.csv", force=True)
    with pytest.raises(OutputError, match="lies in the library that is read"):
        export_library(library, library / "duplicates.parquet", force=True)
    with pytest.raises(OutputError, match="its folder is not there"):
        export_library(library, tmp_path / "nowhere" / "a.csv")


@pytest.mark.parametrize(
    ("name", "more", "error", "expected"),
    [
        ("a.xlsx", {}, InputError, "no such kind of file can be written; choose one of .smi"),
        ("a.parquet.gz", {}, InputError, "no such kind of file can be written"),
        ("a.csv", {"ranges": [("weight", 1, 2)]}, InputError, "'weight' is no property of a library; choose one of mw"),
        ("a.csv", {"ranges": [("mw", 2, 1)]}, InputError, "mw from 2 to 1 is no range"),
        ("a.csv", {"ranges": [("mw", float("nan"), 1)]}, InputError, "is no range"),
        ("a.csv", {"limit": -1}, InputError, "limit is -1"),
        ("a.csv", {"since": 3}, LibraryError, "has no version 3"),
    ],
)
def test_what_cannot_be_exported(
    library: Path, tmp_path: Path, name: str, more: dict, error: type[DrylabError], expected: str
) -> None:
    with pytest.raises(error, match=expected):
        export_library(library, tmp_path / name, **more)
    assert not list(tmp_path.iterdir())


def test_a_damaged_shard_is_not_exported(library: Path, tmp_path: Path) -> None:
    opened = open_library(library)
    first = opened.manifest["versions"][0]["shards"][0]
    changed = {**first, "sha256": "0" * 64}
    version = {**opened.manifest["versions"][0], "shards": [changed]}
    with pytest.raises(LibraryError, match="is not the file that was built"):
        export_library(
            replace(opened, manifest={**opened.manifest, "versions": [version], "version": 1}), tmp_path / "a.csv"
        )
    assert not list(tmp_path.iterdir())


def test_to_and_from_an_object_store(library: Path, tmp_path: Path, store: str) -> None:
    files = [file for file in library.rglob("*") if file.is_file()]
    address = f"s3://lab/exported/lib?{store}"
    for file in files:
        places.copy_in(file, places.join(address, str(file.relative_to(library))))
    out = f"s3://lab/exported/out.csv.gz?{store}"
    done = export_library(address, out, ranges=[("mw", 200, 300)])
    assert "secret_key=***" in done.place
    again = export_library(library, tmp_path / "out.csv.gz", ranges=iter([("mw", 200, 300)]))  # read more than once
    assert again.rows == done.rows
    assert places.read_bytes(out) == (tmp_path / "out.csv.gz").read_bytes()
    with pytest.raises(OutputError, match=r"secret_key=\*\*\*: exists already"):
        export_library(address, out)
    with pytest.raises(OutputError, match="lies in the library that is read"):
        export_library(address, f"s3://lab/exported/lib/out.csv?{store}")
    assert sample_library(address, 7).equals(sample_library(library, 7))
    assert find_library(address, ["aspirin"]).equals(find_library(library, ["aspirin"]))
    here, there = library_info(library), library_info(address)
    assert {**there, "path": here["path"]} == here
    assert "secret_key=***" in there["path"]
    verified = verify_library(address)
    assert verified.ok
    assert "secret_key=***" in verified.place


def test_rows_in_memory(library: Path, tmp_path: Path) -> None:
    rows = sample_library(library, 5)
    assert write_rows(rows, tmp_path / "a.csv").rows == 5
    assert len(read_csv(tmp_path / "a.csv")) == 5
    assert write_rows(rows.slice(0, 0), tmp_path / "b.csv").rows == 0
    assert (tmp_path / "b.csv").read_text() == ",".join(exports.COLUMNS) + "\n"
    with pytest.raises(OutputError, match="exists already"):
        write_rows(rows, tmp_path / "a.csv")
