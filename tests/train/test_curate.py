"""Curation: faults, replicates, bounds, and that every row is accounted for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drylab.train import dropped
from drylab.train.curate import clean, faults, is_mixture, merge, one_drawing
from drylab.train.parents import parent_table


def table(*texts: str) -> pd.DataFrame:
    return parent_table([list(texts)])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("CCO", ""),
        ("C[Si](C)(C)C", ""),
        ("OB(O)c1ccccc1", ""),
        ("c1cc[se]c1", ""),
        ("[2H]C([2H])O", ""),
        ("CC(=O)[O-].[Na+]", ""),
        ("CN(C)CCc1ccccc1.OC(=O)CO", ""),
        ("not one", "not_readable"),
        ("O=S(=O)(O)O", "inorganic"),
        ("[Na+].[Cl-]", "inorganic"),
        ("C[Hg]Cl", "inorganic"),
        ("C[As](C)(C)=O", "inorganic"),
        ("Cc1ccccc1O.CCCCCCN", "mixture"),
    ],
)
def test_what_no_model_learns_from_is_named(text: str, fault: str) -> None:
    assert faults(table(text)).tolist() == [fault]


@pytest.mark.parametrize(
    ("text", "mixed"),
    [
        ("CCN.Cl", False),
        ("CCCCCCCCCCN.OS(=O)(=O)c1ccccc1", True),
        ("CCCCCCCCCCCCCCCCCCCCCCN.OC(=O)C=CC(=O)O", False),
        ("NCCc1ccccc1.NCCc1ccccc1.OS(=O)(=O)O", False),
    ],
)
def test_salts_are_no_mixtures(text: str, mixed: bool) -> None:
    """Two of the same, a small acid, a mineral acid are salts; a second part of half the size is a mixture."""
    assert is_mixture(text) is mixed


def test_one_drawing_stands_for_all_tautomers_whatever_their_order() -> None:
    texts = ["O=c1[nH]cnc2[nH]ncc12", "Oc1ncnc2[nH]ncc12", "C[C@H](N)O", "C[C@@H](N)O"]
    one, other = one_drawing(table(*texts)), one_drawing(table(*texts[::-1]))
    assert one["parent"].nunique() == 2
    assert one["parent"].to_dict() == other["parent"].to_dict()


def rows_of(*entries: tuple[str, float, int], kind: str = "p") -> pd.DataFrame:
    frame = pd.DataFrame(list(entries), columns=["skeleton", "value", "relation"])
    return frame.assign(
        parent=frame["skeleton"], task="t", kind=kind, file="f", relation=frame["relation"].astype(np.int8)
    )


def merged(*entries: tuple[str, float, int], kind: str = "p") -> dict[str, tuple[float, int]]:
    rows = rows_of(*entries, kind=kind)
    found = merge(rows, dropped.started(rows))
    return {s: (v, r) for s, v, r in zip(found["skeleton"], found["value"], found["relation"], strict=True)}


def test_replicates_are_their_median_and_contradictions_go() -> None:
    assert merged(("a", 6.0, 0), ("a", 6.2, 0), ("a", 7.0, 0), ("b", 5.0, 0)) == {"a": (6.2, 0), "b": (5.0, 0)}
    assert merged(("a", 6.0, 0), ("a", 7.01, 0)) == {}


def test_bounds_stay_bounds_and_the_tightest_is_kept() -> None:
    assert merged(("a", 5.0, -1), ("a", 4.5, -1)) == {"a": (4.5, -1)}
    assert merged(("a", 8.0, 1), ("a", 9.0, 1)) == {"a": (9.0, 1)}
    assert merged(("a", 5.0, -1), ("a", 4.8, 0)) == {"a": (4.8, 0)}  # a measurement says more than a bound
    assert merged(("a", 5.0, -1), ("a", 6.5, 0)) == {}
    assert merged(("a", 8.0, 1), ("a", 6.5, 0)) == {}
    assert merged(("a", 8.0, 1), ("a", 8.5, -1)) == {}  # two bounds are no single value


def test_classes_agree_or_go() -> None:
    assert merged(("a", 1.0, 0), ("a", 1.0, 0), ("b", 0.0, 0), ("b", 1.0, 0), kind="class") == {"a": (1.0, 0)}


entry = st.tuples(st.sampled_from("abcd"), st.floats(2, 12), st.sampled_from([-1, 0, 0, 0, 1]))


@given(st.lists(entry, min_size=1, max_size=30), st.randoms())
@settings(deadline=None, max_examples=25)
def test_every_row_is_kept_merged_or_dropped_in_any_order(
    entries: list[tuple[str, float, int]], random: object
) -> None:
    rows = rows_of(*entries)
    counts = dropped.started(rows)
    found = merge(rows, counts)
    dropped.finish(found, counts)  # asserts that the books balance
    shuffled = list(entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert merged(*shuffled) == merged(*entries)
    exact = {s: [v for t, v, r in entries if t == s and r == 0] for s in "abcd"}
    for skeleton, (value, relation) in merged(*entries).items():
        assert relation != 0 or min(exact[skeleton]) <= value <= max(exact[skeleton])


def test_values_that_cannot_be_are_dropped_where_the_unit_is_known() -> None:
    raw = pd.DataFrame({"smiles": ["CCO"] * 3, "value": [1.9, 12.1, 6.0], "task": "t", "file": "f", "part": ""})
    raw["relation"] = np.int8(0)
    counts = dropped.started(raw)
    assert clean(raw.assign(kind="p"), table("CCO"), counts)["value"].tolist() == [6.0]
    assert counts == {"f": {"rows": 3, "impossible": 2}}
    assert len(clean(raw.assign(kind="value"), table("CCO"), dropped.started(raw))) == 3


def test_books_that_do_not_balance_are_refused() -> None:
    with pytest.raises(AssertionError, match=r"f: 3 rows read, 2 accounted for"):
        dropped.check({"f": {"rows": 3, "kept": 1, "replicates_merged": 1}})


def test_the_report_names_every_reason(tmp_path: Path) -> None:
    counts = {"a": {"rows": 3, "mixture": 1, "kept out: X": 1, "replicates_merged": 0, "kept": 1}}
    dropped.write(counts, tmp_path / "report")
    text = (tmp_path / "report.md").read_text()
    assert "| file | rows | mixture | kept out: X | replicates merged | kept |" in text
    assert "| a | 3 | 1 | 1 | 0 | 1 |" in text
    assert "* **mixture**: two different organic parts" in text
    assert json.loads((tmp_path / "report.json").read_text()) == counts
