"""A PostgreSQL server of our own: that of the tests, but with its default settings, so that every commit is flushed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple

import psycopg
from tests.support.postgres_server import NO_POSTGRES, PostgresServer, find_postgres

__all__ = ["MeasuredPostgres", "Used"]

_DATABASE: Final = "bench"

# The tests' server is told not to flush, and is small; this is what initdb writes into a new configuration.
_DEFAULTS: Final[dict[str, Any]] = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "max_prepared_transactions": "0",
    "log_parameter_max_length": "0",  # of statements that are logged to be counted
}

_UNLOGGED: Final = "-clog_statement=none"
"""What the benchmark itself asks is not counted."""

_LOGGED: Final = (b"LOG:  statement: ", b"LOG:  execute ")


class Used(NamedTuple):
    """What the server has used since its start: CPU seconds of all its processes, and bytes of WAL."""

    cpu: float
    wal: int

    def since(self, before: Used) -> Used:
        """Return what was used between two looks."""
        return Used(self.cpu - before.cpu, self.wal - before.wal)


class MeasuredPostgres:
    """Runs while the ``with`` block does; raises FileNotFoundError if no server is installed."""

    def __init__(self) -> None:
        found = find_postgres()
        if not found:
            raise FileNotFoundError(NO_POSTGRES)
        self._server = PostgresServer(next(iter(found.values())), **_DEFAULTS)
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def __enter__(self) -> MeasuredPostgres:
        self._server.start()
        self._connection = psycopg.connect(self._server.dsn(options=_UNLOGGED), autocommit=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.close()
        self._server.dispose()

    @property
    def url(self) -> str:
        """Where the database of the measured is."""
        return self._server.dsn(_DATABASE)

    @property
    def own_url(self) -> str:
        """The same for the benchmark itself: its statements are not counted."""
        return self._server.dsn(_DATABASE, options=_UNLOGGED)

    @property
    def version(self) -> str:
        """Say which server this is."""
        ((version,),) = self.ask("SHOW server_version")
        return f"PostgreSQL {version}"

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Execute a statement, not in the database of the measured; return its rows, if it has any."""
        assert self._connection is not None, "the server is not running"
        cursor = self._connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description is not None else []

    def clear(self) -> None:
        """Make the database anew, and write to the disk what the one before has left."""
        self.ask(f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)")
        self.ask(f"CREATE DATABASE {_DATABASE}")
        self.ask("CHECKPOINT")

    def used(self) -> Used:
        """Look what the server has used."""
        ((wal,),) = self.ask("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint")
        return Used(_cpu_of_tree(self._pid()), int(wal))

    @contextmanager
    def counting(self) -> Iterator[list[int]]:
        """Count the statements that clients send meanwhile; the list has their number when the block has ended.

        Statements inside functions of the server are not counted: no round trip is made for them.
        """
        self._log("all")
        before = self._log_file().stat().st_size
        counted: list[int] = []
        try:
            yield counted
        finally:
            self._log("none")
        with self._log_file().open("rb") as log:
            log.seek(before)
            counted.append(sum(any(mark in line for mark in _LOGGED) for line in log))

    def _log(self, what: str) -> None:
        self.ask(f"ALTER SYSTEM SET log_statement = '{what}'")
        self.ask("SELECT pg_reload_conf()")

    def _log_file(self) -> Path:
        return self._server.directory / "server.log"

    def _pid(self) -> int:
        return int((self._server.data / "postmaster.pid").read_text().split()[0])


def _cpu_of_tree(pid: int) -> float:
    """Return the CPU seconds of a process and its children, also of those that have ended."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    living = 0
    for child in children:
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            living += int(Path(f"/proc/{child}/schedstat").read_text().split()[0])
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own_and_ended = sum(map(int, fields[11:15]))  # user and system, then the same of children that have ended
    return own_and_ended / os.sysconf("SC_CLK_TCK") + living / 1e9
