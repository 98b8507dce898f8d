"""Moments and spans on the command line: ``15m``, ``2h``, ``2026-11-29T03:00``."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

import click

__all__ = ["before", "read_moment", "read_span"]

_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)?")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def read_span(text: str) -> timedelta:
    """Read a span of time: seconds, or a number with its unit. Raises click.BadParameter."""
    span = _find_span(text)
    if span is None:
        raise click.BadParameter(f"{text!r} is no span of time, such as 30 (seconds), 15m, 2h or 1d")
    return span


def read_moment(text: str) -> datetime | timedelta:
    """Read a moment in ISO 8601, a local one without a zone, or a span from now. Raises click.BadParameter."""
    span = _find_span(text)
    if span is not None:
        return span
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter(
            f"{text!r} is no moment, such as 2026-11-29T03:00, and no span, such as 15m or 2h"
        ) from None


def before(now: datetime, moment: datetime | timedelta | None) -> float | None:
    """Return epoch seconds of a moment, of which a span is counted back from now."""
    if moment is None:
        return None
    return (now - moment if isinstance(moment, timedelta) else moment).timestamp()


def _find_span(text: str) -> timedelta | None:
    read = _SPAN.fullmatch(text.strip())
    if read is None:
        return None
    try:
        return timedelta(**{_UNITS[read[2] or "s"]: float(read[1])})
    except OverflowError:
        return None
