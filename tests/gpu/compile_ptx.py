"""Compile every CUDA kernel to PTX for Hopper and Blackwell, on a machine without a GPU.

    python -m tests.gpu.compile_ptx [PART OF A NAME] [--arch 90]

Needs numba-cuda (`make ptx` makes an environment for it). From PTX it goes on to machine code, as the driver would: ptxas
is what finds that tables or stack are too large. Prints registers and stack of a thread, bytes of constant tables and of
arguments, and fused multiply-adds (which round once where a CPU rounds twice). Fails where a kernel does not compile.
"""

from __future__ import annotations

import argparse
import re
import time
from types import SimpleNamespace
from typing import Any

import numba.cuda.dispatcher
from cuda.bindings import nvjitlink
from numba import cuda, types

from tests.gpu import compile_gine
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
        if asked.name in compile_gine.SOURCE.name:
            compile_gine.compile_all(arch)


def check(arch: str, name: str, kernel: Any, signature: tuple[types.Type, ...], target: tuple[int, int]) -> None:
    """Compile one kernel, print its line, and assert what a GPU would stumble over."""
    started = time.perf_counter()
    ptx = str(cuda.compile_ptx(kernel.py_func, signature, cc=target)[0])
    to_ptx = time.perf_counter()
    assert f".target {arch}" in ptx, name
    arguments = sum(
        BYTES[kind] for kind in re.findall(r"\.param \.(\w+)[^,\n]*_param_\d+[,\n]", ptx.partition(".entry")[2])
    )
    assert arguments <= MOST_ARGUMENT_BYTES, name
    fused = len(re.findall(r"\bfma\.", ptx))
    print(
        f"{arch} {name:<32} {resources(ptx, arch)}, {arguments} B arguments, {fused} fused; "
        f"{to_ptx - started:.1f} s to PTX, {time.perf_counter() - to_ptx:.1f} s to machine code",
        flush=True,
    )


def resources(ptx: str, arch: str) -> str:
    """Registers and stack of a thread once the PTX is machine code, which is where tables and frames may prove too large."""
    linker = nvjitlink.create(2, [f"-arch={arch}", "-verbose"])
    code = ptx.encode()
    try:
        nvjitlink.add_data(linker, nvjitlink.InputType.PTX, code, len(code), arch)
        nvjitlink.complete(linker)
    except nvjitlink.nvJitLinkError as error:
        raise SystemExit(text_of(linker, nvjitlink.get_error_log_size, nvjitlink.get_error_log)) from error
    log = text_of(linker, nvjitlink.get_info_log_size, nvjitlink.get_info_log)
    registers, stack, spilled = (
        re.search(pattern, log)[1]
        for pattern in (r"Used (\d+) registers", r"(\d+) bytes stack", r"(\d+) bytes spill stores")
    )
    tables = sum(int(size) for size in re.findall(r"\.const .*?\[(\d+)\]", ptx))
    return f"{registers} registers, {stack} B stack, {spilled} B spilled, {tables} B tables"


def text_of(linker: Any, size_of: Any, fill: Any) -> str:
    """A log of the linker."""
    buffer = bytearray(size_of(linker))
    fill(linker, buffer)
    return bytes(buffer).decode(errors="replace")


if __name__ == "__main__":
    main()
