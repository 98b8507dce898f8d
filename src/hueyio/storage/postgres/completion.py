"""A transaction of a body's own, in which its task ends: ``async with task.transaction()`` on a PostgresHuey.

Theory of operation. The connection is made for the body, and is psycopg's. ``begin_block_1`` begins the transaction: it
looks whether the receipt is in force, and locks nothing, so that nobody waits for the body. ``complete_1`` ends the
task, which is the fence: who has lost it meanwhile finds no such row. It raises if it is refused, so that the commit,
which is sent with it, commits nothing then; and a client that dies, or hangs, leaves no transaction between the two.

When the time is over a thread cuts the connection. The server has limits of its own, for a client that is gone: for
one statement and for the time between two, and from version 17 on for all of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Sequence
from typing import Any, Final, NoReturn, TypeVar

import psycopg
from psycopg.pq import Format, TransactionStatus
from psycopg.rows import tuple_row

from hueyio.exceptions import HueyException, StorageError, StorageUnavailable
from hueyio.storage.postgres.bounds import bounds_of
from hueyio.storage.postgres.connection.connecting import connect_for_body, connect_for_body_blocking
from hueyio.storage.postgres.connection.errors import (
    ANOTHER_TRANSACTION,
    NOT_ACCEPTED,
    TIME_IS_OVER,
    is_collision,
    translate,
)
from hueyio.storage.postgres.connection.guarded import GuardedAsyncConnection, GuardedConnection
from hueyio.storage.postgres.connection.texts import adapt_to_us
from hueyio.storage.postgres.connection.time_limit import TimeLimit
from hueyio.storage.postgres.functions import call_of
from hueyio.storage.postgres.options import PostgresOptions
from hueyio.storage.postgres.settlements import pack_settlement, read_answers
from hueyio.storage.records import Answer, HistoryBatch, Receipt, Settlement
from hueyio.storage.shared.blocks import is_over, not_held, not_the_same, too_long

__all__ = ["BlockingPostgresCompletion", "PostgresCompletion"]


class PostgresCompletion:
    """For a coroutine."""

    def __init__(self, options: PostgresOptions, receipt: Receipt, seconds: float) -> None:
        self._block = _Block(options, receipt, seconds)
        self._connection: GuardedAsyncConnection | None = None
        self._cursor: psycopg.AsyncCursor[tuple[Any, ...]]

    async def begin(self) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        """Connect and begin."""
        block = self._block
        try:
            async with asyncio.timeout(block.options.timeout):
                self._connection = connection = await connect_for_body(block.options.dsn)
                block.limit.start(connection.fileno())
                # Made now: how the body reads and writes values of its own is not for us.
                self._cursor = _ours(psycopg.AsyncCursor(connection, row_factory=tuple_row))
                await self._cursor.execute(*block.beginning())
                block.take_queue(await self._cursor.fetchall())
        except Exception as error:
            block.explain(error)
        return connection

    async def finish(self, settlement: Settlement, history: HistoryBatch | None = None) -> Answer:
        """End the task and commit."""
        block, connection = self._block, self._connection
        block.begin_commit()
        block.require_open(connection)
        assert connection is not None
        try:
            async with asyncio.timeout(block.options.timeout):
                async with connection.pipeline() if psycopg.Pipeline.is_supported() else contextlib.nullcontext():
                    await self._cursor.execute(*block.ending(settlement, history))
                    await psycopg.AsyncCursor(connection).execute("COMMIT")
                return block.read_answer(await self._cursor.fetchall())
        except Exception as error:
            return block.answer_of(error)

    async def abandon(self) -> None:
        """Close, which rolls back what is not committed."""
        connection, self._connection = self._connection, None
        self._block.limit.end()
        if connection is not None:
            await connection.close()
            self._block.require_time()


class BlockingPostgresCompletion:
    """For a thread; otherwise the same."""

    def __init__(self, options: PostgresOptions, receipt: Receipt, seconds: float) -> None:
        self._block = _Block(options, receipt, seconds)
        self._connection: GuardedConnection | None = None
        self._cursor: psycopg.Cursor[tuple[Any, ...]]

    def begin(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect and begin."""
        block = self._block
        try:
            self._connection = connection = connect_for_body_blocking(block.options.dsn)
            block.limit.start(connection.fileno())
            self._cursor = _ours(psycopg.Cursor(connection, row_factory=tuple_row))
            self._cursor.execute(*block.beginning())
            block.take_queue(self._cursor.fetchall())
        except Exception as error:
            block.explain(error)
        return connection

    def finish(self, settlement: Settlement, history: HistoryBatch | None = None) -> Answer:
        """End the task and commit."""
        block, connection = self._block, self._connection
        block.begin_commit()
        block.require_open(connection)
        assert connection is not None
        try:
            with connection.pipeline() if psycopg.Pipeline.is_supported() else contextlib.nullcontext():
                self._cursor.execute(*block.ending(settlement, history))
                psycopg.Cursor(connection).execute("COMMIT")
            return block.read_answer(self._cursor.fetchall())
        except Exception as error:
            return block.answer_of(error)

    def abandon(self) -> None:
        """Close, which rolls back what is not committed."""
        connection, self._connection = self._connection, None
        self._block.limit.end()
        if connection is not None:
            connection.close()
            self._block.require_time()


