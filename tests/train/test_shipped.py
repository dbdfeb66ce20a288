"""The model file that ships: it is honest about what it was not shown."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np

from drylab.library.embedded import drugs
from drylab.score.model import load_model
from drylab.train.keepout import demo_skeletons
from drylab.train.panel import targets, tox_tasks

PACKAGE = Path(str(resources.files("drylab")))


def test_no_demo_drug_was_trained_on() -> None:
    """A drug added to the demo list needs a model trained without it: python -m drylab.train."""
    now = demo_skeletons(PACKAGE / "library" / "data" / "drugs.csv")
    assert now <= set(load_model().info["excluded"]["skeletons"])


def test_probes_are_the_panel_and_say_what_they_mean() -> None:
    model = load_model()
    affinity = [probe.name for probe in model.probes.probes if probe.kind == "affinity"]
    toxicity = [probe.name for probe in model.probes.probes if probe.kind == "toxicity"]
    assert list(model.probes.names()) == affinity + toxicity
    # A panel only grows: what an older model has are the first of those that a training makes now.
    assert affinity == [target.gene for target in targets()][: len(affinity)]
    assert toxicity == [task.name for task in tox_tasks()][: len(toxicity)]
    for probe in model.probes.probes:
        assert probe.meaning.endswith(".")
        assert probe.metrics["n_train"] > 80
        assert probe.kind == "toxicity" or len(probe.sequence_sha256) in (0, 64)
        assert probe.kind == "toxicity" or probe.aliases[0].startswith("CHEMBL")
    assert sum(len(probe.sequence_sha256) == 64 for probe in model.probes.probes) > 0.95 * len(affinity)
    assert np.isfinite(model.probes.weights).all()
    assert (np.diff(model.domain.percentiles) >= 0).all()


def test_egfr_drugs_lead_the_check_screen() -> None:
    check = load_model().info["check"]
    assert set(check["drugs"]) == {drug.name for drug in drugs() if "EGFR" in drug.targets}
    assert sum(share <= 0.01 for share in check["drugs"].values()) >= 5


def test_card_belongs_to_the_weights() -> None:
    assert load_model().sha256 in (PACKAGE / "models" / "panel-2.md").read_text(encoding="utf-8")
