"""A span of time as people write it: ``30``, ``15m``, ``2h``, ``1d``. Pure."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

__all__ = ["find_span"]

_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)?")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def find_span(text: str) -> timedelta | None:
    """Return the span that a text says, in seconds where it names no unit; None if it says none."""
    read = _SPAN.fullmatch(text.strip())
    if read is None:
        return None
    try:
        return timedelta(**{_UNITS[read[2] or "s"]: float(read[1])})
    except OverflowError:
        return None
