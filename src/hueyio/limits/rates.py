"""What rate limits have counted, as the storage has it: for pages. How much each allows is known to its code alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from hueyio.storage.contract import Session

__all__ = ["CountedRate", "find_rates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedRate:
    """A rate limit under which something began a short time ago."""

    name: str
    count: int | None = None
    """Runs that began, or were refused, in the window that is open. None: it is a bucket (``burst``)."""
    full_in: float | None = None
    """Seconds after which the bucket is full again. None: it is no bucket."""


async def find_rates(session: Session, most: int) -> list[CountedRate]:
    """List them, by name; looks at so many keys. What is no count is left out."""
    rows, now = await asyncio.gather(session.scan_keys("windows", most), session.time())
    return sorted(_read(rows, now), key=lambda it: it.name)


def _read(rows: Iterable[tuple[str, bytes]], now: float) -> list[CountedRate]:
    windows: dict[str, tuple[int, int]] = {}
    found: list[CountedRate] = []
    for key, value in rows:
        kind, _, name = key.partition(":")
        try:
            if kind == "bucket" and (full_in := float(value) - now) > 0:
                found.append(CountedRate(name=name, full_in=full_in))
            elif kind == "window":
                name, _, number = name.rpartition(":")
                windows[name] = max(windows.get(name, (0, 0)), (int(number), int(value)))
        except ValueError:
            continue  # whoever can write to the storage can write anything
    return [*found, *(CountedRate(name=name, count=count) for name, (_, count) in windows.items())]
