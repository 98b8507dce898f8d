"""The role of dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hueyio.storage.records import DeadLetter, Entry, Header
from hueyio.storage.redis.calls import ScriptCall, Sent, Table, composed
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.records import read_record, write_record
from hueyio.storage.redis.scripts import Argument

__all__ = ["DEAD", "read_letter"]

_CHUNK: Final = 500


def _read_dead(reply: Any, _: int | None) -> list[DeadLetter]:
    rows = [reply[at : at + 3] for at in range(0, len(reply), 3)]
    return [DeadLetter(*read_letter(id.decode(), letter), float(when)) for id, when, letter in rows]


async def _requeue(core: RedisCore, ids: Sequence[str]) -> int:
    """Make tasks of dead letters again, each in one step: what has changed since it was read stays as it is."""
    count = 0
    for at in range(0, len(ids), _CHUNK):
        chunk = list(dict.fromkeys(ids[at : at + _CHUNK]))
        found = await core.run("read_dead", chunk)
        args: list[Argument] = []
        for id, when, letter in zip(chunk, found[::2], found[1::2], strict=True):
            if when is not None and letter is not None:
                args += (id, when, _renew(id, letter))
        count += await core.run("requeue", args) if args else 0
    return count


def read_letter(id: str, letter: bytes) -> tuple[Header, bytes, str]:
    """Return the header, the message and the reason."""
    colon = letter.index(b":")
    stop = colon + 1 + int(letter[:colon])
    header, data = read_record(id, letter[stop:])
    return header, data, letter[colon + 1 : stop].decode()


def _renew(id: str, letter: bytes) -> bytes:
    """Return the record of a task that begins anew."""
    header, data, _ = read_letter(id, letter)
    return write_record(Entry(header.renewed(), data))


DEAD: Final[Table] = {
    "dead": ScriptCall(lambda _, limit: Sent((-1 if limit is None else limit,)), _read_dead, rides_out=True),
    "requeue": composed(_requeue),
    "purge": ScriptCall(
        lambda _, ids: Sent(ids or ()) if ids or ids is None else None, lambda reply, _: int(reply or 0)
    ),
}
