"""Figures of a benchmark, and the machine that they were measured on."""

import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number."""

    name: str
    value: float
    unit: str
    target: float | None = None
    """What the value must reach; None for a figure that only explains another."""
    is_upper_bound: bool = False
    """Whether the target is the most, not the least, that the value may be."""

    @property
    def ok(self) -> bool:
        """Whether the target is met; a figure without one is always fine."""
        if self.target is None:
            return True
        return self.value <= self.target if self.is_upper_bound else self.value >= self.target

    def to_json(self) -> dict[str, Any]:
        """Return the entry of the document."""
        fields = asdict(self)
        del fields["is_upper_bound"]
        return {**fields, "value": round(self.value, 3), "ok": self.ok}


def describe_machine() -> dict[str, Any]:
    """Return what a reader needs to judge the figures."""
    return {
        "processor": _read_value("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": os.cpu_count(),
        "memory_mib": int((_read_value("/proc/meminfo", "MemTotal") or "0").split()[0]) // 1024,
        "load_before": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _read_value(path: str, key: str) -> str | None:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return None
