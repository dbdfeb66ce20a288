"""Compile every CUDA kernel to PTX for Hopper and Blackwell, on a machine without a GPU: python -m tests.gpu.compile_ptx

Needs numba-cuda (`make ptx` makes an environment for it). Prints each kernel with the bytes of local memory and the
registers that ptxas would be told about, and fails where a kernel does not compile.
"""

from __future__ import annotations

import re
import sys
import time
from types import SimpleNamespace
from typing import Any

import numba.cuda.dispatcher
from numba import cuda, types

from tests.gpu.kernels import KERNELS

TARGETS = ((9, 0), (10, 0))


def main() -> None:
    for target in TARGETS:
        # A device function called by name asks the driver for the device's capability; there is no driver here.
        numba.cuda.dispatcher.get_current_device = lambda cc=target: SimpleNamespace(compute_capability=cc)
        for name, (kernel, signature) in KERNELS.items():
            started = time.perf_counter()
            ptx = compiled(kernel, signature, target)
            local = sum(int(size) for size in re.findall(r"\.local .*?\[(\d+)\]", ptx))
            print(
                f"sm_{target[0]}{target[1]} {name:<28} {len(ptx) / 1024:7.0f} kB PTX {local:7} B local "
                f"{time.perf_counter() - started:5.1f} s"
            )
            assert f".target sm_{target[0]}{target[1]}" in ptx, name


def compiled(kernel: Any, signature: tuple[types.Type, ...], target: tuple[int, int]) -> str:
    """The PTX of a ``cuda.jit`` kernel for argument types."""
    return str(cuda.compile_ptx(kernel.py_func, signature, cc=target)[0])


if __name__ == "__main__":
    sys.exit(main())
