"""What each column of hits is called, counted in and written like: one table for CSV, HTML and docs/hits.md."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from drylab.types import Hits


@dataclass(frozen=True, slots=True)
class Column:
    """One column of hits.

    kind   "number", "flag", "bool", "text", "set" or "list"
    digits decimals a number is written with, 0 for integers
    group  the heading it stands under in the report
    """

    name: str
    label: str
    unit: str
    meaning: str
    kind: str
    digits: int
    group: str


# name: label, unit, meaning, group
_FIXED: dict[str, tuple[str, str, str, str]] = {
    "rank": ("Rank", "", "1 is the best score of the library", "Identity"),
    "id": ("Id", "", "the vendor's id", "Identity"),
    "smiles": ("SMILES", "", "standardised structure", "Identity"),
    "key": ("Key", "", "128-bit hash of the standardised SMILES", "Identity"),
    "inchikey": ("InChIKey", "", "for look-ups elsewhere", "Identity"),
    "score": ("Score", "pActivity", "predicted -log10 of the active concentration in mol/l", "Score"),
    "refined_mean": (
        "Refined",
        "pActivity",
        "activity by comparison with the molecules that were measured; the score, which ranks, is its linear part",
        "Score",
    ),
    "refined_sd": ("Refined, SD", "pActivity", "standard deviation of the refined activity", "Score"),
    "known_as": ("Known as", "", "name of the known active that this hit is", "Identity"),
    "tox_worst": ("Tox", "", "worst flag of all toxicity endpoints", "Toxicity"),
    "embed_distance_pct": (
        "Distance",
        "percentile",
        "distance to the training molecules, as a percentile of held-out molecules; above 95 is unusual",
        "Domain",
    ),
    "in_domain": ("In domain", "", "the model has seen molecules like this one", "Domain"),
    "mw": ("MW", "g/mol", "molecular weight", "Properties"),
    "clogp": ("cLogP", "", "Crippen's octanol-water log P", "Properties"),
    "tpsa": (
        "TPSA",
        "\N{LATIN CAPITAL LETTER A WITH RING ABOVE}\N{SUPERSCRIPT TWO}",
        "topological polar surface area",
        "Properties",
    ),
    "hbd": ("HBD", "", "hydrogen-bond donors", "Properties"),
    "hba": ("HBA", "", "hydrogen-bond acceptors", "Properties"),
    "rotatable": ("Rot. bonds", "", "rotatable bonds", "Properties"),
    "rings": ("Rings", "", "rings", "Properties"),
    "aromatic_rings": ("Arom. rings", "", "aromatic rings", "Properties"),
    "fsp3": ("Fsp3", "", "share of carbon atoms that are sp3", "Properties"),
    "heavy_atoms": ("Heavy atoms", "", "atoms other than hydrogen", "Properties"),
    "charge": ("Charge", "e", "formal charge", "Properties"),
    "qed": ("QED", "0 to 1", "quantitative estimate of drug-likeness", "Properties"),
    "outside": ("Outside", "", "soft property ranges of the target file that this molecule misses", "Properties"),
    "alerts_pains": ("PAINS", "", "PAINS patterns found: notes, not verdicts", "Alerts"),
    "alerts_brenk": ("Brenk", "", "Brenk patterns found: notes, not verdicts", "Alerts"),
    "alerts_nih": ("NIH", "", "NIH patterns found: notes, not verdicts", "Alerts"),
    "scaffold": ("Scaffold", "", "Murcko scaffold", "Novelty"),
    "max_sim_known": (
        "Similarity to known",
        "Tanimoto",
        "largest ECFP4 Tanimoto similarity to a known active: below 0.35 a new chemotype, above 0.6 an analogue",
        "Novelty",
    ),
    "nearest_known_id": ("Nearest known", "", "the known active it is most like", "Novelty"),
    "nearest_known_value": ("Its activity", "pX", "measured activity of the nearest known active", "Novelty"),
    "library_row": ("Library row", "", "row of the library, counted from 0", "Identity"),
    "atom_contributions": (
        "Atom map",
        "pActivity",
        "share of each atom in the score, in the order of the SMILES",
        "Score",
    ),
}
_COUNTS = {"hbd", "hba", "rotatable", "rings", "aromatic_rings", "heavy_atoms", "charge"}


def describe(hits: Hits) -> list[Column]:
    """The columns of a hits table in its own order; a column that docs/hits.md does not list goes under "Other"."""
    units = {str(e["name"]): str(e.get("unit", "")) for e in hits.run.get("toxicity", ())}
    return [_column(field, units) for field in hits.table.schema]


def shown(hits: Hits) -> int:
    """How many rows go into hits.csv, hits.sdf and the report: the target's ``screen.report_n``, or all if fewer."""
    wanted = hits.run.get("target", {}).get("screen", {}).get("report_n", 200)
    return min(int(wanted), len(hits))


