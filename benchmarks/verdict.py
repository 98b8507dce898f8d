"""From the rounds of a row to one figure of each contender, and to whether hueyio reaches its goal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from benchmarks.protocol import Figures
from benchmarks.rows import Figure, Row

__all__ = ["OURS", "Verdict", "judge"]

OURS = "hueyio"


class Verdict(NamedTuple):
    """One figure of a row."""

    row: Row
    figure: Figure
    values: dict[str, float]
    """By contender, the median of all rounds."""
    ratios: dict[str, float]
    """By other contender, how many times better hueyio is: the median of the ratios within a round."""
    best: str | None
    """The other library beside which hueyio looks worst."""
    is_met: bool | None
    """None where there is no goal, or nothing to compare with."""


def judge(row: Row, rounds: Sequence[Mapping[str, Figures]]) -> list[Verdict]:
    """Sum up what was measured of a row; a goal for which hueyio has no figure is missed."""
    verdicts = []
    for figure in row.figures:
        found = _values(figure, rounds)
        if OURS in found:
            verdicts.append(_judge(row, figure, found, rounds))
        elif figure.goal is not None and any(OURS in one for one in rounds):
            verdicts.append(Verdict(row, figure, found, {}, None, False))
    return verdicts


def _judge(row: Row, figure: Figure, values: dict[str, float], rounds: Sequence[Mapping[str, Figures]]) -> Verdict:
    ratios = {name: ratio for name in values if name != OURS and (ratio := _ratio(figure, name, rounds)) is not None}
    others = {name: ratio for name, ratio in ratios.items() if not name.startswith(OURS)}
    best = min(others, key=lambda name: others[name]) if others and figure.is_compared else None
    return Verdict(row, figure, values, ratios, best, _is_met(figure, values[OURS], others))


def _is_met(figure: Figure, value: float, others: Mapping[str, float]) -> bool | None:
    goal = figure.goal
    if goal is None:
        return None
    if goal.ratios:
        beside = {name: times for name, times in goal.ratios.items() if name in others}
        return all(others[name] >= times for name, times in beside.items()) if beside else None
    if goal.value is not None:
        return value >= goal.value if figure.more_is_better else value <= goal.value
    judged = others if goal.beside == "the best" else {name: of for name, of in others.items() if name == goal.beside}
    if goal.ratio is None or not judged:
        return None
    return min(judged.values()) >= goal.ratio


def _values(figure: Figure, rounds: Sequence[Mapping[str, Figures]]) -> dict[str, float]:
    names = dict.fromkeys(name for one in rounds for name in one)
    found = {name: [one[name][figure.name] for one in rounds if figure.name in one.get(name, {})] for name in names}
    return {name: median(values) for name, values in found.items() if values}


def _ratio(figure: Figure, name: str, rounds: Sequence[Mapping[str, Figures]]) -> float | None:
    """Compare within each round: in another the machine may be slower."""
    pairs = [(one.get(OURS, {}).get(figure.name), one.get(name, {}).get(figure.name)) for one in rounds]
    ratios = [(mine / its if figure.more_is_better else its / mine) for mine, its in pairs if mine and its]
    return median(ratios) if ratios else None
