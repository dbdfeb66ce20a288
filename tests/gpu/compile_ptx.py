"""Compile every CUDA kernel to PTX for Hopper and Blackwell, on a machine without a GPU.

    python -m tests.gpu.compile_ptx [PART OF A NAME] [--arch 90]

Needs numba-cuda (`make ptx` makes an environment for it). Prints each kernel with the bytes of local memory, the bytes of
arguments, and its fused multiply-adds (which round once where a CPU rounds twice), and fails where one does not compile.
"""

from __future__ import annotations

import argparse
import re
import time
from types import SimpleNamespace
from typing import Any

import numba.cuda.dispatcher
from numba import cuda, types

from tests.gpu.kernels import KERNELS

ARCHITECTURES = (90, 100)
MOST_ARGUMENT_BYTES = 4096  # of a launch, CUDA C++ programming guide, table of features; 32764 from CUDA 12.1 on
BYTES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "b8": 1, "b16": 2, "b32": 4, "b64": 8, "f64": 8}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", default="", help="only kernels with this in their name")
    parser.add_argument("--arch", type=int, action="append", help=f"default {ARCHITECTURES}")
    asked = parser.parse_args()
    for arch in asked.arch or ARCHITECTURES:
        # A device function called by name asks the driver for the device's capability; there is no driver here.
        target = divmod(arch, 10)
        numba.cuda.dispatcher.get_current_device = lambda cc=target: SimpleNamespace(compute_capability=cc)
        for name, (kernel, signature) in KERNELS.items():
            if asked.name in name:
                check(f"sm_{arch}", name, kernel, signature, target)


def check(arch: str, name: str, kernel: Any, signature: tuple[types.Type, ...], target: tuple[int, int]) -> None:
    """Compile one kernel, print its line, and assert what a GPU would stumble over."""
    started = time.perf_counter()
    ptx = str(cuda.compile_ptx(kernel.py_func, signature, cc=target)[0])
    local = sum(int(size) for size in re.findall(r"\.local .*?\[(\d+)\]", ptx))
    arguments = sum(
        BYTES[kind] for kind in re.findall(r"\.param \.(\w+) \w+_param_\d+[,\n]", ptx.partition(".entry")[2])
    )
    fused = len(re.findall(r"\bfma\.", ptx))
    print(
        f"{arch} {name:<28} {len(ptx) / 1024:7.0f} kB PTX {local:7} B local {arguments:5} B arguments {fused:3} fused "
        f"{time.perf_counter() - started:6.1f} s",
        flush=True,
    )
    assert f".target {arch}" in ptx, name
    assert arguments <= MOST_ARGUMENT_BYTES, name


if __name__ == "__main__":
    main()
