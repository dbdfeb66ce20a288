"""From what pydantic found, and from the table of later keys, to faults in our words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from drylab.config import models, target
from drylab.config.places import Fault, KeyPath, Places, dotted, shown
from drylab.config.presets import LATER

LATER_BY_PATH = {row.path: row for row in LATER}
SECTIONS: dict[str, type[BaseModel]] = {
    "": target.Target,
    "target": models.Protein,
    "known": models.Known,
    "known.actives": models.Actives,
    "known.exclude": models.Molecules,
    "objective": models.Objective,
    "anti_targets[]": models.AntiTarget,
    "toxicity.*": models.Threshold,
    "properties": models.Properties,
    "substructure": models.Substructure,
    "alerts": models.Alerts,
    "screen": models.Screen,
    "screen.columns": models.Columns,
    "screen.cascade": models.Cascade,
    "model": models.Model,
    "report": models.Report,
    "provenance": models.Provenance,
}
SIMPLE = {
    "bool_type": ("true or false", "write one of them, without quotes"),
    "tuple_type": ("a list", "write it in brackets: [first, second]"),
}
MISSING = {
    "name": "add name: and a word that can name files",
    "target": "add target: and a name the model knows, e.g. target: EGFR",
    "file": "add file: and the path of the molecules",
}


def without_later(data: Any, path: KeyPath, faults: list[Fault]) -> Any:
    """A copy of the data without keys and values that are not supported yet, each noted as a fault."""
    if isinstance(data, list | tuple):
        return [without_later(value, (*path, i), faults) for i, value in enumerate(data)]
    if not isinstance(data, Mapping):
        return data
    kept = {}
    for key, value in data.items():
        inner = (*path, key)
        row = LATER_BY_PATH.get(pattern(inner))
        if row and not row.values:
            faults.append(Fault(inner, f"{dotted(inner)} is not supported yet by this version; {row.advice}"))
        elif row and any(value == later and type(value) is type(later) for later in row.values):
            what = f"{dotted(inner)}: {shown(value)} is not supported yet by this version; {row.advice}"
            faults.append(Fault(inner, what))
        else:
            kept[key] = without_later(value, inner, faults)
    return kept


def pattern(path: KeyPath) -> str:
    """("anti_targets", 0, "name") -> "anti_targets[].name": the path as the tables write it."""
    return re.sub(r"\[\d+\]", "[]", dotted(path))


def faults_of(error: ValidationError, places: Places) -> list[Fault]:
    """One fault for each thing pydantic refused."""
    return [_fault(dict(item), places) for item in error.errors(include_url=False)]


def _fault(item: dict[str, Any], places: Places) -> Fault:
    path, kind, context = tuple(item["loc"]), item["type"], item.get("ctx", {})
    if kind == "extra_forbidden":
        return Fault(path, unknown_key(path))
    if kind == "missing":
        return Fault(path, f"{dotted(path)} is missing; {MISSING.get(str(path[-1]), 'add it')}", missing=True)
    if kind == "drylab":
        path = (*path, context["key"]) if context["key"] else path
        return Fault(path, f"{dotted(path)}: {context['what']}")
    return Fault(path, f"{dotted(path)}: {_wrong_type(path, item, places)}")


def _wrong_type(path: KeyPath, item: dict[str, Any], places: Places) -> str:
    """Expected, came, what to do, for a value of the wrong type or outside a choice."""
    kind, value, context = item["type"], item["input"], item.get("ctx", {})
    if kind == "string_type":
        raw = places.texts.get(path)
        if raw:
            return f'expected text, got {shown(value)}; write "{raw}", in quotes'
        return f"expected text, got {shown(value)}; write it in quotes"
    if kind == "literal_error":
        choices = context["expected"]
        spelt = {choice.lower(): choice for choice in re.findall(r"'([^']*)'", choices)}
        close = difflib.get_close_matches(str(value).lower(), spelt, 1)
        advice = f"did you mean {spelt[close[0]]}?" if close else "use one of these"
        return f"expected {choices.replace('False', 'false')}, got {shown(value)}; {advice}"
    if kind in SIMPLE:
        expected, advice = SIMPLE[kind]
        return f"expected {expected}, got {shown(value)}; {advice}"
    if kind in ("model_type", "dict_type"):
        section = SECTIONS.get(_section(path))
        keys = f" ({', '.join(known_keys(section))})" if section else ""
        return f"expected keys{keys}, got {shown(value)}; write key: value lines under it"
    return f"{item['msg'].lower()}, got {shown(value)}; correct it"


def _section(path: KeyPath) -> str:
    """The path of a section as SECTIONS writes it."""
    return "toxicity.*" if len(path) == 2 and path[0] == "toxicity" else pattern(path)


def known_keys(section: type[BaseModel]) -> list[str]:
    """The keys a section takes, as the file writes them."""
    return [field.alias or name for name, field in section.model_fields.items()]


def unknown_key(path: KeyPath) -> str:
    """Message for a key that is not in the schema: the nearest one, or the section it belongs in, and all known."""
    key, section = str(path[-1]), _section(path[:-1])
    known = known_keys(SECTIONS[section])
    close = difflib.get_close_matches(key, known, 1)
    homes = [name for name, model in SECTIONS.items() if name and "*" not in name and key in known_keys(model)]
    advice = f"did you mean {close[0]!r}?" if close else "remove it"
    if not close and homes:
        advice = f"it belongs in {' or '.join(homes)}"
    place = dotted(path[:-1]) or "the file"
    return f"unknown key {key!r} in {place}; {advice} (known: {', '.join(known)})"
