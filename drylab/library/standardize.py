"""Molecules as they come in -> SMILES of one form, by a named and versioned recipe.

``none``      For vendors whose files are trusted: the text is kept as it is written. Cheap checks only: no text, too much of
              it, a NUL or a byte that is no ASCII; a ChemAxon extension (a blank, then "|...|") is cut off, anything else
              after a blank is refused. Whether the text is a molecule is for the kernels to say. A key is then of the
              vendor's writing: one molecule written in two ways is two molecules. ``written_alike`` says how often that
              can happen.
``standard``  RDKit parse, largest organic fragment, one drawing of charge-separated groups, neutralised
              where the result is a valid molecule, canonical isomeric SMILES (stereo kept).
``tautomer``  ``standard``, then RDKit's canonical tautomer, which names the molecule; it need not be the stable one. About 20
              molecules a second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from drylab.errors import InputError
from drylab.library.canonical import INORGANIC, UNPARSABLE, VERSION, standard, tautomer
from drylab.library.keys import flat

__all__ = [
    "EMPTY",
    "INORGANIC",
    "LONGEST",
    "RECIPES",
    "TOO_LONG",
    "UNPARSABLE",
    "Standard",
    "recipe",
    "standardize",
    "standardize_texts",
    "written_alike",
]

# The reasons a row can be refused for: few, so that a table of them is readable.
EMPTY = "no SMILES in the row"
LONGEST = 5000
TOO_LONG = f"longer than {LONGEST} characters"

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Standard:
    """n molecules in the form of a recipe.

    data, offsets  (bytes,) uint8 and (n+1,) int32: the text of each; empty where it was refused
    reasons        position -> why it was refused
    """

    data: Bytes
    offsets: Offsets
    reasons: Mapping[int, str]


def recipe(name: str) -> dict[str, str]:
    """What is stored with a library so that two can be compared. Raises InputError for an unknown recipe."""
    if name not in RECIPES:
        raise InputError(f"recipe {name!r} is not known; choose one of {', '.join(RECIPES)}")
    return {"name": name, "version": RECIPES[name][0], "rdkit": VERSION}


def standardize(data: Bytes, offsets: Offsets, name: str) -> Standard:
    """n texts (data (bytes,) uint8, offsets (n+1,) int32, from 0) by a recipe: nothing is dropped and the order is kept."""
    step = RECIPES[name][1]
    if step is None:
        return _trusted(data, offsets)
    pairs = [_one(text, step) for text in _texts(data, offsets)]
    return Standard(*flat([text for text, _ in pairs]), {i: why for i, (_, why) in enumerate(pairs) if why})


def standardize_texts(texts: Sequence[str], name: str = "standard") -> list[tuple[str, str]]:
    """For each SMILES (its text by the recipe, "") or ("", reason)."""
    done = standardize(*flat(texts), name)
    return [(text, done.reasons.get(i, "")) for i, text in enumerate(_texts(done.data, done.offsets))]


def written_alike(data: Bytes, offsets: Offsets, sample: int, seed: int) -> tuple[int, int]:
    """(asked, alike): how many of at most ``sample`` rows are written exactly as recipe ``standard`` would write them.

    Which rows are asked depends on their number and on the seed only.
    """
    n = len(offsets) - 1
    rows = np.sort(np.random.default_rng(seed).choice(n, min(sample, n), replace=False))
    texts = [data[offsets[i] : offsets[i + 1]].tobytes().decode("latin-1") for i in rows]
    return len(texts), sum(_one(text, standard) == (text, "") for text in texts)


def _one(text: str, step: Callable[[str], tuple[str, str]]) -> tuple[str, str]:
    if not text:
        return "", EMPTY
    if len(text) > LONGEST:  # RDKit's time grows with the square: a megabyte in a row would take an hour
        return "", TOO_LONG
    # RDKit stops at a NUL, so that it would pass over what follows.
    return step(text) if text.isascii() and "\0" not in text else ("", UNPARSABLE)


def _texts(data: Bytes, offsets: Offsets) -> list[str]:
    """Each row as text of as many characters as it has bytes."""
    whole, ends = data.tobytes().decode("latin-1"), offsets.tolist()
    return [whole[first:last] for first, last in pairwise(ends)]


# -- none: bytes only ------------------------------------------------------------------------------------------------------


def _trusted(data: Bytes, offsets: Offsets) -> Standard:
    lengths = np.diff(offsets)
    kept = lengths.copy()
    reasons = dict.fromkeys(np.flatnonzero(lengths == 0).tolist(), EMPTY)
    odd = np.flatnonzero(data - np.uint8(33) > 94)  # controls, blanks, and what is no ASCII: DEL too is for the kernels
    if len(odd):
        rows = np.searchsorted(offsets, odd, side="right") - 1
        marked, first = np.unique(rows, return_index=True)
        heads = odd[first]
        extended = _extended(data, heads, offsets[marked + 1])
        extended &= ~np.isin(marked, rows[(data[odd] == 0) | (data[odd] >= 128)])
        kept[marked] = np.where(extended, heads - offsets[marked], 0)
        reasons |= dict.fromkeys(marked[~extended].tolist(), UNPARSABLE)
    long = np.flatnonzero(lengths > LONGEST)
    kept[long] = 0
    reasons |= dict.fromkeys(long.tolist(), TOO_LONG)
    if np.array_equal(kept, lengths):
        return Standard(data, offsets, reasons)
    ends = np.zeros_like(offsets)
    np.cumsum(kept, out=ends[1:])
    return Standard(data[np.arange(len(data)) < np.repeat(offsets[:-1] + kept, lengths)], ends, reasons)


def _extended(data: Bytes, heads: NDArray[np.int64], ends: Offsets) -> NDArray[np.bool_]:
    """Whether what stands from ``heads`` to ``ends`` of each row is blanks and then "|...|"."""
    at, last = heads.copy(), ends - 1
    blank = (data[at] == ord(" ")) | (data[at] == ord("\t"))
    found = blank.copy()
    while blank.any():
        at += blank & (at < last)
        blank &= ((data[at] == ord(" ")) | (data[at] == ord("\t"))) & (at < last)
    return found & (at < last) & (data[at] == ord("|")) & (data[last] == ord("|"))


# Name -> version and what is done with a text; None: with all texts at once.
RECIPES: dict[str, tuple[str, Callable[[str], tuple[str, str]] | None]] = {
    "none": ("1", None),
    "standard": ("2", standard),
    "tautomer": ("1", tautomer),
}
