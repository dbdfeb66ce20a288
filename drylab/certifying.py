"""A fold whose answer is the reference's own: candidates are scored again, bounds are held to, and a fold that broke one is repeated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from drylab.asking import Asked
from drylab.execute import Executor, fold
from drylab.featurize.rules import range_name
from drylab.folding import FoldShard, Look
from drylab.library.pruning import Plan
from drylab.progress import Progress
from drylab.reduce import Answer, Audit, Certificate, Contenders, Histogram, Ranks, Tally, TopK
from drylab.rescoring import Rescore, settle
from drylab.types import Shard

WIDENED = 2  # folds with wider bounds; if these do not hold either, the reference itself folds
WHOLE = 2  # times what is kept: of so few rows the reference scores all, which takes no longer
LEAST, SAFETY = 4.0, 2.0  # bounds grow at least so many times, and to so many times the largest error


@dataclass(frozen=True, slots=True)
class Found:
    """What a screen found for one question: everything as if each molecule had its reference score."""

    top: TopK
    tally: Tally
    histogram: Histogram
    ranks: Ranks
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class Attempt:
    """How often the fold was repeated, and why: molecules found outside the bounds, in all folds."""

    repairs: int = 0
    violations: int = 0


class _Outside(Exception):
    """A fold broke a bound; says how far."""

    def __init__(self, audit: Audit) -> None:
        super().__init__()
        self.audit = audit


def certified(
    asked: Asked, plan: list[Plan], executor: Executor, progress: Progress, widen: float = 1.0
) -> list[Found]:
    """The answer to each question over all that is read, and the account of what is not.

    plan  of each question, as ``pruning.plans`` gives them         widen  the bounds to start with, times the model's
    """
    attempt, precision = Attempt(), _precision(asked, _rows(plan[0]))
    progress.stage(_stage(asked), _rows(plan[0]))
    while True:
        task = FoldShard(asked, precision, widen)
        try:
            return list(_found(task, _fold(task, plan, executor, progress), plan, executor, attempt))
        except _Outside as broken:
            attempt = Attempt(attempt.repairs + 1, attempt.violations + broken.audit.outside)
            bounds = task.engine().bounds
            ratio = float((broken.audit.errors / bounds).max())
            widen *= max(LEAST, SAFETY * ratio)
            if attempt.repairs > WIDENED:
                precision = "float64"
            progress.stage(_again(attempt, ratio), _rows(plan[0]))


def _precision(asked: Asked, rows: int) -> str:
    """The reference's, where most rows are kept and would be scored by it again; else what the questions ask for, ""."""
    kept = max(q.top_k for q in asked.questions)
    return "float64" if asked.precision == "auto" and rows <= WHOLE * kept else ""


def _rows(plan: Plan) -> int:
    return sum(shard.rows for shard in plan.read)


def _stage(asked: Asked) -> str:
    many = len(asked.questions)
    return "screening" if many == 1 else f"screening for {many} targets"


def _again(attempt: Attempt, ratio: float) -> str:
    how = "in float64" if attempt.repairs > WIDENED else "with wider bounds"
    return f"a score was {ratio:.2g} times its bound from the reference: screening again, {how}"


def _fold(task: FoldShard, plan: list[Plan], executor: Executor, progress: Progress) -> Answer:
    read = plan[0].read
    items: list[Shard | Look] = [*read, *map(Look, plan[0].look)]

    def done(number: int, answer: Answer) -> None:
        _hold(answer.audit)  # at once: what a library of a billion molecules has left to read is not read in vain
        if number < len(read):
            progress.rows(read[number].rows)

    answer = fold(executor, task, items, task.merge, done) if items else None
    return task.nothing() if answer is None else answer


def _hold(audit: Audit) -> None:
    if audit.outside:
        raise _Outside(audit)


def _found(task: FoldShard, answer: Answer, plan: list[Plan], executor: Executor, attempt: Attempt) -> Iterator[Found]:
    """Each question's answer, its contenders scored again. Raises _Outside."""
    asked, engine = task.asked, task.engine()
    kept = [screened.contenders for screened in answer.screened]
    columns = asked.flat.column.tolist()
    settled, audit = settle(kept, columns, Rescore(asked.stages, asked.rows), engine.bounds, "kept", executor)
    audit = answer.audit.merge(audit)
    _hold(audit)
    for j, screened in enumerate(answer.screened):
        top = settled[j].best()
        tally = screened.tally.merge(_unread(asked, j, plan[j]))
        certificate = _certificate(task, j, len(kept[j]), margin(top, settled[j]), audit, attempt)
        yield Found(top, tally, screened.histogram, screened.ranks, certificate)


def _unread(asked: Asked, j: int, plan: Plan) -> Tally:
    """The account of rows that statistics alone filter."""
    ranges = asked.questions[j].rules.ranges
    filtered = {range_name(*ranges[number]): rows for number, rows in plan.skipped.items()}
    return Tally(read=sum(filtered.values()), filtered=filtered)


def margin(top: TopK, contenders: Contenders) -> float | None:
    """How far the last of k stands above every row that did not stay a contender; None where no row was left out."""
    if len(top) < top.k or contenders.dropped == -np.inf:
        return None
    return float(top.scores[-1] - contenders.dropped)


def _certificate(
    task: FoldShard, j: int, kept: int, margin: float | None, audit: Audit, attempt: Attempt
) -> Certificate:
    asked, engine = task.asked, task.engine()
    columns = asked.columns(j)
    names = [asked.stages.name(asked.rows[column]) for column in columns]
    return Certificate(
        precision=engine.precision,
        device=engine.device,
        bounds=dict(zip(names, engine.bounds[columns].tolist(), strict=True)),
        errors=dict(zip(names, audit.errors[columns].tolist(), strict=True)),
        kept=kept,
        rescored=audit.rescored,
        audited=audit.audited,
        violations=attempt.violations,
        repairs=attempt.repairs,
        margin=margin,
        histogram=task.settles_edges(),
    )
