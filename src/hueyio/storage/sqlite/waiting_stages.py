"""The later stages of pipelines: each stands here until it becomes a task, or until nobody expects it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from hueyio.storage.records import Bury, EndKind, Header, Stage
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.rows import TaskRow, header, more
from hueyio.storage.sqlite.statements import statements
from hueyio.storage.stages import header_of_whole, join

__all__ = ["drop", "following", "keep", "letter_of", "take", "whole", "with_later", "with_orphans"]

_SQL: Final = statements("waiting_stages.sql")


def keep(tx: Transaction, stages: Sequence[Stage]) -> None:
    """Let stages wait, each after the one before; those behind an id that is alive never come."""
    if not stages:
        return
    alive = next((at for at, stage in enumerate(stages) if tx.is_alive(stage.id)), len(stages))
    waiting = stages[:alive]
    later = [*(stage.id for stage in waiting[1:]), None]
    rows = [(tx.queue, stage.id, after, stage.data) for stage, after in zip(waiting, later, strict=False)]
    tx.many(_SQL["keep"], rows)
    tx.name_chain([stage.id for stage in waiting])


def following(tx: Transaction, of: Header) -> bytes | None:
    """Return the message of the stage that comes next."""
    row = tx.one(_SQL["find"], (tx.queue, of.expects[0])) if len(of.expects) == 1 else None
    return None if row is None else row[1]


def whole(tx: Transaction, of: Header, data: bytes) -> bytes:
    """Return a task's message with those of its later stages."""
    return join(of.id, data, _chain_of(tx, of)) if of.expects else data


def letter_of(tx: Transaction, task: TaskRow, burial: Bury) -> tuple[TaskRow, bytes]:
    """Return what a letter has of a task, and its message: the whole pipeline."""
    data = task.data if burial.again is None else burial.again
    if task.more is None:
        return task, data
    of = header(task)
    data = whole(tx, of, data)
    return task._replace(more=more(header_of_whole(of, data))), data


def take(tx: Transaction, id: str) -> str | None:
    """Let a stage stand here no more; return the id of the one after it."""
    rows = tx.execute(_SQL["take"], (tx.queue, id)).fetchall()
    return rows[0][0] if rows else None


def drop(tx: Transaction, ids: Iterable[str]) -> None:
    """Let stages stand here no more."""
    if tx.any_stages:
        for id in ids:
            take(tx, id)


def with_later(tx: Transaction, ids: Iterable[str]) -> list[str]:
    """List ids, each with the stages that come after it; those of an id that is alive are its own business."""
    if not tx.any_stages:
        return list(ids)
    found: dict[str, None] = {}
    for first in ids:
        id: str | None = first
        while id is not None and id not in found:
            found[id] = None
            row = None if tx.is_alive(id) else tx.one(_SQL["find"], (tx.queue, id))
            id = None if row is None else row[0]
    return list(found)


def with_orphans(tx: Transaction, over: Mapping[str, EndKind]) -> dict[str, EndKind]:
    """Add what will never run because the stage before it is over: it is cancelled."""
    found = dict(over)
    if tx.any_stages:
        for id in over:
            before, after = id, take(tx, id)
            while after is not None and after not in found:
                tx.execute(_SQL["unname"], (tx.queue, after, before))
                if tx.is_live(after):
                    break
                found[after] = "cancelled"
                before, after = after, take(tx, after)
    return found


def _chain_of(tx: Transaction, of: Header) -> list[Stage]:
    found: dict[str, bytes] = {}
    id = of.expects[0] if len(of.expects) == 1 else None
    while id is not None and id not in found:
        row = tx.one(_SQL["find"], (tx.queue, id))
        if row is None:
            break
        found[id] = row[1]
        id = row[0]
    return [Stage(id, data) for id, data in found.items()]
