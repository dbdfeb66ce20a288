"""What drylab's launchers use of CuPy, without a GPU: arrays are NumPy's, kernels run on a core (cuda_host.h).

``sys.modules["cupy"]`` may hold a ``CupyOnHost()``: then the launchers of kernels/gine_gpu.py run as they are.
"""

from __future__ import annotations

import ctypes
import re
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from tests.gpu import on_host

C_TYPES = {"u8": np.uint8, "u16": np.uint16, "int": np.int32, "float": np.float32, "double": np.float64}


class CupyOnHost(ModuleType):
    """Of CuPy, the functions that launchers call."""

    zeros, empty, cumsum, flatnonzero = map(staticmethod, (np.zeros, np.empty, np.cumsum, np.flatnonzero))
    asarray, ascontiguousarray = staticmethod(np.asarray), staticmethod(np.ascontiguousarray)

    def __init__(self) -> None:
        super().__init__("cupy")
        device = SimpleNamespace(id=0, attributes={"MultiProcessorCount": 1}, compute_capability="90")
        names = SimpleNamespace(getDeviceCount=lambda: 1, getDeviceProperties=lambda _: {"name": b"a core"})
        names.CUDARuntimeError = RuntimeError
        self.cuda = SimpleNamespace(Device=lambda *_: device, runtime=names)
        self.RawModule = Module


class Module:
    """cupy.RawModule of gine.cu."""

    def __init__(self, code: str, options: tuple[str, ...]) -> None:
        macros = tuple(option for option in options if option.startswith("-D"))
        self.library = ctypes.CDLL(str(on_host.built(on_host.HERE / "gine_library.cpp", (*macros, "-shared", "-fPIC"))))
        self.code = code

    def get_function(self, name: str) -> Kernel:
        """One of its kernels."""
        return Kernel(self, name)


class Kernel:
    """cupy.RawKernel: checks that what is passed is what the kernel declares, then runs it."""

    def __init__(self, module: Module, name: str) -> None:
        self.name, self.library = name, module.library
        found = re.search(rf"__global__ void (?:__launch_bounds__\(.*?\) )?{name}\((.*?)\) \{{", module.code, re.DOTALL)
        assert found, name
        self.declared = [parameter.rsplit(maxsplit=1)[0] for parameter in found[1].split(",")]
        self.max_dynamic_shared_size_bytes, self.preferred_shared_memory_carveout = 48 << 10, 0

    def __call__(
        self, grid: tuple[int, ...], block: tuple[int, ...], arguments: tuple[Any, ...], shared_mem: int = 0
    ) -> None:
        assert shared_mem <= self.max_dynamic_shared_size_bytes
        assert len(arguments) == len(self.declared), (self.name, len(arguments), self.declared)
        given = (ctypes.c_void_p * len(arguments))()
        kept = []
        for at, (argument, declared) in enumerate(zip(arguments, self.declared, strict=True)):
            pointer = declared.endswith("*")
            wanted = C_TYPES[declared.replace("const", "").removesuffix("*").strip()]
            assert pointer == isinstance(argument, np.ndarray), (self.name, at, declared)
            # Weights in fragments are bytes to the kernel, words to the launcher.
            assert wanted in (argument.dtype, np.uint8), (self.name, at, declared, argument.dtype)
            assert not pointer or argument.flags.c_contiguous
            kept.append(ctypes.c_void_p(argument.ctypes.data) if pointer else ctypes.c_int32(int(argument)))
            given[at] = ctypes.cast(ctypes.byref(kept[-1]), ctypes.c_void_p)
        status = self.library.launch(
            self.name.encode(), given, len(arguments), grid[0], block[0], ctypes.c_size_t(max(1, shared_mem))
        )
        assert status == 0, self.name
