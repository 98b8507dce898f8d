"""Values as text: short for eyes, whole for pipes, and never a character that a terminal would act on."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from hueyio.wording import ACTED_ON, counted, duration, relative, seconds, tell_pause

__all__ = [
    "Id",
    "Span",
    "bounded",
    "clean",
    "counted",
    "duration",
    "iso",
    "relative",
    "seconds",
    "short",
    "span",
    "sparks",
    "tell_pause",
]

_SHORT: Final = 12
_HEIGHTS: Final = "▁▂▃▄▅▆▇█"


class Id(str):
    """The id of a task: a table shows its end, in which no two are alike; a pipe gets all of it."""

    __slots__ = ()


class Span(float):
    """A span of time in seconds: a table shows it in a fitting unit, a pipe and JSON the number."""

    __slots__ = ()


def clean(text: str) -> str:
    """Return a text with what a terminal acts on written as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(it) if unicodedata.category(it) in ACTED_ON else it for it in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def span(time: timedelta | None) -> Span | None:
    """Return a span of time as a command prints it."""
    return None if time is None else Span(time.total_seconds())


def bounded(count: int, most: int) -> str:
    """Return a count that goes no further than ``most``: ``863``, ``10,000+``."""
    return f"{most:,}+" if count > most else f"{count:,}"


def short(id: str) -> str:
    """Return the end of an id. The beginning of ours is the time, which those made together share."""
    return id[-_SHORT:]


def sparks(values: Sequence[float]) -> str:
    """Draw values as a line of blocks, the highest as high as a line is."""
    most = max(values, default=0)
    return "".join(_HEIGHTS[round(it / most * (len(_HEIGHTS) - 1)) if most else 0] for it in values)


def iso(moment: datetime, *, utc: bool) -> str:
    """Return a moment as ISO 8601: in UTC with a Z, else in local time with its offset."""
    if utc:
        return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return moment.astimezone().isoformat(timespec="seconds")
