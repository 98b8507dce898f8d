"""Verdicts as lines of a table, in text for a terminal and in Markdown for the docs."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.contenders import ALL_PEERS, STORAGES
from benchmarks.rows import Figure, Goal
from benchmarks.table import format_number
from benchmarks.verdict import OURS, Verdict

__all__ = ["to_markdown", "to_text"]


def to_text(verdicts: Sequence[Verdict]) -> str:
    """Return a line for each figure: goal, whether it is met, and everybody's."""
    names = _names(verdicts)
    head = ["row", "figure", "goal", "met", "beside the best", *names]
    body = [
        [one.row.name, one.figure.name, _goal(one.figure), _met(one), _beside(one), *(_cell(one, it) for it in names)]
        for one in verdicts
    ]
    widths = [max(len(line[column]) for line in [head, *body]) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *body]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def to_markdown(verdicts: Sequence[Verdict]) -> str:
    """Return a table for the docs, a line for each figure that is compared or has a goal."""
    told = [one for one in verdicts if one.figure.goal is not None or one.figure.is_compared]
    names = [name for name in _names(told) if name != OURS]
    head = ["workload", "figure", OURS, "best other", "times better", "goal", "", *names]
    lines = [head, ["---"] * len(head)]
    for one in told:
        best = "" if one.best is None else f"{one.best}, {format_number(one.values[one.best])}"
        ratio = "" if one.best is None else format_number(one.ratios[one.best])
        workload = f"{one.row.title}, {STORAGES[one.row.kind]}"
        ours = _cell(one, OURS) or "fails"
        lines.append(
            [workload, one.figure.name, ours, best, ratio, _goal(one.figure), _met(one)]
            + [_cell(one, name) for name in names]
        )
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _names(verdicts: Sequence[Verdict]) -> list[str]:
    found = dict.fromkeys(name for one in verdicts for name in one.values)
    return [*(name for name in found if name.startswith(OURS)), *(name for name in ALL_PEERS if name in found)]


def _goal(figure: Figure) -> str:
    match figure.goal:
        case None:
            return ""
        case Goal(ratios=ratios) if ratios:
            return ", ".join(f"{format_number(times)} x {name}" for name, times in ratios.items())
        case Goal(ratio=float(ratio), beside="huey"):
            return f"{format_number(ratio)} x huey"
        case Goal(ratio=float(ratio)):
            return f"{format_number(ratio)} x"
        case Goal(value=value):
            assert value is not None
            return f"{'at least' if figure.more_is_better else 'at most'} {format_number(value)}"


def _met(verdict: Verdict) -> str:
    return {True: "met", False: "missed", None: ""}[verdict.is_met]


def _beside(verdict: Verdict) -> str:
    return "" if verdict.best is None else f"{format_number(verdict.ratios[verdict.best])} x {verdict.best}"


def _cell(verdict: Verdict, name: str) -> str:
    if name not in verdict.values:
        return ""
    ratio = verdict.ratios.get(name)
    return format_number(verdict.values[name]) + ("" if ratio is None else f" ({format_number(ratio)})")
