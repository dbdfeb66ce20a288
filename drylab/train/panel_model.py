"""drylab's panel model from a folder of public data, in one call with fixed seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from drylab.library.store import file_sha256
from drylab.score.encoder import unfold
from drylab.score.model import DomainWeights, Model, load_model
from drylab.train.check import library_sample, screen_drugs
from drylab.train.corpus import Prepared, last, prepare
from drylab.train.data import FILES
from drylab.train.evaluate import judge, summary
from drylab.train.export import as_stored, domain, encoder_of, probes, settle_rare_rows, write
from drylab.train.fit import LAST, FitRecipe, Panel, Trainer, predict
from drylab.train.keepout import DEMO
from drylab.train.probes import Heads, calibrate, refit
from drylab.train.split import SKIPPED, TEST, TRAIN, VALID
from drylab.types import ProbeBank

THREADS = 1  # fixed: sums in another order are other weights
CHECK_LIBRARY = 10_000
LICENCES = {
    "chembl22, egfr_chembl27, fsmol_train": "ChEMBL (EMBL-EBI), FS-Mol, CC BY-SA 3.0, share-alike",
    "metz": "Metz 2011 (10.1038/nchembio.530), supporting information",
    "adme_biogen": "Fang 2023 (10.1021/acs.jcim.3c00160), MIT",
    "ames, bbb_martins, cyp*_veith, dili": "Therapeutics Data Commons, CC BY 4.0",
    "dili_gold": "FDA DILIrank and DILIst, US government, public domain",
    "herg_ctoxpred, nav_ctoxpred, cav_ctoxpred": "CToxPred, MIT",
    "ld50_zhu": "Zhu 2009 (10.1021/tx900189p)",
    "tox21, toxcast": "US government (Tox21, ToxCast), public domain",
    "sequences": "UniProt, CC BY 4.0",
    "zinc_a, zinc_b, pubchem_100k": "unlabelled molecules of public libraries (ZINC, PubChem), structures only",
}


@dataclass(frozen=True, slots=True)
class Order:
    """What to make: data folder, model file, molecules to keep out, recipe, checkpoint file or None, recipe of the end."""

    data: Path
    out: Path
    demo: Path
    recipe: FitRecipe
    checkpoint: Path | None = None
    last: FitRecipe = LAST


def make(order: Order, log: Callable[[str], None] = print) -> Model:
    """Train, judge, export and write the model card beside the model; returns the model as read back."""
    torch.set_num_threads(THREADS)
    prepared = prepare(order.data, order.demo)
    fold = np.bincount(prepared.fold, minlength=4)
    log(f"curated {len(prepared.fold)} molecules: train {fold[TRAIN]}, valid {fold[VALID]}, test {fold[TEST]}")
    panel = Trainer(prepared.corpus, order.recipe).run(log, order.checkpoint)
    further = None if order.checkpoint is None else order.checkpoint.with_suffix(".last")
    panel = Trainer(last(prepared), order.last, panel).run(log, further)
    return finish(order, prepared, panel, log)


def finish(order: Order, prepared: Prepared, panel: Panel, log: Callable[[str], None] = print) -> Model:
    """From a trained panel to the files; every figure is of the weights as stored.

    What benchmarks keep from the encoder would leave targets that everybody measures with hardly a value. The probes are fitted
    to it, on an encoder that cannot change any more; what judges z by a benchmark fits its own.
    """
    corpus = prepared.corpus
    everything = np.concatenate([corpus.train, corpus.library])
    settled = settle_rare_rows(panel.encoder, corpus.molecules, everything)
    encoder = encoder_of(panel.encoder)
    network = unfold(encoder).float()  # to seven digits, three times as fast
    whole = prepare(order.data, order.demo, benchmarks=())
    z = _embed(whole, network)
    heads, strengths = refit(whole, z, _named(trained_heads(panel, prepared), prepared, whole))
    heads, temperatures = calibrate(whole, z, heads)
    heads = as_stored(heads)
    log(f"refit strengths {strengths}, {settled} rare rows settled; judging")
    tasks = whole.labels.tasks
    # The endpoints get their probes, and their figures, with the toxicity panel (toxicity.py).
    affinity = [number for number, task in enumerate(tasks) if task.shipped and task.kind == "affinity"]
    judged = {number: judge(whole, z, heads, number) for number in affinity}
    figures = {tasks[number].name: found.figures for number, found in judged.items()}
    described = probes(order.data, figures)
    by_name = {task.name: number for number, task in enumerate(tasks)}
    rows = [by_name[probe.name] for probe in described]
    bank = ProbeBank(described, heads.weights[rows], heads.bias[rows])
    where = _domain(prepared, network)
    info = describe(order, prepared) | {
        "probes_fitted_to": _counts(whole),
        "summary": summary(judged),
        "refit_strength": {kind: (s if np.isfinite(s) else "trained head kept") for kind, s in strengths.items()},
        "temperatures": temperatures,
    }
    write(order.out, info, encoder, bank, where)
    info["check"] = _check(order, whole)
    write(order.out, info, encoder, bank, where)
    return load_model(order.out)


def trained_heads(panel: Panel, prepared: Prepared) -> Heads:
    """The heads of the network in the labels' own units."""
    weight = panel.weight.detach().numpy().astype(np.float64)
    bias = panel.bias.detach().numpy().astype(np.float64)
    store = prepared.corpus.labels
    return Heads(weight * store.scale[:, None], bias * store.scale + store.centre)