def written(value: Any, column: Column) -> str:
    """A value as text, the same on every machine: fixed decimals, empty for null and NaN, true and false in words."""
    if value is None:
        return ""
    if column.kind == "bool":
        return "true" if value else "false"
    if column.kind != "number":
        return str(value)
    if not math.isfinite(value):
        return ""
    text = f"{value:.{column.digits}f}"
    # Minus nothing is nothing.
    return text.removeprefix("-") if not text.strip("-0.") else text


def plain(value: Any, column: Column) -> Any:
    """A value for JSON, rounded as it is written; null for NaN."""
    if value is None or column.kind == "bool":
        return value
    if column.kind != "number":
        return str(value)
    text = written(value, column)
    return (float(text) if column.digits else int(text)) if text else None


def _column(field: pa.Field, units: Mapping[str, str]) -> Column:
    name, kind = field.name, _kind(field)
    label, unit, meaning, group = _FIXED.get(name) or _of_family(name, units)
    return Column(name, label, unit, meaning, kind, _digits(field), group)


# ending of an endpoint's column: what follows its name as a label, meaning, unit ("": none; None: the endpoint's own)
_ENDINGS: dict[str, tuple[str, str, str | None]] = {
    "_prob": ("", "predicted probability", "probability"),
    "_set": ("set", "what cannot be ruled out at 90 % confidence; {both} is no opinion, {} unlike anything seen", ""),
    "_value": ("", "predicted value", None),
    "_mean": ("", "predicted value", None),
    "_low": ("low", "lower end of the 90 % interval", None),
    "_high": ("high", "upper end of the 90 % interval", None),
    "_flag": ("flag", "flag", ""),
}


def _of_family(name: str, units: Mapping[str, str]) -> tuple[str, str, str, str]:
    for ending, (word, meaning, unit) in _ENDINGS.items():
        endpoint = name.removesuffix(ending)
        if endpoint != name and endpoint in units:
            own = units[endpoint] if unit is None else unit
            return f"{endpoint} {word}".strip(), own, f"{meaning} of {endpoint}", "Toxicity"
    if name.startswith("anti_"):
        return f"Anti {name[5:]}", "pActivity", f"predicted activity on the anti-target {name[5:]}", "Selectivity"
    if name.startswith("delta_"):
        return f"Delta {name[6:]}", "log units", f"score minus the prediction for {name[6:]}", "Selectivity"
    return name, "", "", "Other"


def _kind(field: pa.Field) -> str:
    if pa.types.is_boolean(field.type):
        return "bool"
    if pa.types.is_integer(field.type) or pa.types.is_floating(field.type):
        return "number"
    if pa.types.is_nested(field.type):
        return "list"
    if field.name.endswith("_set") and not pa.types.is_null(field.type):
        return "set"
    return "flag" if field.name.endswith("_flag") or field.name == "tox_worst" else "text"


def _digits(field: pa.Field) -> int:
    # Counts may come as floats; a donor has no decimals.
    if pa.types.is_integer(field.type) or field.name in _COUNTS:
        return 0
    return 4 if field.name == "score" or field.name.endswith("_prob") else 3
