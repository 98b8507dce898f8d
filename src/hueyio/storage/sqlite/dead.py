"""Letters: dead ones, bounded, the oldest goes first, counted and logged; failed tasks, as far as both are alike."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from math import inf
from typing import Any

from hueyio.storage.records import (
    LETTERS_LOOKED_AT,
    Burial,
    Bury,
    Cursor,
    DeadLetter,
    Entry,
    Page,
    Requeue,
    Requeued,
    Wanted,
)
from hueyio.storage.shared.letters import cannot_be_wanted, page_of
from hueyio.storage.sqlite import failed_tasks, latches
from hueyio.storage.sqlite.engine import tombstones
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.keys import store
from hueyio.storage.sqlite.rows import TaskRow, header
from hueyio.storage.sqlite.statements import statements
from hueyio.storage.sqlite.tasks import add
from hueyio.storage.sqlite.waiting_stages import letter_of

__all__ = ["bury", "bury_failed", "count", "dead", "failed", "find", "hold_bounds", "purge", "requeue"]

_SQL = statements("dead.sql")

log = logging.getLogger(__name__)


def bury(tx: Transaction, task: TaskRow, burial: Bury) -> None:
    """Write a letter; an older one of the same id gives way."""
    if burial.into == "failed":
        bury_failed(tx, [(task, burial)])
        return
    failed_tasks.remove(tx, task.id)
    task, data = letter_of(tx, task, burial)
    tx.execute(_SQL["bury"], (tx.queue, *task[1:8], data, burial.reason, tx.now, burial.kind, burial.name))


def bury_failed(tx: Transaction, tasks: Sequence[tuple[TaskRow, Bury]]) -> None:
    """Write the letters of tasks that failed, which are different ones."""
    tx.many(_SQL["purge"], [(tx.queue, task.id) for task, _ in tasks])
    failed_tasks.add(tx, tasks)


def hold_bounds(tx: Transaction, burials: Sequence[Bury]) -> None:
    """Drop what is too much by these burials."""
    into = {it.into for it in burials}
    if "dead" in into:
        _drop_oldest(tx)
    if "failed" in into:
        failed_tasks.keep_bounds(tx)


def dead(tx: Transaction, limit: int | None) -> list[DeadLetter]:
    """List dead letters, the latest first."""
    rows = tx.execute(_SQL["dead"], (tx.queue, -1 if limit is None else limit))
    return [_letter(row) for row in rows.fetchall()]


def failed(tx: Transaction, limit: int, after: Cursor | None, wanted: Wanted) -> Page[DeadLetter]:
    """List letters of both stores, the latest first."""
    if cannot_be_wanted(limit, wanted):
        return Page([])
    at, id = (float("inf"), "") if after is None else after
    until = float("inf") if wanted.until is None else wanted.until
    given = {"queue": tx.queue, "until": until, "at": at, "id": id, "most": LETTERS_LOOKED_AT + 1}
    rows = tx.execute(_SQL["letters"], given).fetchall()
    page = page_of(map(_letter, rows), limit, wanted)
    return page._replace(items=[it._replace(data=_data(tx, it.header.id)) for it in page.items])


def requeue(tx: Transaction, letters: Sequence[Requeue]) -> list[Requeued]:
    """Make tasks of letters again."""
    return [_requeue_one(tx, it) for it in letters]


def purge(tx: Transaction, ids: Sequence[str] | None, store: Burial = "dead", until: float | None = None) -> int:
    """Delete letters of one store; return how many."""
    if store == "failed":
        return failed_tasks.purge(tx, ids, until)
    if ids is None:
        dropped = tx.execute(_SQL["purge_all"], (tx.queue,)).fetchall()
    else:
        latest = inf if until is None else until
        dropped = [row for id in ids for row in tx.execute(_SQL["purge_old"], (tx.queue, id, latest)).fetchall()]
    latches.drop_kept(tx, [id for (id,) in dropped])
    return len(dropped)


def find(tx: Transaction, id: str) -> DeadLetter | None:
    """Read the letter of an id."""
    row: tuple[Any, ...] | None = tx.one(_SQL["find"], (tx.queue, id)) or failed_tasks.find(tx, id)
    return None if row is None else _letter(row)


def count(tx: Transaction) -> int:
    """Count dead letters."""
    return int(tx.one(_SQL["count"], (tx.queue,))[0])


def _drop_oldest(tx: Transaction) -> None:
    surplus = count(tx) - tx.dead_limit
    if surplus > 0:
        dropped = tx.execute(_SQL["drop_oldest"], (tx.queue, surplus)).fetchall()
        latches.drop_kept(tx, [id for (id,) in dropped])
        tx.execute(_SQL["count_dropped"], (surplus, tx.queue))
        log.warning("dropped the oldest %d dead letters: no more than %d are kept", surplus, tx.dead_limit)


def _letter(row: tuple[Any, ...]) -> DeadLetter:
    return DeadLetter(header(row), row[8], row[9], row[10], row[11], row[12] or "")


def _data(tx: Transaction, id: str) -> bytes:
    letter = find(tx, id)
    return b"" if letter is None else letter.data


def _requeue_one(tx: Transaction, asked: Requeue) -> Requeued:
    id = asked.id
    letter = find(tx, id)
    if letter is None or asked.buried_at not in (None, letter.buried_at):
        return "missing"
    if letter.header.collects and not tx.is_alive(id) and tx.is_live(id):
        return "alive"  # a new chord has begun under its id
    entry = Entry(letter.renewed(), letter.data if asked.data is None else asked.data)
    (placed,) = add(tx, [entry], asks_token=False)
    if placed.verdict != "added":
        return "alive" if placed.verdict == "alive" else "taken"
    tx.execute(_SQL["purge"], (tx.queue, id))
    failed_tasks.remove(tx, id)
    is_counted = latches.take_back(tx, letter.header)
    expects = letter.header.expects
    store(tx, [(it, None, None) for it in (id, *[it for it in expects if not tx.is_alive(it)])])
    tombstones.forget(tx, (id, *expects))
    return "added" if is_counted else "late"
