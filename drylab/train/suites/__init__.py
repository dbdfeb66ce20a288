"""Judging a model: suites of tasks, each with its baselines, null controls and intervals in one table."""

from __future__ import annotations

import importlib
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from drylab.errors import InputError
from drylab.score.model import Model
from drylab.train.suites.table import Budget, Figure, Row, Suite

__all__ = ["SUITES", "Budget", "Figure", "Row", "Suite", "run"]

# A suite is a module with NAME and run(data, model, budget, log) -> Suite.
SUITES = {
    "affinity": "drylab.train.suites.affinity",
    "activity_cliffs": "drylab.train.suites.activity_cliffs",
    "fewshot": "drylab.train.suites.fewshot",
    "screening": "drylab.train.suites.screening",
    "dta": "drylab.train.suites.dta",
    "toxicity": "drylab.train.suites.toxicity",
    "ablation": "drylab.train.suites.ablation",
}


def run(
    names: Sequence[str], data: Path, model: Model, budget: Budget, log: Callable[[str], Any] = print
) -> tuple[Suite, ...]:
    """The suites of these names, one after the other, each with the CPU seconds that it took.

    data  folder laid out as the training data is (affinity/, tox/, benchmarks/)
    Raises InputError for a suite that does not exist and for a file that is not there.
    """
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        raise InputError(f"suite {unknown[0]!r}: no such suite; there are {', '.join(SUITES)}")
    return tuple(_timed(name, data, model, budget, log) for name in names)


def _timed(name: str, data: Path, model: Model, budget: Budget, log: Callable[[str], Any]) -> Suite:
    wall, start = time.perf_counter(), _cpu()
    suite: Suite = importlib.import_module(SUITES[name]).run(data, model, budget, log)
    seconds = round(_cpu() - start, 1)
    log(f"{name}: {len(suite.rows)} rows, {seconds:.0f} CPU seconds, {time.perf_counter() - wall:.0f} s by the clock")
    return replace(suite, seconds=seconds)


def _cpu() -> float:
    """User and system seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)
