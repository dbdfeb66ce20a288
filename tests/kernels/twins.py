"""Which twins of a kernel there are to judge here: the CPU's always, the GPU's on a GPU or in the CUDA simulator."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba import cuda

from drylab.device import gpus, to_device, to_host

SIMULATED = os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"
GPU = bool(gpus()[0]) and cuda.is_available()


def on_gpu(launcher: Callable[..., Any]) -> Callable[..., Any]:
    """A launcher of the GPU's twin as a function of NumPy arrays. The simulator writes every array back: it gets copies."""
    there = np.copy if SIMULATED else to_device

    def run(*arguments: Any) -> Any:
        return moved(to_host, launcher(*(moved(there, argument) for argument in arguments)))

    return run


def moved(move: Callable[[Any], Any], value: Any) -> Any:
    """The same value with its arrays moved: an array, a tuple, a dict, a frozen container, or anything else as it is."""
    if hasattr(value, "dtype") and hasattr(value, "shape") and value.shape != ():
        return move(value)
    if isinstance(value, tuple):
        parts = [moved(move, part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if isinstance(value, dict):
        return {name: moved(move, part) for name, part in value.items()}
    if hasattr(value, "__dataclass_fields__"):
        return type(value)(*(moved(move, getattr(value, name)) for name in value.__dataclass_fields__))
    return value


def twins(cpu: Callable[..., Any], gpu: Callable[..., Any]) -> pytest.MarkDecorator:
    """Parametrize a test by its ``twin``: the CPU's launcher and the GPU's."""
    absent = pytest.mark.skipif(not (GPU or SIMULATED), reason="no GPU here; `make sim` steps through this twin")
    marks = [pytest.mark.gpu, absent]
    return pytest.mark.parametrize(
        "twin", [pytest.param(cpu, id="cpu"), pytest.param(on_gpu(gpu), id="gpu", marks=marks)]
    )
