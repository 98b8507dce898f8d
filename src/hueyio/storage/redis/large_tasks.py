"""Tasks that are claimed by their ids, because their messages are large: ``lua/parts/_take_some.lua`` says which.

They are read by commands of their own. What a claim writes of a task and cannot know without its header follows with
``bind``, before anybody gets it: whether its end must look into that. If this process dies in between, the lease ends
and the task goes back. If only a reply is lost, ``held`` tells of the task and does the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import Delivery, Header
from hueyio.storage.redis.connection.command import pack
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.large import LARGE
from hueyio.storage.redis.records import read_deliveries, read_record
from hueyio.storage.redis.scripts import Argument

__all__ = ["read_claimed"]

_STAND_IN: Final = b"l"
"""A record, until the large one has been read."""

_BOUND: Final = b"bd"
"""The kinds of records whose headers matter at the end; see ``lua/parts/_records.lua``."""


class _Read(NamedTuple):
    header: Header
    data: bytes
    is_bound: bool


async def read_claimed(core: RedisCore, reply: Sequence[Any] | None, owner: str) -> list[Delivery]:
    """Read what a claim has answered. Raises LeaseLost where it answered nothing."""
    if not reply or LARGE not in reply[1]:
        return read_deliveries(reply, owner)
    ids, records, *rest = reply
    places = [place for place, record in enumerate(records) if record == LARGE]
    stand_ins = [_STAND_IN if record == LARGE else record for record in records]
    found: list[Delivery | None] = [*read_deliveries((ids, stand_ins, *rest), owner)]
    reads = await asyncio.gather(*[_read_one(core, ids[place]) for place in places])
    following = await _bind(core, owner, [(ids[place], read) for place, read in zip(places, reads, strict=True)])
    for place, read in zip(places, reads, strict=True):
        it = found[place]
        assert it is not None
        next_stage = following.get(ids[place])
        found[place] = read and it._replace(header=read.header, data=read.data, following=next_stage)
    return [it for it in found if it is not None]


async def _read_one(core: RedisCore, id: bytes) -> _Read | None:
    """Read a task; None for one that the server has lost."""
    record: bytes | None = await core.wire.call(pack("HGET", core.layout.key("TASKS"), id))
    if record is None:
        return None
    header, data = read_record(id.decode(), record)
    return _Read(header, data, record[0] < ord("a") and record[1] in _BOUND)


async def _bind(core: RedisCore, owner: str, reads: Sequence[tuple[bytes, _Read | None]]) -> dict[bytes, bytes]:
    """Say what the claim did not know; return the messages of the stages that come next, by the ids of those before."""
    asked = [(id, read) for id, read in reads if read is None or read.is_bound]
    args: list[Argument] = []
    for id, read in asked:
        expects = () if read is None else read.header.expects
        args += (id, "g" if read is None else "b", expects[0] if len(expects) == 1 else "")
    if not args:
        return {}
    answers = await core.run("bind", args, [core.layout.held(owner)])
    return {id: answer for (id, _), answer in zip(asked, answers, strict=True) if answer is not None}
