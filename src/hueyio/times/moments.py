"""Moments as users see them, made of the epoch seconds that storages keep."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["moment", "moment_or_none"]


def moment(seconds: float) -> datetime:
    """Return epoch seconds as an aware datetime; raises ValueError or OverflowError for what no calendar has."""
    return datetime.fromtimestamp(seconds, UTC)


def moment_or_none(seconds: float | None) -> datetime | None:
    """Return the same; None also for what no calendar has."""
    try:
        return None if seconds is None else moment(seconds)
    except (ValueError, OverflowError, OSError):
        return None
