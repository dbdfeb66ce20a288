"""What FS-Mol's training assays say of molecules that a benchmark assay measures, too.

Half of the molecules of FS-Mol's validation assays have values in its training assays, most of them of a set of inhibitors
that was measured on hundreds of kinases. A method that is trained there, as the paper's were, knows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
LEAST, SHARE = 16, (0.2, 0.8)  # molecules of a training assay, and the share of them that is active
TOGETHER = 8  # molecules that an assay must have in common with the one asked for
SHRINK = 3.0  # a molecule's profile counts as if so many more assays had said nothing


@dataclass(frozen=True, slots=True)
class Profiles:
    """SMILES -> numbers of the assays that measured it (k,), and its labels there (k,): 2 (label - the assay's mean)."""

    assays: dict[str, NDArray[np.int64]]
    labels: dict[str, Array]

    def of(self, smiles: Sequence[str]) -> tuple[Array, Array]:
        """Of n molecules: (n, n) how alike they were in other assays, positive definite, and (n,) how active on average."""
        known = [self.assays.get(text, np.zeros(0, np.int64)) for text in smiles]
        columns, place = np.unique(np.concatenate([*known, np.zeros(0, np.int64)]), return_inverse=True)
        table = np.zeros((len(smiles), len(columns)))
        rows = np.repeat(np.arange(len(smiles)), [len(numbers) for numbers in known])
        table[rows, place] = np.concatenate([*(self.labels.get(text, np.zeros(0)) for text in smiles), np.zeros(0)])
        table = table[:, (table != 0).sum(axis=0) >= TOGETHER]
        count = (table != 0).sum(axis=1) + SHRINK
        unit = table / np.sqrt(count)[:, None]
        return unit @ unit.T, table.sum(axis=1) / count


def profiles(train: pd.DataFrame, smiles: Iterable[str]) -> Profiles:
    """Of the molecules named, from rows with assay_chembl_id, smiles and active."""
    by_assay = train.groupby("assay_chembl_id")["active"]
    mean, size = by_assay.transform("mean"), by_assay.transform("size")
    rows = train[(size >= LEAST) & mean.between(*SHARE) & train["smiles"].isin(set(smiles))]
    labels = 2.0 * (rows["active"] - mean[rows.index])
    frame = pd.DataFrame({"smiles": rows["smiles"], "assay": pd.factorize(rows["assay_chembl_id"])[0], "label": labels})
    frame = frame.groupby(["smiles", "assay"], sort=True)["label"].mean().reset_index()
    parts = {str(text): part for text, part in frame.groupby("smiles", sort=False)}
    return Profiles(
        {text: part["assay"].to_numpy(np.int64) for text, part in parts.items()},
        {text: part["label"].to_numpy(np.float64) for text, part in parts.items()},
    )
