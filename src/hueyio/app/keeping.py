"""Keep values of the user's own beside the queue."""

from __future__ import annotations

from typing import Any

from hueyio.app.base import Base
from hueyio.exceptions import HueyException
from hueyio.messages.stored_result import Returned, write_ending

__all__ = ["Keeping"]


class Keeping(Base):
    """Put and get. These values are apart from results, revocations and locks: no key can meet one of theirs."""

    async def put(self, key: str, data: Any) -> None:
        """Store a value under a key, over what was there; it stays until it is read or deleted."""
        await (await self.session()).put("data", {_checked(key): self.serializer.serialize(data)})

    async def get(self, key: str, peek: bool = False) -> Any:
        """Read the value of a key and delete it; with ``peek`` leave it. None if there is none."""
        data = await self.get_raw(key, peek)
        return None if data is None else self.serializer.deserialize(data)

    async def get_raw(self, key: str, peek: bool = False) -> bytes | None:
        """Do the same as ``get``, with the bytes that the serializer made."""
        session = await self.session()
        if not peek:
            return await session.pop("data", _checked(key))
        (data,) = await session.peek("data", [_checked(key)])
        return data

    async def put_if_empty(self, key: str, data: Any, ttl: float | None = None) -> bool:
        """Store a value unless the key has one; say whether it was stored.

        Of any number of callers exactly one gets True. After ``ttl`` seconds (None: never) the value is gone.
        """
        if ttl is not None and (isinstance(ttl, bool) or not isinstance(ttl, (int, float)) or not ttl > 0):
            raise HueyException(f"ttl must be seconds > 0 or None, not {ttl!r}")
        session = await self.session()
        return await session.put_if_absent("data", _checked(key), self.serializer.serialize(data), ttl)

    async def delete(self, key: str) -> bool:
        """Delete the value of a key; False if there is none."""
        return await (await self.session()).delete("data", [_checked(key)]) > 0

    async def put_result(self, key: str, data: Any) -> None:
        """Store a value as the result of the task with the id ``key``; it is kept for ``result_ttl``."""
        ending = write_ending(Returned(data), self.serializer)
        await (await self.session()).put("results", {_checked(key): ending}, self.result_ttl)


def _checked(key: str) -> str:
    if not isinstance(key, str):
        raise HueyException(f"a key must be a text, not {key!r}")
    return key
