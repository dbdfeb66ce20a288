"""What the files beside a model say of hits: the numbers of ``drylab predict``, whatever the workers, and no change of a rank."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import drylab
from drylab import finish as finishing
from drylab.errors import ModelError
from drylab.library.embedded import products
from drylab.report.tables import csv
from drylab.score import support, told
from drylab.score.embedding import embed
from drylab.score.endpoints import load_endpoints
from drylab.score.model import SUPPORT, TOXICITY, Model, beside, load_model
from drylab.score.support import Process, kernel, look, spread_of
from tests.score.test_endpoints import NAMES, written

PANEL = ("ames_prob", "ames_set", "herg_mean", "herg_low", "herg_high", "bbb_prob", "bbb_set")
MOLECULES = [text for _, text in islice(products(), 0, 12_000, 200)]


def made_process(model: Model) -> Process:
    """A process of EGFR that has learned how many fluorines and aromatic carbons a molecule has."""
    own = look(embed(model, MOLECULES).z, MOLECULES)
    value = np.array([4 + 0.15 * text.count("c") + 0.8 * text.count("F") for text in MOLECULES])
    middle, constant, scale, noise, mix = numbers = (float(value.mean()), 1.0, 1.0, 0.1, 0.3)
    alike = scale * kernel(own, own, mix, spread_of(own.z)) + constant + noise * np.eye(len(value))
    return Process(own, np.linalg.solve(alike, value - middle), np.linalg.cholesky(alike), spread_of(own.z), numbers)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    """The shipped model under another name, with a panel of three endpoints and a support of one target beside it."""
    folder = tmp_path_factory.mktemp("model")
    shutil.copy(load_model().path, folder / "whole.safetensors")
    found = load_model(folder / "whole.safetensors")
    written(beside(found, TOXICITY), **{"set.threshold": np.full((len(NAMES), 2), 0.5, np.float32)})
    beside(found, SUPPORT).write_text("stands for what made_process gives")
    process = made_process(found)  # a file of its own kind is read in tests/train/test_support.py
    with pytest.MonkeyPatch.context() as patch:
        held = SimpleNamespace(names=("EGFR",))
        patch.setattr(support, "load_support", lambda model: held if beside(model, SUPPORT).is_file() else None)
        patch.setattr(support, "process_of", lambda support, name: process)
        yield found


def asked(model: Model | str, library: Path, **more: object) -> dict[str, object]:
    path = model if isinstance(model, str) else model.path
    screen = {"library": str(library), "top_k": 30, "report_n": 3}
    return {"name": "t", "target": "EGFR", "model": {"affinity": path}, "screen": screen, **more}


@pytest.fixture(scope="module")
def hits(model: Model, library: Path) -> drylab.Hits:
    limits = {"ames": {"amber": 0.3, "red": 0.6, "unit": "probability"}, "bbb": {}}
    known = {probe.name for probe in model.probes.probes}
    return drylab.screen(asked(model, library, toxicity={name: said for name, said in limits.items() if name in known}))


def test_hits_have_the_numbers_of_predict(model: Model, hits: drylab.Hits) -> None:
    said = drylab.predict(hits.table.column("smiles").to_pylist(), ["EGFR"], tox=True, model=model.path).columns
    assert hits.table.column("refined_mean").to_pylist() == said["EGFR_mean"]
    assert hits.table.column("refined_sd").to_pylist() == said["EGFR_sd"]
    for name in PANEL:
        assert hits.table.column(name).to_pylist() == said[name], name
    assert len(set(hits.table.column("ames_set").to_pylist())) > 1
    truth = [4 + 0.15 * text.count("c") + 0.8 * text.count("F") for text in said["smiles"]]
    assert np.corrcoef(truth, said["EGFR_mean"])[0, 1] > 0.5, "what was measured is known"


def test_no_rank_changes_and_nothing_depends_on_how_it_is_run(
    model: Model, hits: drylab.Hits, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = drylab.screen(asked(load_model().path, library))
    assert hits.table.column("key").to_pylist() == bare.table.column("key").to_pylist()
    assert hits.table.column("score").to_pylist() == bare.table.column("score").to_pylist()
    monkeypatch.setattr(finishing, "CHUNK", 7)
    again = drylab.screen({**asked(model, library), "toxicity": hits.run["target"]["toxicity"]}, batch_size=50)
    assert again.table.equals(hits.table)


def test_flags_are_by_the_limits_and_by_what_is_shown(hits: drylab.Hits) -> None:
    for hit in hits:
        p = hit["ames_prob"]
        assert hit["ames_flag"] == hit["tox_worst"] == ("red" if p > 0.6 else "amber" if p > 0.3 else "green")
        assert "herg_flag" not in hit.columns, "the target file does not name it"


def test_the_record_says_what_it_is_by(model: Model, hits: drylab.Hits) -> None:
    assert [row["name"] for row in hits.run["toxicity"]] == list(NAMES)
    ames = hits.run["toxicity"][0]
    assert (ames["yes"], ames["kind"], ames["amber"], ames["usual"]["amber"]) == ("mutagenic", "class", 0.3, 0.5)
    assert set(hits.run["model"]["beside"]) == {"tox", "support"}
    header = csv(hits).splitlines()[0].split(",")
    assert header.index("refined_mean") == header.index("score") + 1
    assert set(PANEL) < set(header)


def test_endpoints_that_are_not_named_can_be_left_out(model: Model, library: Path) -> None:
    named = {"herg": {"amber": 4.5, "unit": "pIC50"}}
    done = drylab.screen(asked(model, library, toxicity=named, report={"toxicity": False}))
    told = [name for name in done.table.column_names if name.split("_")[0] in (*NAMES, "nr", "sr")]
    assert told == ["herg_mean", "herg_low", "herg_high", "herg_flag"]
    assert [row["name"] for row in done.run["toxicity"]] == ["herg"]
    plain = drylab.screen(asked(load_model().path, library, toxicity=named, report={"toxicity": False}))
    assert [row["name"] for row in plain.run["toxicity"]] == ["herg"]


def test_no_hits_have_the_same_columns(model: Model, hits: drylab.Hits, library: Path) -> None:
    none = drylab.screen(
        {**asked(model, library, properties={"mw": {"hard": [9000, 9001]}}), "toxicity": hits.run["target"]["toxicity"]}
    )
    assert len(none) == 0
    assert none.table.schema.names == hits.table.schema.names


def test_a_target_without_measured_molecules_is_not_refined(model: Model, library: Path) -> None:
    done = drylab.screen({**asked(model, library), "target": "KDR"})
    assert "refined_mean" not in done.table.column_names


def test_a_damaged_panel_is_found_before_the_fold(model: Model, library: Path, tmp_path: Path) -> None:
    shutil.copy(model.path, tmp_path / "bad.safetensors")
    (tmp_path / "bad-tox.safetensors").write_bytes(b"no tensors")
    said: list[str] = []

    class Heard:
        def stage(self, name: str, total: int) -> None:
            said.append(name)

        def rows(self, count: int) -> None:
            said.append("rows")

    with pytest.raises(ModelError, match=r"model\.affinity: .*bad-tox\.safetensors: not a readable"):
        drylab.screen(asked(str(tmp_path / "bad.safetensors"), library), progress=Heard())  # type: ignore[arg-type]
    assert "rows" not in said


def test_what_is_no_molecule_has_nothing_said_of_it(model: Model) -> None:
    smiles = ["CCO", "nothing", "c1ccccc1F"]
    said = told.refined(made_process(model), model, smiles)
    assert np.isfinite(said.mean[[0, 2]]).all()
    assert np.isnan([said.mean[1], said.variance[1], said.similarity[1]]).all()
    columns = told.assessed(load_endpoints(model), model, smiles)
    assert columns["ames_set"][1] == ""
    assert np.isnan(columns["herg_mean"][1])
    assert [len(values) for values in told.assessed(load_endpoints(model), model, []).values()] == [0] * len(PANEL)
