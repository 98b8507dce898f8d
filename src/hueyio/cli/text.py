"""Values as text: short for eyes, whole for pipes, and never a character that a terminal would act on."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

__all__ = [
    "Id",
    "clean",
    "counted",
    "duration",
    "iso",
    "relative",
    "seconds",
    "short",
    "sparks",
    "tell_pause",
]

_ACTED_ON: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control characters, those that change the direction of a text, lone surrogates, and separators of lines."""

_UNITS: Final = ((86400 * 2, 86400, "d"), (3600 * 2, 3600, "h"), (120, 60, "min"))
_SHORT: Final = 12
_HEIGHTS: Final = "▁▂▃▄▅▆▇█"


class Id(str):
    """The id of a task: a table shows its end, in which no two are alike; a pipe gets all of it."""

    __slots__ = ()


def clean(text: str) -> str:
    """Return a text with what a terminal acts on written as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(it) if unicodedata.category(it) in _ACTED_ON else it for it in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return how many of something: ``1 task``, ``1,043 tasks``."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def short(id: str) -> str:
    """Return the end of an id. The beginning of ours is the time, which those made together share."""
    return id[-_SHORT:]


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


def sparks(values: Sequence[float]) -> str:
    """Draw values as a line of blocks, the highest as high as a line is."""
    most = max(values, default=0)
    return "".join(_HEIGHTS[round(it / most * (len(_HEIGHTS) - 1)) if most else 0] for it in values)


def relative(moment: datetime, now: datetime) -> str:
    """Return a moment as seen from now: ``4 min ago``, ``in 12 min``."""
    span = (moment - now).total_seconds()
    return f"in {seconds(span)}" if span > 0 else f"{seconds(-span)} ago"


def tell_pause(queue: str, by: str | None, at: datetime | None, now: datetime) -> str:
    """Say that a queue is paused, and by whom and since when as far as that is known."""
    who = f" by {by}" if by else ""
    when = f", {relative(at, now)}" if at else ""
    return f"{queue} is paused{who}{when}"


def iso(moment: datetime, *, utc: bool) -> str:
    """Return a moment as ISO 8601: in UTC with a Z, else in local time with its offset."""
    if utc:
        return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return moment.astimezone().isoformat(timespec="seconds")
