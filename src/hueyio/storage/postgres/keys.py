"""Small values in named areas, each with its time to live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from hueyio.storage.postgres.core import PostgresCore
from hueyio.storage.records import AREAS, Area

__all__ = [
    "AREA_NUMBERS",
    "add",
    "compare_delete",
    "compare_extend",
    "delete",
    "peek",
    "pop",
    "put",
    "put_if_absent",
    "scan_keys",
]

AREA_NUMBERS: Final[Mapping[Area, int]] = {area: number for number, area in enumerate(AREAS)}


async def put(core: PostgresCore, area: Area, items: Mapping[str, bytes], ttl: float | None) -> None:
    """Write all items."""
    if items:
        await core.call("put_1", core.queue, AREA_NUMBERS[area], list(items), list(items.values()), ttl)


async def put_if_absent(core: PostgresCore, area: Area, key: str, value: bytes, ttl: float | None) -> bool:
    """Write a value unless one is there."""
    ((is_written,),) = await core.call("put_if_absent_1", core.queue, AREA_NUMBERS[area], key, value, ttl)
    return bool(is_written)


async def peek(core: PostgresCore, area: Area, keys: Sequence[str]) -> list[bytes | None]:
    """Read values; None for what is not there."""
    return [value for (value,) in await core.call("peek_1", core.queue, AREA_NUMBERS[area], list(keys))] if keys else []


async def pop(core: PostgresCore, area: Area, key: str) -> bytes | None:
    """Read and delete a value."""
    value: bytes | None
    ((value,),) = await core.call("pop_1", core.queue, AREA_NUMBERS[area], key)
    return value


async def delete(core: PostgresCore, area: Area, keys: Sequence[str]) -> int:
    """Delete keys; return how many were there."""
    if not keys:
        return 0
    ((count,),) = await core.call("delete_1", core.queue, AREA_NUMBERS[area], list(keys))
    return int(count)


async def compare_delete(core: PostgresCore, area: Area, key: str, expected: bytes) -> bool:
    """Delete a key that holds exactly this."""
    ((is_gone,),) = await core.call("compare_delete_1", core.queue, AREA_NUMBERS[area], key, expected)
    return bool(is_gone)


async def compare_extend(core: PostgresCore, area: Area, key: str, expected: bytes, ttl: float | None) -> bool:
    """Give a key that holds exactly this a new time to live."""
    ((is_there,),) = await core.call("compare_extend_1", core.queue, AREA_NUMBERS[area], key, expected, ttl)
    return bool(is_there)


async def add(core: PostgresCore, area: Area, key: str, amount: int, ttl: float | None) -> int:
    """Add to a counter; raise ValueError, changing nothing, if the key holds no number."""
    ((text,),) = await core.call("add_number_1", core.queue, AREA_NUMBERS[area], key, str(amount), ttl)
    if text is None:
        raise ValueError(f"{key!r} in {area} holds no number")
    return int(text)


async def scan_keys(core: PostgresCore, area: Area, limit: int | None) -> list[tuple[str, bytes]]:
    """List the keys of an area with their values."""
    return [(key, value) for key, value in await core.call("scan_keys_1", core.queue, AREA_NUMBERS[area], limit)]
