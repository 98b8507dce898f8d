"""Registrations: rows that say for which ids a client waits. The end of an id is written into them; only the client
deletes its rows, when it has read that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from hueyio.storage.records import Over
from hueyio.storage.sqlite.engine import tombstones
from hueyio.storage.sqlite.engine.transaction import AREA_NUMBERS, Transaction
from hueyio.storage.sqlite.statements import statements

__all__ = ["ask_again", "forget_clients", "register", "take_back"]

_REGISTRATION_TTL: Final = 86_400.0
"""How long the row of a client that died stays; live ones renew theirs."""

_SQL = statements("registrations.sql")


def register(
    tx: Transaction, wanted: Iterable[tuple[str, int]], patient: Collection[str] = ()
) -> list[tuple[int, Over]]:
    """Register this client for ids, each with its registration's number; answer those that are over.

    An id of which nothing is known is registered only if it is among the ``patient``.
    """
    expires = tx.now + _REGISTRATION_TTL
    rows: list[tuple[object, ...]] = []
    over: list[tuple[int, Over]] = []
    for id, number in wanted:
        named = (tx.queue, id)
        is_live, left = tx.one(_SQL["live_or_left"], (*named, *named, tx.queue, AREA_NUMBERS["results"], id, tx.now))
        end = None if is_live else _end_of(tx, id, left, patient)
        if end is None:
            rows.append((tx.queue, id, tx.client, number, expires))
        else:
            over.append((number, end))
    if rows:  # without any it stays as unknown as it was: others may wait
        tx.many(_SQL["register"], rows)
        tx.any_waiting = True
    return over


def take_back(tx: Transaction, registered: Sequence[tuple[str, int]]) -> None:
    """Delete registrations of this client, unless newer ones have replaced them."""
    tx.many(_SQL["take_back"], [(tx.queue, id, tx.client, number) for id, number in registered])


def ask_again(
    tx: Transaction, wanted: Sequence[tuple[str, int]], patient: Collection[str] = ()
) -> list[tuple[int, Over]]:
    """Do as ``register`` for ids of which most are registered, and renew all registrations of this client.

    What was told meanwhile stays where it is: whoever looks gets it. What is neither told nor alive any more was
    forgotten, with all that would have told of it.
    """
    known = dict(tx.execute(_SQL["registered"], (tx.queue, tx.client)).fetchall())
    vain = {id for (id,) in tx.execute(_SQL["own_in_vain"], (tx.queue, tx.client)).fetchall()}
    over = register(tx, [(id, number) for id, number in wanted if known.get(id) != number], patient)
    for id, number in wanted:
        in_vain = id in vain and known.get(id) == number
        end = _end_of(tx, id, tx.value("results", id), patient) if in_vain else None
        if end is not None:
            take_back(tx, [(id, number)])
            over.append((number, end))
    renewed = tx.now + _REGISTRATION_TTL
    tx.execute(_SQL["refresh"], (renewed, tx.queue, tx.client, renewed - _REGISTRATION_TTL / 4))
    return over


def _end_of(tx: Transaction, id: str, left: bytes | None, patient: Collection[str]) -> Over | None:
    """Describe the end of what is not alive; None if it is still to be waited for."""
    over = Over(id, left, False, tombstones.find(tx, id))
    return None if over.data is None and over.kind is None and id in patient else over


def forget_clients(tx: Transaction, clients: Iterable[str]) -> None:
    """Delete all registrations of clients that are gone."""
    tx.many(_SQL["forget_client"], [(tx.queue, client) for client in clients])
