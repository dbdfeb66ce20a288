"""Values of command-line options that are more than a number: sizes of memory, ranges of a property."""

from __future__ import annotations

import re

from drylab.errors import ConfigError

_UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_UNITS |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?i?b|)", re.IGNORECASE)


def read_size(text: str, option: str) -> int:
    """Bytes, from "4GB", "800 MB", "1.5GiB" or a plain number. Raises ConfigError, which names the option."""
    found = _SIZE.fullmatch(text.strip())
    if found is None or len(found[1]) > 300 or found[2].lower() not in _UNITS:
        raise ConfigError(f"{option} {text}: expected a size such as 4GB, 800MB or 2GiB; correct it")
    size = int(float(found[1]) * _UNITS[found[2].lower()])
    if size < 1:
        raise ConfigError(f"{option} {text}: is no memory at all; give more")
    return size


def read_bounds(text: str, option: str) -> tuple[str, float, float]:
    """(property, low, high), from "mw:300:400", "mw:300:" or "mw::400". Raises ConfigError, which names the option."""
    parts = [part.strip() for part in text.split(":")]
    try:
        name, low, high = parts
        return name, float(low or "-inf"), float(high or "inf")
    except ValueError as error:
        raise ConfigError(
            f"{option} {text}: expected PROPERTY:LOW:HIGH such as mw:300:400, or mw:300: for no upper end; correct it"
        ) from error
