"""What the id of a task says: those that hueyio makes have the moment in which they were made."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

__all__ = ["made_at", "time_in"]


def made_at(id: str) -> datetime | None:
    """Return when an id was made, to the millisecond, if it is one of ours: a UUID of version 7."""
    made = time_in(id)
    try:
        return None if made is None else datetime.fromtimestamp(made, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def time_in(id: str) -> float | None:
    """Return when an id was made (epoch seconds), if it is one of ours: a UUID of version 7."""
    try:
        made = UUID(id)
    except ValueError:
        return None
    return (made.int >> 80) / 1000 if made.version == 7 else None
