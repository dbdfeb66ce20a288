"""The target of an FS-Mol assay is what equal values prove, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from drylab.train.assays import assay_families, assay_targets
from drylab.train.data import raw_rows
from drylab.train.panel import UNKNOWN, targets
from drylab.train.parents import parent_table
from drylab.train.sources import table


def rows(task: str, values: list[float], first: int = 0, relation: int = 0) -> pd.DataFrame:
    names = [f"m{first + i}" for i in range(len(values))]
    return pd.DataFrame({"skeleton": names, "task": task, "value": values, "relation": np.int8(relation)})


VALUES = [5.0 + 0.37 * i for i in range(12)]


def test_equal_values_prove_a_target(data: Path) -> None:
    known = pd.concat([rows("EGFR", VALUES), rows("KDR", [v + 0.5 for v in VALUES])])
    assert assay_targets(data, rows("CHEMBL1", [v + 0.004 for v in VALUES]), known) == {"CHEMBL1": "EGFR"}


@pytest.mark.parametrize(
    "assay",
    [
        rows("CHEMBL1", [v + 0.1 for v in VALUES]),  # the same molecules, other values
        rows("CHEMBL1", VALUES[:7]),  # too few
        rows("CHEMBL1", VALUES, relation=-1),  # bounds prove nothing
        rows("CHEMBL1", VALUES, first=50),  # other molecules
    ],
)
def test_anything_less_proves_nothing(data: Path, assay: pd.DataFrame) -> None:
    assert assay_targets(data, assay, rows("EGFR", VALUES)) == {}


def test_a_class_of_proteins_is_a_family_and_no_class_is_unknown(data: Path) -> None:
    assert assay_families(data) == {"CHEMBL1": "kinase", "CHEMBL2": UNKNOWN, "CHEMBL3": UNKNOWN}


@pytest.mark.slow
def test_proven_targets_agree_with_the_inferred_ones(shared_data: Path) -> None:
    """The list that comes with the data was made by other means; where both speak they say the same."""
    raw = raw_rows(shared_data)
    raw = raw[raw["file"].isin(["fsmol_train", "chembl22"])]
    raw = raw.join(parent_table([list(group.unique()) for _, group in raw.groupby("file")["smiles"]]), on="smiles")
    found = assay_targets(shared_data, raw[raw["file"] == "fsmol_train"], raw[raw["file"] == "chembl22"])
    info = table(shared_data / "affinity/fsmol_assay_targets.csv.gz", ["inferred_target_chembl_id"])
    inferred = dict(zip(info["assay_chembl_id"], info["inferred_target_chembl_id"], strict=True))
    chembl = {target.gene: target.chembl for target in targets()}
    both = {a: chembl.get(t, t) for a, t in found.items() if isinstance(inferred[a], str)}
    assert len(found) > 1300
    assert len(both) > 1200
    assert [a for a, t in both.items() if inferred[a] != t] == []
