"""Quantities in words: bytes, seconds, joules."""

from __future__ import annotations

_BYTES = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3))
_TIMES = (("days", 86400), ("h", 3600), ("min", 60))
_ENERGIES = (("MWh", 3.6e9), ("kWh", 3.6e6), ("Wh", 3.6e3))


def size(number: float) -> str:
    """Bytes for people."""
    for unit, worth in _BYTES:
        if number >= worth:
            return f"{number / worth:.1f} {unit}"
    return f"{number:.0f} bytes"


def duration(seconds: float) -> str:
    """Seconds for people: the largest unit of which there are two."""
    for unit, worth in _TIMES:
        if seconds >= 2 * worth:
            return f"{seconds / worth:.1f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"


def energy(joules: float) -> str:
    """Joules for people: watt-hours where there is at least one."""
    for unit, worth in _ENERGIES:
        if joules >= worth:
            return f"{joules / worth:.3g} {unit}"
    return f"{joules:.3g} J"


def hours(number: float) -> str:
    """Core-hours or GPU-hours for people."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.2g}"
