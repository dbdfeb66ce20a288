"""SDF files: records that end with a line ``$$$$``, read by RDKit. A door to RDKit. The number of a row is its record, from 1.

The format: Dalby et al. 1992, https://doi.org/10.1021/ci00007a012; BIOVIA's "CTfile formats" for V3000.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
from rdkit import Chem, RDLogger

from drylab.errors import InputError
from drylab.kernels.fields import sdf_cut, sdf_records
from drylab.library.headers import usual
from drylab.library.places import shown
from drylab.library.rows import Block, Columns, Rows, Source
from drylab.library.streams import LONGEST_RECORD, UTF8_BOM, Seen, head, no_rows, pieces, squeezed
from drylab.library.texts import idents, optional

RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]

REFUSED = "RDKit cannot read the mol block"
UNFINISHED = "SDF record without M  END"
LOOKED_AT = 1 << 20  # bytes in which a tag that is named is to occur

_TAG = re.compile(r"^>[^<\n]*<(.*)>[^\n>]*\n((?:[^\n]*\S[^\n]*\n)*)", re.MULTILINE)
_LAST = re.compile(r"^\$\$\$\$.*\n", re.MULTILINE)
_END = re.compile(r"^M  END[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sdf:
    """skip: bytes before the first record. smiles, id: tags, "" for the mol block and for its title. more: tags."""

    skip: int
    smiles: str
    id: str
    more: tuple[str, ...] = ()

    def __str__(self) -> str:
        molecules = f"SMILES in tag {self.smiles!r}" if self.smiles else "mol blocks"
        return f"{molecules}, ids in {f'tag {self.id!r}' if self.id else 'the title line or a usual tag'}"


def open_sdf(path: str, compression: str, columns: Columns) -> Sdf:
    """Check that the tags which are named are in the first records. Raises InputError that lists the tags there are."""
    size = LOOKED_AT
    data, whole = head(path, compression, size)
    while not whole and len(data) >= size and size < LONGEST_RECORD and not sdf_cut(data, False, 1).records:
        size *= 4
        data, whole = head(path, compression, size)
    skip = len(UTF8_BOM) if data.startswith(UTF8_BOM) else 0
    if not data[skip:].strip():
        raise no_rows(path)
    tags = list(dict.fromkeys(tag for tag, _ in _TAG.findall(_text(data[skip:]))))
    for given, what in ((columns.smiles, "SMILES"), (columns.id, "ids"), *((name, "values") for name in columns.more)):
        if given and given not in tags:
            there = squeezed(", ".join(tags)) or "none"
            raise InputError(
                f"{shown(path)}:1: no tag {given!r} for the {what}; the tags of the first records are {there}"
            )
    return Sdf(skip, columns.smiles, columns.id, columns.more)


def blocks(source: Source, block_bytes: int, limit: int | None, seen: Seen | None) -> Iterator[Block]:
    """Pieces of the file that end where a record ends."""
    return pieces(source, (source.layout.skip, 1), sdf_cut, block_bytes, limit, seen)


def read(source: Source, block: Block) -> Rows:
    """The molecules of a block as RDKit writes them: sanitised, without explicit hydrogens, stereo kept."""
    layout: Sdf = source.layout
    bounds = sdf_records(block.data, block.rows).tolist()
    smiles, names, troubles = [], [], {}
    more: dict[str, list[str | None]] = {name: [] for name in layout.more}
    for i, (begin, end) in enumerate(pairwise(bounds)):
        block_text, tags, trouble = parts_of(_LAST.sub("", _text(block.data[begin:end])))
        text = ""
        if not trouble:
            text, trouble = _smiles(block_text, tags, layout)
        if trouble:
            troubles[i] = trouble
        smiles.append(text)
        names.append(tags.get(layout.id, "") if layout.id else _title(block_text, tags))
        for name, values in more.items():
            values.append(tags.get(name))
    numbers = np.arange(block.first, block.first + block.rows, dtype=np.int64)
    ids, long = idents(*_flat(names), numbers, source.path)
    texts = {
        name: optional(*_flat(values), np.array([v is not None for v in values], bool)) for name, values in more.items()
    }
    return Rows(numbers, ids, *_flat(smiles), {**long, **troubles}, texts)


def parts_of(record: str) -> tuple[str, Mapping[str, str], str]:
    """(mol block, tag -> text, trouble) of a record; the first of equal tags counts."""
    found = _END.search(record)
    if found is None:
        # Without it, what follows the atoms cannot be told from the tags: the file may have been cut here.
        return record, _tags(record), UNFINISHED
    return record[: found.end()] + "\n", _tags(record[found.end() :]), ""


def _tags(text: str) -> dict[str, str]:
    return {tag: said.strip() for tag, said in reversed(_TAG.findall(text))}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace").replace("\r\n", "\n").replace("\r", "\n") + "\n"


def _title(block: str, tags: Mapping[str, str]) -> str:
    """The first line, else a tag with a usual name for ids."""
    title = block.partition("\n")[0].strip()
    if title:
        return title
    names = list(tags)
    at = usual(names, ids=True)
    return "" if at is None else tags[names[at]]


def _smiles(block: str, tags: Mapping[str, str], layout: Sdf) -> tuple[str, str]:
    """(SMILES, "") or ("", why there is none)."""
    if layout.smiles:
        return tags.get(layout.smiles, ""), ""
    try:
        mol = None if "\0" in block else Chem.MolFromMolBlock(block)
        return ("", REFUSED) if mol is None else (Chem.MolToSmiles(mol), "")
    except (ValueError, RuntimeError):  # RDKit's own checks, which some blocks break
        return "", REFUSED


def _flat(texts: Sequence[str | None]) -> tuple[np.ndarray, np.ndarray]:
    column = pa.array([(text or "").encode("utf-8", "backslashreplace") for text in texts], pa.binary())
    _, offsets, data = column.buffers()
    # Copies can be written to, as the arrays of other formats can: kernels are compiled once for both.
    return np.frombuffer(data or b"", np.uint8).copy(), np.frombuffer(offsets, np.int32, len(texts) + 1).copy()
