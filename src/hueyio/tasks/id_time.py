"""When an id was made: those of ours, UUIDs of version 7, begin with that."""

from __future__ import annotations

from typing import Final

__all__ = ["made_at"]

_LENGTH: Final = 36
_VERSION_AT: Final = 14


def made_at(id: str) -> float | None:
    """Return when an id was made, epoch seconds to the millisecond; None if it does not say."""
    if len(id) != _LENGTH or id[_VERSION_AT] != "7":
        return None
    try:
        # A third of what it costs to make a UUID of it.
        return int(id[:8] + id[9:13], 16) / 1000
    except ValueError:
        return None
