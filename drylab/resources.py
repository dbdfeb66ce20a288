"""What a screen uses: time, processors, memory, bytes read, energy. A plan foretells it, a run measures it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from drylab.quantities import duration, energy, hours, size

S = TypeVar("S", int, float)


@dataclass(frozen=True, slots=True)
class Resources:
    """What a screen used, or will use. None: not known, and ``not_known`` says why.

    rows              molecules that were read and put through filters and network
    workers           processes that worked
    wall_s            screening and describing hits, of which screen_s screening      cpu_s  of all processes together
    molecules_per_s   of the screening, all workers together
    core_hours        workers times wall time: what a batch system charges            gpu_hours  the same of GPUs
    peak_bytes        memory of the largest process                                   all_bytes  of all of them together
    read_bytes        what tasks read of files        energy_j  "cpu", "gpu" -> joules, of all that ran there meanwhile
    """

    rows: int
    workers: int
    wall_s: float
    screen_s: float
    cpu_s: float
    gpus: int
    peak_bytes: int
    all_bytes: int
    read_bytes: int | None
    energy_j: Mapping[str, float | None]
    not_known: Mapping[str, str] = field(default_factory=dict)

    @property
    def molecules_per_s(self) -> float:
        """Of the screening, with all workers."""
        return self.rows / self.screen_s if self.screen_s > 0 else 0.0

    @property
    def core_hours(self) -> float:
        """Cores held, whether they had work or not."""
        return self.workers * self.wall_s / 3600

    @property
    def gpu_hours(self) -> float:
        """GPUs held while the library was screened."""
        return self.gpus * self.screen_s / 3600

    def then(self, other: Resources) -> Resources:
        """With what a later stage used."""
        return Resources(
            rows=self.rows + other.rows,
            workers=max(self.workers, other.workers),
            wall_s=self.wall_s + other.wall_s,
            screen_s=self.screen_s + other.screen_s,
            cpu_s=self.cpu_s + other.cpu_s,
            gpus=max(self.gpus, other.gpus),
            peak_bytes=max(self.peak_bytes, other.peak_bytes),
            all_bytes=max(self.all_bytes, other.all_bytes),
            read_bytes=_both(self.read_bytes, other.read_bytes),
            energy_j={kind: _both(joules, other.energy_j[kind]) for kind, joules in self.energy_j.items()},
            not_known={**other.not_known, **self.not_known},
        )

    def to_dict(self) -> dict[str, Any]:
        """For run.json and other programs."""
        per_worker = self.molecules_per_s / self.workers if self.workers else 0.0
        return {
            "molecules": self.rows,
            "workers": self.workers,
            "wall_s": round(self.wall_s, 3),
            "cpu_s": round(self.cpu_s, 3),
            "molecules_per_s": round(self.molecules_per_s, 1),
            "molecules_per_s_per_worker": round(per_worker, 1),
            "core_hours": round(self.core_hours, 6),
            "gpus": self.gpus,
            "gpu_hours": round(self.gpu_hours, 6),
            "peak_memory_bytes": {"largest_process": self.peak_bytes, "all_processes": self.all_bytes},
            "read_bytes": self.read_bytes,
            "energy_j": dict(self.energy_j),
            "not_known": dict(self.not_known),
        }


def _both(one: S | None, other: S | None) -> S | None:
    return None if one is None or other is None else one + other


def sentence(said: Mapping[str, Any]) -> str:
    """What a run used, in words, from ``Resources.to_dict``, which is ``resources`` of run.json."""
    memory, workers = said["peak_memory_bytes"], said["workers"]
    parts = [
        f"{duration(said['wall_s'])} on {workers} worker{'s' * (workers != 1)}, {said['molecules_per_s']:,.0f} molecules/s",
        f"{duration(said['cpu_s'])} of CPU in {hours(said['core_hours'])} core-hours",
        *([f"{hours(said['gpu_hours'])} GPU-hours on {said['gpus']} GPU(s)"] if said["gpus"] else []),
        f"memory {size(memory['all_processes'])}, {size(memory['largest_process'])} of it in one process",
        *([] if said["read_bytes"] is None else [f"{size(said['read_bytes'])} read"]),
        f"energy: {energy_in_words(said['energy_j'], said['not_known']) or 'none'}",
    ]
    return "; ".join(parts)


def energy_in_words(joules: Mapping[str, float | None], not_known: Mapping[str, str]) -> str:
    """Energy of processors and GPUs, or why it is not known; nothing of GPUs that did nothing."""
    names = {"cpu": "processors", "gpu": "GPUs"}
    said = []
    for kind, value in joules.items():
        if value is None:
            said.append(f"{names[kind]} not known here ({not_known[f'energy_j.{kind}']})")
        elif value:
            said.append(f"{names[kind]} {energy(value)}")
    return "; ".join(said)
