"""The toxicity suite on made-up measurements: every column is there, and the goals are said as they are."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from drylab.featurize.curation import flat_parent
from drylab.score import endpoints as panel
from drylab.score.model import load_model
from drylab.train.heads import Task, groups_of
from drylab.train.networks import Recipe
from drylab.train.split import TEST, TRAIN, VALID
from drylab.train.suites import toxicity
from drylab.train.suites.table import Figure, Row, Suite, markdown
from drylab.train.suites.toxicity_baselines import SIMPLE
from drylab.train.suites.toxicity_goals import goals
from drylab.train.toxicity import prepare, save, train
from drylab.train.toxicity_labels import ToxLabels
from tests.train.suites.conftest import BUDGET, molecules

MODEL = load_model()


def labels() -> ToxLabels:
    """Oxygen switches a receptor on, nitrogen sets the channel's potency; other files of the same endpoints agree."""
    parents = sorted({flat_parent(text) for text in molecules()})
    n = len(parents)
    fold = np.random.default_rng(4).choice([TRAIN, VALID, TEST], n, p=[0.6, 0.2, 0.2]).astype(np.uint8)
    group = groups_of(["" for _ in parents], parents)
    oxygen = np.array(["O" in text.upper() for text in parents], float)
    nitrogen = np.array([text.upper().count("N") for text in parents], float)

    def task(value: np.ndarray) -> Task:
        return Task(np.arange(n), value, np.zeros(n, np.int8), group)

    tasks = {name: task(oxygen) for name in ("nr_ar", "sr_p53", "herg_block", "dili")} | {"herg": task(nitrogen + 4)}
    return ToxLabels(parents, fold, group, np.arange(n), tasks, {"herg": task(oxygen), "dili_gold": task(oxygen)}, {})


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    made, out = labels(), tmp_path_factory.mktemp("tox") / "m-tox.safetensors"
    save(out, MODEL, *train(prepare(MODEL, made), Recipe(hidden=8, epochs=30, batch=32), lambda line: None))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toxicity, "origins", lambda *_: {})
        patch.setattr(toxicity, "demo_skeletons", lambda _: frozenset())
        patch.setattr(toxicity, "read_tox_labels", lambda *_: made)
        patch.setattr(toxicity, "load_endpoints", lambda model: panel.load_endpoints(model, out))
        return toxicity.run(Path("nowhere"), MODEL, BUDGET, lambda line: None)


def test_baselines_and_branches_stand_beside_ours(suite: Suite) -> None:
    for task in {row.task for row in suite.rows}:
        methods = [row.method for row in suite.rows if row.task == task]
        near = task in ("herg", "herg_block", toxicity.OUTSIDE["herg"])
        assert methods == [name for name in toxicity.BRANCHES if near or name != "neighbours alone"] + [*SIMPLE]
    assert {row.method for row in suite.rows if row.ours} == {toxicity.OURS}
    assert {"Tox21, mean", *toxicity.OUTSIDE.values()} < {row.task for row in suite.rows}
    assert len(markdown(suite).splitlines()) > len(suite.rows)


def test_what_can_be_learned_is_and_sets_are_counted(suite: Suite) -> None:
    mine = {row.task: row.metrics for row in suite.rows if row.ours}
    assert mine["Tox21, mean"]["AUROC"].value > 0.85
    found = mine["nr_ar"]
    for name in ("covered yes", "covered no", "one class", "prevalence", "ECE", "Brier"):
        assert 0 <= found[name].low <= found[name].value <= found[name].high <= 1
    assert math.isfinite(mine["herg"]["covered"].value)
    assert mine["herg"]["interval"].value > 0
    assert {name for name in found if name.startswith("AUROC less")} == {"AUROC less RF-ECFP4"}


def test_goals_are_said_met_or_missed() -> None:
    def row(task: str, **figures: float) -> Row:
        return Row(task, "drylab", {name.replace("_", " "): Figure(value) for name, value in figures.items()}, True)

    rows = [
        row("ames", AUROC=0.9, ECE=0.06, covered_yes=0.95, covered_no=0.91),
        row("bbb", AUROC=0.8, ECE=0.01, covered_yes=0.95, covered_no=0.91),
        row("ld50", MAE=0.5, covered=0.7),
    ]
    said = " ".join(goals(rows, "drylab", "RF-ECFP4"))
    assert "0.85 for ames: 0.900, met" in said
    assert "0.90 for bbb: 0.800, missed" in said
    assert "0.60 for ld50: 0.500, met" in said
    assert "above it: ames 0.060" in said
    assert "95.0% to 95.0%; missed" in said
    assert "91.0% to 91.0%; met" in said
    assert "70.0% to 70.0%; missed" in said
