"""YAML text -> plain data with the line of every value.

YAML 1.1 as PyYAML's safe loader reads it, less what surprises: a key given twice is refused (PyYAML keeps the last),
dates and 12:30 stay text (PyYAML: a date, and 750), 010 is ten (PyYAML: 8), and anchors, aliases and tags are refused.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from drylab.config.places import Fault, KeyPath, Places, dotted, one_line
from drylab.errors import ConfigError

# A target file is a page; this stops a library given by mistake before it is parsed.
MAX_BYTES = 1_000_000
TAG = "tag:yaml.org,2002:"
TEXT_TAGS = {TAG + name for name in ("str", "timestamp", "merge", "value")}
BOOLS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
NUMBER = re.compile(r"[-+]?([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?")
SPECIAL = re.compile(r"[-+]?\.(inf|nan)", re.IGNORECASE)


class _Composer(yaml.SafeLoader):
    """PyYAML's safe loader without anchors and aliases: they can repeat a value for ever, and hide text that starts with & or *."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            kind = "an alias (*name)" if isinstance(event, yaml.AliasEvent) else "an anchor (&name)"
            raise yaml.composer.ComposerError(None, None, kind, event.start_mark)
        return super().compose_node(parent, index)


def read_yaml(path: str | Path) -> tuple[dict[str, Any], Places, list[Fault]]:
    """Data of a target file, its places, and faults found on the way; raises ConfigError for a file of another kind."""
    try:
        raw = _read_bytes(Path(path))
    except IsADirectoryError:
        raise ConfigError(one_line(f"{path}:1: expected a target file, got a folder; name the .yaml in it")) from None
    except FileNotFoundError:
        what = "expected a target file, there is none; check the path, or write one with drylab init"
        raise ConfigError(one_line(f"{path}:1: {what}")) from None
    except (OSError, ValueError) as error:
        raise ConfigError(one_line(f"{path}:1: expected a readable target file, got: {error}; check it")) from None
    if len(raw) > MAX_BYTES:
        what = f"expected a target file of a page or two, got more than {MAX_BYTES:,} bytes; is it the library?"
        raise ConfigError(one_line(f"{path}:1: {what}"))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        what = f"expected UTF-8 text, got byte 0x{raw[error.start]:02x}; save the file as UTF-8"
        raise ConfigError(one_line(f"{path}:{line}: {what}")) from None
    return parse_yaml(text, str(path), Path(path).absolute())


def _read_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def parse_yaml(text: str, label: str, source: Path) -> tuple[dict[str, Any], Places, list[Fault]]:
    """Data, places and faults of YAML text; raises ConfigError where it is not YAML or not a mapping."""
    places, faults = Places(label, source), list[Fault]()
    try:
        root = _compose(text)
        data = _Walk(places, faults).value(root, ()) if root else None
    except yaml.YAMLError as error:
        line, what = _syntax(error, text)
        raise ConfigError(one_line(f"{label}:{line}: {what}")) from None
    if data is None:
        raise ConfigError(one_line(f"{label}:1: expected a target, the file is empty; write one with drylab init"))
    if not isinstance(data, dict):
        kind = "a list" if isinstance(data, list) else "a single value"
        line = root.start_mark.line + 1 if root else 1
        what = f"expected keys such as name: and target:, got {kind}; write one key per line"
        raise ConfigError(one_line(f"{label}:{line}: {what}"))
    return data, places, faults


def _compose(text: str) -> yaml.Node | None:
    loader = _Composer(text)
    try:
        return loader.get_single_node()
    except RecursionError:
        raise yaml.MarkedYAMLError(problem="brackets hundreds deep", problem_mark=loader.get_mark()) from None
    except (ValueError, OverflowError) as error:
        # PyYAML turns an escape such as "\UFFFFFFFF" into a character before it asks whether there is one.
        raise yaml.MarkedYAMLError(problem=f"a bad escape ({error})", problem_mark=loader.get_mark()) from None
    finally:
        loader.dispose()


def _syntax(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """Line and message of a YAML error, with what usually causes it."""
    if isinstance(error, yaml.reader.ReaderError):
        line, code = text[: error.position].count("\n") + 1, int(error.character)
        return line, f"expected printable text, got the character U+{code:04X}; remove it"
    problem = str(getattr(error, "problem", None) or error)
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else 1
    if r"'\t'" in problem:
        return line, "expected spaces, got a tab; YAML indents with spaces"
    if "alias" in problem or "anchor" in problem:
        return line, f"expected a value, got {problem}; write the value out, or put text with * or & in quotes"
    if "another document" in problem:
        return line, "expected one target in a file, got a second document; remove the line ---"
    hint = "check the indentation, and put text with : # [ ] { } * & ! % @ (as in SMARTS) in quotes"
    return line, f"expected YAML, got: {problem}; {hint}"


class _Walk:
    """Turns nodes into dict, list, str, int, float, bool or None, noting places and faults."""

    def __init__(self, places: Places, faults: list[Fault]) -> None:
        self.places, self.faults = places, faults

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        self.places.marks.setdefault(path, _mark(node))
        if isinstance(node, yaml.MappingNode) and node.tag == TAG + "map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == TAG + "seq":
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        return self._refuse_tag(node, path)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or not _encodes(key.value):
                what = f"expected a word as key in {dotted(path) or 'the file'}, got something else; write a word"
                self.faults.append(Fault(path, what, _mark(key)))
                continue
            inner = (*path, key.value)
            if key.value in data:
                first = self.places.marks[inner][0]
                what = f"{dotted(inner)} is given twice (first on line {first}); keep one of them"
                self.faults.append(Fault(inner, what, _mark(key)))
                continue
            self.places.marks[inner] = _mark(key)
            data[key.value] = self.value(value, inner)
        return data

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        kind, text = node.tag.removeprefix(TAG), str(node.value)
        if node.tag in TEXT_TAGS and _encodes(text):
            return text
        self.places.texts[path] = text
        if kind == "null" and text.lower() in ("", "~", "null"):
            return None
        if kind == "bool" and text.lower() in BOOLS:
            return BOOLS[text.lower()]
        if kind in ("int", "float") and SPECIAL.fullmatch(text):
            return float(text.replace(".", ""))
        if kind in ("int", "float") and NUMBER.fullmatch(text) and len(text) <= 300:
            plain = text.replace("_", "")
            return int(plain) if re.fullmatch(r"[-+]?[0-9]+", plain) else float(plain)
        return text if kind in ("int", "float") and ":" in text else self._refuse_tag(node, path)

    def _refuse_tag(self, node: yaml.Node, path: KeyPath) -> None:
        got = f"{node.tag.replace(TAG, '!!')} {node.value if isinstance(node, yaml.ScalarNode) else ''}".strip()[:60]
        what = (
            f"{dotted(path) or 'the file'}: expected text, a plain number, a list or keys, got {got}; write it plainly"
        )
        self.faults.append(Fault(path, what))


def _encodes(text: str) -> bool:
    """False for half a surrogate pair, which "\\uD800" gives and no file can hold."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _mark(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
