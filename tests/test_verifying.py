"""Every kind of damage that can be planted in a library is found, where it is, and a whole library is found whole."""

import hashlib
import json
import shutil
import struct
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.build import BuildOptions, build_library
from drylab.errors import LibraryError
from drylab.execute import processes
from drylab.featurize import descriptors
from drylab.featurize.reference import RDKIT_NAMES
from drylab.library import checks, layout, twice
from drylab.library.accounts import SUMS
from drylab.library.embedded import drugs, products
from drylab.library.keys import keys_of
from drylab.library.writing import write_shard
from drylab.rowchecks import KEY, PROPERTY, REWRITTEN, UNUSABLE
from drylab.verifying import HISTOGRAM, ORPHANED, RANGES, Verified, verify_library

GROUP = 50
SHARD = "shards/v1-00000.parquet"
Change = Callable[[pa.Table], pa.Table]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "GROUP_ROWS", GROUP)
    monkeypatch.setattr(layout, "SHARD_ROWS", 4 * GROUP)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions of several shards of several row groups, with duplicates and rejected rows in both."""
    folder = tmp_path_factory.mktemp("verify")
    made = [f"{smiles}\t{ident}" for ident, smiles in islice(products(), 0, 3000, 5)]
    known = [f"{drug.smiles}\t{drug.name}" for drug in drugs()]
    (folder / "a.smi").write_text(
        "\n".join(["C1CC broken", "OCC again", "CCO ethanol", *made[:400], *known[:100]]) + "\n"
    )
    (folder / "b.smi").write_text("\n".join(["C(C)O more", "[Na+].[Cl-] salt", *made[350:], *known[90:]]) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "GROUP_ROWS", GROUP)
        patch.setattr(layout, "SHARD_ROWS", 4 * GROUP)
        build_library(folder / "a.smi", folder / "lib")
        build_library(folder / "b.smi", folder / "lib", add=True)
    return folder / "lib"


@pytest.fixture
def library(whole: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(whole, tmp_path / "lib"))


def manifest_of(library: Path) -> dict[str, Any]:
    return json.loads((library / layout.MANIFEST).read_text())


def edit(library: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the manifest."""
    manifest = manifest_of(library)
    change(manifest)
    (library / layout.MANIFEST).write_text(json.dumps(manifest))


def sealed(library: Path, file: str) -> None:
    """Let the manifest name the bytes that are there, so that only what they say can give the damage away."""
    digest = hashlib.sha256((library / file).read_bytes()).hexdigest()

    def name(manifest: dict[str, Any]) -> None:
        for version in manifest["versions"]:
            for entry in [*version["shards"], version["duplicates"], version["rejected"]]:
                if entry["file"] == file:
                    entry["sha256"] = digest

    edit(library, name)


def rewrite(library: Path, change: Change, file: str = SHARD) -> None:
    """Change the rows of a shard, and all that the manifest says of the file."""
    table = pq.read_table(library / file)
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    changed = change(table.replace_schema_metadata(None)).combine_chunks()
    entry = write_shard(str(library / file), [changed], metadata)

    def name(manifest: dict[str, Any]) -> None:
        for version in manifest["versions"]:
            version["shards"] = [entry if old["file"] == file else old for old in version["shards"]]

    edit(library, name)


def put(row: int, **values: Any) -> Change:
    """Other values in one row of a shard."""

    def change(table: pa.Table) -> pa.Table:
        for name, value in values.items():
            column = table.column(name).to_pylist()
            column[row] = value
            at = table.schema.get_field_index(name)
            table = table.set_column(at, name, pa.array(column, table.schema.field(name).type))
        return table

    return change


def molecule(smiles: str) -> dict[str, Any]:
    """A row's columns of a SMILES."""
    made = descriptors([smiles]).to_pylist()[0]
    return {
        "smiles": smiles,
        "key": keys_of([smiles]).astype(">u8").tobytes(),
        **{name: made[RDKIT_NAMES[name]] for name in layout.PROPERTIES},
    }


def places_of(found: Verified, what: str) -> list[tuple[str, int | None, int | None]]:
    return [(one.file, one.group, one.row) for one in found.findings if one.what == what]


@pytest.mark.parametrize("deep", [False, True])
def test_a_whole_library_is_whole(whole: Path, deep: bool) -> None:
    found = verify_library(whole, deep=deep)
    manifest = manifest_of(whole)
    assert found.ok
    assert not found.findings
    assert found.rows == manifest["rows"] > 600
    assert found.files == sum(len(version["shards"]) + 2 for version in manifest["versions"]) > 7
    assert found.rewritten == found.rows if deep else 100 < found.rewritten < found.rows


