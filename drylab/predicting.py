"""``drylab.predict``: molecules -> what targets, fitted targets and endpoints say of each, and whether to believe it.

Every row of the input keeps its place. One that cannot be read has empty predictions and says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.errors import InputError
from drylab.library.rows import Columns
from drylab.library.standardize import standardize_texts
from drylab.library.tabular import Tabular, read_table
from drylab.predictions import REASON, Predictions
from drylab.score import applicability, endpoints, learning, panel, support, told
from drylab.score.applicability import FAR, NEAR
from drylab.score.endpoints import Endpoints
from drylab.score.fitted import Fitted, foretold, load_fitted
from drylab.score.learning import Features
from drylab.score.model import Model, load_model
from drylab.score.similarity import similarity
from drylab.score.support import Process, Refined
from drylab.score.told import CHUNK

Array = NDArray[np.float64]
Block = dict[str, list[Any]]
USUAL = Columns()  # found by their usual names


@dataclass(frozen=True, slots=True)
class Asked:
    """What is predicted: rows of the model's panel, with what was measured on them, fitted targets, and endpoints, from files of
    their own if there are such."""

    model: Model
    rows: tuple[int, ...]
    fitted: tuple[Fitted, ...]
    tox: Endpoints | None
    processes: Mapping[str, Process]

    def notes(self) -> dict[str, str]:
        """What each is worth, in words."""
        probes = [self.model.probes.probes[row] for row in self.rows]
        said = {probe.name: panel.tier(probe)["sentence"] for probe in probes if probe.kind == "affinity"}
        return said | {one.name: one.info["tier"]["sentence"] for one in self.fitted}


def predict(
    molecules: str | Path | Sequence[str],
    targets: Sequence[str] = (),
    probes: Sequence[str | Path] = (),
    tox: bool = False,
    model: str = "default",
    columns: Columns = USUAL,
) -> Predictions:
    """Predict activities of molecules: a file (CSV, SMILES, SDF or Parquet) or a list of SMILES.

    targets  names of the panel (``drylab targets``): columns ``NAME_mean``, ``_sd`` and ``_in_domain``; where the model has what
             was measured on them (score/support.py), by that, with ``_similarity`` to the nearest measured molecule
    probes   files that ``drylab.fit`` wrote: the same, and ``_nearest``, ``_similarity``, the nearest fitted molecule
    tox      the toxicity endpoints: ``NAME_prob`` and ``_set`` of a class, ``_mean``, ``_low`` and ``_high`` of a number
    columns  which columns of a file hold the SMILES and the ids

    Raises InputError for a file that cannot be read, ModelError for an unknown target or a probe of another model.
    """
    if not (targets or probes or tox):
        raise InputError("nothing to predict: name a target, a fitted probe, or toxicity")
    table = read_table(str(molecules), columns) if isinstance(molecules, str | Path) else _listed(molecules)
    asked = _asked(load_model(model), targets, probes, tox)
    reasons, whole = _whole(table, asked)
    own: dict[str, Sequence[Any]] = dict(table.columns) or {"smiles": table.smiles, "id": table.ids}
    clash = sorted({REASON, *whole} & set(own))
    if clash:
        raise InputError(f"the molecules have columns {', '.join(clash)}, which are to be written; rename them")
    return Predictions({**own, **whole, REASON: reasons}, len(own), asked.notes())


def _asked(model: Model, targets: Sequence[str], probes: Sequence[str | Path], tox: bool) -> Asked:
    rows = [panel.find(model.probes, {"panel": name}, f"target {name!r}") for name in targets]
    fitted = tuple(load_fitted(path, model) for path in probes)
    found = None
    if tox and endpoints.endpoints_path(model).is_file():
        found = endpoints.load_endpoints(model)
    elif tox:
        rows += [row for row, probe in enumerate(model.probes.probes) if probe.kind == "toxicity"]
    names = [*(model.probes.probes[row].name for row in rows), *(one.name for one in fitted)]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise InputError(f"{double!r} is asked for twice; leave one out, or fit under another name")
    return Asked(model, tuple(rows), fitted, found, _processes(model, rows))


def _processes(model: Model, rows: Sequence[int]) -> dict[str, Process]:
    """Of those rows that the model has a support for, by name."""
    held = support.load_support(model) if rows else None
    names = [model.probes.probes[row].name for row in rows]
    return {name: support.process_of(held, name) for name in names if name in held.names} if held is not None else {}


def _whole(table: Tabular, asked: Asked) -> tuple[list[str], Block]:
    """Why each row is not predicted, "" where it is, and the predicted columns of all rows."""
    standard = standardize_texts(list(table.smiles))
    reasons = [table.troubles.get(row, why) for row, (_, why) in enumerate(standard)]
    whole: Block = {}
    usable = [row for row, why in enumerate(reasons) if not why]
    for start in range(0, max(len(usable), 1), CHUNK):
        some = usable[start : start + CHUNK]
        smiles = [standard[row][0] for row in some]
        found = learning.features(asked.model, smiles)
        block = _block(asked, smiles, found)
        for name, values in block.items():
            column = whole.setdefault(name, [None] * len(table))
            for row, ok, value in zip(some, found.ok, values, strict=True):
                column[row] = value if ok else None
        for row in np.array(some, np.int64)[~found.ok].tolist():
            reasons[row] = "more than 255 atoms, which the model does not read"
    return reasons, whole


def _block(asked: Asked, smiles: list[str], found: Features) -> Block:
    """The predicted columns of m molecules."""
    columns: Block = {}
    domain = asked.model.domain
    embedding = panel.distance_percentile(found.z, domain.mean, domain.whiten, domain.percentiles)
    values = panel.values(asked.model.probes, found.z)
    looked = told.looked(found, smiles) if asked.processes else None
    for row in asked.rows:
        probe = asked.model.probes.probes[row]
        if looked is not None and probe.name in asked.processes:
            columns |= _supported(probe.name, support.ask(asked.processes[probe.name], looked), embedding)
            continue
        if probe.unit == "probability":
            columns[f"{probe.name}_prob"] = values[:, row].tolist()
        else:
            columns[f"{probe.name}_mean"] = values[:, row].tolist()
            columns[f"{probe.name}_sd"] = [probe.metrics.get("rmse", np.nan)] * len(found)
        columns[f"{probe.name}_in_domain"] = (embedding <= FAR).tolist()
    for one in asked.fitted:
        columns |= _fitted(one, found, asked.model)
    if asked.tox is not None:
        columns |= _tox(asked, smiles)
    return columns


def _supported(name: str, said: Refined, embedding: Array) -> Block:
    """A panel target by its process: the probe is what a screen can afford, this is what is known."""
    return {
        f"{name}_mean": said.mean.tolist(),
        f"{name}_sd": np.sqrt(said.variance).tolist(),
        f"{name}_in_domain": (embedding <= FAR).tolist(),
        f"{name}_similarity": said.similarity.tolist(),
    }


def _fitted(one: Fitted, found: Features, model: Model) -> Block:
    mean, sd = foretold(one, found, model)
    close = similarity(found.prints[NEAR], one.learned.support.prints[NEAR])
    near = applicability.nearness(found, close, one.percentiles, model.domain)
    return {
        f"{one.name}_mean": mean.tolist(),
        f"{one.name}_sd": sd.tolist(),
        f"{one.name}_in_domain": near.in_domain.tolist(),
        f"{one.name}_nearest": [one.ids[row] for row in near.nearest],
        f"{one.name}_similarity": near.similarity.tolist(),
    }


def _tox(asked: Asked, smiles: list[str]) -> Block:
    assert asked.tox is not None, "asked for, and there"
    found = told.toxicity(endpoints.assess(asked.model, smiles, asked.tox))
    return {name: values if isinstance(values, list) else values.tolist() for name, values in found.items()}


def _listed(smiles: Sequence[str]) -> Tabular:
    """A list of SMILES as a table."""
    for row, text in enumerate(smiles):
        if not isinstance(text, str):
            raise InputError(f"row {row}: expected a SMILES as text, got {type(text).__name__} ({text!r:.40})")
    ids = tuple(f"row {row}" for row in range(len(smiles)))
    return Tabular("list", tuple(range(len(smiles))), ids, tuple(smiles), {}, {"smiles": tuple(smiles)})
