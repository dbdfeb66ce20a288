"""Samples are fair and repeatable and read little; every vendor id finds its molecule."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.build import build_library
from drylab.errors import InputError, LibraryError
from drylab.library import layout
from drylab.library.picking import FOUND, chosen, find_library, sample_library
from drylab.library.store import open_library
from tests.library import made_library


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 rows in two versions, in row groups of 7."""
    tables = [
        made_library.rows([f"{v}-{i}" for i in range(50)], [f"{'C' * (i + 1)}{'N' * v}" for i in range(50)])
        for v in (1, 2)
    ]
    return made_library.write(tmp_path_factory.mktemp("made") / "lib", tables)


@given(rows=st.integers(1, 200), share=st.floats(0, 1.2), seed=st.integers(0, 5))
def test_chosen_rows_are_different_rising_and_repeatable(rows: int, share: float, seed: int) -> None:
    n = int(share * rows)
    picked = chosen(rows, n, seed)
    assert len(picked) == min(n, rows)
    assert (np.diff(picked) > 0).all()
    assert not len(picked) or (picked[0] >= 0 and picked[-1] < rows)
    assert (picked == chosen(rows, n, seed)).all()


@pytest.mark.parametrize("n", [1, 3, 7])
def test_every_row_is_as_likely_as_any_other(n: int) -> None:
    counts = np.zeros(10)
    for seed in range(2000):
        counts[chosen(10, n, seed)] += 1
    # 2,000 draws of a share n/10: five standard deviations, once and for all seeds of this test.
    assert np.abs(counts - 200 * n).max() < 5 * np.sqrt(2000 * n / 10 * (1 - n / 10))


@pytest.mark.parametrize("n", [0, 1, 5, 60, 100, 200])
def test_a_sample_is_rows_of_the_library_in_its_order(made: Path, n: int) -> None:
    ids = [f"{v}-{i}" for v in (1, 2) for i in range(50)]
    table = sample_library(made, n, seed=3)
    assert table.schema.equals(layout.ROWS)
    assert table.column("id").to_pylist() == [ids[i] for i in chosen(100, n, 3)]
    assert sample_library(open_library(made), n, seed=3).equals(table)
    assert table.num_rows == min(n, 100)


def test_a_sample_reads_no_row_group_that_it_does_not_need(made: Path, tmp_path: Path) -> None:
    library = tmp_path / "lib"
    tables = [made_library.rows([str(i) for i in range(100)], ["C" * (i + 1) for i in range(100)])]
    made_library.write(library, tables)
    row = int(chosen(100, 1, 0)[0])
    for entry in open_library(library).entries():
        if not entry["first"] <= row < entry["first"] + entry["rows"]:
            Path(entry["path"]).write_bytes(b"not to be read")
    assert sample_library(library, 1, 0).column("id").to_pylist() == [str(row)]


def test_what_cannot_be_sampled(made: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a sample of -1 rows"):
        sample_library(made, -1)
    with pytest.raises(InputError, match="the seed is -3; give 0 or more"):
        sample_library(made, 1, seed=-3)
    with pytest.raises(LibraryError, match="not a drylab library"):
        sample_library(tmp_path / "nowhere", 1)


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vendors")
    (folder / "a.smi").write_text("CCO ethanol\nOCC spirit\nCCN amine\nCCCCO same\n")
    (folder / "b.smi").write_text("C(O)C alcohol\nCCCO same\nCCN amine\n")
    build_library(folder / "a.smi", folder / "lib")
    build_library(folder / "b.smi", folder / "lib", add=True)
    return folder


def test_every_vendor_id_finds_its_molecule(vendors: Path) -> None:
    found = find_library(vendors / "lib", ["alcohol", "ethanol", "spirit", "nobody", "same", "amine", "ethanol"])
    assert found.schema.equals(FOUND)
    a, b = str(vendors / "a.smi"), str(vendors / "b.smi")
    rows = [(row["asked"], row["id"], row["smiles"], row["source"], row["row"]) for row in found.to_pylist()]
    assert rows == [
        ("alcohol", "ethanol", "CCO", b, 1),
        ("ethanol", "ethanol", "CCO", None, None),
        ("spirit", "ethanol", "CCO", a, 2),
        ("nobody", None, None, None, None),
        ("same", "same", "CCCCO", None, None),
        ("same", "same", "CCCO", None, None),
        ("amine", "amine", "CCN", None, None),
        ("amine", "amine", "CCN", b, 3),
    ]
    keys = found.column("key").to_pylist()
    assert keys[0] == keys[1] == keys[2] != keys[4]
    assert keys[3] is None


def test_nothing_is_asked_for(vendors: Path) -> None:
    assert find_library(vendors / "lib", []).num_rows == 0


@pytest.mark.parametrize("ids", ["ethanol", [1], [None]])
def test_ids_that_are_no_text(vendors: Path, ids: list[str]) -> None:
    with pytest.raises(InputError, match="expected a list of ids as text"):
        find_library(vendors / "lib", ids)


def test_duplicates_that_cannot_be_read(vendors: Path, tmp_path: Path) -> None:
    (tmp_path / "a.smi").write_text("CCO ethanol\n")
    build_library(tmp_path / "a.smi", tmp_path / "lib")
    (tmp_path / "lib" / "duplicates.parquet").write_bytes(b"nothing")
    with pytest.raises(LibraryError, match=r"duplicates\.parquet: cannot be read"):
        find_library(tmp_path / "lib", ["ethanol"])
