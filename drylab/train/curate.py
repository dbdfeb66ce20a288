"""Raw rows -> one row a molecule and task, every row that is left out counted (SCIENCE: curation checklist).

A molecule is its skeleton, the first block of the InChIKey of its flat parent: largest organic fragment, neutral, no
stereo, no isotopes, any tautomer. Of the ways that it is drawn in the files read, one stands for it: the shortest, then
the first by its text.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drylab.train.dropped import Counts, count_merged, drop

LOW, HIGH = 2.0, 12.0  # -log10 of mol/l outside is an error of units (SCIENCE, curation checklist)
RANGE = 1.0  # replicates further apart than this, in log units, contradict one another
OTHER = 6  # heavy atoms from which a second organic part, half as large as the first, makes a mixture
_BRACKET = re.compile(r"\[\d*(se|te|as|si|[a-z]|[A-Z][a-z]?)[^\]]*\]")
_ATOM = re.compile(r"\[(?!H[+\]])[^\]]*\]|Br|Cl|[BCNOPSFIbcnops]")
_CARBON = re.compile(r"C(?![a-z])|c|\[\d*C(?![a-z])")
_ORGANIC = frozenset(["H", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "Se", "Br", "I", *"bcnops", "se", "si"])


def clean(rows: pd.DataFrame, table: pd.DataFrame, counts: Counts) -> pd.DataFrame:
    """Rows with the columns "parent" and "skeleton", without those that no molecule or value can be made of.

    table  parent and skeleton by text, of :func:`drylab.train.parents.parent_table`
    """
    table = one_drawing(table).assign(fault=faults(table))
    rows = drop(rows, rows["value"].isna(), "no_value", counts)
    rows = rows.join(table, on="smiles")
    for reason in ("not_readable", "inorganic", "mixture"):
        rows = drop(rows, rows["fault"] == reason, reason, counts)
    outside = (rows["kind"] == "p") & ~rows["value"].between(LOW, HIGH)
    return drop(rows.drop(columns="fault"), outside, "impossible", counts)


def one_drawing(table: pd.DataFrame) -> pd.DataFrame:
    """The table with one parent a skeleton: of all its drawings the shortest, then the first by its text."""
    drawings = table[["parent", "skeleton"]].drop_duplicates()
    order = drawings.assign(length=drawings["parent"].str.len()).sort_values(["length", "parent"])
    chosen = order.drop_duplicates("skeleton").set_index("skeleton")["parent"]
    return table.assign(parent=table["skeleton"].map(chosen))


def faults(table: pd.DataFrame) -> NDArray[np.object_]:
    """Why a text gives no molecule to learn from, "" where it does; the index of ``table`` is the text."""
    found = [_fault(text, parent) for text, parent in zip(table.index, table["parent"], strict=True)]
    return np.array(found, dtype=object)


def _fault(text: str, parent: str) -> str:
    if not parent:
        return "not_readable"
    if not _CARBON.search(parent) or not _ORGANIC.issuperset(_BRACKET.findall(parent)):
        return "inorganic"
    return "mixture" if "." in text and is_mixture(text) else ""


def is_mixture(text: str) -> bool:
    """Whether a SMILES has a second, different organic part of at least six heavy atoms and half the size of the first."""
    parts = {part for part in text.split(".") if _CARBON.search(part)}
    sizes = sorted((len(_ATOM.findall(part)) for part in parts), reverse=True)
    return len(sizes) > 1 and sizes[1] >= max(OTHER, sizes[0] / 2)


def merge(rows: pd.DataFrame, counts: Counts) -> pd.DataFrame:
    """One row a skeleton and task, the first of each with the value and relation of all.

    The median of measured values; where there are none the tightest bound. These contradict one another: measured values
    more than RANGE apart, a bound that they break by more than RANGE, an upper and a lower bound alone, and two classes.
    """
    keys = rows.groupby(["skeleton", "task"], sort=True).ngroup().to_numpy()
    settled = _settled(keys, rows["value"].to_numpy(), rows["relation"].to_numpy())
    allowed = np.where(rows["kind"] == "class", 0.5, RANGE)
    bad = (settled["spread"].to_numpy()[keys] > allowed) & (rows["task"] != "").to_numpy()
    rows = drop(rows.assign(key=keys), bad, "contradicting", counts)
    first = rows.drop_duplicates("key").sort_values("key")
    count_merged(rows, first, counts)
    found = settled.loc[first["key"]]
    return first.assign(value=found["value"].to_numpy(), relation=found["relation"].to_numpy()).drop(columns="key")


def _settled(keys: NDArray[np.integer], value: NDArray[np.float64], relation: NDArray[np.int8]) -> pd.DataFrame:
    """One row a key: value, relation, and the spread by which its values contradict one another."""
    columns = {"exact": relation == 0, "upper": relation < 0, "lower": relation > 0}
    groups = pd.DataFrame({name: np.where(at, value, np.nan) for name, at in columns.items()}).groupby(keys, sort=True)
    exact, upper, lower = groups["exact"].median(), groups["upper"].min(), groups["lower"].max()
    spread = np.fmax.reduce(
        [
            (groups["exact"].max() - groups["exact"].min()).to_numpy(),
            (exact - upper).to_numpy(),
            (lower - exact).to_numpy(),
            np.where(exact.isna() & upper.notna() & lower.notna(), np.inf, 0.0),
        ]
    )
    measured = exact.notna()
    return pd.DataFrame(
        {
            "value": exact.fillna(upper).fillna(lower),
            "relation": np.select([measured, upper.notna()], [0, -1], 1).astype(np.int8),
            "spread": spread,
        }
    )
