"""How soon to look again for what is over, so that the sweep keeps pace with what expires."""

from __future__ import annotations

from typing import Final

__all__ = ["next_sweep"]

_AT_ONCE: Final = 0.01
"""Seconds after a chunk that was full. Not none: a backlog of millions must leave the storage to those who work."""
_SOON: Final = 1.0
"""Seconds after a chunk that was not: what expires steadily makes no heap of more than that."""


def next_sweep(dropped: int, chunk: int) -> float | None:
    """Return after how many seconds to sweep again when ``dropped`` of ``chunk`` were over; None: in no hurry."""
    if dropped >= chunk:
        return _AT_ONCE
    return _SOON if dropped else None
