"""What a target file may name, and how far the answer says it can be trusted."""

import re

import pytest

from drylab.config import target_from
from drylab.errors import ConfigError, ModelError
from drylab.question import ask
from drylab.score import panel
from drylab.score.model import load_model

BANK = load_model().probes


@pytest.mark.parametrize(
    "names",
    [{"panel": "EGFR"}, {"panel": " egfr "}, {"uniprot": "P00533"}, {"panel": "CHEMBL203", "uniprot": "p00533"}],
)
def test_every_name_of_a_target_finds_its_probe(names: dict[str, str]) -> None:
    assert BANK.probes[panel.find(BANK, names, "t.yaml:1")].name == "EGFR"


def test_herg_can_be_an_anti_target() -> None:
    assert BANK.probes[panel.find(BANK, {"uniprot": "Q12809"}, "t")].name == "herg"


@pytest.mark.parametrize(
    ("names", "say"),
    [
        ({"panel": "JAK2", "uniprot": "P00533"}, "not one target: panel 'JAK2' is JAK2, uniprot 'P00533' is EGFR"),
        ({"panel": "EGFR", "uniprot": "P99999"}, "uniprot 'P99999' is none of the panel's (which are wild-type"),
        ({"panel": "EGFR", "sequence": "MKV" * 30}, "sequence 'MKVMKVMKVMKVMKVMKVMK' is none of the panel's"),
        ({"panel": "EGFRR"}, "did you mean EGFR"),
        ({"panel": "ames"}, "ames is predicted as a probability, and a target needs an activity"),
    ],
)
def test_what_does_not_name_one_target_is_refused(names: dict[str, str], say: str) -> None:
    with pytest.raises(ModelError, match=f"^t.yaml:7: .*{re.escape(say)}"):
        panel.find(BANK, names, "t.yaml:7")


def test_a_toxicity_endpoint_is_nothing_to_aim_for() -> None:
    with pytest.raises(ConfigError, match="herg is a toxicity endpoint, and nothing to aim for"):
        ask(target_from({"name": "x", "target": "herg"}))


def test_two_anti_targets_of_one_name_are_refused() -> None:
    both = [{"name": "off", "panel": "KDR", "min_delta": 1}, {"name": "off", "panel": "KIT", "min_delta": 1}]
    with pytest.raises(ConfigError, match="a second anti-target is named 'off'; each needs a name of its own"):
        ask(target_from({"name": "x", "target": "EGFR", "anti_targets": both}))


def test_the_tier_says_when_a_model_is_weak() -> None:
    for probe in BANK.probes:
        if probe.kind == "affinity":
            sentence = panel.tier(probe)["sentence"]
            rho = probe.metrics.get("spearman")
            assert ("close to chance" in sentence) == (rho is not None and rho < panel.WEAK)
            assert ("too few to say" in sentence) == (rho is None)
