"""Compile drylab/kernels/gine.cu for Hopper and Blackwell with NVRTC, without a GPU; called by compile_ptx.

For each shape that the launcher knows: registers and shared memory, and how many blocks a multiprocessor takes. Fails
where a register spills, where a thread needs a stack, or where fewer blocks fit than the launcher counts on.
"""

from __future__ import annotations

import re
import time

from cuda.bindings import nvrtc

from drylab.kernels.gine_gpu import KERNELS, SOURCE, Shape

SHAPES = (Shape(128, 128), Shape(64, 64), Shape(64, 128), Shape(128, 64), Shape(128, 128, 128))
REGISTERS = 65536  # of a multiprocessor, CUDA C++ programming guide, table of technical specifications
SHARED_BYTES = {90: 228 << 10, 100: 228 << 10}
MOST_SHARED_BYTES = 227 << 10  # of a block
KEPT_BYTES = 1 << 10  # of each block, for the system
ENTRY = re.compile(
    r"entry function '(\w+)'.*?(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads.*?Used (\d+) registers",
    re.DOTALL,
)


def compile_all(arch: int) -> None:
    """All shapes for one architecture; a line for each of their kernels."""
    for shape in SHAPES:
        started = time.perf_counter()
        log, ptx = compiled(shape, arch)
        seconds = time.perf_counter() - started
        found = {name: tuple(map(int, numbers)) for name, *numbers in ENTRY.findall(log)}
        assert set(found) == set(KERNELS), log
        for name, (stack, stores, loads, _) in found.items():
            assert stack + stores + loads == 0, f"sm_{arch} {name} {shape}: {stack} B stack, {stores} B spilled"
        registers = found["gine"][3]
        blocks = min(
            REGISTERS // (shape.threads * -(-registers // 8) * 8),
            SHARED_BYTES[arch] // (shape.shared_bytes + KEPT_BYTES),
        )
        others = ", ".join(f"{name} {found[name][3]}" for name in KERNELS if name != "gine")
        print(
            f"sm_{arch} {f'gine.cu, {shape.width} x {shape.hidden}, {shape.threads} threads':<32} {registers} registers, 0 B stack, 0 B spilled, {shape.shared_bytes} B "
            f"shared, {blocks} blocks; registers of {others}; {seconds:.1f} s to machine code",
            flush=True,
        )
        assert blocks >= shape.blocks, f"{shape}: {blocks} blocks fit, the launcher counts on {shape.blocks}"
        assert shape.shared_bytes <= MOST_SHARED_BYTES
        assert "mma.sync.aligned.m16n8k16" in ptx


def compiled(shape: Shape, arch: int) -> tuple[str, str]:
    """What ptxas says, and the PTX."""
    source = SOURCE.read_text(encoding="utf-8").encode()
    program = _checked(nvrtc.nvrtcCreateProgram(source, b"gine.cu", 0, [], []))
    options = [f"--gpu-architecture=sm_{arch}", "-std=c++17", "--ptxas-options=-v", *shape.macros()]
    status = nvrtc.nvrtcCompileProgram(program, len(options), [option.encode() for option in options])[0]
    log = bytearray(_checked(nvrtc.nvrtcGetProgramLogSize(program)))
    _checked(nvrtc.nvrtcGetProgramLog(program, log))
    if status != nvrtc.nvrtcResult.NVRTC_SUCCESS:
        raise SystemExit(f"gine.cu {shape}: {log.decode()}")
    ptx = bytearray(_checked(nvrtc.nvrtcGetPTXSize(program)))
    _checked(nvrtc.nvrtcGetPTX(program, ptx))
    return log.decode(), ptx.decode()


def _checked(result):  # type: ignore[no-untyped-def]
    """The value of a call of NVRTC."""
    status, *values = result
    assert status == nvrtc.nvrtcResult.NVRTC_SUCCESS, status
    return values[0] if values else None
