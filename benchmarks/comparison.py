"""From the figures of all rounds to one of each kind, and to how hueyio compares with each of the others."""

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
    """One figure of each contender, and how many times better ours is than each of the others."""

    figure: str
    values: dict[str, float]
    ratios: dict[str, float]


def compare(rounds: Sequence[Mapping[str, Figures]], best: bool = False) -> list[Row]:
    """Sum up the rounds, each contender's name to its figures; the first contender is ours.

    By medians, and the ratios are medians of those within a round, as the machine may be slower in another. With
    ``best`` by the best round of each: what else the machine does only ever makes things slower.
    """
    rows = []
    for figure in LABELS:
        found = {name: _of(figure, name, rounds) for name in rounds[0]}
        if any(found.values()):
            rows.append(_by_best(figure, found) if best else _by_medians(figure, found))
    return rows


def _of(figure: str, name: str, rounds: Sequence[Mapping[str, Figures]]) -> list[float]:
    return [figures[name][figure] for figures in rounds if figure in figures[name]]


def _by_medians(figure: str, found: Mapping[str, Sequence[float]]) -> Row:
    ours, *others = found
    within = {
        name: [_ratio(figure, mine, its) for mine, its in zip(found[ours], found[name], strict=False) if mine and its]
        for name in others
    }
    return Row(figure, _medians(found), _medians(within))


def _by_best(figure: str, found: Mapping[str, Sequence[float]]) -> Row:
    pick = max if LABELS[figure][1] else min
    values = {name: pick(of) for name, of in found.items() if of}
    ours, *others = found
    ratios = {
        name: _ratio(figure, values[ours], values[name]) for name in others if values.get(ours) and values.get(name)
    }
    return Row(figure, values, ratios)


def _ratio(figure: str, mine: float, its: float) -> float:
    return mine / its if LABELS[figure][1] else its / mine


def _medians(found: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: median(values) for name, values in found.items() if values}
