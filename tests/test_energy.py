"""Counters of energy: what is read, what wraps, what cannot be read and why.

No machine that runs these tests need have RAPL or an NVIDIA GPU, so the readers, which take a folder and a module, are
given a folder that the kernel could have shown and a module that answers as pynvml's documentation says.
"""

from __future__ import annotations

import math
import os
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from drylab.energy import Counter, bus_id, integral, metered, nvml, rapl


def zone(folder: Path, name: str, what: str, microjoules: int, wraps: int = 10**9) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "name").write_text(f"{what}\n")
    (folder / name / "energy_uj").write_text(f"{microjoules}\n")
    (folder / name / "max_energy_range_uj").write_text(f"{wraps}\n")
    return folder / name / "energy_uj"


def test_packages_and_their_memory_are_counted_once(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0", 5_000_000)
    zone(tmp_path, "intel-rapl:0:0", "core", 4_000_000)
    zone(tmp_path, "intel-rapl:0:1", "dram", 1_000_000)
    zone(tmp_path, "intel-rapl:1", "psys", 9_000_000)
    zone(tmp_path, "intel-rapl-mmio:0", "package-0", 5_000_000)
    (tmp_path / "intel-rapl").mkdir()
    found, why = rapl(tmp_path)
    assert [(counter.kind, counter.name, counter.read()) for counter in found] == [
        ("cpu", "intel-rapl:0", 5.0), ("cpu", "intel-rapl:0:1", 1.0)
    ]  # fmt: skip
    assert why == ""


def test_why_rapl_cannot_be_read(tmp_path: Path) -> None:
    assert rapl(tmp_path / "none") == ([], f"the kernel shows no RAPL counters ({tmp_path / 'none'})")
    file = zone(tmp_path, "intel-rapl:0", "package-0", 1)
    file.write_text("what\n")
    found, why = rapl(tmp_path)
    assert found == []
    assert "RAPL cannot be read (invalid literal" in why
    if os.geteuid():  # root reads what nobody may read
        file.chmod(0)
        assert "may be read by root only" in rapl(tmp_path)[1]


def test_a_counter_that_starts_again_is_added_up(tmp_path: Path) -> None:
    file = zone(tmp_path, "intel-rapl:0", "package-0", 900_000_000, 1_000_000_000)
    found, _ = rapl(tmp_path)
    with metered(found, every_s=3600) as joules:
        file.write_text("950000000\n")
        assert joules() == {"intel-rapl:0": 50.0}
        file.write_text("30000000\n")
        assert joules() == {"intel-rapl:0": 130.0}
        file.unlink()
        assert math.isnan(joules()["intel-rapl:0"])


def test_counters_are_read_meanwhile() -> None:
    read, often = [0], threading.Event()

    def joules() -> float:
        read[0] += 1
        if read[0] > 5:
            often.set()
        return read[0]

    with metered([Counter("cpu", "one", joules)], every_s=0.001):
        assert often.wait(60)
    after = read[0]
    assert threading.Event().wait(0.05) is False
    assert read[0] == after


class Nvml(ModuleType):
    """Answers as pynvml does for an H100 with an energy counter, and a GPU of before Volta, which tells its power alone."""

    class NVMLError(Exception):
        """As in pynvml."""

    def __init__(self, energy: list[int | None], milliwatt: list[int | None]) -> None:
        super().__init__("pynvml")
        self.energy, self.milliwatt = energy, milliwatt

    def nvmlInit(self) -> None:
        if not self.energy:
            raise self.NVMLError("Driver Not Loaded")

    def nvmlDeviceGetCount(self) -> int:
        return len(self.energy)

    def nvmlDeviceGetHandleByIndex(self, at: int) -> int:
        return at

    def nvmlDeviceGetPciInfo(self, at: int) -> SimpleNamespace:
        return SimpleNamespace(busId=f"00000000:{at + 1:02X}:00.0".encode())

    def _told(self, value: int | None) -> int:
        if value is None:
            raise self.NVMLError("Not Supported")
        return value

    def nvmlDeviceGetTotalEnergyConsumption(self, at: int) -> int:
        return self._told(self.energy[at])

    def nvmlDeviceGetPowerUsage(self, at: int) -> int:
        return self._told(self.milliwatt[at])


def test_gpus_by_their_counter_or_else_by_their_power() -> None:
    module = Nvml([7_000, None, None], [300_000, 200_000, None])
    found, why = nvml(module)
    assert [(counter.kind, counter.name) for counter in found] == [("gpu", "0000:01:00.0"), ("gpu", "0000:02:00.0")]
    assert why == ""
    with metered(found, every_s=3600) as joules:
        module.energy[0] = 9_500
        spent = joules()
        assert spent["0000:01:00.0"] == 2.5
        assert 0 < spent["0000:02:00.0"] < 200 * 60
        module.energy[0] = None
        assert math.isnan(joules()["0000:01:00.0"])


def test_why_nvml_tells_nothing() -> None:
    assert nvml(None) == ([], "pynvml is not installed (pip install nvidia-ml-py)")
    assert nvml(Nvml([], [])) == ([], "NVML says Driver Not Loaded")
    assert nvml(Nvml([None], [None])) == ([], "NVML tells neither energy nor power of a GPU here")


def test_power_is_summed_up_by_trapezoids() -> None:
    times, watts = iter([0.0, 2.0, 3.0]), iter([100.0, 300.0, 0.0])
    joules = integral(lambda: next(watts), lambda: next(times))
    assert [joules(), joules(), joules()] == [0.0, 400.0, 550.0]


@pytest.mark.parametrize("text", ["00000000:65:00.0", "0000:65:00.0", "0000:65:00.0\0"])
def test_one_gpu_has_one_name(text: str) -> None:
    assert bus_id(text) == "0000:65:00.0"
