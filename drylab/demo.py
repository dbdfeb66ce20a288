"""The embedded demonstration: a library drylab makes itself, a real target, and where its approved drugs come out."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass, replace
from pathlib import Path

from drylab.build import BuildOptions, write_library
from drylab.config import template
from drylab.errors import ModelError
from drylab.execute import Executor, serial
from drylab.library import embedded
from drylab.library.embedded import Drug, drugs
from drylab.record import moved
from drylab.report.folder import new_folder
from drylab.score.model import load_model
from drylab.screening import SILENT, Progress, screen, write_run
from drylab.types import Hits

MARKS = ("DEMO.txt",)
MARK = (
    "Written by `drylab demo`, which replaces this whole folder with --force. Copy target.yaml elsewhere to edit it.\n"
)


@dataclass(frozen=True, slots=True)
class Demo:
    """What a demonstration made: the hits, the files of the run by name, and the folder it is all in."""

    hits: Hits
    files: dict[str, Path]
    folder: Path


def run_demo(
    out: str | Path = "demo",
    *,
    target: str = "EGFR",
    executor: Executor | None = None,
    force: bool = False,
    progress: Progress = SILENT,
    molecules: int | None = None,
) -> Demo:
    """Make the library, write target.yaml and known.csv, and screen: all in one folder that can be looked at and edited.

    The library is reaction products of common building blocks and the approved drugs of ``drylab.library.embedded``;
    ``molecules`` takes only the first so many products. Raises ModelError if no embedded drug acts on ``target``.
    """
    known = [drug for drug in drugs() if target.upper() in drug.targets]
    if target.upper() not in _targets():
        raise ModelError(
            f"no approved drug of the demonstration acts on {target!r}; choose one of {', '.join(_targets())}"
        )
    folder = Path(out)
    with new_folder(folder, force, MARKS) as part:
        progress.stage("making the library", None)
        rows, name = embedded.rows(molecules), "drylab demonstration library"
        write_library(part / "library", name, rows, BuildOptions(), executor or serial(), progress)
        _write_known(part / "known.csv", known)
        (part / "target.yaml").write_text(_target_file(target.upper()), encoding="utf-8")
        (part / MARKS[0]).write_text(MARK, encoding="utf-8")
        hits = screen(part / "target.yaml", executor=executor, progress=progress)
        hits = replace(hits, run=moved(hits.run, str(part), os.path.abspath(folder)))
        files = write_run(hits, part / "run")
    return Demo(hits, {name: folder / path.relative_to(part) for name, path in files.items()}, folder)


def _write_known(path: Path, known: list[Drug]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "smiles"])
        writer.writerows([drug.name, drug.smiles] for drug in known)


EXTRA = """
known:
  actives: {file: known.csv, smiles: smiles, id: name}
properties:
  preset: druglike             # soft: what lies outside is marked
  mw: {hard: [150, 650]}       # g/mol; outside is removed
toxicity:                      # colours in the report; nothing is removed
  herg: {amber: 5.0, red: 6.0, unit: pIC50}
  herg_block: {amber: 0.5, red: 0.8, unit: probability}
  ames: {amber: 0.4, red: 0.7, unit: probability}
"""
TOX21 = (
    *("nr_ahr", "nr_ar", "nr_ar_lbd", "nr_aromatase", "nr_er", "nr_er_lbd", "nr_ppar_gamma"),
    *("sr_are", "sr_atad5", "sr_hse", "sr_mmp", "sr_p53"),
)


def _target_file(target: str) -> str:
    assays = "".join(f"  {name}: {{amber: 0.5, unit: probability}}\n" for name in TOX21)
    return template(f"{target} demonstration", target, "library") + EXTRA + assays


def _targets() -> list[str]:
    """Targets of the panel that an embedded drug acts on."""
    return sorted({target for drug in drugs() for target in drug.targets} & set(load_model().probes.names()))
