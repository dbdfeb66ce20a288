"""From a network to the file: rare rows, domain, and the whole road in one command."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")

from drylab.score.encoder import TABLE_START, GineNetwork  # noqa: E402
from drylab.score.model import load_model  # noqa: E402
from drylab.train.__main__ import main  # noqa: E402
from drylab.train.batches import molecules_of  # noqa: E402
from drylab.train.certify import certify  # noqa: E402
from drylab.train.check import screen_drugs  # noqa: E402
from drylab.train.export import domain, settle_rare_rows  # noqa: E402
from drylab.train.fit import FitRecipe  # noqa: E402
from drylab.train.panel_model import Order, make  # noqa: E402
from drylab.types import Probe  # noqa: E402


def test_rows_never_seen_become_the_mean_of_rows_seen() -> None:
    net, molecules = GineNetwork(), molecules_of(["CCO"] * 10 + ["CBr"])
    before = net.atoms.weight.detach().clone()
    settle_rare_rows(net, molecules, np.arange(11))
    after, start = net.atoms.weight.detach(), int(TABLE_START[0])
    carbon, oxygen = before[start + 6], before[start + 8]
    assert torch.equal(after[start + 6], carbon)
    for element in (35, 92):  # bromine was seen once, uranium never
        torch.testing.assert_close(after[start + element], (carbon + oxygen) / 2)


def test_domain_distances_of_a_gaussian_are_those_of_its_dimension() -> None:
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(6, 6))
    where = domain(rng.normal(size=(5000, 6)) @ mix, rng.normal(size=(5000, 6)) @ mix)
    assert where.percentiles.shape == (101,)
    assert (np.diff(where.percentiles) >= 0).all()
    assert where.percentiles[50] == pytest.approx(np.sqrt(5.35), rel=0.15)  # median of chi with 6 degrees


def test_the_whole_road(data: Path, demo: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    out = tmp_path / "tiny.safetensors"
    recipe = FitRecipe(epochs=2, batch=64, library=8)
    make(Order(data, out, demo, recipe, last=FitRecipe(epochs=1, batch=64, library=8)), lines.append)
    model = certify(out, data)  # the last step, which writes the card
    assert sum(line.startswith("epoch ") for line in lines) == 3
    assert model.sha256 == load_model(out).sha256
    assert model.info["excluded"]["molecules"] == 1
    assert len(model.info["training"]["split_sha256"]) == 64
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drugs.csv", "tiny.md", "tiny.safetensors"]
    card = (tmp_path / "tiny.md").read_text()
    assert model.sha256 in card
    assert str(tmp_path) not in card
    assert str(data) not in card
    check_probes({probe.name: probe for probe in model.probes.probes})
    found = screen_drugs(model, pd.read_csv(demo), ["CCO", "c1ccccc1CCN"], "EGFR")
    assert set(found.drugs) == {"drug"}
    assert found.best[0][1] >= found.best[1][1]


def check_probes(probes: dict[str, Probe]) -> None:
    egfr = probes["EGFR"]
    assert egfr.aliases == ("CHEMBL203", "P00533", "Epidermal growth factor receptor")
    assert egfr.sequence_sha256 == hashlib.sha256(b"MRPSGTAG").hexdigest()
    assert egfr.higher_is_better
    assert not probes["ames"].higher_is_better
    assert probes["ames"].unit == "probability"
    assert probes["herg"].unit == "pIC50"
    assert probes["KDR"].sequence_sha256 == ""
    assert probes["EGFR"].metrics["n_train"] > 50
    assert probes["bbb"].metrics == {}  # the toxicity panel gives them


def test_a_wrong_folder_is_one_line_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path), "--out", str(tmp_path / "m.safetensors")]) == 2
    assert "no such file; give the folder of the training data" in capsys.readouterr().err
