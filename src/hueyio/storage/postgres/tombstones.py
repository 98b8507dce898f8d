"""Which way ids ended, as far as it is remembered. The tombstones are written by what ends them, in ``sql/parts``."""

from __future__ import annotations

from collections.abc import Sequence

from hueyio.storage.postgres.bounds import bounds_of
from hueyio.storage.postgres.core import PostgresCore
from hueyio.storage.records import Ended
from hueyio.storage.shared.ended import KINDS

__all__ = ["ended"]


async def ended(core: PostgresCore, ids: Sequence[str]) -> Ended:
    """Say which way ids ended."""
    rows = await core.call("ended_1", core.queue, list(ids), bounds_of(core.options))
    return Ended([KINDS.get(letter) for letter, _ in rows[: len(ids)]], rows[0][1])
