"""A fitted target screens: its probe ranks, its process describes the hits, and the fold's answer is the reference's."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import drylab
from drylab.errors import ConfigError, ModelError
from drylab.library.embedded import products
from drylab.score.extended import extended, original
from drylab.score.fitted import added, load_fitted
from drylab.score.model import load_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """mine.safetensors, fitted to how many fluorines and aromatic carbons a molecule has, and other.safetensors."""
    found = tmp_path_factory.mktemp("fitted")
    smiles = [text for _, text in islice(products(), 0, 20_000, 250)]
    for name, letter in (("mine", "F"), ("other", "N")):
        rows = [f"{text},{4 + 0.15 * text.count('c') + 0.8 * text.count(letter)}" for text in smiles]
        (found / f"{name}.csv").write_text("\n".join(["smiles,pIC50", *rows]) + "\n")
        drylab.fit(found / f"{name}.csv", name, found / f"{name}.safetensors")
    return found


def asked(folder: Path, library: Path, name: str = "mine", **more: object) -> dict[str, object]:
    probe = {"probe": str(folder / f"{name}.safetensors")}
    return {"name": name, "target": probe, "screen": {"library": str(library), "top_k": 30, "report_n": 3}, **more}


def test_the_probe_ranks_and_the_process_describes(folder: Path, library: Path) -> None:
    hits = drylab.screen(asked(folder, library))
    table = hits.to_pandas()
    model = load_model()
    fitted = load_fitted(folder / "mine.safetensors", model)
    said = drylab.predict(table["smiles"].tolist(), probes=[folder / "mine.safetensors"])
    np.testing.assert_allclose(table["refined_mean"], said.columns["mine_mean"], rtol=1e-9)
    np.testing.assert_allclose(table["refined_sd"], said.columns["mine_sd"], rtol=1e-9)
    assert hits.run["tier"] == fitted.info["tier"]
    assert hits.run["probe"]["name"] == "mine"
    assert hits.run["files"]["target.probe"]["sha256"] == fitted.sha256
    assert (np.diff(table["score"]) <= 0).all()
    assert table["smiles"].str.count("F").mean() > 1.0, "the best have what was asked for"


def test_the_fold_is_the_reference(folder: Path, library: Path) -> None:
    fast, exact = (
        drylab.screen(asked(folder, library, model={"precision": precision})) for precision in ("float32", "float64")
    )
    assert fast.table.column("key").to_pylist() == exact.table.column("key").to_pylist()
    assert fast.table.column("score").to_pylist() == exact.table.column("score").to_pylist()


def test_two_probes_after_another_do_not_mix(folder: Path, library: Path) -> None:
    first, second, again = (drylab.screen(asked(folder, library, name)) for name in ("mine", "other", "mine"))
    assert first.table.column("score").to_pylist() == again.table.column("score").to_pylist()
    assert first.table.column("key").to_pylist() != second.table.column("key").to_pylist()


def test_a_probe_is_added_once_and_to_its_own_model(folder: Path) -> None:
    model = load_model()
    one = added(load_fitted(folder / "mine.safetensors", model))
    more = extended(model, one)
    assert len(more.probes) == len(model.probes) + 1
    assert more.sha256 != model.sha256 == original(more)
    with pytest.raises(ModelError, match="has a probe added already, mine"):
        extended(more, one)


def test_refused(folder: Path, library: Path, tmp_path: Path) -> None:
    cascade = asked(folder, library)
    cascade["screen"] = {"library": str(library), "mode": "cascade"}
    with pytest.raises(ConfigError, match="knows the panel only"):
        drylab.screen(cascade)
    with pytest.raises(ModelError, match=r"target.probe.*not a readable fitted target"):
        drylab.screen({**asked(folder, library), "target": {"probe": str(tmp_path / "none.safetensors")}})
