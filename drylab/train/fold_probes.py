"""The endpoints' rows of a model's probe bank: the mean heads on z of its toxicity panel, with their own held-out figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drylab.score.endpoints import Endpoints, fold_probes
from drylab.score.landmarks import ENTRY
from drylab.score.model import Model, load_model
from drylab.train.export import as_stored, write
from drylab.train.heads import Task
from drylab.train.metrics import CLASSES, REGRESSION, bootstrap, ece, interval
from drylab.train.probes import Heads, sigmoid
from drylab.train.split import TEST, TRAIN
from drylab.train.toxicity import Prepared
from drylab.types import Probe, ProbeBank

Array = NDArray[np.float64]
FEWEST = 20  # test molecules below which a figure says nothing and none is given


def settle(model: Model, endpoints: Endpoints, prepared: Prepared) -> Model:
    """Write the rows into the model's file; the encoder, and so what belongs to it, stays as it is."""
    heads = as_stored(Heads(*fold_probes(endpoints)))
    weights, bias = model.probes.weights.copy(), model.probes.bias.copy()
    probes = list(model.probes.probes)
    rows = {probe.name: row for row, probe in enumerate(probes)}
    for column, name in enumerate(endpoints.names()):
        row = rows[name]
        weights[row], bias[row] = heads.weights[column], heads.bias[column]
        figures = judge(prepared, name, prepared.z @ weights[row] + bias[row], probes[row])
        probes[row] = replace(probes[row], metrics=figures)
    # Made of the rows as they were, and made again after this; the tensors of landmarks are not carried over either.
    info = {key: value for key, value in model.info.items() if key not in ("engine", ENTRY)}
    path = Path(model.path)
    write(path, info, model.encoder, ProbeBank(tuple(probes), weights, bias), model.domain)
    return load_model(path)


def judge(prepared: Prepared, name: str, linear: Array, probe: Probe) -> dict[str, float]:
    """Figures of one endpoint's row on TEST scaffolds."""
    test = _of(prepared, name, TEST).measured()
    figures = {"n_train": float(len(_of(prepared, name, TRAIN).mol)), "n_test": float(len(test.mol))}
    classes = probe.unit == "probability"
    if len(test.mol) < FEWEST or (classes and len(set(test.value)) < 2):
        return figures
    said = sigmoid(linear[test.mol]) if classes else linear[test.mol]
    metrics = CLASSES if classes else REGRESSION
    figures |= {metric: function(test.value, said) for metric, function in metrics.items()}
    if classes:
        figures |= {"prevalence": float(test.value.mean()), "ece": ece(test.value, said)}
    headline, function = next(iter(metrics.items()))
    low, high = interval(bootstrap(function, test.value, said))
    return figures | {f"{headline}_low": low, f"{headline}_high": high}


def _of(prepared: Prepared, name: str, fold: int) -> Task:
    labels = prepared.labels
    return labels.of(labels.tasks[name], fold, prepared.ok)
