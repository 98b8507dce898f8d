"""Rows of figures as text."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.comparison import LABELS, Row

__all__ = ["format_number", "format_rows"]


def format_rows(title: str, rows: Sequence[Row], names: Sequence[str]) -> str:
    """Return a table: figures down, contenders across; behind each other's figure how many times better ours is."""
    head = [title, *names]
    body = [[LABELS[row.figure][0], *(_cell(row, name) for name in names)] for row in rows]
    widths = [max(len(line[column]) for line in [head, *body]) for column in range(len(head))]
    lines = [_line(head, widths), "  ".join("-" * width for width in widths), *(_line(line, widths) for line in body)]
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = [
        cell.rjust(width) if column else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join([first, *others]).rstrip()


def _cell(row: Row, name: str) -> str:
    if name not in row.values:
        return "-"
    ratio = row.ratios.get(name)
    return format_number(row.values[name]) + ("" if ratio is None else f" ({format_number(ratio)}x)")


def format_number(value: float) -> str:
    """Write three digits that count, or all of a large number."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
