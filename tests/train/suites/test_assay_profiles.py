"""What other assays say of a molecule: only of the molecules and assays named, centred, and as a kernel may be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn")

from hypothesis import given
from hypothesis import strategies as st

from drylab.train.suites.assay_profiles import LEAST, SHRINK, profiles

SMILES = [f"{'C' * n}O" for n in range(1, 25)]


def table(labels: dict[str, list[int]]) -> pd.DataFrame:
    rows = [
        (assay, text, value) for assay, values in labels.items() for text, value in zip(SMILES, values, strict=False)
    ]
    return pd.DataFrame(rows, columns=["assay_chembl_id", "smiles", "active"])


def test_molecules_that_were_active_together_are_alike() -> None:
    half = [1] * 12 + [0] * 12
    found = profiles(table({"A": half, "B": half, "C": half[::-1]}), SMILES)
    alike, mean = found.of([SMILES[0], SMILES[1], SMILES[-1], *SMILES[2:10]])
    assert alike[0, 1] == pytest.approx(3 / (3 + SHRINK))
    assert alike[0, 2] == pytest.approx(-3 / (3 + SHRINK))
    assert mean[0] == pytest.approx(1 / (3 + SHRINK))


def test_what_no_assay_measured_is_like_nothing() -> None:
    found = profiles(table({"A": [1, 0] * 12}), SMILES)
    alike, mean = found.of(["c1ccccc1", *SMILES[:9]])
    assert not alike[0].any()
    assert mean[0] == 0
    nothing, none = found.of(["c1ccccc1", "CC"])
    assert not nothing.any()
    assert not none.any()


def test_small_and_one_sided_assays_say_nothing() -> None:
    labels = {"small": [1, 0] * (LEAST // 2 - 1), "one-sided": [1] * 23 + [0]}
    assert not profiles(table(labels), SMILES).labels


@given(st.lists(st.lists(st.integers(0, 1), min_size=20, max_size=24), min_size=1, max_size=6))
def test_it_is_a_kernel(labels: list[list[int]]) -> None:
    found = profiles(table({f"A{n}": values for n, values in enumerate(labels)}), SMILES)
    alike, _ = found.of(SMILES)
    assert np.linalg.eigvalsh(alike).min() > -1e-9
