"""``enqueue_in`` for storages that write a batch of messages by one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from hueyio.storage.records import Enqueued, Entry
from hueyio.storage.shared.foreign.statement import ParamStyle, Row, Statement, run_in_transaction

__all__ = ["EnqueuesByStatement", "enqueue_by_statement"]


class EnqueuesByStatement(Protocol):
    """What such a storage says; the rest is the same for all of them."""

    def enqueue_statement(self, entries: Sequence[Entry], style: ParamStyle) -> Statement:
        """Return what adds the entries, with parameters in this style; its rows are for ``read_enqueued``."""
        ...

    def read_enqueued(self, entries: Sequence[Entry], rows: Sequence[Row]) -> list[Enqueued]:
        """Return the answer for each entry, in order, from the rows that the statement returned."""
        ...


async def enqueue_by_statement(
    storage: EnqueuesByStatement, connection: Any, entries: Sequence[Entry]
) -> list[Enqueued]:
    """Add entries as part of the transaction that is open on this connection; see ``Transactional.enqueue_in``."""
    rows = await run_in_transaction(connection, lambda style: storage.enqueue_statement(entries, style))
    return storage.read_enqueued(entries, rows)
