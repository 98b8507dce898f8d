"""What a run of very many tasks has shown, as a part of a page of the docs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

__all__ = ["Run", "Sizes", "Stretch", "to_markdown"]

_LARGE: Final = 1_000_000
"""Bytes from which on a table is shown by itself."""


class Stretch(NamedTuple):
    """What a task has cost the server, all its processes together, up to a count of tasks."""

    until: int
    rate: float
    """Tasks a second."""
    cpu: float
    """Microseconds."""
    pages: float
    """Buffers that were looked at."""
    wal: float
    """Bytes."""


class Sizes(NamedTuple):
    """The sizes of all tables at a moment."""

    when: str
    done: int
    tables: dict[str, tuple[int, int]]
    """By name the bytes of the table and of its indexes."""

    @property
    def total(self) -> int:
        """All bytes."""
        return sum(map(sum, self.tables.values()))


class Run(NamedTuple):
    """One run of so many tasks; the lists grow in its course."""

    tasks: int
    stretches: list[Stretch]
    sizes: list[Sizes]


def to_markdown(run: Run, known: str, ttl: float) -> str:
    """Return the report; ``known`` says with what it was measured, ``ttl`` how long results were kept."""
    day = datetime.now(UTC).date()
    spread = " and ".join(
        f"{what} by {_spread(values):.0%}"
        for what, values in (
            ("CPU", [it.cpu for it in run.stretches]),
            ("pages", [it.pages for it in run.stretches]),
        )
    )
    return "\n\n".join(
        (
            f"{run.tasks:,} tasks, their results kept for {ttl:g} s; one run, {day}: {known}.",
            _table(
                ["up to task", "tasks/s", "server's CPU, us a task", "pages a task", "bytes of WAL a task"],
                [
                    [f"{it.until:,}", f"{it.rate:,.0f}", f"{it.cpu:.1f}", f"{it.pages:.1f}", f"{it.wal:,.0f}"]
                    for it in run.stretches
                ],
            ),
            f"From the least to the most it rises for {spread}.",
            _sizes(run.sizes),
        )
    )


def _spread(values: Sequence[float]) -> float:
    """Return by which share the largest is above the smallest."""
    return max(values) / min(values) - 1 if values and min(values) > 0 else 0.0


def _sizes(sizes: Sequence[Sizes]) -> str:
    """Show each table that was large at some moment, the others together."""
    names = sorted({name for it in sizes for name, size in it.tables.items() if sum(size) >= _LARGE})
    rows = []
    for it in sizes:
        shown = [it.tables.get(name, (0, 0)) for name in names]
        others = it.total - sum(map(sum, shown))
        cells = [f"{_mb(table)} + {_mb(indexes)}" for table, indexes in shown]
        rows.append([it.when, f"{it.done:,}", *cells, _mb(others), _mb(it.total)])
    return _table(["MB, table + indexes", "tasks done", *(f"`{it}`" for it in names), "others", "all"], rows)


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *rows))
