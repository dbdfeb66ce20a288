"""Questions that one fold answers together: they share a model, and what they share of the work is done once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drylab.config import Target
from drylab.errors import ConfigError
from drylab.featurize import Rules
from drylab.kernels.sift import Questions
from drylab.question import Question, ask, load_whole
from drylab.reduce import Ranks, Screened
from drylab.score.model import Model
from drylab.score.panel import Limit
from drylab.stages import Stages
from drylab.types import SmilesBatch

# The last one that a question says is that of all: it answers any of them.
PRECISIONS = ("auto", "bfloat16", "float32", "float64")


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions to one model.

    rows   (t,) rows of the model's bank that the fold needs: the targets' probes, and those of limits
    rules  the different sets of rules         flat   the questions as arrays; its columns count in ``rows``
    marks  of each question, its known actives in the order of ``flat``
    """

    questions: tuple[Question, ...]
    rows: tuple[int, ...]
    rules: tuple[Rules, ...]
    flat: Questions
    marks: tuple[NDArray[np.int64], ...]

    @property
    def model(self) -> Model:
        """The one model."""
        return self.questions[0].model

    @property
    def stages(self) -> Stages:
        """The one model, and the first stage in front of it, where there is one."""
        return Stages(self.model, self.questions[0].first)

    def drawn(self, batch: SmilesBatch) -> SmilesBatch:
        """The rows of a batch that some question may be about: all, where none is about a part of the library."""
        if any(rules.part is None for rules in self.rules):
            return batch
        return batch.take(np.flatnonzero(np.any([rules.in_part(batch.keys) for rules in self.rules], axis=0)))

    def always(self) -> slice:
        """Columns of the fold that every molecule has a value in."""
        first = 0 if self.questions[0].first is None else sum(row < len(self.model.probes) for row in self.rows)
        return slice(first, None)

    def thresholds(self) -> list[float]:
        """Of each row of the first stage, what a molecule has to reach for some question; see ``Stages``."""
        t = len(self.model.probes)
        reached = {row: float("inf") for row in self.rows if row >= t}
        for q in self.questions:
            own = {limit.probe: limit.low for limit in q.limits if limit.probe >= t}
            # A question without a first stage is asked about every molecule.
            reached = {row: min(low, own.get(row, low) if own else -float("inf")) for row, low in reached.items()}
        return list(reached.values())

    @property
    def precision(self) -> str:
        """The most exact of what the questions say."""
        return max((q.precision for q in self.questions), key=PRECISIONS.index)

    @property
    def batch_size(self) -> int:
        """The smallest of what the questions say: it changes no answer, only memory."""
        return min(q.batch_size for q in self.questions)

    def columns(self, number: int) -> list[int]:
        """Columns of the fold that a question needs: its own probe first, then those of its limits."""
        q = self.questions[number]
        found = dict.fromkeys([q.probe, *_limited(q.limits)])
        return [self.rows.index(row) for row in found]

    def empty(self) -> tuple[Screened, ...]:
        """The answers before any row was read."""
        return tuple(Screened.empty(q.top_k, Ranks.empty(q.known_scores, q.known.keys)) for q in self.questions)


def ask_together(targets: Sequence[Target], batch_size: int | None = None) -> Asked:
    """Resolve target files. Raises what ``ask`` does, and ConfigError if they are not of one model."""
    load = cache(load_whole)  # a hundred targets of one model read it once
    return together([ask(target, batch_size, load) for target in targets], [target.name for target in targets])


def together(questions: Sequence[Question], names: Sequence[str] = ()) -> Asked:
    """Questions as one fold asks them; ``names`` are for the error if their models differ."""
    model = questions[0].model
    for number, q in enumerate(questions):
        if q.model.sha256 != model.sha256:
            raise ConfigError(
                f"{names[0]} is of model {model.name} ({model.path}) and {names[number]} of model {q.model.name} "
                f"({q.model.path}); targets that are screened together share one model: screen these apart"
            )
    # One model object, so that it travels to a worker once.
    questions = tuple(replace(q, model=model) for q in questions)
    rows = tuple(sorted({row for q in questions for row in (q.probe, *_limited(q.limits))}))
    rules, group = _distinct([q.rules for q in questions], _rules_key)
    marks = tuple(np.lexsort((q.known.keys[:, 1], q.known.keys[:, 0], -q.known_scores)) for q in questions)
    return Asked(questions, rows, tuple(rules), _flat(questions, rows, group, marks), marks)


def _limited(limits: Sequence[Limit]) -> list[int]:
    return [row for limit in limits for row in (limit.probe, limit.minus) if row is not None]


def _distinct(items: Sequence[Any], key: Callable[[Any], Any]) -> tuple[list[Any], list[int]]:
    """The different ones, and which of them each is."""
    found: dict[Any, int] = {}
    first = [found.setdefault(key(item), len(found)) for item in items]
    return [items[first.index(number)] for number in range(len(found))], first


def _rules_key(rules: Rules) -> Any:
    excluded = None if rules.excluded is None else rules.excluded.tobytes()
    return rules.ranges, rules.must_have_any, rules.must_not_have, rules.alerts, excluded, rules.part


def _flat(
    questions: Sequence[Question], rows: Sequence[int], group: Sequence[int], marks: Sequence[NDArray[np.int64]]
) -> Questions:
    column = {row: at for at, row in enumerate(rows)} | {None: -1}
    limits = [limit for q in questions for limit in q.limits]
    return Questions(
        group=np.array(group, np.uint32),
        column=np.array([column[q.probe] for q in questions], np.uint32),
        limit=_ends([len(q.limits) for q in questions]),
        left=np.array([column[limit.probe] for limit in limits], np.int32),
        right=np.array([column[limit.minus] for limit in limits], np.int32),
        low=np.array([limit.low for limit in limits], np.float64),
        high=np.array([limit.high for limit in limits], np.float64),
        mark=_ends([len(order) for order in marks]),
        mark_score=np.concatenate([q.known_scores[order] for q, order in zip(questions, marks, strict=True)]),
        mark_key=np.concatenate([q.known.keys[order] for q, order in zip(questions, marks, strict=True)]),
    )


def _ends(counts: Sequence[int]) -> NDArray[np.int32]:
    return np.cumsum([0, *counts]).astype(np.int32)
