"""What is remembered of ends on Redis."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from hueyio.storage.records import Ended
from hueyio.storage.redis.calls import Table, composed
from hueyio.storage.redis.core import RedisCore

__all__ = ["WAITING"]


async def _ended(core: RedisCore, ids: Sequence[str]) -> Ended:
    """Say which way ids ended: nothing is remembered."""
    core.lifetime.check()
    return Ended([None for _ in ids], time.time())


WAITING: Final[Table] = {"ended": composed(_ended)}
