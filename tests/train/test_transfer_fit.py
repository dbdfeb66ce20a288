"""Landmarks from measurements: what is learnt goes to relatives, and the solver's answer is a dense solve's."""

from pathlib import Path

import numpy as np
import pytest

from drylab.score.align import AMINO_ACIDS
from drylab.score.landmarks import Kernel
from drylab.score.model import load_model
from drylab.score.transfer import transfer
from drylab.train import transfer_fit as fitting
from drylab.train.metrics import spearman
from tests.train.conftest import molecules, write

FAMILIES, MEMBERS = 3, 4


def relatives(seed: int) -> list[list[str]]:
    rng, letters = np.random.default_rng(seed), list(AMINO_ACIDS)
    found = []
    for _ in range(FAMILIES):
        first = rng.choice(letters, 150)
        members = []
        for _ in range(MEMBERS + 1):
            member = first.copy()
            at = rng.random(150) < 0.25
            member[at] = rng.choice(letters, at.sum())
            members.append("".join(member))
        found.append(members)
    return found


def activity(smiles: str, family: int) -> float:
    return 6.0 + (0.8, -0.8, 0.0)[family] * smiles.upper().count("N") + 0.4 * family


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path, rng = tmp_path_factory.mktemp("transfer"), np.random.default_rng(4)
    sequences, rows, targets = relatives(6), [], []
    for family, member in np.ndindex(FAMILIES, MEMBERS):
        name = f"CHEMBL{family}{member}"
        targets.append((name, f"P{family}{member}", sequences[family][member]))
        for number, text in enumerate(molecules()):
            part = "sparse_valid" if number % 3 == 0 else "5thresh_train"
            rows.append(f"{text},{name},{activity(text, family) + rng.normal(0, 0.1):.2f},{part}")
    write(path / "affinity/chembl22.csv.gz", ["smiles,target_chembl_id,pactivity,subset", *rows])
    lines = [f"{name},Serotonin receptor {name},SINGLE PROTEIN,{uniprot}" for name, uniprot, _ in targets]
    write(path / "affinity/targets.csv.gz", ["target_chembl_id,name,type,uniprot", *lines])
    write(path / "affinity/sequences.csv.gz", ["uniprot,sequence", *(f"{u},{s}" for _, u, s in targets)])
    return path


def test_a_relative_of_landmarks_is_ranked_as_they_are(folder: Path, tmp_path: Path) -> None:
    model = load_model("panel-2")
    told: list[str] = []
    found = fitting.fit_landmarks(folder, model, tmp_path, told.append)
    assert len(found.proteins) == FAMILIES * MEMBERS
    assert found.proteins[0].family == "aminergic"
    assert told[0].startswith("12 landmarks, ")
    z = fitting.embed(model, molecules()).z
    for family, sign in ((0, 1), (1, -1)):
        probe = transfer(found, relatives(6)[family][MEMBERS])
        assert probe.tier == "C"
        truth = np.array([activity(text, family) for text in molecules()])
        assert spearman(truth, z @ probe.weights + probe.bias) > 0.5, sign
        assert abs((z @ probe.weights + probe.bias - truth).mean()) < 0.5
    first = found.left_out[0]
    assert first.n > 0
    assert first.rho_low <= first.rho <= first.rho_high
    assert [row.low for row in found.left_out] == sorted((row.low for row in found.left_out), reverse=True)


def test_the_small_solve_is_the_pairwise_ridge(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "TOLERANCE", 1e-4)
    m = fitting.measured(folder, load_model("panel-2"), tmp_path)
    kernel, noise, known = Kernel(0.2, 0.3, 2.0, 1.0, 0.0), 20.0, np.arange(3, 12)
    v, mean = fitting.dual(m, fitting.sums(m), known, kernel, noise)
    rows = np.flatnonzero(~m.later & np.isin(m.target, known))
    x = m.x[m.mol[rows]].astype(np.float64)
    like = fitting._kernel(m, known, known, kernel)
    values, vectors = np.linalg.eigh(like)
    like = (vectors * np.maximum(values, 0)) @ vectors.T + fitting.EXACT * np.eye(len(known))
    at = m.target[rows] - 3
    a = np.linalg.solve((x @ x.T) * like[np.ix_(at, at)] + noise * np.eye(len(rows)), m.value[rows] - mean)
    assert mean == pytest.approx(m.value[rows].mean())
    expected = np.stack([(a[:, None] * x)[at == t].sum(axis=0) for t in range(len(known))])
    assert not v[:3].any()
    ours, theirs = (m.x.astype(np.float64) @ (like @ w).T for w in (v[known], expected))
    assert np.abs(ours - theirs).max() < 0.02 * theirs.std() + 0.01


def test_left_out_targets_are_judged_without_their_relatives(folder: Path, tmp_path: Path) -> None:
    m = fitting.measured(folder, load_model("panel-2"), tmp_path)
    gene = fitting.judge(m, fitting.sums(m), fitting.GRID[0], fitting.GENE, later=True)
    family = fitting.judge(m, fitting.sums(m), fitting.GRID[0], fitting.FAMILY, later=True)
    assert len(gene) == len(family) == FAMILIES * MEMBERS
    assert min(one.similarity for one in gene) > 0.3 > max(one.similarity for one in family)
    assert np.mean([one.rho for one in gene]) > np.mean([one.rho for one in family]) + 0.2
