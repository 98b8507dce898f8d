"""The role of letters: dead ones, and failed tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hueyio.storage.records import (
    LETTERS_LOOKED_AT,
    Burial,
    Cursor,
    DeadLetter,
    Entry,
    Page,
    Requeue,
    Requeued,
    Wanted,
)
from hueyio.storage.redis.calls import ScriptCall, Sent, Table, composed
from hueyio.storage.redis.core import RedisCore
from hueyio.storage.redis.layout import Layout
from hueyio.storage.redis.records import read_record, write_record
from hueyio.storage.redis.scripts import Argument
from hueyio.storage.shared.ended import KINDS, LETTERS
from hueyio.storage.shared.letters import cannot_be_wanted
from hueyio.storage.stages import header_of_whole

__all__ = ["DEAD", "read_letters"]

_CHUNK: Final = 100
"""Letters that one step makes tasks again, so that the server is never busy with them for long."""

_VERDICTS: Final[dict[int, Requeued]] = {
    ord("a"): "added",
    ord("f"): "late",
    ord("l"): "alive",
    ord("t"): "taken",
    ord("m"): "missing",
}


def read_letters(reply: Sequence[Any]) -> list[DeadLetter]:
    """Read letters as ``lua/parts/_letters.lua`` makes them, six values each."""
    return [_read_letter(*reply[at : at + 6]) for at in range(0, len(reply), 6)]


def _read_letter(id: bytes, when: bytes, kind: bytes, name: bytes, reason: bytes, record: bytes) -> DeadLetter:
    header, data = read_record(id.decode(), record)
    header = header_of_whole(header, data)
    return DeadLetter(header, data, reason.decode(), float(when), KINDS.get(kind.decode()), name.decode())


def _write_failed(_: Layout, limit: int, after: Cursor | None, wanted: Wanted) -> Sent | None:
    if cannot_be_wanted(limit, wanted):
        return None
    at, id = ("", "") if after is None else (repr(after[0]), after[1])
    times = ["" if it is None else repr(float(it)) for it in (wanted.since, wanted.until)]
    kinds = "".join(LETTERS[kind] for kind in wanted.kinds)
    name = ("0", "") if wanted.name is None else ("1", wanted.name)
    return Sent((limit, LETTERS_LOOKED_AT, at, id, *times, kinds, *name, wanted.text or ""))


def _read_failed(reply: Any, *_: Any) -> Page[DeadLetter]:
    if not reply:
        return Page([])
    is_all, when, id, letters = reply
    return Page(read_letters(letters), None if is_all else (float(when), id.decode()))


async def _requeue(core: RedisCore, letters: Sequence[Requeue]) -> list[Requeued]:
    """Make tasks of letters again, each in one step: what has changed since it was read stays as it is."""
    answers: list[Requeued] = []
    for at in range(0, len(letters), _CHUNK):
        answers += await _requeue_some(core, letters[at : at + _CHUNK])
    return answers


async def _requeue_some(core: RedisCore, letters: Sequence[Requeue]) -> list[Requeued]:
    core.lifetime.check()
    found = await core.run("read_dead", list(dict.fromkeys(it.id for it in letters)))
    times = {reply.decode(): when for reply, when in zip(found[::6], found[1::6], strict=True)}
    known = {letter.header.id: letter for letter in read_letters(found)}
    args: list[Argument] = []
    is_asked: list[bool] = []
    for it in letters:
        letter = known.get(it.id)
        is_asked.append(letter is not None and it.buried_at in (None, letter.buried_at))
        if letter is not None and is_asked[-1]:
            args += (it.id, times[it.id], _renew(letter, it.data))
    answers = iter(await core.run("requeue", args) if args else b"")
    return [_VERDICTS[next(answers)] if asked else "missing" for asked in is_asked]


def _renew(letter: DeadLetter, data: bytes | None) -> bytes:
    """Return the record of a task that begins anew."""
    return write_record(Entry(letter.renewed(), letter.data if data is None else data))


def _write_purge(_: Layout, ids: Sequence[str] | None, store: Burial, until: float | None) -> Sent | None:
    if ids is not None and not ids:
        return None
    return Sent((store, "" if until is None else repr(float(until)), *dict.fromkeys(ids or ())))


DEAD: Final[Table] = {
    "dead": ScriptCall(
        lambda _, limit: Sent((-1 if limit is None else limit,)), lambda reply, _: read_letters(reply), rides_out=True
    ),
    "failed": ScriptCall(_write_failed, _read_failed, rides_out=True),
    "requeue": composed(_requeue),
    "purge": ScriptCall(_write_purge, lambda reply, *_: int(reply or 0)),
}
