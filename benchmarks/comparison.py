"""From the figures of all rounds to medians, and to how hueyio compares with each of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final, NamedTuple

from benchmarks.protocol import Figures

__all__ = ["LABELS", "Row", "compare"]

LABELS: Final[dict[str, tuple[str, bool]]] = {
    "sequential/s": ("enqueue, one after another (tasks/s)", True),
    "concurrent/s": ("enqueue, 200 at once (tasks/s)", True),
    "bulk/s": ("enqueue, map (tasks/s)", True),
    "drain/s": ("drain, one worker process (tasks/s)", True),
    "drain cpu us/task": ("worker's CPU (us/task)", False),
    "server cpu us/task": ("server's CPU (us/task)", False),
    "commands/task": ("commands, those in scripts too (per task)", False),
    "reads/task": ("requests that the server read (per task)", False),
    "latency p50 ms": ("enqueue to result, idle worker, p50 (ms)", False),
    "latency p99 ms": ("enqueue to result, idle worker, p99 (ms)", False),
    "idle cpu %": ("idle worker's CPU (%)", False),
    "idle commands/s": ("idle worker's commands (per s)", False),
}
"""What each figure is, and whether more of it is better."""


class Row(NamedTuple):
    """One figure: the median of each contender, and how many times better ours is than each of the others."""

    figure: str
    medians: dict[str, float]
    ratios: dict[str, float]


def compare(rounds: Sequence[Mapping[str, Figures]]) -> list[Row]:
    """Sum up the rounds, each contender's name to its figures; the first contender is ours."""
    ours, *others = rounds[0]
    rows = []
    for figure in LABELS:
        medians = _medians({name: _of(figure, name, rounds) for name in (ours, *others)})
        if medians:
            ratios = _medians({name: _ratios(figure, ours, name, rounds) for name in others})
            rows.append(Row(figure, medians, ratios))
    return rows


def _of(figure: str, name: str, rounds: Sequence[Mapping[str, Figures]]) -> list[float]:
    return [figures[name][figure] for figures in rounds if figure in figures[name]]


def _ratios(figure: str, ours: str, other: str, rounds: Sequence[Mapping[str, Figures]]) -> list[float]:
    """Compare within each round, as the machine may be slower in another."""
    pairs = zip(_of(figure, ours, rounds), _of(figure, other, rounds), strict=False)
    more_is_better = LABELS[figure][1]
    return [mine / its if more_is_better else its / mine for mine, its in pairs if mine and its]


def _medians(found: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: median(values) for name, values in found.items() if values}