def _named(heads: Heads, have: Prepared, want: Prepared) -> Heads:
    """The heads in another order of tasks, by name; zeros for tasks that were not trained."""
    rows = {task.name: number for number, task in enumerate(have.labels.tasks)}
    order = np.array([rows.get(task.name, -1) for task in want.labels.tasks])
    found = order >= 0
    return Heads(np.where(found[:, None], heads.weights[order], 0.0), np.where(found, heads.bias[order], 0.0))


def _domain(prepared: Prepared, network: torch.nn.Module) -> DomainWeights:
    """The domain of what the encoder was trained on."""
    z = _embed(prepared, network)
    held_out = (prepared.fold == VALID) & ~prepared.labels.library  # not the test fold, which only judges
    return domain(z[prepared.corpus.train], z[held_out])


def _embed(prepared: Prepared, network: torch.nn.Module) -> NDArray[np.float64]:
    """z of every molecule that was not skipped, zeros elsewhere: (n, d)."""
    index = np.flatnonzero(prepared.fold != SKIPPED)
    found = predict(network, prepared.corpus.molecules, index)
    z = np.zeros((len(prepared.fold), found.shape[1]))
    z[index] = found
    return z


def describe(order: Order, prepared: Prepared) -> dict[str, Any]:
    """The header's account of the training: data, counts, split, exclusion, command."""
    labels = prepared.labels
    excluded = {name: int(count.get(f"kept out: {DEMO}", 0)) for name, count in labels.counts.items()}
    return {
        "name": order.out.stem,
        "excluded": {
            "molecules": len(prepared.banned),
            "rows": sum(excluded.values()),
            "rows_by_file": excluded,
            "skeletons": sorted(prepared.banned),
            "by": "first block of the InChIKey of the flat parent: largest fragment, neutral, no stereo",
        },
        "training": {
            "data": LICENCES,
            "counts": labels.counts,
            "molecules": _counts(prepared),
            "auxiliary_tasks": dict(Counter(task.kind for task in labels.tasks if not task.shipped)),
            "episode_tasks": len(prepared.corpus.episodes),
            "split": "Bemis-Murcko scaffold, hashed, 80/10/10 over the union of all files",
            "split_sha256": prepared.split_hash,
            "recipe": asdict(order.recipe),
            "last": asdict(order.last),
            "command": f"python -m drylab.train --data DATA --out {order.out.name} "
            f"--epochs {order.recipe.epochs} --seed {order.recipe.seed}",
            "files_sha256": {name: file_sha256(order.data / name) for name in FILES},
            "versions": {name: version(name) for name in ("torch", "torch-geometric", "rdkit", "numpy")},
        },
    }


def _counts(prepared: Prepared) -> dict[str, int]:
    """How many molecules each fold has, how many have a label, and how many come from a library."""
    library = prepared.labels.library
    number = {name: int((prepared.fold == value).sum()) for name, value in _FOLDS.items()}
    return number | {"labelled": int((~library).sum()), "library": int(library.sum())}


_FOLDS: Mapping[str, int] = {"train": TRAIN, "valid": VALID, "test": TEST, "skipped_too_large": SKIPPED}


def _check(order: Order, prepared: Prepared) -> dict[str, Any]:
    library = library_sample(order.data, frozenset(prepared.labels.parents), prepared.banned, CHECK_LIBRARY)
    return asdict(screen_drugs(load_model(order.out), pd.read_csv(order.demo), library, "EGFR"))
