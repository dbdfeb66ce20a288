"""Parents are read once: the cache answers as a fresh reading does, and only for the same texts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from drylab.train import parents
from drylab.train.parents import cache_file, parent_table

TEXTS = ["CC(N)c1ccccc1.Cl", "C[C@H](N)c1ccccc1", "CCO", "not one"]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parents, "KEPT", 2)


@pytest.mark.usefixtures("small")
def test_the_second_reading_comes_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = parent_table([TEXTS], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [cache_file(tmp_path, sorted(TEXTS)).name]
    monkeypatch.setattr(parents, "parents_of", lambda texts: pytest.fail("read again"))
    pd.testing.assert_frame_equal(parent_table([TEXTS[::-1]], tmp_path), first, check_dtype=False)
    assert first.loc["CC(N)c1ccccc1.Cl", "skeleton"] == first.loc["C[C@H](N)c1ccccc1", "skeleton"]
    assert first.loc["not one"].tolist() == ["", ""]


@pytest.mark.usefixtures("small")
def test_other_texts_have_another_file_and_known_ones_are_not_read_again(tmp_path: Path) -> None:
    parent_table([TEXTS], tmp_path)
    both = parent_table([TEXTS, [*TEXTS, "CCN"]], tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert both.index.is_unique
    assert set(both.index) == {*TEXTS, "CCN"}
    pd.testing.assert_frame_equal(
        both.sort_index(), parent_table([[*TEXTS, "CCN"]], tmp_path / "fresh").sort_index(), check_dtype=False
    )


def test_few_texts_leave_no_file(tmp_path: Path) -> None:
    assert len(parent_table([TEXTS], tmp_path / "none")) == 4
    assert not (tmp_path / "none").exists()
    assert len(parent_table([], tmp_path)) == 0
