"""Files, dicts and names -> Target."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from drylab.config.checks import faults_of, without_later
from drylab.config.lines import parse_yaml, read_yaml
from drylab.config.places import Fault, KeyPath, Places, dotted, one_line, shown
from drylab.config.target import Target
from drylab.errors import ConfigError


def load_target(path: str | Path) -> Target:
    """The target of a YAML file; raises ConfigError, one line that starts with ``path:line:``."""
    return _build(*read_yaml(path))


def target_from(value: str | Path | Mapping[str, Any] | Target) -> Target:
    """A Target of what a notebook has: a Target, a dict, a .yaml path or existing file, or a name such as "EGFR"."""
    if isinstance(value, Target):
        return value
    if isinstance(value, Mapping):
        return _from_dict(value)
    if not isinstance(value, str | os.PathLike):
        raise ConfigError(f"<dict>: expected a path, a dict or a target's name, got {shown(value)}; give one of these")
    text = os.fspath(value)
    if isinstance(value, os.PathLike) or text.lower().endswith((".yaml", ".yml")) or os.path.isfile(text):
        return load_target(Path(text))
    return _from_name(text)


def to_dict(target: Target) -> dict[str, Any]:
    """The target with its defaults, ready for JSON; target_from reads it back."""
    return target.model_dump(mode="json", by_alias=True)


def check_text(text: str, label: str) -> None:
    """Raise ConfigError unless the YAML text is a valid target."""
    _build(*parse_yaml(text, label, Path(label).absolute()))


def _from_name(text: str) -> Target:
    word = text.strip()
    # Names such as ABL1(E255K) are good for a model and bad for a file.
    name = re.sub(r"[^A-Za-z0-9._ -]+", "_", word).strip("._ -")[:100]
    if not name or "/" in word or "\\" in word:
        what = "expected a .yaml file, a dict or a target's name such as EGFR"
        raise ConfigError(one_line(f"{shown(text)}: {what}, got text that is none; check the path"))
    data = {"name": name, "target": word}
    return _build(data, Places(f"target {word!r}"), [])


def _from_dict(value: Mapping[str, Any]) -> Target:
    places, faults = Places("<dict>"), list[Fault]()
    try:
        return _build(_plain(value, (), places, faults), places, faults)
    except RecursionError:
        raise ConfigError("<dict>: expected a dict of a few levels, got one that holds itself; write it out") from None


def _plain(value: Any, path: KeyPath, places: Places, faults: list[Fault]) -> Any:
    """A copy with text keys, every path marked in the order it stands."""
    places.marks[path] = (0, len(places.marks))
    if isinstance(value, list | tuple):
        return [_plain(item, (*path, i), places, faults) for i, item in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    for key in value:
        if not isinstance(key, str):
            what = f"expected text as key in {dotted(path) or 'the dict'}, got {shown(key)}; write it as text"
            faults.append(Fault(path, what))
    return {key: _plain(item, (*path, key), places, faults) for key, item in value.items() if isinstance(key, str)}


def _build(data: Mapping[str, Any], places: Places, faults: list[Fault]) -> Target:
    kept = without_later(data, (), faults)
    try:
        target = Target.model_validate(kept, context={"folder": str(places.source.parent) if places.source else ""})
    except ValidationError as error:
        # What a section lacks may be what was refused in it: that is said first.
        refused = {fault.path[:-1] for fault in faults}
        others = [fault for fault in faults_of(error, places) if not {fault.path, fault.path[:-1]} & refused]
        places.refuse([*faults, *others])
    if faults:
        places.refuse(faults)
    target._places = places
    return target
