"""The once token of a periodic run: which series it is of, and which tick."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["tick_of", "tick_token"]

_LATEST: Final = 253402300799.0
"""The end of the year 9999, in epoch seconds: what stands in the storage may be anything."""

_PERIODIC: Final = "periodic"


def tick_token(key: str, tick: float) -> str:
    """Return the token of a tick (epoch seconds) of the series that is kept under this key."""
    return f"{_PERIODIC}:{key}:{tick:.0f}"


def tick_of(token: bytes | str | None) -> float | None:
    """Return the tick that a once token is of; None if there is none, or none that can be read."""
    text = token.decode(errors="replace") if isinstance(token, bytes) else token
    try:
        tick = math.nan if text is None or not text.startswith(f"{_PERIODIC}:") else float(text.rpartition(":")[2])
    except ValueError:
        return None
    return tick if 0 <= tick <= _LATEST else None
