"""Plots as SVG, drawn by hand: bars of ratios, and lines over a growing number; a browser shows both on any ground."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

__all__ = ["Bar", "draw_bars", "draw_lines"]

_WIDTH: Final = 860
_LEFT: Final = 390
_RIGHT: Final = 60
_ROW: Final = 20
_TOP: Final = 44
_COLOURS: Final = ("#2f6fb2", "#c8642a", "#3f8f4f", "#8a56a8", "#9a8a1f", "#b03a5b", "#4f8f9a")
_STYLE: Final = (
    "text{font:12px system-ui,sans-serif;fill:#667}"
    ".grid{stroke:#8884;stroke-width:1}.even{stroke:#889;stroke-width:1.5}.goal{stroke:#c33;stroke-width:2}"
)


class Bar(NamedTuple):
    """One row: how many times better than the best other, and the goal if it is such a ratio."""

    label: str
    ratio: float
    goal: float | None


def draw_bars(title: str, bars: Sequence[Bar]) -> str:
    """Draw ratios on a logarithmic axis around 1, with a red mark at each goal."""
    known = [value for bar in bars for value in (bar.ratio, bar.goal) if value]
    low = min(0.5, *(known or [1.0]))
    high = max(2.0, *(known or [1.0]))
    height = _TOP + _ROW * len(bars) + 24

    def x(value: float) -> float:
        share = math.log(value / low) / math.log(high / low)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    parts = [_text(8, 18, title, weight="600")]
    for tick in _ticks(low, high):
        style = "even" if tick == 1 else "grid"
        parts.append(_line(x(tick), _TOP - 6, x(tick), height - 20, style))
        parts.append(_text(x(tick), height - 6, f"{tick:g}", anchor="middle"))
    for number, bar in enumerate(bars):
        y = _TOP + _ROW * number
        begin, end = sorted((x(1.0), x(bar.ratio)))
        colour = _COLOURS[0] if bar.ratio >= 1 else _COLOURS[1]
        parts.append(_text(_LEFT - 8, y + 12, bar.label, anchor="end"))
        parts.append(f'<rect x="{begin:.1f}" y="{y + 3}" width="{end - begin:.1f}" height="12" fill="{colour}"/>')
        parts.append(_text(_WIDTH - 8, y + 13, f"{bar.ratio:.2g}", anchor="end"))
        if bar.goal:
            parts.append(_line(x(bar.goal), y + 1, x(bar.goal), y + 17, "goal"))
    return _document(height, parts)


def draw_lines(title: str, unit: str, lines: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Draw a line for each name over a logarithmic axis; the other axis begins at 0."""
    points = [point for line in lines.values() for point in line]
    height, bottom = 300, 260
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    top = _round_up(max(y for _, y in points))

    def place(point: tuple[float, float]) -> tuple[float, float]:
        share = math.log(point[0] / first) / math.log(last / first) if last > first else 0.5
        return 90 + share * (_WIDTH - 250), bottom - point[1] / top * (bottom - 40)

    parts = [_text(8, 18, f"{title} ({unit})", weight="600")]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = bottom - share * (bottom - 40)
        parts.append(_line(90, y, _WIDTH - 160, y, "grid"))
        parts.append(_text(84, y + 4, f"{share * top:,.0f}", anchor="end"))
    for x in sorted({x for x, _ in points}):
        parts.append(_text(place((x, 0))[0], bottom + 18, f"{x:,.0f}", anchor="middle"))
    for number, (name, line) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, line))
        parts.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in map(place, line)]
        parts.append(_text(_WIDTH - 150, 52 + 18 * number, name, colour=colour))
    return _document(height, parts)


def _ticks(low: float, high: float) -> list[float]:
    ticks = [base * 10.0**power for power in range(-3, 4) for base in (1, 2, 5)]
    return [tick for tick in ticks if low <= tick <= high]


def _round_up(value: float) -> float:
    """Return a number not below this one that has four quarters of few digits."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(base * power for base in (1, 2, 4, 6, 8, 10) if base * power >= value)


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "400", colour: str = "") -> str:
    style = f"font-weight:{weight}" + (f";fill:{colour}" if colour else "")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" style="{style}">{escape(text)}</text>'


def _document(height: float, parts: Sequence[str]) -> str:
    size = f'width="{_WIDTH}" height="{height:.0f}" viewBox="0 0 {_WIDTH} {height:.0f}"'
    inside = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n<style>{_STYLE}</style>\n{inside}\n</svg>\n'
