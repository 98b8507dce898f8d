"""Ids of tasks: what they tell by themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

__all__ = ["made_at"]


def made_at(id: str) -> datetime | None:
    """Return when an id was made, to the millisecond, if it is one of ours: a UUID of version 7."""
    try:
        made = UUID(id)
        return datetime.fromtimestamp((made.int >> 80) / 1000, UTC) if made.version == 7 else None
    except (ValueError, OverflowError, OSError):
        return None
