"""Moments and spans on the command line: ``15m``, ``2h``, ``2026-11-29T03:00``."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from hueyio.times.span import find_span

__all__ = ["before", "read_moment", "read_span"]


def read_span(text: str) -> timedelta:
    """Read a span of time: seconds, or a number with its unit. Raises click.BadParameter."""
    span = find_span(text)
    if span is None:
        raise click.BadParameter(f"{text!r} is no span of time, such as 30 (seconds), 15m, 2h or 1d")
    return span


def read_moment(text: str) -> datetime | timedelta:
    """Read a moment in ISO 8601, a local one without a zone, or a span from now. Raises click.BadParameter."""
    span = find_span(text)
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
