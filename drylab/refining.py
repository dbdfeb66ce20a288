"""What the files beside a model say of the hits: activity by what was measured, and toxicity with what can be said of it.

The fold ranks by probes on z, which a billion molecules can afford. This is for the few that are kept: it changes no rank. All of it
is computed here, in one process and in rank order, so that it does not depend on how many workers described the hits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from drylab.arrow import numbers, texts
from drylab.config import Target
from drylab.config.models import Threshold
from drylab.question import Question
from drylab.score.extended import ADDED
from drylab.score.model import SUPPORT, TOXICITY, beside
from drylab.types import Probe

if TYPE_CHECKING:
    from drylab.score.endpoint_table import Endpoint

Array = NDArray[np.float64]
FLAGS = ("green", "amber", "red", "unknown")  # from best to worst; unknown: no limits given
UNKNOWN = -1


def refined(q: Question, smiles: Sequence[str]) -> dict[str, Any]:
    """``refined_mean`` and ``refined_sd`` of the hits, by the process of a fitted target or of the model's support; else nothing."""
    if ADDED in q.model.info:
        from drylab.score.fitted import refine  # these read SciPy, which a model that is one file does not need

        with _one_thread():
            mean, sd = refine(q.model, smiles)
        return {"refined_mean": numbers(mean), "refined_sd": numbers(sd)}
    if not beside(q.model, SUPPORT).is_file():
        return {}
    from drylab.score import support, told

    held, name = support.load_support(q.model), q.model.probes.probes[q.probe].name
    if held is None or name not in held.names:
        return {}
    with _one_thread():
        said = told.refined(support.process_of(held, name), q.model, smiles)
    return {"refined_mean": _column(said.mean), "refined_sd": _column(np.sqrt(said.variance))}


def _one_thread() -> threadpool_limits:
    """BLAS on one thread, as long as this is entered: sums by several have other last digits. Enter it when SciPy is loaded."""
    return threadpool_limits(limits=1, user_api="blas")


def has_panel(q: Question) -> bool:
    """Whether the model has a toxicity panel, which then says all there is of toxicity."""
    return beside(q.model, TOXICITY).is_file()


def by_probes(target: Target, q: Question, values: Array) -> dict[str, Any]:
    """Toxicity by the fold's own probes, whose values are (n, t): all that a model without a panel has."""
    columns: dict[str, Any] = {}
    flags = []
    for row, probe in enumerate(q.model.probes.probes):
        if probe.kind == "toxicity" and _wanted(target, probe.name):
            value = values[:, row]
            flags.append(_flags(target.toxicity.get(probe.name), value))
            columns[f"{probe.name}_{'prob' if probe.unit == 'probability' else 'value'}"] = numbers(value)
            columns[f"{probe.name}_flag"] = _words(flags[-1])
    return {**columns, "tox_worst": _worst(flags, len(values))}


def by_panel(target: Target, q: Question, smiles: Sequence[str]) -> dict[str, Any]:
    """Toxicity by the model's panel, named as ``drylab predict --tox`` names it; a flag where the target file names an endpoint."""
    from drylab.score import endpoints, told

    panel = endpoints.load_endpoints(q.model)
    with _one_thread():
        found = told.assessed(panel, q.model, smiles)
    columns: dict[str, Any] = {}
    flags = []
    for one in panel.endpoints:
        if not _wanted(target, one.name):
            continue
        own = [f"{one.name}_{part}" for part in (("prob", "set") if one.kind == "class" else ("mean", "low", "high"))]
        for name in own:
            columns[name] = _column(found[name])
        if one.name in target.toxicity:
            flags.append(_flags(target.toxicity[one.name], np.asarray(found[own[0]])))
            columns[f"{one.name}_flag"] = _words(flags[-1])
    return {**columns, "tox_worst": _worst(flags, len(smiles))}


def endpoints_told(target: Target, q: Question) -> list[dict[str, Any]]:
    """What each endpoint shown is, for the record: the limits of the target file, and of a panel all that its words need."""
    probes = {probe.name: probe for probe in q.model.probes.probes if probe.kind == "toxicity"}
    if not has_panel(q):
        return [{**about(probe), **_limits(target, name)} for name, probe in probes.items() if _wanted(target, name)]
    from drylab.score.endpoints import load_endpoints

    panel = load_endpoints(q.model)
    sizes: Mapping[str, Any] = panel.info.get("sizes", {})
    rows = []
    for one in panel.endpoints:
        if _wanted(target, one.name):
            trained = {"n_train": float(sizes[one.name]["train"])} if one.name in sizes else {}
            fold = dict(probes[one.name].metrics) if one.name in probes else {}
            rows.append({**_panelled(one), "metrics": fold | trained, **_limits(target, one.name)})
    return rows


def about(probe: Probe) -> dict[str, Any]:
    """What a probe is, for the record."""
    return {
        "name": probe.name,
        "unit": probe.unit,
        "meaning": probe.meaning,
        "aliases": list(probe.aliases),
        "metrics": dict(probe.metrics),
    }


def _panelled(one: Endpoint) -> dict[str, Any]:
    return {
        **{name: getattr(one, name) for name in ("name", "unit", "meaning", "kind", "label", "threshold", "bad")},
        "yes": one.yes,
        "no": one.no,
        "report_only": one.report_only,
        "usual": {"amber": one.amber, "red": one.red},
        "data": one.data,
        "cautions": list(one.cautions),
        "panel": True,
    }


def _limits(target: Target, name: str) -> dict[str, float | None]:
    said = target.toxicity.get(name)
    return {"amber": said.amber if said else None, "red": said.red if said else None}


def _wanted(target: Target, name: str) -> bool:
    return target.report.toxicity or name in target.toxicity


def _flags(said: Threshold | None, value: Array) -> NDArray[np.int64]:
    """(n,) places in FLAGS by the limits of the target file; UNKNOWN without limits, or without a value."""
    if said is None or (said.amber is None and said.red is None):
        return np.full(len(value), UNKNOWN)
    flag = np.zeros(len(value), np.int64)
    for colour in ("amber", "red"):
        limit = getattr(said, colour)
        flag[value > (np.inf if limit is None else limit)] = FLAGS.index(colour)
    flag[np.isnan(value)] = UNKNOWN
    return flag


def _worst(flags: Sequence[NDArray[np.int64]], n: int) -> Any:
    """The worst of the endpoints that have limits: those without have no say."""
    return _words(np.max([np.full(n, UNKNOWN), *flags], axis=0))


def _words(flags: NDArray[np.int64]) -> Any:
    return texts([FLAGS[at] for at in flags])  # UNKNOWN is the last of them


def _column(values: Array | list[str]) -> Any:
    """Null where there is nothing to say."""
    return texts([text or None for text in values]) if isinstance(values, list) else numbers(values, ~np.isnan(values))