def test_what_is_found_does_not_depend_on_the_executor(library: Path) -> None:
    rewrite(
        library, lambda table: table.set_column(0, "id", table.column("id")).take(list(range(0, table.num_rows, 2)))
    )
    edit(library, lambda manifest: manifest["versions"][1]["shards"][0]["ranges"].update(mw=[0, 1]))
    alone = verify_library(library)
    assert not alone.ok
    assert verify_library(library, executor=processes(2)) == alone


def test_a_recipe_that_trusts_the_vendor_is_not_written_again(tmp_path: Path) -> None:
    (tmp_path / "a.smi").write_text("OCC ethanol\nC(C)N amine\n")
    build_library(tmp_path / "a.smi", tmp_path / "lib", options=BuildOptions("none"))
    found = verify_library(tmp_path / "lib", deep=True)
    assert found.ok
    assert found.rewritten == 0


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.8])
def test_a_flipped_byte(library: Path, share: float) -> None:
    data = bytearray((library / SHARD).read_bytes())
    data[int(share * len(data))] ^= 0x10
    (library / SHARD).write_bytes(data)
    found = verify_library(library)
    assert places_of(found, checks.BYTES) == [(SHARD, None, None)]
    assert {one.file for one in found.findings} <= {SHARD, layout.MANIFEST}


