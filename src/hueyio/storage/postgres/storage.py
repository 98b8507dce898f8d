"""Tasks in a PostgreSQL database, 14 or later.

Theory of operation. Every task is a row of ``tasks`` from its enqueue to its end. Each operation is one function in
the database (``sql``), so one atomic step and one round trip. A claim only names the owner in the row, which no index
has, so that no index entry is written for it; a settlement deletes the row, which is its fence too. Who waits is told
by NOTIFY, and only if somebody waits: a commit with a notice holds up all others of the server.

From the outside in: ``session`` (the contract), ``actions`` (what each operation does, in one module for each role),
``core`` (what they share), ``connection``. ``migrations`` makes the tables and functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hueyio.storage.clock import ServerClock
from hueyio.storage.contract import Capabilities
from hueyio.storage.postgres.address import Address
from hueyio.storage.postgres.completion import BlockingPostgresCompletion, PostgresCompletion
from hueyio.storage.postgres.core import PostgresCore
from hueyio.storage.postgres.heartbeat import PostgresLeaseKeeper
from hueyio.storage.postgres.joined_transaction import JoinedTransactions
from hueyio.storage.postgres.options import PostgresOptions
from hueyio.storage.postgres.session import PostgresSession
from hueyio.storage.records import (
    DEAD_LIMIT,
    FAILED_BYTES,
    FAILED_TTL,
    HISTORY_TTL,
    KEEP_ENDED,
    KEEP_FAILED,
    KEEP_HISTORY,
    Enqueued,
    Entry,
    Receipt,
)

__all__ = ["PostgresStorage"]


class PostgresStorage:
    """One queue in a PostgreSQL database.

    =====================  ===========================================================================================
    ``name``               the queue's name
    ``dsn``                a connection string or a ``postgresql://`` URL as libpq takes it, several hosts included
    ``listen_dsn``         where the server itself is, if ``dsn`` leads to a pooler in transaction mode
    ``schema``             the schema that tables and functions are in
    ``create_tables``      make them, and bring them forward; False: they must be there
    ``max_connections``    connections that a session has at most; one more listens, and a worker has one for its beats
    ``prepare_threshold``  after how many times a statement is prepared; None: never, for old poolers
    ``timeout``            seconds that a call may take
    ``dead_limit``         dead letters that are kept
    ``keep_ended``         ended ids that are remembered
    ``keep_failed``        failed tasks that are kept
    ``failed_bytes``       bytes that they may take together
    ``failed_ttl``         seconds for which they are kept
    ``keep_history``       ended tasks that the history has, and attempts that failed
    ``history_ttl``        seconds for which it has them
    ``outage_timeout``     seconds for which what callers ask is repeated while the server cannot be used, before it
                           raises StorageUnavailable; 0: not at all
    =====================  ===========================================================================================
    """

    def __init__(
        self,
        name: str = "huey",
        dsn: str = "",
        *,
        listen_dsn: str | None = None,
        schema: str = "hueyio",
        create_tables: bool = True,
        max_connections: int = 3,
        prepare_threshold: int | None = 0,
        timeout: float = 30,
        dead_limit: int = DEAD_LIMIT,
        keep_ended: int = KEEP_ENDED,
        keep_failed: int = KEEP_FAILED,
        failed_bytes: int = FAILED_BYTES,
        failed_ttl: float = FAILED_TTL,
        keep_history: int = KEEP_HISTORY,
        history_ttl: float = HISTORY_TTL,
        outage_timeout: float = 2,
    ) -> None:
        self._options = PostgresOptions(
            name=name,
            dsn=dsn,
            listen_dsn=listen_dsn,
            schema=schema,
            create_tables=create_tables,
            max_connections=max_connections,
            prepare_threshold=prepare_threshold,
            timeout=timeout,
            outage_timeout=outage_timeout,
            dead_limit=dead_limit,
            keep_ended=keep_ended,
            keep_failed=keep_failed,
            failed_bytes=failed_bytes,
            failed_ttl=failed_ttl,
            keep_history=keep_history,
            history_ttl=history_ttl,
        )
        self._clock = ServerClock()
        self._joined = JoinedTransactions(self._options)
        self._capabilities = Capabilities(keeps_history=self._options.keeps_history, claims_with_settlement=True)

    @property
    def name(self) -> str:
        """The queue's name."""
        return self._options.name

    @property
    def address(self) -> Address:
        """Where the tables are."""
        return self._options.address

    @property
    def capabilities(self) -> Capabilities:
        """Priorities, and other processes wherever they are."""
        return self._capabilities

    @property
    def clock(self) -> ServerClock:
        """The server's; every session that opens and every worker's schedule sets it."""
        return self._clock

    async def connect(self) -> PostgresSession:
        """Open a session for the running loop. Raises StorageUnavailable or ConfigurationError."""
        return await PostgresSession.open(PostgresCore(self._options, self._clock))

    async def enqueue_in(self, connection: Any, entries: Sequence[Entry]) -> list[Enqueued]:
        """Add entries as part of the transaction that is open on an application's own connection to this database.

        They become visible with its commit, or never. Raises ConfigurationError if the connection is to another
        database, HueyException if it commits each statement by itself, StorageUnavailable if the server cannot be
        asked at the first call. What the driver raises comes through.
        """
        return await self._joined.enqueue(connection, tuple(entries))

    def completion(self, receipt: Receipt, seconds: float) -> PostgresCompletion:
        """Make the transaction in which the body of a coroutine ends its task; ``connection`` is one of psycopg."""
        return PostgresCompletion(self._options, receipt, seconds)

    def blocking_completion(self, receipt: Receipt, seconds: float) -> BlockingPostgresCompletion:
        """Make that of a thread; ``connection`` is a blocking one of psycopg."""
        return BlockingPostgresCompletion(self._options, receipt, seconds)

    def lease_keeper(self, owner: str) -> PostgresLeaseKeeper:
        """Make the heartbeat of one owner; connects at the first beat."""
        return PostgresLeaseKeeper(self._options, owner)

    def __str__(self) -> str:
        return f"{self._options.where}, queue {self.name!r}"
