"""Alert programs compiled beforehand: RDKit's catalogues take three seconds to compile, and a file of them 10 ms to read.

``python -m drylab.featurize.precompile`` writes the file. It holds the version of RDKit whose queries it compiled and a
hash of the code that did it: where either is another now, nothing is read, and whoever asked compiles for itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from drylab.featurize.reference import VERSION
from drylab.kernels.search import Programs

FILE = Path(__file__).parent / "data" / "alerts.npz"
_PACKAGE = Path(__file__).resolve().parents[1]
_COMPILER = (
    *(f"featurize/{name}.py" for name in ("alerts", "classes", "programs", "rewrite", "screen", "smarts", "terms")),
    *(f"kernels/{name}.py" for name in ("query", "search", "substructure")),
)


class Compiled(NamedTuple):
    """Names of the queries, their programs, and the catalogue of each, if they are of catalogues."""

    names: tuple[str, ...]
    programs: Programs
    catalogs: tuple[str, ...]


def made_with() -> str:
    """What a file has to say for its programs to be those that would be compiled here and now."""
    digest = hashlib.sha256()
    for name in _COMPILER:
        digest.update((_PACKAGE / name).read_bytes())
    return f"RDKit {VERSION}, compiler {digest.hexdigest()}"


@cache
def read(key: str, file: Path = FILE) -> Compiled | None:
    """The programs kept under a key; None if there is no such file, or if it was made with something else."""
    if not file.is_file():
        return None
    with np.load(file, allow_pickle=False) as arrays:
        if str(arrays["made with"]) != made_with():
            return None
        names, catalogs = (tuple(str(arrays[f"{key} {what}"]).splitlines()) for what in ("names", "catalogs"))
        return Compiled(names, Programs(*(arrays[f"{key} {field}"] for field in Programs._fields)), catalogs)


def write(sets: Mapping[str, Compiled], file: Path = FILE) -> None:
    """Keep programs of exact queries under their keys, in place of what the file held."""
    arrays: dict[str, np.ndarray] = {"made with": np.array(made_with())}
    for key, (names, programs, catalogs) in sets.items():
        arrays |= {f"{key} names": np.array("\n".join(names)), f"{key} catalogs": np.array("\n".join(catalogs))}
        arrays |= {f"{key} {field}": values for field, values in programs._asdict().items()}
    file.parent.mkdir(exist_ok=True)
    np.savez_compressed(file, allow_pickle=False, **arrays)
