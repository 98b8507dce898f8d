"""Clocks and percentiles that both sides measure with."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.protocol import Figures

__all__ = ["Delays", "Stopwatch", "in_milliseconds", "now", "peak_memory", "percentile"]


class Stopwatch:
    """Wall time and this process's CPU time (all threads) since it was made."""

    def __init__(self) -> None:
        self._cpu = time.process_time()
        self._wall = time.perf_counter()

    def read(self) -> Figures:
        """Return both, in seconds."""
        return {"seconds": time.perf_counter() - self._wall, "cpu": time.process_time() - self._cpu}


def now() -> float:
    """Return the moment, on a clock that all processes of this machine have in common."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


class Delays:
    """How long ago it was, each time, that somebody had called."""

    def __init__(self) -> None:
        self._seconds: list[float] = []

    def note(self, called_at: float) -> None:
        """Add one."""
        self._seconds.append(now() - called_at)

    def read(self) -> Figures:
        """Sum them up."""
        return in_milliseconds(self._seconds)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def in_milliseconds(seconds: Sequence[float]) -> Figures:
    """Sum up latencies."""
    return {
        "p50": 1000 * percentile(seconds, 0.50),
        "p99": 1000 * percentile(seconds, 0.99),
        "samples": float(len(seconds)),
    }


def peak_memory(pid: int | str = "self") -> float:
    """Return the most that a process has had in memory, in megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
