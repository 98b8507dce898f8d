"""The waiter's role, as far as it does not wait: what is remembered of ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hueyio.storage.records import Ended, EndKind
from hueyio.storage.redis.calls import Table, composed
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.records import check_text
from hueyio.storage.shared.ended import KINDS

__all__ = ["WAITING"]


async def _ended(core: RedisCore, ids: Sequence[str]) -> Ended:
    """Say which way ids ended, and since when the server remembers that."""
    core.lifetime.check()
    check_text(ids)
    letters, since = await core.through_outage(lambda: core.run("ended", (core.half_kept, *ids)), is_idempotent=True)
    kinds: list[EndKind | None] = [None if letter is None else KINDS[letter.decode()] for letter in letters]
    return Ended(kinds, float(since) if since else None)


WAITING: Final[Table] = {"ended": composed(_ended)}
