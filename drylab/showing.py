"""What a model, or a fitted target, holds and is worth: lines for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from drylab.errors import ModelError
from drylab.score import fitted
from drylab.score.model import load_model, shipped


def describe(name: str) -> list[tuple[str, str]]:
    """(heading, text) lines of a shipped model, a model file, or a file that ``fit`` wrote. Raises ModelError."""
    if name not in shipped() and name != "default" and _schema(name) == fitted.SCHEMA:
        return _fitted(fitted.read_header(name))
    model = load_model(name)
    kinds = [probe.kind for probe in model.probes.probes]
    lines = [
        ("model", f"{model.name}, SHA-256 {model.sha256}"),
        ("file", model.path),
        (
            "holds",
            f"{kinds.count('affinity')} targets, {kinds.count('toxicity')} toxicity endpoints (`drylab targets`)",
        ),
        ("recipe", str(model.info.get("recipe", ""))),
    ]
    training = model.info.get("training", {})
    return lines + [(str(key), _text(value)) for key, value in training.items()] if training else lines


def _fitted(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("fitted target", f"{said['name']}, of {said['unit']}, {len(said['ids'])} molecules"),
        ("SHA-256", str(said["sha256"])),
        ("model", f"{said['model']['name']} ({said['model']['sha256'][:12]})"),
        (f"tier {said['tier']['tier']}", str(said["tier"]["sentence"])),
        *(
            (f"left out: {key}", f"{f['value']:.3f} ({f['low']:.3f} to {f['high']:.3f})")
            for key, f in said["figures"].items()
        ),
        *((f"control: {key}", f"{value:.3f}") for key, value in said["controls"].items()),
        *((key, _text(value)) for key, value in said["provenance"].items() if value),
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _schema(name: str) -> str:
    if not Path(name).is_file():
        return ""  # load_model says what is wrong with it
    try:
        with safe_open(name, framework="numpy") as file:
            return str(json.loads((file.metadata() or {}).get("drylab", "{}")).get("schema", ""))
    except (SafetensorError, json.JSONDecodeError, OSError) as error:
        raise ModelError(f"{name}: not a readable model or fitted target ({error})") from error
