"""Large results, which are read by themselves: ``lua/parts/_large.lua`` says why, and which are large."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, TypeAlias

from hueyio.storage.redis.connection.command import pack
from hueyio.storage.redis.connection.wire import Wire
from hueyio.storage.redis.layout import Layout

__all__ = ["LARGE", "Answered", "fetch_large"]

LARGE: Final = 1
"""What a script answers in the place of a large result."""

Answered: TypeAlias = bytes | int | None
"""A result as a script answers it; None if there is none."""


async def fetch_large(
    layout: Layout, wire: Wire, ids: Sequence[str], answered: Sequence[Answered]
) -> list[bytes | None]:
    """Return the results of ids; those that a script left out are read, each by a command of its own.

    One that is gone by then was deleted by another reader: None.
    """
    large = [id for id, it in zip(ids, answered, strict=True) if it == LARGE]
    if not large:
        return list(answered)  # type: ignore[arg-type]
    key = layout.area("results")[0]
    if len(large) == len(answered) == 1:
        return [await wire.call(pack("HGET", key, large[0]))]
    read = iter(await asyncio.gather(*[wire.call(pack("HGET", key, id)) for id in large]))
    return [next(read) if it == LARGE else it for it in answered]  # type: ignore[misc]
