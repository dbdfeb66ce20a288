"""Where an array lives, and what hardware is here: the one place that knows about CuPy besides the kernels."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np


def array_module(array: Any) -> ModuleType:
    """The module whose functions work on this array: cupy for an array on a GPU, numpy for any other."""
    return sys.modules["cupy"] if on_device(array) else np


def on_device(array: Any) -> bool:
    """True for an array in the memory of a GPU."""
    return type(array).__module__.partition(".")[0] == "cupy"


def to_device(array: Any) -> Any:
    """A copy on the current GPU; an array that is there already is returned as it is. Needs CuPy and a GPU."""
    import cupy

    return array if on_device(array) else cupy.asarray(array)


def to_host(array: Any) -> Any:
    """A NumPy array of the same values; an array on the host is returned as it is."""
    return array.get() if on_device(array) else array


def gpus() -> tuple[list[str], str]:
    """Names of the GPUs that drylab can use here, and in one line why there are none."""
    try:
        import cupy
    except ImportError:
        return [], "CuPy is not installed (pip install 'drylab[gpu]')"
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        return [], f"CUDA reports {error}"
    names = [cupy.cuda.runtime.getDeviceProperties(i)["name"].decode() for i in range(count)]
    return names, "" if names else "CUDA sees no GPU"


def gpu_in_use() -> str:
    """PCI address of the GPU on which this process holds arrays, "" for none. Loads nothing."""
    cupy = sys.modules.get("cupy")
    if cupy is None or not cupy.get_default_memory_pool().total_bytes():
        return ""
    return str(cupy.cuda.Device().pci_bus_id)


def processor() -> str:
    """What the processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()
