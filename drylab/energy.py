"""Joules as the hardware counts them: RAPL for processors, NVML for GPUs. What cannot be read says why.

A counter is of a whole package or GPU, so it counts what others do there meanwhile as well.

RAPL   https://docs.kernel.org/power/powercap/powercap.html: energy_uj in microjoule, which starts again from 0 after
       max_energy_range_uj. A package's zone holds its cores; its memory is a zone of its own.
NVML   https://docs.nvidia.com/deploy/nvml-api: total energy in millijoule since the driver was loaded; where a GPU has no
       such counter, its power in milliwatt is summed up over time by the trapezoid rule.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from math import inf, nan
from pathlib import Path
from types import ModuleType

POWERCAP = Path("/sys/class/powercap")
EVERY_S = 1.0  # far less than the minutes after which RAPL's counters start again
_ZONE = re.compile(r"intel-rapl:\d+(:\d+)?")  # AMD's processors have the same names


@dataclass(frozen=True, slots=True)
class Counter:
    """``read()`` gives joules since some moment, and starts again from 0 at ``wraps``; it raises OSError. kind: "cpu" or "gpu"."""

    kind: str
    name: str
    read: Callable[[], float]
    wraps: float = inf


@dataclass(frozen=True, slots=True)
class Counters:
    """All counters that can be read here, and for each kind that has none, why."""

    found: tuple[Counter, ...]
    missing: dict[str, str]


def counters() -> Counters:
    """The counters of this machine."""
    cpus, no_cpu = rapl(POWERCAP)
    gpus, no_gpu = nvml(_pynvml())
    missing = {kind: why for kind, why in (("cpu", no_cpu), ("gpu", no_gpu)) if why}
    return Counters((*cpus, *gpus), missing)


def rapl(folder: Path) -> tuple[list[Counter], str]:
    """A counter for each package and each package's memory below a powercap folder, and why there are none."""
    zones = [zone for zone in sorted(folder.glob("intel-rapl:*")) if _ZONE.fullmatch(zone.name) and _counts(zone)]
    if not zones:
        return [], f"the kernel shows no RAPL counters ({folder})"
    try:
        return [_zone(zone) for zone in zones], ""
    except PermissionError as error:
        return [], f"{error.filename} may be read by root only; as root: chmod -R a+r {folder}/*"
    except (OSError, ValueError) as error:
        return [], f"RAPL cannot be read ({error})"


def _counts(zone: Path) -> bool:
    """A package, or memory: a package's other zones are parts of it, and psys is of all together."""
    try:
        name = (zone / "name").read_text().strip()
    except OSError:
        return False
    return name.startswith("package") or name == "dram"


def _zone(zone: Path) -> Counter:
    file = zone / "energy_uj"

    def joules() -> float:
        return int(file.read_text()) / 1e6

    joules()
    return Counter("cpu", zone.name, joules, int((zone / "max_energy_range_uj").read_text()) / 1e6)


def _pynvml() -> ModuleType | None:
    try:
        return import_module("pynvml")
    except ImportError:
        return None


def nvml(module: ModuleType | None) -> tuple[list[Counter], str]:
    """A counter for each GPU, named by ``bus_id``, and why there are none; ``module`` is pynvml, None if not installed."""
    if module is None:
        return [], "pynvml is not installed (pip install nvidia-ml-py)"
    try:
        module.nvmlInit()
        handles = [module.nvmlDeviceGetHandleByIndex(at) for at in range(module.nvmlDeviceGetCount())]
        found = [counter for handle in handles for counter in _gpu(module, handle)]
    except module.NVMLError as error:
        return [], f"NVML says {error}"
    return found, "" if found else "NVML tells neither energy nor power of a GPU here"


def _gpu(module: ModuleType, handle: object) -> list[Counter]:
    name = module.nvmlDeviceGetPciInfo(handle).busId
    name = bus_id(name.decode() if isinstance(name, bytes) else name)

    def thousandth(ask: Callable[[object], float]) -> float:
        try:
            return ask(handle) / 1e3
        except module.NVMLError as error:
            raise OSError(f"NVML says {error}") from error

    energy = partial(thousandth, module.nvmlDeviceGetTotalEnergyConsumption)
    power = integral(partial(thousandth, module.nvmlDeviceGetPowerUsage))
    for read in (energy, power):
        with suppress(OSError):  # not supported: an older GPU, or a part of one
            read()
            return [Counter("gpu", name, read)]
    return []


def integral(watts: Callable[[], float], clock: Callable[[], float] = time.monotonic) -> Callable[[], float]:
    """Joules since the first call, from power at each call; between two calls it is taken to change evenly."""
    total, before = 0.0, (0.0, 0.0)
    started = False

    def joules() -> float:
        nonlocal total, before, started
        now = (clock(), watts())
        total += (now[0] - before[0]) * (now[1] + before[1]) / 2 if started else 0.0
        before, started = now, True
        return total

    return joules


def bus_id(text: str) -> str:
    """A PCI address as CUDA and NVML both would write it, if they agreed on the digits of the domain."""
    domain, bus, device = text.strip("\0").lower().split(":")
    return f"{int(domain, 16):04x}:{bus}:{device}"


@contextmanager
def metered(found: Sequence[Counter], every_s: float = EVERY_S) -> Iterator[Callable[[], dict[str, float]]]:
    """Reads counters in a thread meanwhile; the function it gives says joules by counter's name, NaN for one that failed."""
    before = [counter.read() for counter in found]
    spent = dict.fromkeys((counter.name for counter in found), 0.0)
    lock, stop = threading.Lock(), threading.Event()

    def look() -> dict[str, float]:
        with lock:
            for at, counter in enumerate(found):
                try:
                    now = counter.read()
                except OSError:  # no reason to lose a run
                    spent[counter.name] = nan
                    continue
                more = now - before[at]
                spent[counter.name] += more if more >= 0 else more + counter.wraps
                before[at] = now
            return dict(spent)

    def run() -> None:
        while not stop.wait(every_s):
            look()

    thread = threading.Thread(target=run, daemon=True)
    if found:
        thread.start()
    try:
        yield look
    finally:
        stop.set()
        if found:
            thread.join()
