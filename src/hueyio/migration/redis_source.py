"""Huey's queue on a Redis server: a list, or a sorted set where it has priorities.

Keys of Huey's: ``huey.redis.NAME`` is the queue, ``huey.schedule.NAME`` the schedule. Results and other values are
fields of the hash ``huey.results.NAME``, or keys ``huey.r.NAME.*`` where they expire. Ours is ``huey.hueyio.NAME``,
what is aside. Members of the sorted set begin with eight bytes that tell apart what is alike.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import redis.asyncio
from redis.exceptions import RedisError, ResponseError

from hueyio.exceptions import StorageUnavailable
from hueyio.migration.source import PLACES, Aside, Held, Place
from hueyio.migration.text_files import read_text

__all__ = ["RedisSource"]

_TAKE: Final = read_text("lua/put_back.lua") + read_text("lua/take.lua")
_GIVE_BACK: Final = read_text("lua/put_back.lua") + read_text("lua/give_back.lua")
_NOT_KEPT: Final = re.compile(r"[^A-Za-z0-9_]")
"""What Huey leaves out of names."""
_GLOB: Final = re.compile(rb"[\\*?\[\]^-]")
"""What means something in a pattern of SCAN."""
_PREFIX: Final = 8
_POLL: Final = 0.1
_BLOCK: Final = 1.0
"""Seconds that the server is asked to wait at most: other places are looked at in between."""
_AT_ONCE: Final = 1000


class RedisSource:
    """One queue of Huey's on one server."""

    def __init__(self, url: str, name: str, timeout: float) -> None:
        self._name = name
        self._timeout = timeout
        self._at = _without_password(url)
        self._client: Any = redis.asyncio.Redis.from_url(
            url, socket_timeout=timeout + _BLOCK, socket_connect_timeout=timeout, decode_responses=False
        )
        self._use(name)
        self._take = self._client.register_script(_TAKE)
        self._give_back = self._client.register_script(_GIVE_BACK)

    def _use(self, name: str) -> None:
        self._keys: dict[Place, str] = {"queue": f"huey.redis.{name}", "schedule": f"huey.schedule.{name}"}
        self._hash = f"huey.results.{name}"
        self._prefix = f"huey.r.{name}.".encode()
        self._aside = f"huey.hueyio.{name}"

    @property
    def name(self) -> str:
        return self._name

    def __str__(self) -> str:
        return f"{self._keys['queue']} at {self._at}"

    @classmethod
    async def find_names(cls, url: str, timeout: float) -> list[str]:
        """Return the names of Huey's queues on a server that are not empty."""
        source = cls(url, "", timeout)
        names: set[str] = set()
        async with source._asking():
            for begin in ("huey.redis.", "huey.schedule.", "huey.hueyio."):
                async for key in source._client.scan_iter(match=f"{begin}*", count=_AT_ONCE):
                    names.add(key.decode(errors="replace").removeprefix(begin))
        await source.close()
        return sorted(names)

    async def settle_name(self) -> None:
        """Take the name as Huey writes it, which leaves characters out unless ``clean_name=False`` was said."""
        async with self._asking():
            if not await self._client.exists(*self._keys.values(), self._aside, self._hash):
                self._use(_NOT_KEPT.sub("", self._name))

    async def count(self) -> dict[Place, int]:
        async with self._asking():
            return {place: await self._size(self._keys[place]) for place in PLACES}

    async def _size(self, key: str) -> int:
        match await self._client.type(key):
            case b"list":
                return int(await self._client.llen(key))
            case b"zset":
                return int(await self._client.zcard(key))
            case _:
                return 0

    async def page(self, place: Place, skip: int, limit: int) -> list[Held]:
        key = self._keys[place]
        async with self._asking():
            match await self._client.type(key):
                case b"list":  # whose consumers take from the tail
                    members = await self._client.lrange(key, -skip - limit, -skip - 1)
                    return [Held(place, it, it) for it in reversed(members)]
                case b"zset":
                    members = await self._client.zrange(key, skip, skip + limit - 1)
                    start = _PREFIX if place == "queue" else 0
                    return [Held(place, it, it[start:]) for it in members]
                case _:
                    return []

    async def take(self, messages: Mapping[str, Held], *, all_or_none: bool = False) -> set[str]:
        if not messages:
            return set()
        tokens = list(messages)
        args: list[Any] = [int(all_or_none)]
        for token, it in messages.items():
            args += [token, it.place, it.mark]
        async with self._asking():
            found = await self._take(keys=[*self._keys.values(), self._aside], args=args)
        return {tokens[int(at)] for at in found}

    async def aside(self) -> list[Aside]:
        async with self._asking():
            kept: dict[bytes, bytes] = await self._client.hgetall(self._aside)
        return [Aside(token.decode(), _data_of(kept[token])) for token in sorted(kept)]

    async def drop(self, tokens: Sequence[str]) -> None:
        if tokens:
            async with self._asking():
                await self._client.hdel(self._aside, *tokens)

    async def give_back(self, tokens: Sequence[str]) -> None:
        async with self._asking():
            await self._give_back(keys=[*self._keys.values(), self._aside], args=list(tokens))

    async def keys(self) -> list[str]:
        async with self._asking():
            fields = await self._client.hkeys(self._hash)
            own = [
                key
                async for key in self._client.scan_iter(
                    match=_GLOB.sub(rb"\\\g<0>", self._prefix) + b"*", count=_AT_ONCE
                )
            ]
        return [it.decode(errors="replace") for it in (*fields, *(key.removeprefix(self._prefix) for key in own))]

    async def values(self, keys: Sequence[str]) -> dict[str, bytes]:
        if not keys:
            return {}
        async with self._asking():
            fields = await self._client.hmget(self._hash, keys)
            own = await self._client.mget([self._prefix + key.encode() for key in keys])
        pairs = zip(keys, fields, own, strict=True)
        return {key: found for key, field, value in pairs if (found := value if field is None else field) is not None}

    async def delete(self, keys: Sequence[str]) -> None:
        if not keys:
            return
        async with self._asking():
            await self._client.hdel(self._hash, *keys)
            await self._client.delete(*(self._prefix + key.encode() for key in keys))

    async def wait(self, timeout: float) -> None:
        """Wait at the tail of the list: what comes is moved from there to there. A sorted set has nothing like it."""
        key, wait = self._keys["queue"], min(timeout, _BLOCK)
        async with self._asking():
            try:
                if await self._client.type(key) != b"zset":
                    await self._client.blmove(key, key, wait, "RIGHT", "RIGHT")
                    return
            except ResponseError:  # a server from before 6.2, or a sorted set has come
                pass
        await asyncio.sleep(min(timeout, _POLL))

    async def close(self) -> None:
        await self._client.aclose()

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[None]:
        try:
            yield
        except (RedisError, OSError) as error:
            raise StorageUnavailable(f"{self._at}, which has Huey's queue: {error}") from error


def _data_of(kept: bytes) -> bytes:
    """Return Huey's message of what ``take.lua`` has written."""
    head, _, member = kept.partition(b"\n")
    return member[_PREFIX:] if head.startswith(b"queue zset ") else member


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"
