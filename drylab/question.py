"""What a target file asks, resolved against a model: everything a worker needs, and nothing it has to look up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.config import Target
from drylab.config.models import MAX_BATCH
from drylab.errors import ConfigError
from drylab.featurize import Rules, reference
from drylab.library.layout import SORTED_BY
from drylab.library.measurements import Known, read_known
from drylab.library.rows import Columns
from drylab.score import cascade, panel
from drylab.score.cascade import Claim
from drylab.score.engine import GineEncoder
from drylab.score.extended import extended
from drylab.score.first import load_first
from drylab.score.model import SUPPORT, TOXICITY, Model, beside, load_model
from drylab.score.panel import Limit
from drylab.types import PARSED

NO_KNOWN = Known((), (), np.zeros((0, 2), np.uint64), np.zeros(0))


@dataclass(frozen=True, slots=True)
class Question:
    """One target, one model, and what is kept.

    probe        row of the bank that ranks          limits   constraints on probe values
    rules        what is filtered before scoring     top_k, batch_size
    precision    of the fold: "auto", "bfloat16", "float32" or "float64"
    known        the chemist's own actives           known_scores (m,) float64, -inf where the model cannot score one
    known_filtered  the rule that would take each known active out, "" where none would
    claim        what a cascade is to certify        first    the first stage in front of the model; None: every molecule is
                 scored by the model
    """

    model: Model
    probe: int
    rules: Rules
    limits: tuple[Limit, ...]
    top_k: int
    batch_size: int
    precision: str
    known: Known
    known_scores: NDArray[np.float64]
    known_filtered: tuple[str, ...]
    claim: Claim | None = None
    first: Model | None = None


def load_whole(name: str) -> Model:
    """A model; the files beside it, which describe hits, are found to be sound before the fold and not after. Raises ModelError."""
    model = load_model(name)
    if beside(model, TOXICITY).is_file():
        from drylab.score.endpoints import load_endpoints  # this and the next read SciPy; a model may be one file

        load_endpoints(model)
    if beside(model, SUPPORT).is_file():
        from drylab.score.support import load_support

        load_support(model)
    return model


def ask(target: Target, batch_size: int | None = None, load: Callable[[str], Model] = load_whole) -> Question:
    """Resolve a target file; ``load`` gives a model by name. Raises ConfigError, ModelError or InputError, each naming the line that is wrong."""
    if batch_size is not None and not (isinstance(batch_size, int) and 1 <= batch_size <= MAX_BATCH):
        raise ConfigError(f"batch_size is {batch_size!r}, expected a whole number from 1 to {MAX_BATCH}; correct it")
    model = target.at(("model", "affinity"), lambda: load(_model_name(target)))
    model, probe = _aimed(target, model)
    if model.probes.probes[probe].kind != "affinity":
        raise ConfigError(
            f"{target.where(('target',))}: {model.probes.probes[probe].name} is a toxicity endpoint, and nothing to aim "
            "for; name a target of the panel (`drylab targets`)"
        )
    known = _known(target)
    rules = _rules(target)
    limits = (*_objective(target, probe), *_anti_targets(target, model, probe), *_toxicity(target, model))
    graphs = reference.graphs(reference.parse(known.smiles))
    values = panel.values(model.probes, GineEncoder(model.encoder)(graphs).z)
    return Question(
        model=model,
        probe=probe,
        rules=rules,
        limits=limits,
        top_k=target.screen.top_k,
        batch_size=batch_size or target.screen.batch_size,
        precision=target.model.precision,
        known=known,
        known_scores=np.where(graphs.status == PARSED, values[:, probe], -np.inf),
        known_filtered=_filtered_by(known, rules, limits, values),
        claim=_claim(target, model),
    )


def _aimed(target: Target, model: Model) -> tuple[Model, int]:
    """The model and the row of its bank that ranks: of a fitted target, one row more than the model has."""
    file = target.target.probe
    if file is None:
        return model, panel.find(model.probes, _names(target.target), target.where(("target",)))
    from drylab.score.fitted import added, load_fitted  # reads SciPy, which no other screen needs

    place = ("target", "probe")
    if target.screen.mode == "cascade":
        raise ConfigError(
            f"{target.where(('screen', 'mode'))}: a cascade's first stage knows the panel only, not a fitted target; write exact"
        )
    fitted = target.at(place, lambda: load_fitted(target.resolve(file), model))
    return target.at(place, lambda: extended(model, added(fitted))), len(model.probes)


def _claim(target: Target, model: Model) -> Claim | None:
    """What a cascade is to certify, if one is asked for; that it can be had is found out here, before anything is read."""
    if target.screen.mode != "cascade":
        return None
    said = target.screen.cascade
    target.at(("screen", "mode"), lambda: load_first(model))
    sample = None if said.sample == "auto" else said.sample
    return cascade.plan(target.screen.top_k, said.recall, said.confidence, sample, target.where(("screen", "cascade")))


def _model_name(target: Target) -> str:
    name = target.model.affinity
    return (
        name if name == "default" or ("/" not in name and not name.endswith(".safetensors")) else target.resolve(name)
    )


def _names(said: Any) -> dict[str, str]:
    fields = {"panel": said.panel, "uniprot": said.uniprot, "sequence": getattr(said, "sequence", None)}
    return {key: value for key, value in fields.items() if value}


def _known(target: Target) -> Known:
    actives = target.known.actives
    if actives is None:
        return NO_KNOWN
    columns = Columns(actives.smiles or "", actives.id or "")
    file = target.resolve(actives.file)
    return target.at(("known", "actives"), lambda: read_known(file, columns, actives.value or "", actives.units or ""))


def _by_sorting(named: tuple[str, Any]) -> tuple[int, str]:
    """What a library is sorted by comes first: a range of it takes out whole row groups, which then need not be read."""
    name = named[0]
    return (SORTED_BY.index(name) if name in SORTED_BY else len(SORTED_BY)), name


def _rules(target: Target) -> Rules:
    ranges = tuple((name, r.low, r.high) for name, r in sorted(target.ranges().items(), key=_by_sorting) if r.hard)
    for key in ("must_have_any", "must_not_have"):
        for number, smarts in enumerate(getattr(target.substructure, key)):
            target.at(("substructure", key, number), partial(reference.pattern, smarts))
    exclude = target.known.exclude
    excluded = None
    if exclude is not None:
        columns = Columns(exclude.smiles or "", exclude.id or "")
        file = target.resolve(exclude.file)
        excluded = target.at(("known", "exclude"), lambda: read_known(file, columns)).keys
    return Rules(
        ranges=ranges,
        must_have_any=tuple(target.substructure.must_have_any),
        must_not_have=tuple(target.substructure.must_not_have),
        alerts=tuple(target.alerts.catalogs) if target.alerts.action == "reject" else (),
        excluded=excluded,
    )


def _objective(target: Target, probe: int) -> list[Limit]:
    low = target.objective.min_pactivity
    return [] if low is None else [Limit(f"predicted pActivity below {low:g}", probe, low=low)]


def _anti_targets(target: Target, model: Model, probe: int) -> list[Limit]:
    limits = []
    for number, anti in enumerate(target.anti_targets):
        where = target.where(("anti_targets", number))
        row = panel.find(model.probes, _names(anti), where)
        if row == probe:
            raise ConfigError(f"{where}: {anti.name} is the target itself; remove it")
        if anti.name in (other.name for other in target.anti_targets[:number]):
            raise ConfigError(f"{where}: a second anti-target is named {anti.name!r}; each needs a name of its own")
        if anti.max_pactivity is not None:
            limits.append(Limit(f"{anti.name} above {anti.max_pactivity:g}", row, high=anti.max_pactivity))
        if anti.min_delta is not None:
            limits.append(Limit(f"less than {anti.min_delta:g} above {anti.name}", probe, row, low=anti.min_delta))
    return limits


def _toxicity(target: Target, model: Model) -> list[Limit]:
    limits = []
    for name, threshold in target.toxicity.items():
        where = target.where(("toxicity", name))
        row = panel.endpoint(model.probes, name, threshold.unit, where)
        if not threshold.report_only:
            if threshold.red is None:
                raise ConfigError(f"{where}: report_only: false filters on red, and there is no red limit; add one")
            limits.append(Limit(f"{name} above {threshold.red:g}", row, high=threshold.red))
    return limits


def _filtered_by(known: Known, rules: Rules, limits: Sequence[Limit], values: NDArray[np.float64]) -> tuple[str, ...]:
    """For each known active the first rule or limit that takes it out, in the order of the fold; "" for none."""
    excluded = rules.is_excluded(known.keys)
    found = []
    for row, mol in enumerate(reference.parse(known.smiles)):
        by_rule = rules.verdict(mol, bool(excluded[row])) if mol is not None else ""
        by_limit = (limit.name for limit in limits if limit.broken(values[row : row + 1])[0])
        found.append(by_rule or next(by_limit, ""))
    return tuple(found)
