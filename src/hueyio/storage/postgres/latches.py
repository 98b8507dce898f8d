"""Latches: chords that wait for their members. What happens to them is part of other operations, in ``sql/parts``."""

from __future__ import annotations

from collections.abc import Sequence

from hueyio.storage.postgres.core import PostgresCore
from hueyio.storage.records import MemberResults

__all__ = ["collect"]


async def collect(core: PostgresCore, keys: Sequence[str]) -> list[MemberResults | None]:
    """Read the member results of latches, by position."""
    return [_results(*row) for row in await core.call("collect_1", core.queue, list(keys))] if keys else []


def _results(size: int | None, places: list[int] | None, results: list[bytes] | None) -> MemberResults | None:
    if size is None:
        return None
    known = dict(zip(places or (), results or (), strict=True))
    return tuple([known.get(position) for position in range(size)])
