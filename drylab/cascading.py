"""A cascade: a random sample that both stages score sets a threshold of the first stage, and says what recall it gives.

The sample is a fold of its own (of every molecule whose place is below ``claim.sample``), which keeps the best of each
half by the full model, exactly. What is certified, and how, stands in score/cascade.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from drylab.asking import Asked, together
from drylab.certifying import Found, certified
from drylab.execute import Executor
from drylab.featurize import graphs
from drylab.library.pruning import Plan
from drylab.progress import Progress
from drylab.question import NO_KNOWN, Question
from drylab.reduce import Tally, TopK
from drylab.score import cascade
from drylab.score.cascade import Claim, Measured
from drylab.score.first import load_first
from drylab.score.model import Model
from drylab.score.panel import Limit
from drylab.stages import Stages


@dataclass(frozen=True, slots=True)
class Cascade:
    """How a question's cascade is set: its threshold, in the unit of the score, and what the sample says of it.

    sampled  rows of the sample that may become hits
    """

    claim: Claim
    first: Model
    threshold: float
    measured: Measured
    sampled: int

    def limit(self, probe: int, probes: int) -> Limit:
        """The threshold as a limit on the first stage's column."""
        return Limit(f"first stage below {self.threshold:.4g}", probes + probe, low=self.threshold)

    def entries(self, q: Question, tally: Tally, run: Mapping[str, Any]) -> dict[str, Any]:
        """What a cascade adds to a run: its own entry, and whereof the certificate speaks."""
        certificate = run["certificate"]
        said = f"Of what passed: {certificate['sentence'][0].lower()}{certificate['sentence'][1:]}"
        return {"cascade": self.record(q, tally), "certificate": {**certificate, "sentence": said}}

    def record(self, q: Question, tally: Tally) -> dict[str, Any]:
        """The entry of run.json; docs/cascade.md says what each means."""
        m, claim = self.measured, self.claim
        # Rules are before the first stage, and the other limits after it.
        below, *after = [tally.filtered.get(limit.name, 0) for limit in q.limits]
        passed = tally.scored + sum(after)
        share = passed / max(passed + below, 1)
        return {
            "first_stage": {"name": self.first.name, "path": self.first.path, "sha256": self.first.sha256},
            "asked": {"recall": claim.recall, "confidence": claim.confidence},
            "threshold": self.threshold,
            "sample": {"share": claim.sample, "rows": self.sampled, "positives": list(claim.positives())},
            "passed": {"rows": passed, "share": share},
            "recall": {
                "found": m.found,
                "of": m.positives,
                "low": m.low,
                "high": m.high,
                "confidence": claim.confidence,
            },
            "sentence": self._sentence(share),
        }

    def _sentence(self, passed: float) -> str:
        """What it means for the list of hits, in words."""
        m, claim = self.measured, self.claim
        return (
            f"A cascade: {self.first.name} let {_percent(passed)} of the molecules through to the full model. The list holds at least "
            f"{_percent(claim.recall)} of the {claim.k:,} that the full model likes best in the whole library, with "
            f"{_percent(claim.confidence)} confidence; in a random sample kept for the test it held {m.found:,} of {m.positives:,} "
            f"({_percent(claim.confidence)} interval {_percent(m.low)} to {_percent(m.high)})."
        )


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def staged(
    asked: Asked, plans: Sequence[Plan], executor: Executor, progress: Progress, widen: float = 1.0
) -> tuple[Asked, list[Cascade | None]]:
    """The questions with their first stage in front, and how it is set; as they are where none asks for a cascade.

    Raises ConfigError where the library has too few rows for one.
    """
    chosen = [j for j, q in enumerate(asked.questions) if q.claim is not None]
    if not chosen:
        return asked, [None] * len(asked.questions)
    first = load_first(asked.model)
    halves = together([half for j in chosen for half in _halves(asked.questions[j])])
    pieces = [replace(plans[j], look=()) for j in chosen for _ in range(2)]
    progress.stage("scoring a sample with both stages", sum(shard.rows for shard in pieces[0].read))
    found = certified(halves, pieces, executor, progress, widen)
    cascades: list[Cascade | None] = [None] * len(asked.questions)
    questions = [replace(q, first=first) for q in asked.questions]
    for at, j in enumerate(chosen):
        q = asked.questions[j]
        set_by = _set(q, first, *found[2 * at : 2 * at + 2])
        cascades[j] = set_by
        questions[j] = replace(questions[j], limits=(set_by.limit(q.probe, len(q.model.probes)), *q.limits))
    return together(questions), cascades


def _halves(q: Question) -> Iterator[Question]:
    """The question, of each half of the sample, for as many of the best as it can hold of the library's best."""
    assert q.claim is not None, "a question without a cascade has no sample"
    half, most = q.claim.half, q.claim.positives()[1]
    for part in ((0.0, half), (half, q.claim.sample)):
        rules = replace(q.rules, part=part)
        yield replace(
            q, rules=rules, top_k=most, known=NO_KNOWN, known_scores=np.zeros(0), known_filtered=(), claim=None
        )


def _set(q: Question, first: Model, calibration: Found, test: Found) -> Cascade:
    assert q.claim is not None, "a question without a cascade has no threshold"
    threshold = cascade.threshold(_first_scores(q, first, calibration.top), q.claim)
    passed = [score >= threshold for score in _first_scores(q, first, test.top)]
    rows = calibration.tally.scored + test.tally.scored
    return Cascade(q.claim, first, threshold, cascade.measure(passed, q.claim), rows)


def _first_scores(q: Question, first: Model, top: TopK) -> list[float]:
    """The first stage's reference scores, in the order of the full model."""
    if not len(top):
        return []
    column = len(q.model.probes) + q.probe
    values = Stages(q.model, first).reference([column], graphs(list(top.smiles)))
    return [float(value) for value in values[:, 0]]
