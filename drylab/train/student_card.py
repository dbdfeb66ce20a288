"""The card of a first stage, written from its file so that the two cannot disagree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drylab.score.model import Model
from drylab.train.card import table
from drylab.train.fidelity import RECALLS, TOPS

HEAD = """# {name}

The first stage of a cascade with [{teacher}]({teacher}.md): a smaller network that says in a fraction of the time about what
the full model will say, so that the full model need score only what can matter. It gives no score that a hit is shown
with, and has no probes: it speaks the full model's {d} numbers, so every probe of the full model, a fitted one too,
works on it.

* **Network:** GINE, {layers} layers of {width}, mean and sum read-out. Like its teacher it does not see stereo.
* **Tied to** the encoder of {teacher} (SHA-256 of its tensors `{encoder}`); drylab refuses it for any other.
* **Weights:** SHA-256 `{sha256}`.

## How well it stands in for the full model

What a run may say of its recall it measures on its own library (docs/cascade.md); these figures only tell what to expect.
All molecules are held out: {held} % of each training source, chosen by a hash, and two libraries that it never saw.

Rank correlation with the full model, over all {probes} probes and the libraries below: mean {mean:.3f}, lowest {lowest:.3f}
({lowest_of}).

Share of a library that has to be passed on to keep a recall of the full model's best, with 95 % bootstrap intervals:

"""

LIMITS = """
## What it cannot do

* **It is wrong about some molecules.** A molecule unlike all that it learnt on may be ranked low by it and high by the
  full model; such a molecule is lost to a cascade. The recall of a run counts them; `mode: exact` has none.
* **It is of no use alone.** It was made to agree with {teacher}, mistakes included.
* Everything that {teacher} cannot do.

## How it was made

The teacher's {width} channels that carry most and its first {layers} layers, fitted layer by layer by least squares; then
trained on what the teacher says of {molecules:,} unlabelled molecules: its probe values, those that it ranks high weighing
more, and its embedding. No measurement was used. Files: {files}.

    {command}

## Data and licences

| data | source and licence |
|---|---|
| ChEMBL 22, FS-Mol | ChEMBL, EMBL-EBI, structures only, CC BY-SA 3.0 |
| ZINC, PubChem, natural products, DUD-E decoys | structures only, free to use |

The teacher's affinity weights derive from ChEMBL, and these derive from them: pass them on under CC BY-SA 3.0 with that
attribution.
"""


def write_student_card(path: Path, model: Model) -> None:
    """The card in Markdown, beside the file."""
    info, recipe = model.info, model.info["training"]["recipe"]
    figures = info["fidelity"]
    known = {"teacher": info["teacher"]["name"], "width": recipe["width"], "layers": recipe["layers"]}
    head = HEAD.format(
        name=model.name,
        d=len(model.encoder.c),
        encoder=info["teacher"]["encoder_sha256"],
        sha256=model.sha256,
        held=info["training"]["held_out_percent"],
        **known,
        **figures["spearman"],
    )
    training = info["training"]
    rest = LIMITS.format(
        molecules=training["molecules"],
        files=", ".join(f"`{name}`" for name in training["files_sha256"]),
        command=training["command"],
        **known,
    )
    path.write_text(head + _judged(figures) + _precision(info["engine"]) + rest, encoding="utf-8")


def _judged(figures: Mapping[str, Any]) -> str:
    cells = [(i, j) for i in range(len(TOPS)) for j in range(len(RECALLS))]
    columns = ["library", "probe", "Spearman", *(f"best {100 * TOPS[i]:g} % at {RECALLS[j]:g}" for i, j in cells)]
    rows = []
    for one in figures["judged"]:
        shares = [
            f"{one['passed'][i][j]:.1%} [{one['low'][i][j]:.1%}, {one['high'][i][j]:.1%}]".replace("%", " %")
            for i, j in cells
        ]
        rows.append(
            [f"{one['library']} ({one['molecules']:,})", f"`{one['probe']}`", f"{one['spearman']:.3f}", *shares]
        )
    median = [f"{figures['typical'][i][j]:.1%}".replace("%", " %") for i, j in cells]
    return table(columns, [*rows, ["**median**", "", "", *median]])


def _precision(engine: Mapping[str, Any]) -> str:
    said = engine["float32"]
    return (
        f"\nIn float32 its probe values differ by at most {max(said['largest_error']):.1e} from its float64 reference, over "
        f"{said['molecules']:,} molecules of up to {said['most_atoms']} atoms.\n"
    )
