"""``drylab evaluate``: the suites of drylab.train on a folder of public data, as one Markdown page. Needs the train extra."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from drylab.errors import InputError, ModelError
from drylab.score.model import load_model

BASELINES = "baselines"  # in place of a suite: all of them, without what drylab ships


def evaluate(
    sets: Sequence[str],
    data: str | Path,
    model: str = "default",
    quick: bool = False,
    log: Callable[[str], Any] = print,
) -> str:
    """A Markdown page with one table a suite: figures with 95 % intervals, baselines beside them.

    sets   names of suites; none: all of them; "baselines": all, without drylab's own methods
    data   the folder of public data (docs/models.md says what lies there)
    quick  fewer tasks, trees and draws: to see that it runs

    Raises ModelError where the train extra is not installed, InputError for an unknown suite or absent data.
    """
    try:
        from drylab.train.suites import SUITES, Budget, run
        from drylab.train.suites.table import markdown
    except ModuleNotFoundError as error:
        raise ModelError(
            f"evaluate needs {error.name}, which comes with the train extra; install it: pip install 'drylab[train]'"
        ) from error
    if not Path(data).is_dir():
        raise InputError(f"{data}: no such folder; --data is to hold affinity/, tox/ and benchmarks/")
    names = [name for name in sets if name != BASELINES] or list(SUITES)
    budget = Budget(draws=200, trees=30, tasks=3) if quick else Budget()
    budget = replace(budget, ours=BASELINES not in sets)
    found = load_model(model)
    suites = run(names, Path(data), found, budget, log)
    head = f"# {found.name} ({found.sha256[:12]}), {budget.draws} draws, seed {budget.seed}"
    return "\n\n".join([head, *map(markdown, suites)]) + "\n"
