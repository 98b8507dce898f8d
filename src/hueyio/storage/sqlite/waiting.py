"""Who waits for an id, and how it is told: in the row by which it registered."""

from __future__ import annotations

from collections.abc import Iterable

from hueyio.storage.records import SHARED_RESULT_TTL, Over
from hueyio.storage.sqlite.engine.registrations import take_back
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.keys import shorten
from hueyio.storage.sqlite.statements import statements

__all__ = ["tell", "tell_in_vain"]

_SQL = statements("waiting.sql")


def tell(tx: Transaction, ids: Iterable[str]) -> None:
    """Tell the waiters of those ids that are over: neither alive nor expected."""
    if tx.any_waiting:
        for id in ids:
            waiters = tx.execute(_SQL["waiters"], (tx.queue, id)).fetchall()
            if waiters and not tx.is_live(id):
                _tell_one(tx, id, waiters)


def tell_in_vain(tx: Transaction) -> None:
    """Tell everybody who waits for something that will not come any more."""
    if tx.any_waiting:
        tell(tx, [id for (id,) in tx.execute(_SQL["in_vain"], (tx.queue,)).fetchall()])


def _tell_one(tx: Transaction, id: str, waiters: list[tuple[str, int]]) -> None:
    shared = len(waiters) > 1
    value = tx.value("results", id)
    if shared:
        shorten(tx, id, SHARED_RESULT_TTL)
    for client, number in waiters:
        if client == tx.client:
            take_back(tx, [(id, number)])
            tx.mail.append((number, Over(id, value, shared)))
        else:
            tx.execute(_SQL["tell"], (shared, value, tx.queue, id, client))
            tx.told.add(client)