def test_a_flipped_byte_is_found_in_its_row_group(library: Path) -> None:
    column = pq.ParquetFile(library / SHARD).metadata.row_group(2).column(layout.ROWS.get_field_index("smiles"))
    data = bytearray((library / SHARD).read_bytes())
    data[column.data_page_offset + column.total_compressed_size // 2] ^= 0x10
    (library / SHARD).write_bytes(data)
    sealed(library, SHARD)
    found = verify_library(library)
    assert {(one.file, one.group) for one in found.findings if one.group is not None} == {(SHARD, 2)}


def test_a_key_that_is_not_the_molecules(library: Path) -> None:
    rewrite(library, put(GROUP + 7, key=b"\xff" * 16))
    assert places_of(verify_library(library), KEY) == [(SHARD, 1, 7)]


def test_swapped_rows(library: Path) -> None:
    rewrite(library, lambda table: table.take([0, 1, 2, 4, 3, *range(5, table.num_rows)]))
    found = verify_library(library)
    assert found.counts == {checks.UNSORTED: 1}
    assert places_of(found, checks.UNSORTED) == [(SHARD, 0, 4)]


def test_swapped_row_groups(library: Path) -> None:
    order = [*range(GROUP, 2 * GROUP), *range(GROUP)]
    rewrite(library, lambda table: table.take([*order, *range(2 * GROUP, table.num_rows)]))
    found = verify_library(library)
    assert found.counts == {checks.UNSORTED: 1}
    assert places_of(found, checks.UNSORTED) == [(SHARD, 1, 0)]


def test_a_molecule_that_is_twice_in_a_version(library: Path) -> None:
    for rows, place in (([5, 5], (SHARD, 0, 6)), ([GROUP - 1, GROUP - 1], (SHARD, 1, 0))):
        copy = Path(shutil.copytree(library, library.with_name(f"lib{rows[0]}")))
        first = rows[0]
        rewrite(copy, lambda table, first=first: table.take([*range(first + 1), *range(first, table.num_rows)]))
        assert places_of(verify_library(copy), checks.TWICE) == [place]


def test_a_molecule_that_an_older_version_has(library: Path) -> None:
    newer = manifest_of(library)["versions"][1]["shards"][1]["file"]
    low, high = pq.read_table(library / newer).column("mw").to_numpy()[[0, -1]]
    old = pa.concat_tables(
        [pq.read_table(library / entry["file"]) for entry in manifest_of(library)["versions"][0]["shards"]]
    ).replace_schema_metadata(None)
    stolen = old.filter(pa.array((old["mw"].to_numpy() > low + 1) & (old["mw"].to_numpy() < high - 1))).slice(3, 1)

    def change(table: pa.Table) -> pa.Table:
        both = pa.concat_tables([table, stolen]).combine_chunks()
        rows = checks.order_of(both)
        return both.take(np.lexsort((rows.keys[:, 1], rows.keys[:, 0], rows.order)))

    rewrite(library, change, newer)
    at = pq.read_table(library / newer).column("key").to_pylist().index(stolen.column("key")[0].as_py())
    found = verify_library(library)
    assert places_of(found, checks.TWICE) == [(newer, at // GROUP, at % GROUP)]


@pytest.mark.parametrize("name", layout.PROPERTIES)
def test_a_property_that_is_not_the_molecules(library: Path, name: str) -> None:
    before = pq.read_table(library / SHARD).column(name)[2 * GROUP + 9].as_py()
    rewrite(library, put(2 * GROUP + 9, **{name: np.nextafter(before, 9) if isinstance(before, float) else before + 1}))
    found = verify_library(library)
    assert places_of(found, PROPERTY) == [(SHARD, 2, 9)]
    assert str(found.findings[0]).startswith(
        f"{SHARD}, row group 2, row 9: a property is not the molecule's ({name} is "
    )


@pytest.mark.parametrize(("smiles", "why"), [("C1CC", "is not closed"), ("", "no atoms"), ("C" * 300, "255 atoms")])
def test_a_smiles_that_cannot_be_used(library: Path, smiles: str, why: str) -> None:
    rewrite(library, put(3, smiles=smiles, key=keys_of([smiles]).astype(">u8").tobytes()))
    found = verify_library(library)
    assert places_of(found, UNUSABLE) == [(SHARD, 0, 3)]
    assert why in next(str(one) for one in found.findings if one.what == UNUSABLE)
    assert KEY not in found.counts


def test_a_smiles_that_rdkit_writes_another_way(library: Path) -> None:
    table = pq.read_table(library / SHARD)
    at = table.column("smiles").to_pylist().index("CCO")
    rewrite(library, put(at, **molecule("OCC")))
    found = verify_library(library, deep=True)
    assert places_of(found, REWRITTEN) == [(SHARD, at // GROUP, at % GROUP)]


def test_a_value_that_is_missing(library: Path) -> None:
    data = pq.read_table(library / SHARD)
    metadata = data.schema.metadata
    with pq.ParquetWriter(library / SHARD, data.schema) as writer:
        for group in range(0, data.num_rows, GROUP):
            part = data.slice(group, GROUP).replace_schema_metadata(None)
            writer.write_table((put(1, mw=None)(part) if group else part).replace_schema_metadata(metadata))
    sealed(library, SHARD)
    found = verify_library(library)
    assert (
        places_of(found, checks.NULLS)
        == [(SHARD, 1, None), (SHARD, 2, None), (SHARD, 3, None)][: found.counts[checks.NULLS]]
    )


def test_statistics_that_would_let_a_range_pass_over_rows(library: Path) -> None:
    head = pq.ParquetFile(library / SHARD).metadata
    least = head.row_group(1).column(layout.ROWS.get_field_index("mw")).statistics.min
    data = (library / SHARD).read_bytes()
    size = struct.unpack("<I", data[-8:-4])[0]
    body, footer = data[: -8 - size], data[-8 - size :]
    assert struct.pack("<d", least) in footer
    (library / SHARD).write_bytes(body + footer.replace(struct.pack("<d", least), struct.pack("<d", least + 0.5)))
    sealed(library, SHARD)
    found = verify_library(library)
    assert (SHARD, 1, None) in places_of(found, checks.STATISTICS)
    assert set(found.counts) == {checks.STATISTICS}


@pytest.mark.parametrize("file", [SHARD, "duplicates.parquet", "rejected.parquet"])
def test_a_missing_file(library: Path, file: str) -> None:
    (library / file).unlink()
    found = verify_library(library)
    assert places_of(found, checks.MISSING) == [(file, None, None)]
    assert places_of(found, checks.UNREADABLE) == []


@pytest.mark.parametrize("file", [SHARD, "duplicates.parquet", "rejected.parquet"])
def test_a_file_that_ends_early(library: Path, file: str) -> None:
    (library / file).write_bytes((library / file).read_bytes()[:-100])
    found = verify_library(library)
    assert places_of(found, checks.BYTES) == [(file, None, None)]
    assert places_of(found, checks.UNREADABLE) == [(file, None, None)]


def test_a_file_of_another_recipe_or_with_other_columns(library: Path) -> None:
    table = pq.read_table(library / SHARD)
    other = {**table.schema.metadata, b"drylab.recipe": b'{"name": "none"}'}
    pq.write_table(table.replace_schema_metadata(other), library / SHARD, row_group_size=GROUP)
    sealed(library, SHARD)
    assert places_of(verify_library(library), checks.RECIPE) == [(SHARD, None, None)]
    pq.write_table(table.drop_columns(["tpsa"]), library / SHARD, row_group_size=GROUP)
    sealed(library, SHARD)
    assert places_of(verify_library(library), checks.SCHEMA) == [(SHARD, None, None)]


def test_row_groups_that_are_not_the_manifests(library: Path) -> None:
    table = pq.read_table(library / SHARD)
    pq.write_table(table, library / SHARD, row_group_size=GROUP - 10, write_statistics=list(layout.PROPERTIES))
    sealed(library, SHARD)
    assert places_of(verify_library(library), checks.GROUPS) == [(SHARD, 0, None)]


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.update(rows=manifest["rows"] + 1),
        lambda manifest: manifest.update(version=3),
        lambda manifest: manifest["versions"][0].update(rows=manifest["versions"][0]["rows"] - 1),
        lambda manifest: manifest["versions"][0]["shards"][0].update(rows=1),
        lambda manifest: manifest["versions"][1]["sources"][0].update(read=5),
        lambda manifest: manifest["versions"][1]["sources"][0].update(kept=5),
        lambda manifest: manifest["versions"][1]["sources"][0]["rejected"].update({"no carbon atom": 7}),
        lambda manifest: manifest["versions"][0]["histograms"]["mw"]["counts"].__setitem__(0, 9),
    ],
)
def test_a_count_of_the_manifest(library: Path, change: Callable[[dict[str, Any]], object]) -> None:
    edit(library, change)
    found = verify_library(library)
    assert found.counts[SUMS] >= 1
    assert {one.file for one in found.findings} == {layout.MANIFEST}


def test_ranges_and_histograms_of_the_manifest(library: Path) -> None:
    def change(manifest: dict[str, Any]) -> None:
        manifest["versions"][0]["shards"][0]["ranges"]["clogp"][1] += 1e-9
        counts = manifest["versions"][1]["histograms"]["mw"]["counts"]
        counts[0], counts[12] = counts[12], counts[0]

    edit(library, change)
    found = verify_library(library)
    assert found.counts == {RANGES: 1, HISTOGRAM: 1}


def test_a_duplicate_whose_molecule_is_not_there(library: Path) -> None:
    file = "duplicates.parquet"
    table = pq.read_table(library / file)
    change = put(0, key=b"\x01" * 16)
    changed = change(table.replace_schema_metadata(None)).replace_schema_metadata(table.schema.metadata)
    pq.write_table(changed, library / file)
    sealed(library, file)
    found = verify_library(library)
    assert found.counts == {ORPHANED: 1}
    assert places_of(found, ORPHANED) == [(file, 0, 0)]


def test_all_are_counted_and_the_first_are_shown(library: Path) -> None:
    rewrite(library, lambda table: table.set_column(1, "key", pa.array([b"\x00" * 16] * table.num_rows, pa.binary(16))))
    rows = pq.read_table(library / SHARD).num_rows
    found = verify_library(library)
    assert found.counts[KEY] == rows > checks.MOST
    assert len(found.findings) == checks.MOST


def test_what_is_no_library(tmp_path: Path, library: Path) -> None:
    with pytest.raises(LibraryError, match="not a drylab library"):
        verify_library(tmp_path / "nowhere")
    edit(library, lambda manifest: manifest["versions"][0].pop("histograms"))
    with pytest.raises(LibraryError, match="'histograms' of a version is missing"):
        verify_library(library)
    (library / layout.MANIFEST).write_text("{")
    with pytest.raises(LibraryError, match="not JSON"):
        verify_library(library)
    (library / layout.MANIFEST).write_text('{"schema": "drylab.library/1"}')
    with pytest.raises(LibraryError, match=r"schema is 'drylab\.library/1'"):
        verify_library(library)


def stream(rows: set[tuple[int, int]], size: int, version: int) -> list[twice.Rows]:
    """A version's rows (order, key) as blocks of a stream; what has one key has one order."""
    table = np.array([(order, 10 * order + key) for order, key in sorted(rows)], np.uint64).reshape(-1, 2)
    where = np.stack([np.full(len(table), version), np.zeros(len(table), int), np.arange(len(table))], 1).astype(
        np.int64
    )
    whole = twice.Rows(table[:, 0], table[:, [1, 1]], where)
    blocks = []
    while len(whole.order):
        head, whole = whole.cut(size)
        blocks.append(head)
    return blocks


ROWS = st.sets(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=20)


@given(versions=st.lists(ROWS, min_size=2, max_size=3), size=st.integers(1, 5))
def test_rows_that_two_streams_share_are_found_whatever_the_blocks(
    versions: list[set[tuple[int, int]]], size: int
) -> None:
    blocks = [stream(rows, size, number) for number, rows in enumerate(versions)]
    found = {
        tuple(place)
        for rows in twice.together([iter(each) for each in blocks])
        for place in twice.doubled(rows).tolist()
    }
    expected = set()
    for number, rows in enumerate(versions):
        older = set().union(*versions[:number])
        expected |= {(number, 0, at) for at, row in enumerate(sorted(rows)) if row in older}
    assert found == expected
