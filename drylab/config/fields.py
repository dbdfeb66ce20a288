"""The kinds of value a target file holds, each with a message that says what was expected."""

from __future__ import annotations

import math
import numbers
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, InstanceOf, PlainSerializer
from pydantic_core import PydanticCustomError

from drylab.config.places import shown

# YAML 1.1 reads 1e6 as text (it wants 1.0e+6); a chemist means the number.
EXPONENT = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+")
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._ -]{0,98}[A-Za-z0-9._-])?")
# The 20 amino acids, U and O, and the ambiguity codes B, J, X, Z (IUPAC-IUB, doi:10.1111/j.1432-1033.1984.tb07877.x).
AMINO_ACIDS = frozenset("ACDEFGHIKLMNPQRSTVWYUOBJXZ")
# Shorter than any domain that a small molecule is screened against; a name such as EGFR is spelt in amino acids too.
MIN_RESIDUES = 20
# -log10(mol/l) of all measured affinities lies well inside; 100 here means nM written for pX.
MAX_P = 15.0


def fault(what: str, key: str = "") -> PydanticCustomError:
    """A validation error that says what in our words; key is the entry of the section it is about."""
    return PydanticCustomError("drylab", "{what}", {"what": what, "key": key})


@dataclass(frozen=True, slots=True)
class Range:
    """An interval of a property, both ends included.

    low, high  in the property's unit; -inf or inf where the end is open
    hard       True: a molecule outside is filtered; False: it is only marked
    """

    low: float
    high: float
    hard: bool = False


def read_number(value: Any) -> float:
    """A finite float of a YAML or NumPy number, or of text such as 1e6."""
    if isinstance(value, str) and EXPONENT.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise fault(f"expected a number, got {shown(value)}; write it without quotes or unit")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise fault(f"expected a finite number, got {shown(value)}; write its value, or remove the key")
    return number


def between(low: float, high: float, hint: str) -> BeforeValidator:
    """Numbers from low to high, both included; the hint says what to do about others."""

    def check(value: Any) -> float:
        number = read_number(value)
        if not low <= number <= high:
            raise fault(f"expected a number from {low:g} to {high:g}, got {shown(value)}; {hint}")
        return number

    return BeforeValidator(check)


def whole(low: int, high: int | None = None) -> BeforeValidator:
    """Whole numbers from low to high, both included; 1e6 and 1.0e+6 are whole too."""
    limits = f"a whole number from {low} to {high}" if high else f"a whole number of at least {low}"

    def check(value: Any) -> int:
        try:
            number = read_number(value)
        except PydanticCustomError:
            number = math.nan
        if not number.is_integer() or not low <= number <= (high or 2**53):
            raise fault(f"expected {limits}, got {shown(value)}; write it in digits, without unit")
        return int(number)

    return BeforeValidator(check)


def read_range(value: Any) -> Range:
    """[min, max] is soft, {hard: [min, max]} is hard; null leaves an end open."""
    if isinstance(value, Range):
        return value
    hard = isinstance(value, Mapping) and set(value) == {"hard"}
    ends = value["hard"] if hard else value
    if not isinstance(ends, list | tuple) or len(ends) != 2:
        raise fault(f"expected [min, max] or {{hard: [min, max]}}, got {shown(value)}; write two numbers in brackets")
    low = -math.inf if ends[0] is None else read_number(ends[0])
    high = math.inf if ends[1] is None else read_number(ends[1])
    if low > high:
        raise fault(f"expected [min, max] with min <= max, got [{low:g}, {high:g}]; exchange them")
    return Range(low, high, hard)


def write_range(value: Range) -> list[float | None] | dict[str, list[float | None]]:
    """What read_range reads, ready for JSON."""
    ends = [end if math.isfinite(end) else None for end in (value.low, value.high)]
    return {"hard": ends} if value.hard else ends


def read_sequence(text: str) -> str:
    """Residues in upper case, without white space, dashes and the stop *; checked letter by letter."""
    residues = re.sub(r"[\s*-]", "", text).upper()
    for i, letter in enumerate(residues, start=1):
        if letter not in AMINO_ACIDS:
            raise fault(
                f"expected amino acids in one-letter code, got {letter!r} at position {i} of {shown(text)}; fix it"
            )
    if len(residues) < MIN_RESIDUES:
        hint = "give the whole domain; a name goes under panel"
        raise fault(f"expected at least {MIN_RESIDUES} residues, got {shown(text)}; {hint}")
    return residues


def read_sample(value: Any) -> Any:
    """A share of the library above 0 and up to one half, or auto."""
    if value == "auto":
        return value
    if isinstance(value, str) and not EXPONENT.fullmatch(value):
        raise fault(f"expected auto or a number, got {shown(value)}; write auto, or a share such as 0.05")
    number = read_number(value)
    if not 0 < number <= 0.5:
        raise fault(f"expected auto or a share above 0 and up to 0.5, got {shown(value)}; 5 % is 0.05")
    return number


def read_name(value: Any) -> Any:
    """A name that can stand in a file name; what is not text is left for pydantic to refuse."""
    if isinstance(value, str) and not NAME.fullmatch(value):
        hint = "start with a letter or digit and use only these, so that it can name files"
        raise fault(f"expected letters, digits, . _ - and spaces (at most 100), got {shown(value)}; {hint}")
    return value


def read_word(value: Any) -> Any:
    """Text with something in it, without the spaces around it; what is not text is left for pydantic to refuse."""
    if isinstance(value, str) and not value.strip():
        raise fault(f"expected text, got {shown(value)}; write it, or remove the key")
    return value.strip() if isinstance(value, str) else value


def read_file(value: Any) -> Any:
    """A path as text, so that a pathlib.Path from a notebook is as good."""
    value = os.fspath(value) if isinstance(value, os.PathLike) else value
    if isinstance(value, str) and (not value.strip() or "\0" in value):
        raise fault(f"expected the path of a file, got {shown(value)}; write the path")
    return value


def read_list(value: Any) -> Any:
    """A YAML list as the tuple that a frozen model holds."""
    return tuple(value) if isinstance(value, list) else value


def key_for(key: str) -> Callable[[Any], Any]:
    """Reads plain text as a section that has only this key: ``target: EGFR`` is ``target: {panel: EGFR}``."""
    return lambda value: {key: os.fspath(value)} if isinstance(value, str | os.PathLike) else value


def read_section(value: Any) -> Any:
    """A section with nothing under it, or all of it commented out, is an empty one."""
    return {} if value is None else value


PActivity = Annotated[float, between(0, MAX_P, "it is -log10 of mol/l: 1 uM is 6, 100 nM is 7, 1 nM is 9")]
Number = Annotated[float, BeforeValidator(read_number)]
RangeOf = Annotated[InstanceOf[Range], BeforeValidator(read_range), PlainSerializer(write_range)]
File = Annotated[str, BeforeValidator(read_file)]
Word = Annotated[str, BeforeValidator(read_word)]
Name = Annotated[str, BeforeValidator(read_name)]
LIST = BeforeValidator(read_list)
SECTION = BeforeValidator(read_section)
