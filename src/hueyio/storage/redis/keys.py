"""The role of small values in named areas. All operations ride out an outage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hueyio.storage.records import Area
from hueyio.storage.redis.calls import ScriptCall, Sent, Table, as_bool, composed
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.large import fetch_large
from hueyio.storage.redis.layout import Layout
from hueyio.storage.redis.records import check_text, write_seconds
from hueyio.storage.redis.scripts import Argument

__all__ = ["KEYS"]

_MOST_IN_A_CALL: Final = 1000


class Deleting:
    """Deletes keys. Results that were read are deleted together with those of other callers."""

    def __init__(self, core: RedisCore, _: str) -> None:
        self._core = core
        self._read_results = core.batch(self._delete_results, _MOST_IN_A_CALL)

    async def __call__(self, area: Area, keys: Sequence[str]) -> int:
        core = self._core
        core.lifetime.check()
        if not keys:
            return 0
        if area == "results":
            check_text(keys)
            # Nobody asks how many there were, so that it may be repeated.
            return sum(await core.through_outage(lambda: self._read_results.submit(keys), is_idempotent=True))
        args = ("delete", keys, core.layout.area(area))
        return int((await core.through_outage(lambda: core.run(*args), is_idempotent=False)).count(b"1"))

    async def _delete_results(self, keys: list[str]) -> list[bool]:
        letters: bytes = await self._core.scripts.run("delete", keys, self._core.layout.area("results"))
        return [letter == ord("1") for letter in letters]


async def _peek(core: RedisCore, area: Area, keys: Sequence[str]) -> list[bytes | None]:
    """Read values, in order."""
    core.lifetime.check()
    if not keys:
        return []
    return await core.through_outage(lambda: _peek_once(core, area, keys), is_idempotent=True)


async def _peek_once(core: RedisCore, area: Area, keys: Sequence[str]) -> list[bytes | None]:
    answered = await core.run("peek", keys, core.layout.area(area))
    return await fetch_large(core.layout, core.wire, keys, answered) if area == "results" else list(answered)


def _in_area(layout: Layout, area: Area, *args: Argument) -> Sent:
    return Sent(args, layout.area(area))


def _told(layout: Layout, area: Area, ttl: float | None, *args: Argument) -> Sent:
    """Write what owners are told of, if it is in an area that they look at."""
    channel = layout.notice_channel if area in ("revocations", "schedules") else b""
    return Sent((channel, write_seconds(ttl), *args), layout.area(area))


def _write_put(layout: Layout, area: Area, items: Mapping[str, bytes], ttl: float | None) -> Sent | None:
    args: list[Argument] = []
    for item in items.items():
        args += item
    return _told(layout, area, ttl, *args) if args else None


def _read_add(reply: Any, area: Area, key: str, *_: Any) -> int:
    if reply is None:
        raise ValueError(f"{key!r} in {area} holds no number")
    return int(reply)


KEYS: Final[Table] = {
    "put": ScriptCall(_write_put, rides_out=True),
    "put_if_absent": ScriptCall(
        lambda layout, area, key, value, ttl: _told(layout, area, ttl, key, value), as_bool, rides_out=True
    ),
    "peek": composed(_peek),
    "pop": ScriptCall(_in_area, rides_out=True),
    "delete": Deleting,
    "compare_delete": ScriptCall(_in_area, as_bool, rides_out=True),
    "compare_extend": ScriptCall(
        lambda layout, area, key, expected, ttl: _in_area(layout, area, key, expected, write_seconds(ttl)),
        as_bool,
        rides_out=True,
    ),
    "add": ScriptCall(
        lambda layout, area, key, amount, ttl: _told(layout, area, ttl, key, amount), _read_add, rides_out=True
    ),
}
