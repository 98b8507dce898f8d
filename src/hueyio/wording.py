"""How counts, spans and moments are said to people, in commands and on pages. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

__all__ = ["ACTED_ON", "counted", "duration", "relative", "seconds", "tell_pause", "up_to"]

ACTED_ON: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control characters, those that change the direction of a text, lone surrogates, and separators of lines."""

_UNITS: Final = ((86400 * 2, 86400, "d"), (3600 * 2, 3600, "h"), (120, 60, "min"))


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return how many of something: ``1 task``, ``1,043 tasks``."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def up_to(most: int, count: int) -> str:
    """Return a count that was taken no further than ``most``: ``7``, ``1,000 or more``."""
    return f"{most:,} or more" if count >= most else f"{count:,}"


def seconds(span: float) -> str:
    """Return a span of time in its largest fitting unit: ``7 s``, ``4 min``, ``3 h``, ``5 d``."""
    for least, unit, name in _UNITS:
        if span >= least:
            return f"{span / unit:.0f} {name}"
    return f"{span:.0f} s"


def duration(span: float | None) -> str:
    """Return how long something took: ``14 ms``, ``0.4 s``, ``1.2 s``, ``4 min``; a dash where that is not known."""
    if span is None:
        return "-"
    if span < 0.0995:
        return f"{span * 1e6:.0f} us" if span < 0.000995 else f"{span * 1e3:.0f} ms"
    return f"{span:.1f} s" if span < 9.95 else seconds(span)


def relative(moment: datetime, now: datetime) -> str:
    """Return a moment as seen from now: ``4 min ago``, ``in 12 min``."""
    span = (moment - now).total_seconds()
    return f"in {seconds(span)}" if span > 0 else f"{seconds(-span)} ago"


def tell_pause(queue: str, by: str | None, at: datetime | None, now: datetime) -> str:
    """Say that a queue is paused, and by whom and since when as far as that is known."""
    who = f" by {by}" if by else ""
    when = f", {relative(at, now)}" if at else ""
    return f"{queue} is paused{who}{when}"
