"""A score belongs to the molecule and the model: the same bits whatever the batch, the order, the workers, or a restart."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drylab import execute
from drylab.asking import together
from drylab.build import build_library
from drylab.config import target_from
from drylab.execute import Executor, dask, in_order, processes, serial
from drylab.featurize import graphs as graphs_of
from drylab.featurize.route import take
from drylab.folding import FoldShard
from drylab.kernels.topk import topk_reference
from drylab.library.embedded import products
from drylab.library.layout import number_keys
from drylab.library.reading import scan
from drylab.library.store import open_library
from drylab.question import ask
from drylab.rescoring import CHUNK
from drylab.score import engine, panel
from drylab.score.engine import fold_engine
from drylab.score.model import load_model
from drylab.screening import screen_to
from tests.real import DATA, smiles_of

SIZES = (1, 7, 256, 4096)
K = 50


def real(count: int) -> list[str]:
    """Real molecules of many kinds: drug-like ones, natural products, whatever PubChem holds."""
    names = ("zinc_b.smi.gz", "natural_products_50k.smi.gz", "pubchem_100k.csv.gz", "chembl_10k.smi.gz")
    if not (DATA / "libraries").is_dir():
        pytest.skip("the public data sets (../shared/data) are not here")
    return [text for name in names for text in smiles_of(DATA / "libraries" / name, 2, count // 4)]


@pytest.fixture(scope="module", params=["made here", "real"])
def molecules(request: pytest.FixtureRequest) -> list[str]:
    return real(20_000) if request.param == "real" else [smiles for _, smiles in islice(products(), 1500)]


@pytest.fixture(scope="module")
def built(molecules: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("invariance")
    (folder / "molecules.smi").write_text("".join(f"{smiles} M{i}\n" for i, smiles in enumerate(molecules)))
    build_library(folder / "molecules.smi", folder / "lib")
    return folder / "lib"


def values_in(graphs: Any, order: np.ndarray, size: int) -> np.ndarray:
    """Fold values in the order of ``graphs``, by an engine that knows nothing yet, in batches of a shuffled order."""
    engine._ENCODERS.clear()
    model = load_model()
    fold = fold_engine(model, range(0, len(model.probes), 7))
    found = np.empty((len(graphs), len(fold.rows)))
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        found[rows] = fold.values(take(graphs, rows))
    return found


def test_fold_values_are_the_same_bits_in_any_batch_and_order(molecules: list[str]) -> None:
    graphs = graphs_of(molecules)
    order = np.arange(len(graphs))
    first = values_in(graphs, order, 1000)
    assert np.isfinite(first).all()
    assert len(np.unique(first[:, 0])) > len(graphs) / 2
    rng = np.random.default_rng(1)
    for size in SIZES:
        assert values_in(graphs, order, size).tobytes() == first.tobytes(), size
        assert values_in(graphs, rng.permutation(order), max(size, 7)).tobytes() == first.tobytes(), size


def question(**more: Any) -> dict[str, Any]:
    screen_part = {"top_k": K, "report_n": 5}
    return {"name": "x", "target": "EGFR", "toxicity": {"herg": {"red": 5.5, "unit": "pIC50", "report_only": False}},
            "screen": screen_part, "report": {"explain_top": 2}, **more}  # fmt: skip


def test_hits_are_the_same_bytes_however_they_come_about(built: Path, tmp_path: Path) -> None:
    ways: dict[str, tuple[Executor, int]] = {
        "serial": (serial(), 1024),
        **{f"batches of {size}": (serial(), size) for size in SIZES},
        "1 process": (processes(1), 256),
        "2 processes": (processes(2), 4096),
        "Dask, 1 worker": (dask(1), 7),
        "Dask, 2 workers": (dask(2), 256),
    }
    written = {}
    for name, (executor, size) in ways.items():
        _, files = screen_to(question(), tmp_path / name, built, executor=executor, batch_size=size)
        written[name] = files["hits.parquet"].read_bytes()
    assert {name for name, found in written.items() if found != written["serial"]} == set()


def test_the_answer_of_shuffled_shards_is_the_same(built: Path) -> None:
    asked = together([ask(target_from(question()))])
    shards = open_library(built).shards()
    answers = []
    for seed in range(3):
        task = FoldShard(asked)
        order = np.random.default_rng(seed).permutation(len(shards)) if seed else range(len(shards))
        answer = execute.fold(serial(), task, [shards[i] for i in order], task.merge)
        assert answer is not None
        c = answer.screened[0].contenders
        rows = sorted(zip(c.rows.tolist(), c.scores.tolist(), c.errs.tolist(), c.ids, strict=True))
        answers.append((rows, c.dropped, answer.screened[0].tally, answer.audit.errors.tolist()))
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_a_run_that_was_killed_and_started_again(library: Path, tmp_path: Path, executor: str) -> None:
    """Killed while it folds: nothing is there that looks like a run, and the second start gives the very bytes."""
    (tmp_path / "t.yaml").write_text(
        f"name: x\ntarget: EGFR\nscreen: {{library: {library}, top_k: {K}, report_n: 5, batch_size: 1}}\n"
    )
    out = tmp_path / "runs" / "killed"
    command = [sys.executable, "-m", "drylab.cli", "screen", str(tmp_path / "t.yaml"), "--executor", executor]
    started = subprocess.Popen([*command, "--out", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not list(out.parent.glob(".killed.partial-*")):
        assert started.poll() is None, started.communicate()
        time.sleep(0.01)
    os.kill(started.pid, signal.SIGKILL)
    started.communicate()
    assert started.returncode == -signal.SIGKILL
    assert not out.exists()
    again = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    _, files = screen_to(tmp_path / "t.yaml", tmp_path / "runs" / "whole", batch_size=256)
    assert (out / "hits.parquet").read_bytes() == files["hits.parquet"].read_bytes()


class Scored:
    """The task of the brute force: SMILES in, float64 scores of one probe out."""

    def __call__(self, smiles: Sequence[str]) -> np.ndarray:
        model = load_model()
        z = engine.GineEncoder(model.encoder)(graphs_of(smiles)).z
        return panel.values(model.probes, z)[:, model.probes.names().index("EGFR")]


@pytest.mark.slow
def test_the_best_of_a_million_are_those_of_brute_force(shared_data: Path, tmp_path: Path) -> None:
    """Every molecule's float64 score, sorted; the certified fold, with its own bounds and with bounds that are too small."""
    source = shared_data / "libraries" / "quinazoline_1M.csv.gz"
    build_library(source, tmp_path / "lib", executor=processes(2))
    tables = list(scan(open_library(tmp_path / "lib"), ("key", "smiles")))
    smiles = [text for table in tables for text in table["smiles"].to_pylist()]
    keys = np.concatenate([number_keys(table["key"]) for table in tables])
    assert len(smiles) > 900_000
    pieces = (smiles[start : start + CHUNK] for start in range(0, len(smiles), CHUNK))
    scores = np.concatenate(list(in_order(processes(2), Scored(), pieces)))
    near = np.flatnonzero(scores >= np.sort(scores)[-5000])
    order = near[topk_reference(scores[near], keys[near], near, 1000)]
    asked = {"name": "x", "target": "EGFR", "screen": {"top_k": 1000, "report_n": 1}, "report": {"explain_top": 0}}
    for name, safety in (("right", engine.SAFETY), ("too small", 1e-3)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engine, "SAFETY", safety)
            hits, _ = screen_to(asked, tmp_path / name, tmp_path / "lib")
        assert hits.table["library_row"].to_pylist() == order.tolist(), name
        assert hits.table["score"].to_pylist() == scores[order].tolist(), name
        c = hits.run["certificate"]
        assert (c["repairs"] > 0) == (name == "too small")
        assert c["audited"] > 800
        assert hits.run["tally"]["scored"] == len(smiles)