class _Block:
    """What both have in common: what is sent, and what the answers and errors mean."""

    def __init__(self, options: PostgresOptions, receipt: Receipt, seconds: float) -> None:
        self.options: Final = options
        self.limit: Final = TimeLimit(seconds, options.timeout)
        self._receipt = receipt
        self._mark = secrets.token_hex(8)
        self._queue = 0
        self._has_begun = False

    def beginning(self) -> tuple[bytes, list[Any]]:
        """Return the statement that begins, with its arguments."""
        receipt, most = self._receipt, max(1, round(1000 * self.limit.seconds))
        return (
            call_of("begin_block_1", self.options.schema),
            [self.options.name, receipt.id, receipt.owner, receipt.deliveries, self._mark, most],
        )

    def take_queue(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Read what it answers; raises LeaseLost."""
        ((queue,),) = rows
        if queue is None:
            raise not_held(self._receipt)
        self._queue = queue
        self._has_begun = True

    def ending(self, settlement: Settlement, history: HistoryBatch | None) -> tuple[bytes, list[Any]]:
        """Return the statement that ends the task, with its arguments."""
        packed = pack_settlement(settlement, history, self.options.keeps_failed)
        return (
            call_of("complete_1", self.options.schema),
            [self._queue, *packed, self._mark, bounds_of(self.options)],
        )

    def read_answer(self, rows: Sequence[tuple[Any, ...]]) -> Answer:
        """Read what it answers."""
        ((letter,),) = rows
        return read_answers(letter)[0]

    def begin_commit(self) -> None:
        """Raise TransactionTooLong if the time is over; else it does not count any more."""
        if not self.limit.begin_commit():
            raise too_long(self._receipt, self.limit.seconds)

    def require_time(self) -> None:
        """Raise TransactionTooLong if the body had a transaction whose time is over."""
        if self._has_begun and self.limit.is_over:
            raise too_long(self._receipt, self.limit.seconds)

    def require_open(self, connection: psycopg.AsyncConnection[Any] | psycopg.Connection[Any] | None) -> None:
        """Raise for a connection on which nothing can be committed."""
        receipt = self._receipt
        if connection is None:
            raise is_over(receipt)
        if connection.closed:
            what = "was lost" if connection.broken else "was closed"
            raise StorageUnavailable(f"the connection of the transaction of task {receipt.id} {what} in the block")
        match connection.info.transaction_status:
            case TransactionStatus.INTRANS:
                return
            case TransactionStatus.IDLE:
                raise not_the_same(receipt)
            case TransactionStatus.INERROR:
                raise HueyException(
                    f"a statement in the transaction of task {receipt.id} has failed, so PostgreSQL commits nothing of "
                    "it: let the error leave the block, or run the statement in `connection.transaction()`"
                )
            case _:
                raise HueyException(f"a statement in the transaction of task {receipt.id} has not ended: await it")

    def answer_of(self, error: Exception) -> Answer:
        """Return the answer that an error stands for, or raise what it means.

        What the application's own constraints and triggers say at the commit, and a deadlock with another transaction
        of its own, comes as the driver's error, as it would in the block.
        """
        state = error.sqlstate if isinstance(error, psycopg.Error) else None
        if state == NOT_ACCEPTED and isinstance(error, psycopg.Error):
            return read_answers(error.diag.message_primary or "s")[0]
        if state == ANOTHER_TRANSACTION:
            raise not_the_same(self._receipt) from error
        if state in TIME_IS_OVER:
            raise too_long(self._receipt, self.limit.seconds) from error
        known = translate(error, self.options.where)
        if known is error or type(known) is StorageError or is_collision(error):
            raise error
        raise known from error

    def explain(self, error: Exception) -> NoReturn:
        """Raise what an error at the beginning means."""
        known = translate(error, self.options.where)
        raise known from (None if known is error else error)


C = TypeVar("C", bound="psycopg.AsyncCursor[Any] | psycopg.Cursor[Any]")


def _ours(cursor: C) -> C:
    """Let a cursor read and write as the sessions do."""
    cursor.format = Format.BINARY
    adapt_to_us(cursor)
    return cursor
