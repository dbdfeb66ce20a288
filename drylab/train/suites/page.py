"""docs/models.md from an evaluation's JSON: the page holds no number that was typed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata, resources
from pathlib import Path

from drylab.errors import InputError
from drylab.score.model import Model
from drylab.train.suites.goals import WORD
from drylab.train.suites.table import Budget, Evaluation, Suite, from_json, markdown, to_json

HEAD = """# What the models are worth

Every figure below is measured by `drylab evaluate --all` on molecules that the model was not trained on, with a 95 %
interval (bootstrap over tasks, and over molecules within each) and with what a chemist already has in the same table.
**Bold**: the best of its task, its interval holding no other method's figure. A column "RMSE less RF-ECFP4" is the paired
difference of our row and that baseline: an interval beyond 0 is a difference, whichever way it goes.

The encoder that ships was trained without the molecules of these sets, once, with one seed: the intervals are of molecules and
tasks, not of trainings. Whatever is random in what is fitted to it has a fixed seed. Its panel probes and supports were then fitted
to everything, so that no table here judges them; tables fit their own by the same code.

Null controls are probes that know nothing of the target: a random direction in the embedding, labels of other molecules,
and what is active anywhere. A method near its nulls has learnt nothing of the target.
"""


PACKAGES = ("drylab", "rdkit", "numpy", "scikit-learn")


def evaluation(suites: Sequence[Suite], model: Model, budget: Budget) -> Evaluation:
    """The suites of a run, with what it takes to repeat it."""
    made = {
        "model": model.name,
        "model sha256": model.sha256,
        "versions": ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES),
        "bootstrap": f"{budget.draws} draws, seed {budget.seed}; forests of {budget.trees} trees",
    }
    return Evaluation(made, tuple(suites))


def keep(found: Evaluation, file: Path, text: Path) -> None:
    """Write the JSON, and the page that is made of it as it reads back."""
    file.write_text(to_json(found))
    text.write_text(page(read(file)))


def evaluation_file(model: str) -> Path:
    """Where the evaluation of a shipped model is kept, whether or not it is there."""
    return Path(str(resources.files("drylab"))) / "models" / f"{model}-evaluation.json"


def read(path: Path) -> Evaluation:
    """The evaluation in a file. Raises InputError."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; make it with `drylab evaluate --all`")
    return from_json(path.read_text(), str(path))


def page(evaluation: Evaluation) -> str:
    """The whole text of docs/models.md."""
    made = evaluation.made
    facts = [f"- {name}: {value}" for name, value in made.items()]
    cost = "".join(f"| {suite.name} | {suite.seconds:,.0f} |\n" for suite in evaluation.suites)
    total = sum(suite.seconds for suite in evaluation.suites)
    parts = [HEAD, "\n".join(facts) + "\n", _goals(evaluation), *(markdown(suite) for suite in evaluation.suites)]
    parts.append(f"## CPU seconds\n\n| suite | seconds |\n|---|---|\n{cost}| all | {total:,.0f} |\n")
    return "\n".join(parts)


def _goals(evaluation: Evaluation) -> str:
    """What was to be reached, gathered from the suites' notes."""
    said = [
        f"- *{suite.title or suite.name}.* {note}"
        for suite in evaluation.suites
        for note in suite.notes
        if note.startswith(WORD)
    ]
    return "\n".join(["## Goals, met and missed", "", *said, ""]) if said else ""
