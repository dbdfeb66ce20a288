"""One plain Python function per molecule, compiled twice: by ``njit`` for the CPU, by numba-cuda where a CUDA kernel calls it.

``per_molecule`` marks such a function. A CUDA kernel may call it by name: numba-cuda compiles the same source for the
device. With ``NUMBA_ENABLE_CUDASIM=1 NUMBA_DISABLE_JIT=1`` both twins run as plain Python, which is how a machine
without a GPU steps through the logic.

Rules for the body, so that the three agree to the bit:
    no allocation: scratch comes as arguments (a NumPy array on the CPU, ``cuda.local.array`` on the device);
    an array element is read through ``np.int64(...)`` before arithmetic: NumPy's small integers wrap and numba's do not,
    and what numba makes of ``int(unsigned)`` is unsigned, which with a signed variable becomes a float;
    32-bit arithmetic is int64 with ``& 0xFFFFFFFF``; bit sets hold at most 62 bits a word, so no sign enters;
    no exception, no print, no negative index.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


_IMPORT = re.compile(r"^from drylab\.kernels\.(\w+) import", re.MULTILINE)


@cache
def _stamp(file: Path) -> str:
    """A hash of a kernel file and of the kernel files it imports. Numba's cache watches only the file of the function
    itself, while machine code contains what the function calls in other files: an edited callee would go unnoticed."""
    seen, waiting = set[Path](), [file]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += [path.with_name(f"{name}.py") for name in _IMPORT.findall(path.read_text(encoding="utf-8"))]
    digest = hashlib.sha256()
    for path in sorted(seen):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def per_molecule(function: F) -> F:
    """Compile a plain function on arrays for the CPU, and make it callable from CUDA kernels."""
    return _compiled(function, _nrt=False)


def inlined(function: F) -> F:
    """``per_molecule`` for a step of a hot loop: its code goes into its caller, which saves handing over the arrays (seven
    words each). Compiling takes longer, so only for what has one caller."""
    return _compiled(function, _nrt=False, forceinline=True)


def launcher(function: F) -> F:
    """Compile the CPU's loop over molecules. It may allocate; what it calls may not."""
    return _compiled(function)


def _compiled(function: F, **options: bool) -> F:
    # Without numba's runtime (_nrt) there is no counting of references to arrays, a quarter of the time of small functions.
    compiled: Any = njit(cache=True, nogil=True, error_model="numpy", **options)(function)
    if hasattr(compiled, "_cache"):
        compiled._cache._cache_file._source_stamp = _stamp(Path(function.__code__.co_filename))
    return compiled
