"""The role of dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hueyio.storage.records import DeadLetter, Entry, Header
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.records import read_record, write_record
from hueyio.storage.redis.scripts import Argument

__all__ = ["RedisDead", "read_letter"]

_CHUNK: Final = 500


class RedisDead:
    """Dead."""

    def __init__(self, core: RedisCore) -> None:
        self._core = core

    async def dead(self, limit: int | None = None) -> list[DeadLetter]:
        """List dead letters, the latest first."""
        args = (-1 if limit is None else limit,)
        found = await self._core.through_outage(lambda: self._core.run("dead", args), is_idempotent=True)
        letters: list[DeadLetter] = []
        for at in range(0, len(found), 3):
            raw, when, letter = found[at : at + 3]
            letters.append(DeadLetter(*read_letter(raw.decode(), letter), float(when)))
        return letters

    async def requeue(self, ids: Sequence[str]) -> int:
        """Make tasks of dead letters again, each in one step: what has changed since it was read stays as it is."""
        count = 0
        for at in range(0, len(ids), _CHUNK):
            chunk = list(dict.fromkeys(ids[at : at + _CHUNK]))
            found = await self._core.run("read_dead", chunk)
            args: list[Argument] = []
            for place, id in enumerate(chunk):
                when, letter = found[2 * place : 2 * place + 2]
                if when is not None and letter is not None:
                    args += (id, when, _renew(id, letter))
            count += await self._core.run("requeue", args) if args else 0
        return count

    async def purge(self, ids: Sequence[str] | None = None) -> int:
        """Delete these dead letters, or all."""
        if ids is not None and not ids:
            return 0
        return int(await self._core.run("purge", () if ids is None else ids))


def read_letter(id: str, letter: bytes) -> tuple[Header, bytes, str]:
    """Return the header, the message and the reason."""
    colon = letter.index(b":")
    stop = colon + 1 + int(letter[:colon])
    header, data = read_record(id, letter[stop:])
    return header, data, letter[colon + 1 : stop].decode()


def _renew(id: str, letter: bytes) -> bytes:
    """Return the record of a task that begins anew. Its eta has passed, and its once token is its own."""
    header, data, _ = read_letter(id, letter)
    again = header._replace(eta=None, once_token=None, once_ttl=None, first_seen=None, defers=0)
    return write_record(Entry(again, data))
