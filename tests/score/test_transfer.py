"""From landmarks to a probe for a sequence: the formula, the tiers, and the model file that carries them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from drylab.errors import InputError, ModelError
from drylab.score import landmarks as marks
from drylab.score.align import AMINO_ACIDS, similarities
from drylab.score.landmarks import Kernel, Landmarks, LeftOut, Protein
from drylab.score.model import load_model, read_file, shipped
from drylab.score.pocket import _KNOWN
from drylab.score.transfer import probe_for, transfer

rng = np.random.default_rng(8)


def random_protein(n: int) -> str:
    return "".join(rng.choice(list(AMINO_ACIDS), n))


def changed(text: str, share: float) -> str:
    letters = np.array(list(text))
    at = rng.random(len(text)) < share
    letters[at] = rng.choice(list(AMINO_ACIDS), at.sum())
    return "".join(letters)


RECEPTOR, ENZYME, KINASE = random_protein(300), random_protein(250), random_protein(400)
SITE = _KNOWN["ABL1"]
PROTEINS = (
    Protein("receptor", "P1", RECEPTOR, "", "opioid"),
    Protein("enzyme", "P2", ENZYME, "", ""),
    Protein("kinase", "P3", KINASE, SITE, "protein kinase"),
)
LEFT_OUT = (
    LeftOut(0.3, 1.0, 60, 0.41, 0.35, 0.47, 0.10, 0.38, 0.9),
    LeftOut(0.15, 0.3, 40, 0.21, 0.12, 0.30, 0.11, 0.15, 1.1),
    LeftOut(0.0, 0.15, 20, 0.08, -0.02, 0.18, 0.07, 0.05, 1.3),
)
KERNEL = Kernel(shared=0.2, site=0.3, width=2.0, power=0.5, mean=6.5)


def some(width: int = 128) -> Landmarks:
    found = np.random.default_rng(1)
    return Landmarks(PROTEINS, found.normal(size=(3, width)), found.normal(size=3), KERNEL, LEFT_OUT)


def model_file(folder: Path) -> Path:
    path = folder / "m.safetensors"
    path.write_bytes(shipped()["panel-2"].read_bytes())
    marks.add(path, some())
    return path


def test_the_probe_is_the_sum_over_landmarks() -> None:
    known, text = some(), changed(RECEPTOR, 0.3)
    found = transfer(known, text)
    aligned = similarities([text], [protein.sequence for protein in PROTEINS])[0]
    k = 0.2 + 0.7 * np.sqrt(aligned)
    assert np.allclose(found.weights, k @ known.weight)
    assert found.bias == pytest.approx(6.5 + k @ known.bias)
    assert found.nearest[0].name == "receptor"
    assert found.nearest[0].similarity == pytest.approx(aligned[0])


def test_a_homolog_is_tier_c_with_what_left_out_targets_said() -> None:
    found = transfer(some(), changed(RECEPTOR, 0.3))
    assert found.tier == "C"
    assert found.sigma == 0.9
    for words in (
        "Transferred from receptor (",
        "selectivity against them is not reliable",
        "60 left-out",
        "0.41",
        "0.10",
        "0.38",
    ):
        assert words in found.sentence


def test_a_far_relative_is_tier_d_only_where_the_family_is_known() -> None:
    far = RECEPTOR[:70] + random_protein(230)
    found = transfer(some(), far)
    assert 0.15 <= found.nearest[0].similarity < 0.3
    assert found.tier == "D"
    assert "Family-level prior only (opioid)" in found.sentence
    assert found.sigma == 1.1
    unnamed = replace(some(), proteins=(replace(PROTEINS[0], family=""), *PROTEINS[1:]))
    with pytest.raises(ModelError, match=r"^target\.yaml:4: no evidence for this target"):
        transfer(unnamed, far, where="target.yaml:4")


def test_a_kinase_is_known_by_its_site_however_little_else_is_like() -> None:
    pieces = [SITE[i:j] for i, j in ((0, 13), (13, 19), (19, 41), (41, 59), (59, 78), (78, 85))]
    text = random_protein(700) + "GSTPNQ".join(pieces) + random_protein(400)
    found = transfer(some(), text)
    assert found.nearest[0].similarity < 0.15
    assert found.tier == "D"
    assert "protein kinase" in found.sentence


def test_an_orphan_is_refused_with_what_to_do_unless_it_is_asked_for() -> None:
    text = random_protein(200)
    with pytest.raises(ModelError, match=r"^f\.fa: no evidence .* give measurements .*allow_orphan: true"):
        transfer(some(), text, where="f.fa")
    found = transfer(some(), text, allow_orphan=True)
    assert found.tier == "E"
    assert found.sentence.startswith("No evidence for this target")
    assert np.isfinite(found.weights).all()


def test_letters_that_are_no_amino_acids_are_refused() -> None:
    with pytest.raises(InputError, match=r"^sequence: '4' is no amino acid"):
        transfer(some(), "MKV4")


def test_a_model_file_carries_landmarks_and_is_otherwise_as_before(tmp_path: Path) -> None:
    path = model_file(tmp_path)
    mine, theirs = load_model(path), load_model("panel-2")
    assert mine.probes.probes == theirs.probes.probes
    assert np.array_equal(mine.encoder.w1, theirs.encoder.w1)
    found = marks.of(mine)
    assert found is not None
    assert (found.proteins, found.kernel, found.left_out) == (PROTEINS, KERNEL, LEFT_OUT)
    assert np.allclose(found.weight, some().weight, atol=1e-6)
    text = changed(ENZYME, 0.2)
    ours, direct = probe_for(mine, text), transfer(some(), text)
    assert np.allclose(ours.weights, direct.weights, atol=1e-5)
    assert (ours.tier, ours.sentence) == (direct.tier, direct.sentence)


def test_a_model_without_landmarks_says_so(tmp_path: Path) -> None:
    path = model_file(tmp_path)
    header, tensors = read_file(path, "drylab.model/1")
    plain = replace(load_model(path), info={k: v for k, v in header.items() if k != "landmarks"})
    assert marks.of(plain) is None
    with pytest.raises(ModelError, match=r"has no landmarks to transfer from"):
        probe_for(plain, RECEPTOR)
    assert set(tensors) == {*load_file(shipped()["panel-2"]), marks.WEIGHT, marks.BIAS}


def test_damaged_landmarks_are_refused(tmp_path: Path) -> None:
    header, tensors = read_file(model_file(tmp_path), "drylab.model/1")
    said = json.loads(json.dumps(header["landmarks"]))
    short = {**tensors, marks.WEIGHT: tensors[marks.WEIGHT][:, :-1]}
    odd = {**tensors, marks.BIAS: tensors[marks.BIAS] * np.nan}
    gone = {name: value for name, value in tensors.items() if name != marks.BIAS}
    fewer = {**header, "landmarks": {**said, "proteins": said["proteins"][:-1]}}
    for damaged in ((header, short), (header, odd), (header, gone), (fewer, tensors)):
        with pytest.raises(ModelError, match=r"^m: its landmarks .* export the model again"):
            marks.parse(*damaged, width=128, where="m")
