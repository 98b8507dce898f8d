"""What owners count, and what stands first in the lanes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hueyio.storage.postgres.core import PostgresCore
from hueyio.storage.postgres.rows import read_header
from hueyio.storage.postgres.texts import to_json
from hueyio.storage.records import COUNT_SPANS, Counted, CountedSlot, CountedTask, Counters, Header

__all__ = ["heads", "publish", "read_counts", "read_slots"]

_PARTS: Final[Mapping[str, str]] = {"t": "totals", "i": "names", "f": "failures", "q": "enqueued"}


async def publish(core: PostgresCore, owner: str, number: int, info: bytes, counted: Counted | None) -> bool:
    """Replace what an owner says of itself, and add what it counted."""
    written = None if counted is None else to_json(counted._asdict())
    ((is_alive,),) = await core.call("publish_1", core.queue, owner, number, info, written, list(COUNT_SPANS))
    return bool(is_alive)


async def read_slots(core: PostgresCore, span: int, first: int, last: int) -> list[CountedSlot]:
    """Read slots."""
    found: dict[int, CountedSlot] = {}
    for number, part, counters in await core.call("read_slots_1", core.queue, span, first, last):
        before = found.get(number) or CountedSlot(number * span, {}, {}, {}, {})
        changed: dict[str, Any] = {_PARTS[part]: _whole(counters)}
        found[number] = before._replace(**changed)
    return list(found.values())


async def read_counts(core: PostgresCore, span: int, first: int, last: int, names: Sequence[str]) -> list[CountedTask]:
    """Read what was counted of some names."""
    if not names:
        return []
    rows = await core.call("read_counts_1", core.queue, span, first, last, list(names))
    return [CountedTask(number * span, names[int(place) - 1], _whole(counters)) for number, place, counters in rows]


async def heads(core: PostgresCore) -> list[Header]:
    """Return the headers of what is first of its lane."""
    return [read_header(row) for row in await core.call("heads_1", core.queue)]


def _whole(counters: Mapping[str, Any]) -> Counters:
    return {name: int(count) for name, count in counters.items()}
