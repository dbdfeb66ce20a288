"""Where each value of a target file stands, and faults that say so in one line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from drylab.errors import ConfigError

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong.

    path     key path of the value, e.g. ("anti_targets", 0, "name")
    what     the message without its place
    mark     (line, column) where it is not the path's own, as for the second of two equal keys
    missing  nothing stands there: the section's line is shown, and faults that have a place come first
    """

    path: KeyPath
    what: str
    mark: tuple[int, int] | None = None
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Places:
    """Places of all values of one target file, or of a dict, which has no lines.

    label   what messages call it: the path as the user wrote it, or "<dict>"
    source  the file, absolute; None for a dict
    marks   key path -> (line, column), 1-based; for a dict (0, running number), so that order is kept
    texts   key path -> what the file says, for plain values that are not text (NO, 007, 1.0)
    """

    label: str
    source: Path | None = None
    marks: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    texts: dict[KeyPath, str] = field(default_factory=dict)

    def mark(self, path: KeyPath) -> tuple[int, int]:
        """The mark of a path, or of the innermost section around it that has one."""
        for stop in range(len(path), -1, -1):
            if path[:stop] in self.marks:
                return self.marks[path[:stop]]
        return (1, 1) if self.source else (0, 0)

    def line(self, path: KeyPath) -> int | None:
        """1-based line of a key path; None for a dict."""
        return self.mark(path)[0] if self.source else None

    def where(self, path: KeyPath) -> str:
        """``t.yaml:12``, or ``<dict>: screen.top_k``."""
        return f"{self.label}:{self.line(path)}" if self.source else f"{self.label}: {dotted(path)}".rstrip(": ")

    def refuse(self, faults: Iterable[Fault]) -> NoReturn:
        """Raise ConfigError for the first fault in file order, and count the others."""
        # One fault a value: what could not be read is also of the wrong type.
        unique: dict[object, Fault] = {}
        for fault in faults:
            unique.setdefault((fault.path, fault.mark), fault)
        first, *others = sorted(unique.values(), key=lambda fault: (fault.missing, fault.mark or self.mark(fault.path)))
        line = (first.mark or self.mark(first.path))[0]
        place = f"{self.label}:{line}" if self.source else self.label
        more = f" (and {len(others)} more)" if others else ""
        raise ConfigError(one_line(f"{place}: {first.what}{more}"))


def dotted(path: KeyPath) -> str:
    """("anti_targets", 0, "name") -> "anti_targets[0].name"."""
    return re.sub(r"\.\[", "[", ".".join(f"[{part}]" if isinstance(part, int) else part for part in path))


def one_line(text: str) -> str:
    """The text on one line, with what a terminal cannot print escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def shown(value: object) -> str:
    """A value as a chemist would recognise it, at most 60 characters."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
