"""Who waits for an id, and how it is told: by a row that only the waiter deletes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from hueyio.storage.records import SHARED_RESULT_TTL, Over
from hueyio.storage.sqlite.keys import peek, shorten
from hueyio.storage.sqlite.statements import statements
from hueyio.storage.sqlite.transaction import Transaction

__all__ = ["REGISTRATION_TTL", "forget_clients", "refresh", "register", "take_back", "tell", "tell_in_vain"]

REGISTRATION_TTL: Final = 86_400.0
"""How long the row of a client that died stays; live ones renew theirs."""

_SQL = statements("waiting.sql")


def register(tx: Transaction, wanted: Sequence[tuple[str, int]]) -> list[tuple[int, Over]]:
    """Register this client for ids, each with its registration's number; answer those that are over."""
    alive = [(id, number) for id, number in wanted if tx.is_live(id)]
    tx.register_waiters(alive, tx.now + REGISTRATION_TTL)
    over = [(id, number) for id, number in wanted if (id, number) not in set(alive)]
    values = peek(tx, "results", [id for id, _ in over])
    return [(number, Over(id, value)) for (id, number), value in zip(over, values, strict=True)]


def take_back(tx: Transaction, registered: Sequence[tuple[str, int]]) -> None:
    """Delete registrations of this client, unless newer ones have replaced them."""
    tx.many(_SQL["take_back"], [(tx.queue, id, tx.client, number) for id, number in registered])


def refresh(tx: Transaction) -> None:
    """Renew all registrations of this client."""
    tx.execute(_SQL["refresh"], (tx.now + REGISTRATION_TTL, tx.queue, tx.client))


def forget_clients(tx: Transaction, clients: Iterable[str]) -> None:
    """Delete all registrations of clients that are gone."""
    tx.many(_SQL["forget_client"], [(tx.queue, client) for client in clients])


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
    (value,) = peek(tx, "results", [id])
    if shared:
        shorten(tx, id, SHARED_RESULT_TTL)
    for client, number in waiters:
        if client == tx.client:
            take_back(tx, [(id, number)])
            tx.mail.append((number, Over(id, value, shared)))
        else:
            tx.execute(_SQL["tell"], (shared, value, tx.queue, id, client))
            tx.told.add(client)
