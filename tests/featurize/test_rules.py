"""A rule's verdict by kernels is RDKit's verdict, on every molecule."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drylab.featurize import Rules, reference
from drylab.featurize.route import route, take
from drylab.featurize.text import as_bytes
from drylab.library.embedded import drugs
from drylab.types import PARSED
from tests.molecules import AWKWARD, DRUGS
from tests.real import data_files, smiles_of

SMARTS = [
    "c1ccncc1",
    "[#7]",
    "[N+](=O)[O-]",
    "C(=O)[OH]",
    "[$([NX3]C=O)]",
    "[r5]",
    "[C@H]",
    "[!#6;R]",
    "S(=O)(=O)N",
    "[CX4;H3]",
    "[v5]",
]
RANGES = [("mw", 150.0, 400.0), ("clogp", -1.0, 4.5), ("tpsa", 20.0, 120.0), ("hbd", 0.0, 3.0), ("hba", 1.0, 8.0),
          ("rotatable", 0.0, 7.0), ("rings", 1.0, 4.0), ("aromatic_rings", 0.0, 2.0), ("fsp3", 0.1, 0.9),
          ("heavy_atoms", 10.0, 40.0), ("charge", 0.0, 0.0)]  # fmt: skip


def agree(rules: Rules, smiles: list[str]) -> None:
    routed = route(*as_bytes(smiles))
    rows = [i for i, state in enumerate(routed.graphs.status) if state == PARSED]
    keys = np.array([[row % 3, row] for row in range(len(smiles))], np.uint64)
    verdicts = rules.verdicts(take(routed.graphs, np.array(rows, int)), lambda at: routed.mol(rows[at]), keys[rows])
    excluded = rules.is_excluded(keys)
    for row, verdict in zip(rows, verdicts, strict=True):
        assert verdict == rules.verdict(routed.mol(row), bool(excluded[row])), smiles[row]


RULES = st.builds(
    Rules,
    ranges=st.lists(st.sampled_from(RANGES), max_size=3).map(tuple),
    must_have_any=st.lists(st.sampled_from(SMARTS), max_size=2).map(tuple),
    must_not_have=st.lists(st.sampled_from(SMARTS), max_size=2).map(tuple),
    alerts=st.sampled_from([(), ("pains",), ("brenk", "nih")]),
    excluded=st.sampled_from([None, np.zeros((0, 2), np.uint64), np.array([[1, 1], [1, 4], [2, 1]], np.uint64)]),
)


@given(RULES)
def test_any_rules_on_awkward_molecules(rules: Rules) -> None:
    agree(rules, [*DRUGS, *AWKWARD])


def test_alerts_on_drugs() -> None:
    agree(Rules(alerts=("pains", "brenk", "nih")), [drug.smiles for drug in drugs()])


@pytest.mark.parametrize("file", data_files()[::7], ids=lambda path: path.name)
def test_everything_on_real_molecules(file: Path) -> None:
    rules = Rules(tuple(RANGES[:4]), ("[#7]", "[#8]"), ("[N+](=O)[O-]",), ("pains", "brenk"))
    agree(rules, smiles_of(file, every=1009, most=60))


def test_ranges_allow_both_ends() -> None:
    mol = reference.parse(["CCO"])[0]
    assert mol is not None
    weight = reference.PROPERTIES["mw"](mol)
    agree(Rules(ranges=(("mw", weight, weight),)), ["CCO", "CCN"])
    agree(Rules(ranges=(("mw", 0.0, weight),)), ["CCO", "CCCC"])
