"""Who waits for an id, and how it is told: in the row by which it registered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hueyio.storage.records import SHARED_RESULT_TTL, Ended, EndKind, Over
from hueyio.storage.sqlite.engine import tombstones
from hueyio.storage.sqlite.engine.registrations import take_back
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.keys import shorten
from hueyio.storage.sqlite.statements import statements
from hueyio.storage.sqlite.waiting_stages import with_orphans

__all__ = ["cancel_all", "end", "ended", "in_vain", "tell"]

_SQL = statements("waiting.sql")


def ended(tx: Transaction, ids: Sequence[str]) -> Ended:
    """Say which way ids ended."""
    return Ended([tombstones.find(tx, id) for id in ids], tombstones.since(tx))


def end(tx: Transaction, ends: Mapping[str, EndKind]) -> None:
    """Remember which way ids ended and tell their waiters, but for those that live on; so end the stages after them."""
    over = with_orphans(tx, {id: kind for id, kind in ends.items() if not tx.is_live(id)})
    tombstones.note(tx, over)
    tell(tx, over)


def tell(tx: Transaction, ends: Mapping[str, EndKind]) -> None:
    """Tell the waiters of ids that are over."""
    if tx.any_waiting:
        for id, kind in ends.items():
            waiters = tx.execute(_SQL["waiters"], (tx.queue, id)).fetchall()
            if waiters:
                _tell_one(tx, id, waiters, kind)


def in_vain(tx: Transaction) -> list[str]:
    """List what somebody waits for although nothing is on its way."""
    return [id for (id,) in tx.execute(_SQL["in_vain"], (tx.queue,)).fetchall()] if tx.any_waiting else []


def cancel_all(tx: Transaction, ids: Iterable[str]) -> None:
    """End ids that will never run; those of them that are alive or expected after all live on."""
    end(tx, dict.fromkeys(ids, "cancelled"))


def _tell_one(tx: Transaction, id: str, waiters: list[tuple[str, int]], kind: EndKind) -> None:
    shared = len(waiters) > 1
    value = tx.value("results", id)
    if shared:
        shorten(tx, id, SHARED_RESULT_TTL)
    for client, number in waiters:
        if client == tx.client:
            take_back(tx, [(id, number)])
            tx.mail.append((number, Over(id, value, shared, kind)))
        else:
            tx.execute(_SQL["tell"], (shared, value, kind, tx.queue, id, client))
            tx.told.add(client)
