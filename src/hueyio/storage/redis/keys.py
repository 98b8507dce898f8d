"""Small values in named areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hueyio.storage.records import Area
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.records import check_text
from hueyio.storage.redis.scripts import Argument
from hueyio.storage.shared.batching import Batcher

__all__ = ["RedisKeys"]

_MOST_IN_A_CALL: Final = 1000


class RedisKeys:
    """Keys. All of them ride out an outage."""

    def __init__(self, core: RedisCore) -> None:
        self._core = core
        self._read_results: Batcher[str, bool] = Batcher(self._delete_results, _MOST_IN_A_CALL, core.lifetime.spawn)
        core.drains.append(self._read_results.drain)

    async def put(self, area: Area, items: Mapping[str, bytes], ttl: float | None = None) -> None:
        """Write all items."""
        if items:
            args: list[Argument] = [self._channel(area), _seconds(ttl)]
            for key, value in items.items():
                args += (key, value)
            await self._run_in("put", area, args, is_idempotent=True)

    async def put_if_absent(self, area: Area, key: str, value: bytes, ttl: float | None = None) -> bool:
        """Write a value unless one is there."""
        args: list[Argument] = [self._channel(area), _seconds(ttl), key, value]
        return bool(await self._run_in("put_if_absent", area, args))

    async def peek(self, area: Area, keys: Sequence[str]) -> list[bytes | None]:
        """Read values."""
        return list(await self._run_in("peek", area, keys, is_idempotent=True)) if keys else []

    async def pop(self, area: Area, key: str) -> bytes | None:
        """Read and delete a value."""
        value: bytes | None = await self._run_in("pop", area, [key])
        return value

    async def delete(self, area: Area, keys: Sequence[str]) -> int:
        """Delete keys. Results that were read are deleted together with those of other callers."""
        if not keys:
            return 0
        if area == "results":
            self._core.lifetime.check()
            check_text(keys)
            return sum(await self._core.through_outage(lambda: self._read_results.submit(keys), is_idempotent=True))
        return int((await self._run_in("delete", area, keys)).count(b"1"))

    async def compare_delete(self, area: Area, key: str, expected: bytes) -> bool:
        """Delete a key that holds exactly this."""
        return bool(await self._run_in("compare_delete", area, [key, expected]))

    async def compare_extend(self, area: Area, key: str, expected: bytes, ttl: float | None) -> bool:
        """Give a key that holds exactly this a new time to live."""
        return bool(await self._run_in("compare_extend", area, [key, expected, _seconds(ttl)]))

    async def add(self, area: Area, key: str, amount: int = 1, ttl: float | None = None) -> int:
        """Add to a counter; raises ValueError, with nothing changed, if the key holds no number."""
        total = await self._run_in("add", area, [self._channel(area), _seconds(ttl), key, amount])
        if total is None:
            raise ValueError(f"{key!r} in {area} holds no number")
        return int(total)

    async def _run_in(self, script: str, area: Area, args: Sequence[Argument], *, is_idempotent: bool = False) -> Any:
        """Run a script; what is not idempotent answers something else when it is run again."""
        keys = self._core.layout.area(area)
        return await self._core.through_outage(lambda: self._core.run(script, args, keys), is_idempotent=is_idempotent)

    async def _delete_results(self, keys: list[str]) -> list[bool]:
        command = self._core.scripts.command("delete", keys, self._core.layout.area("results"))
        letters: bytes = await self._core.wire.call(command)
        return [letter == ord("1") for letter in letters]

    def _channel(self, area: Area) -> bytes:
        """Return where a write to this area is told; only revocations and schedules are."""
        return self._core.layout.notice_channel if area in ("revocations", "schedules") else b""


def _seconds(ttl: float | None) -> str:
    return "" if ttl is None else repr(float(ttl))
