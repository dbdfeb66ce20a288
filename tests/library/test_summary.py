"""What is said of a library is what its files hold."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.build import build_library
from drylab.errors import LibraryError
from drylab.library import layout
from drylab.library.store import open_library
from drylab.library.summary import library_info, quantile


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("summary")
    (folder / "a.smi").write_text("".join(f"{'C' * i}O a{i}\n" for i in range(1, 40)) + "C1CC broken\nOC again\n")
    (folder / "b.smi").write_text("".join(f"{'C' * i}N b{i}\n" for i in range(1, 20)) + "CO methanol\n[Na+] ion\n")
    build_library(folder / "a.smi", folder / "lib")
    build_library(folder / "b.smi", folder / "lib", add=True)
    return folder / "lib"


def test_the_numbers_are_those_of_the_files(library: Path) -> None:
    said = library_info(library)
    assert json.loads(json.dumps(said)) == said == library_info(open_library(library))
    assert (said["rows"], said["version"], said["recipe"]["name"]) == (58, 2, "standard")
    assert [(v["version"], v["rows"], v["read"], v["duplicates"]) for v in said["versions"]] == [
        (1, 39, 41, 1),
        (2, 19, 21, 1),
    ]
    assert [v["rejected"] for v in said["versions"]] == [{"RDKit cannot parse it": 1}, {"no carbon atom": 1}]
    assert [(s["version"], Path(s["path"]).name, s["kept"]) for s in said["sources"]] == [
        (1, "a.smi", 39),
        (2, "b.smi", 19),
    ]
    assert said["bytes"]["total"] == sum(file.stat().st_size for file in library.rglob("*") if file.is_file())


@pytest.mark.parametrize("name", layout.PROPERTIES)
def test_quantiles_are_those_of_the_rows_within_a_bin(library: Path, name: str) -> None:
    said = library_info(library)["properties"][name]
    values = np.concatenate([pq.read_table(file).column(name).to_numpy() for file in sorted(library.glob("shards/*"))])
    width = np.diff(said["edges"]).max()
    assert sum(said["counts"]) == len(values)
    for share, value in said["quantiles"].items():
        # The outermost bins also count what lies beyond them.
        true = np.clip(np.quantile(values, float(share), method="inverted_cdf"), said["edges"][0], said["edges"][-1])
        assert abs(value - true) <= width
        if pa.types.is_integer(layout.PROPERTIES[name]):
            assert value == true


@given(values=st.lists(st.integers(0, 9), min_size=1, max_size=30), share=st.sampled_from([0.0, 0.05, 0.5, 0.95, 1.0]))
def test_a_quantile_of_whole_numbers_is_one_of_them(values: list[int], share: float) -> None:
    counts = np.bincount(values, minlength=10).tolist()
    assert quantile(range(11), counts, share, whole=True) == np.quantile(values, share, method="inverted_cdf")


def test_no_rows_have_no_quantile() -> None:
    assert quantile([0, 1], [0], 0.5) is None


def test_what_is_no_library(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="not a drylab library"):
        library_info(tmp_path)
