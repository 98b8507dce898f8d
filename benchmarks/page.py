"""The table and its plots as a part of a page of the docs, between two comments that mark it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.contenders import STORAGES
from benchmarks.drawing import Bar, draw_bars, draw_lines
from benchmarks.samples import Samples
from benchmarks.verdict import OURS, Verdict
from benchmarks.verdict_lines import to_markdown

__all__ = ["check_place", "put", "write"]

_END: Final = "<!-- end of what is written -->"


def check_place(file: Path, command: str) -> None:
    """Raise SystemExit if a page has no place for what a command of the benchmarks writes."""
    _split(file, command)


def put(file: Path, command: str, told: str) -> None:
    """Replace what stands between the marks of a command of the benchmarks; raises SystemExit if there are none."""
    before, begin, after = _split(file, command)
    file.write_text(f"{before}{begin}\n\n{told}\n\n{_END}{after}")


def write(file: Path, command: str, samples: Samples, verdicts: Sequence[Verdict]) -> None:
    """Put the table between the marks of its command; the plots go to the folder ``images`` of the docs."""
    images = file.parent.parent / "images"
    prefix = "performance" if command == "table" else f"performance-{command}"
    plots = {f"{prefix}-ratios.svg": ("How many times better hueyio is than the best other", _draw_ratios(verdicts))}
    plots |= {
        f"{prefix}-{name}.svg": (title, drawn)
        for name, title, figure, unit in (
            ("growth", "Drain of 1,000 to 1,000,000 tasks", "drained/s of ", "tasks/s"),
            ("memory", "Peak memory of the worker over a growing queue", "worker MB of ", "MB"),
            ("workers", "Drain by several workers", "tasks/s by ", "tasks/s"),
        )
        if (drawn := _draw_growth(title, figure, unit, verdicts))
    }
    shown = "\n\n".join(f"![{title}](../images/{name})" for name, (title, _) in plots.items())
    put(file, command, "\n\n".join((_tell(samples), to_markdown(verdicts), shown)))
    for name, (_, drawn) in plots.items():
        (images / name).write_text(drawn)


def _split(file: Path, command: str) -> tuple[str, str, str]:
    """Return what stands before the first mark, that mark, and what stands behind the second."""
    begin = f"<!-- written by `python -m benchmarks {command} --write` -->"
    before, begun, rest = file.read_text().partition(begin)
    _, ended, after = rest.partition(_END)
    if not begun or not ended:
        raise SystemExit(f"{file} has no place for what `{command}` writes: the lines {begin} and {_END}")
    return before, begin, after


def _tell(samples: Samples) -> str:
    known = ", ".join(f"{name} {value}" for name, value in samples.facts.items())
    rounds = max((len(samples.rounds_of(name)) for name in samples.rows), default=0)
    day = datetime.now(UTC).date()
    scale = "" if samples.scale == 1 else f" With {samples.scale:g} times the number of tasks."
    return f"Medians of {rounds} rounds, {day}: {known}.{scale}"


def _draw_ratios(verdicts: Sequence[Verdict]) -> str:
    bars = [
        Bar(f"{one.row.title}, {STORAGES[one.row.kind]}: {one.figure.name}".replace("`", ""), one.ratios[one.best],
            one.figure.goal.ratio if one.figure.goal is not None else None)
        for one in verdicts
        if one.best is not None
    ]  # fmt: skip
    return draw_bars("How many times better hueyio is than the best other; red: the goal", bars)


def _draw_growth(title: str, figure: str, unit: str, verdicts: Sequence[Verdict]) -> str:
    """Draw figures whose names end in a number, a line for each contender; empty if there are none."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for one in verdicts:
        if not one.figure.name.startswith(figure):
            continue
        at = float(one.figure.name.removeprefix(figure).replace(",", ""))
        for name, value in one.values.items():
            if name == OURS or "/s by" in figure:
                lines.setdefault(f"{name}, {STORAGES[one.row.kind]}", []).append((at, value))
    return draw_lines(title, unit, lines) if lines else ""
