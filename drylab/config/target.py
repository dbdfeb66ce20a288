"""Target: the whole of target.yaml, checked and frozen."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, PrivateAttr

from drylab.config.fields import LIST, SECTION, Name, Range, fault, key_for
from drylab.config.models import (
    Alerts,
    AntiTarget,
    Known,
    Model,
    Objective,
    Properties,
    Protein,
    Provenance,
    Report,
    Screen,
    Section,
    Substructure,
    Threshold,
)
from drylab.config.places import KeyPath, Places, shown
from drylab.errors import DrylabError

SCHEMA = "drylab.target/1"
T = TypeVar("T")


def _read_schema(value: Any) -> Any:
    if value != SCHEMA:
        raise fault(
            f"expected {SCHEMA}, the one schema this version reads, got {shown(value)}; write it, or remove the key"
        )
    return value


def _read_toxicity(value: Any) -> Any:
    """The endpoints; require_in_domain stands among them in the file, and only false is left here."""
    if not isinstance(value, Mapping):
        return {} if value is None else value
    if value.get("require_in_domain", False) is not False:
        raise fault(f"expected false, got {shown(value['require_in_domain'])}; write false", "require_in_domain")
    return {name: limits for name, limits in value.items() if name != "require_in_domain"}


class Target(Section):
    """What target.yaml says, defaults filled in; made by load_target and target_from, which name lines in errors."""

    schema_: Annotated[str, BeforeValidator(_read_schema)] = Field(SCHEMA, alias="schema")
    name: Name
    description: str | None = None
    target: Annotated[Protein, BeforeValidator(key_for("panel"))]
    known: Annotated[Known, SECTION] = Known()
    objective: Annotated[Objective, SECTION] = Objective()
    anti_targets: Annotated[tuple[AntiTarget, ...], LIST] = ()
    toxicity: Annotated[dict[str, Annotated[Threshold, SECTION]], BeforeValidator(_read_toxicity)] = Field(
        default_factory=dict
    )
    properties: Annotated[Properties, SECTION] = Properties()
    substructure: Annotated[Substructure, SECTION] = Substructure()
    alerts: Annotated[Alerts, SECTION] = Alerts()
    screen: Annotated[Screen, SECTION] = Screen()
    model: Annotated[Model, SECTION] = Model()
    report: Annotated[Report, SECTION] = Report()
    provenance: Annotated[Provenance, SECTION] = Provenance()
    _places: Places = PrivateAttr(default_factory=lambda: Places("<dict>"))

    @property
    def source(self) -> Path | None:
        """The file it was loaded from, absolute; None where it came from a dict or a name."""
        return self._places.source

    def resolve(self, text: str) -> str:
        """A path of the file against the file's folder; URLs and absolute paths stay, globs are kept."""
        if "://" in text:
            return text
        folder = str(self.source.parent) if self.source else ""
        if glob.has_magic(text):
            folder = glob.escape(folder)  # the pattern is the file's, not its folder's
        return os.path.join(folder, os.path.expanduser(text))

    def files(self) -> dict[str, str]:
        """Key -> path of each file that is read besides the library: the target file, and the molecules it names."""
        found = {"target": str(self.source)} if self.source else {}
        for key in ("actives", "exclude"):
            molecules = getattr(self.known, key)
            if molecules is not None:
                found[f"known.{key}"] = self.resolve(molecules.file)
        if self.target.probe is not None:
            found["target.probe"] = self.resolve(self.target.probe)
        return found

    def ranges(self) -> dict[str, Range]:
        """Property -> Range: the preset's, soft, replaced by the explicit ones."""
        return self.properties.ranges()

    def line_of(self, path: KeyPath) -> int | None:
        """1-based line of a key path such as ("substructure", "must_not_have", 0); None without a file."""
        return self._places.line(path)

    def where(self, path: KeyPath) -> str:
        """``t.yaml:12`` for messages of later stages; ``<dict>: substructure.must_not_have[0]`` without a file."""
        return self._places.where(path)

    def at(self, path: KeyPath, make: Callable[[], T]) -> T:
        """make(), with the place of a key path put before what goes wrong."""
        try:
            return make()
        except DrylabError as error:
            raise type(error)(f"{self.where(path)}: {error}") from error
