"""Letters: dead ones, and failed tasks, which stand in one table."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, Final

from hueyio.storage.postgres.bounds import bounds_of
from hueyio.storage.postgres.core import PostgresCore
from hueyio.storage.postgres.rows import read_header, write_entries
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
from hueyio.storage.shared.ended import KINDS
from hueyio.storage.shared.letters import cannot_be_wanted, page_of
from hueyio.storage.stages import header_of_whole

__all__ = ["dead", "failed", "find_letters", "purge", "requeue"]

_ANSWERS: Final[dict[str, Requeued]] = {"a": "added", "f": "late", "l": "alive", "t": "taken", "m": "missing"}


async def dead(core: PostgresCore, limit: int | None) -> list[DeadLetter]:
    """List dead letters, the latest first."""
    return [_letter(row) for row in await core.call("dead_1", core.queue, limit)]


async def failed(core: PostgresCore, limit: int, after: Cursor | None, wanted: Wanted) -> Page[DeadLetter]:
    """List letters of both stores, the latest first."""
    if cannot_be_wanted(limit, wanted):
        return Page([])
    at, id = (inf, "") if after is None else after
    until = inf if wanted.until is None else wanted.until
    rows = await core.call("list_letters_1", core.queue, at, id, until, LETTERS_LOOKED_AT + 1)
    page = page_of(map(_letter, rows), limit, wanted)
    whole = await find_letters(core, [it.header.id for it in page.items])
    return page._replace(items=[whole.get(it.header.id, it) for it in page.items])


async def find_letters(core: PostgresCore, ids: Sequence[str]) -> dict[str, DeadLetter]:
    """Read letters, by their ids."""
    if not ids:
        return {}
    letters = [_letter(row) for row in await core.call("find_letters_1", core.queue, list(ids))]
    return {it.header.id: it for it in letters}


async def requeue(core: PostgresCore, letters: Sequence[Requeue]) -> list[Requeued]:
    """Make tasks of letters again: of those that are still the ones that are read first."""
    known = await find_letters(core, list(dict.fromkeys(it.id for it in letters)))
    found = [known.get(it.id) for it in letters]
    asked = [
        (it, letter)
        for it, letter in zip(letters, found, strict=True)
        if letter is not None and it.buried_at in (None, letter.buried_at)
    ]
    entries = [Entry(letter.renewed(), letter.data if it.data is None else it.data) for it, letter in asked]
    items, blobs = write_entries(entries)
    ids, times = [it.id for it, _ in asked], [letter.buried_at for _, letter in asked]
    ((answers,),) = await core.call("requeue_1", core.queue, ids, times, items, blobs, bounds_of(core.options))
    told = iter(answers)
    return [
        _ANSWERS[next(told)] if letter is not None and it.buried_at in (None, letter.buried_at) else "missing"
        for it, letter in zip(letters, found, strict=True)
    ]


async def purge(core: PostgresCore, ids: Sequence[str] | None, store: Burial, until: float | None) -> int:
    """Delete letters of one store; return how many."""
    wanted = None if ids is None else list(ids)
    ((count,),) = await core.call("purge_1", core.queue, wanted, store[0], until)
    return int(count)


def _letter(row: tuple[Any, ...]) -> DeadLetter:
    data, reason, buried_at, kind, name = row[7:]
    data = b"" if data is None else data
    return DeadLetter(header_of_whole(read_header(row), data), data, reason, buried_at, KINDS.get(kind), name)
