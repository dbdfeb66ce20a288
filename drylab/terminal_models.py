"""What the commands fit, predict, models and evaluate show on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from drylab.terminal import out

if TYPE_CHECKING:
    from drylab.predictions import Predictions
    from drylab.score.fitted import Fitted
    from drylab.score.model import Model


def fitted(found: Fitted, path: Path) -> None:
    """What was fitted, how well each molecule is foretold by the others, and what knows nothing of the values."""
    from drylab.score.figures import in_words

    info = found.info
    out.print(f"{found.name}: {len(found.ids)} molecules of {info['provenance']['rows']} rows", markup=False)
    if info["figures"]:
        out.print(f"each left out in turn: {in_words(info['figures'])}", markup=False)
        out.print(f"the probe alone, as a screen uses it: {in_words(info['probe_figures'])}", markup=False)
        said = ", ".join(f"{name} {value:.2f}" for name, value in info["controls"].items())
        out.print(f"controls, Spearman: {said}", markup=False)
    out.print(f"tier {info['tier']['tier']}: {info['tier']['sentence']}", markup=False)
    out.print(f"wrote {path}; next: drylab predict MOLECULES --probe {path} --out OUT.csv", markup=False)


def predicted(found: Predictions, path: Path) -> None:
    """What each prediction is worth, and how many rows have none."""
    from drylab.predictions import REASON

    for name, sentence in found.notes.items():
        out.print(f"{name}: {sentence}", markup=False)
    missing = sum(bool(why) for why in found.columns[REASON])
    said = f"; {missing} not predicted, column {REASON} says why" if missing else ""
    out.print(f"wrote {path}: {len(found)} molecules{said}", markup=False)


def models(found: Sequence[Model]) -> None:
    """One line a model."""
    table = Table(box=None, pad_edge=False)
    for heading in ("model", "targets", "toxicity", "sha256"):
        table.add_column(heading)
    for model in found:
        kinds = [probe.kind for probe in model.probes.probes]
        table.add_row(model.name, str(kinds.count("affinity")), str(kinds.count("toxicity")), model.sha256[:12])
    out.print(table)


def described(lines: Sequence[tuple[str, str]]) -> None:
    """Headings and texts."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for heading, text in lines:
        table.add_row(Text(heading, style="bold"), Text(text))
    out.print(table)


def table(text: str, path: Path | None) -> None:
    """A Markdown page, to a file or to the terminal."""
    if path is None:
        out.print(text, markup=False)
        return
    path.write_text(text, encoding="utf-8")
    out.print(f"wrote {path}", markup=False)
