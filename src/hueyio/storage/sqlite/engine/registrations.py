"""Registrations: rows that say for which ids a client waits. The end of an id is written into them; only the client
deletes its rows, when it has read that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from hueyio.storage.records import Over
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.statements import statements

__all__ = ["REGISTRATION_TTL", "forget_clients", "refresh", "register", "take_back"]

REGISTRATION_TTL: Final = 86_400.0
"""How long the row of a client that died stays; live ones renew theirs."""

_SQL = statements("registrations.sql")


def register(tx: Transaction, wanted: Sequence[tuple[str, int]]) -> list[tuple[int, Over]]:
    """Register this client for ids, each with its registration's number; answer those that are over."""
    expires = tx.now + REGISTRATION_TTL
    rows: list[tuple[object, ...]] = []
    over: list[tuple[int, Over]] = []
    for id, number in wanted:
        if tx.is_live(id):
            rows.append((tx.queue, id, tx.client, number, expires))
        else:
            over.append((number, Over(id, tx.value("results", id))))
    tx.many(_SQL["register"], rows)
    if rows:  # without any it stays as unknown as it was: others may wait
        tx.any_waiting = True
    return over


def take_back(tx: Transaction, registered: Sequence[tuple[str, int]]) -> None:
    """Delete registrations of this client, unless newer ones have replaced them."""
    tx.many(_SQL["take_back"], [(tx.queue, id, tx.client, number) for id, number in registered])


def refresh(tx: Transaction) -> None:
    """Renew all registrations of this client."""
    tx.execute(_SQL["refresh"], (tx.now + REGISTRATION_TTL, tx.queue, tx.client))


def forget_clients(tx: Transaction, clients: Iterable[str]) -> None:
    """Delete all registrations of clients that are gone."""
    tx.many(_SQL["forget_client"], [(tx.queue, client) for client in clients])
