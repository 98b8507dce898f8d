"""How a connection to the file is opened: its pragmas, and which libraries and journals will not do."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from typing import Any, Final

from hueyio.exceptions import ConfigurationError
from hueyio.storage.shared.private_files import check_path, create_file, is_exposed
from hueyio.storage.sqlite.guarded import GuardedConnection
from hueyio.storage.sqlite.options import SqliteOptions

__all__ = ["CHECKPOINT_PAGES", "open_guarded", "open_reader", "open_writer", "pragmas_of_writer"]

CHECKPOINT_PAGES: Final = 1_000
"""Length of the log from which a commit copies it into the file, which syncs twice; SQLite's own default.

A new log is slow to sync until it is that long, see ``log_watch``.
"""

_OLDEST: Final = (3, 35)
"""The first SQLite with RETURNING, and with ON CONFLICT DO UPDATE for any conflict."""

_BESIDE: Final = ("-wal", "-shm", "-journal")

_making: Final = threading.Lock()


def open_writer(options: SqliteOptions, *, is_durable: bool = True) -> sqlite3.Connection:
    """Open a connection that writes, durably if the options say so too."""
    return _set_up_writer(_open(options), options, is_durable)


def open_guarded(options: SqliteOptions) -> GuardedConnection:
    """Open a connection that writes durably for a body: it waits for locks, and its user ends no transaction."""
    more = {"factory": GuardedConnection, "timeout": options.timeout, "isolation_level": "IMMEDIATE"}
    connection = _open(options, **more)
    assert isinstance(connection, GuardedConnection)
    _set_up_writer(connection, options, is_durable=True)
    return connection


def _set_up_writer(connection: sqlite3.Connection, options: SqliteOptions, is_durable: bool) -> sqlite3.Connection:
    try:
        _set_journal_mode(connection, options.journal_mode)
        for pragma in pragmas_of_writer(options, is_durable=is_durable)[1:]:
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def pragmas_of_writer(options: SqliteOptions, *, is_durable: bool) -> tuple[str, ...]:
    """List what a connection that writes is told; the journal mode first."""
    return (
        f"journal_mode = {options.journal_mode}",
        f"synchronous = {'FULL' if options.fsync and is_durable else 'NORMAL'}",
        f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
        "journal_size_limit = 67108864",
        "secure_delete = FAST",  # some builds write zeros over all that is deleted: a read of 1 MB would write 1 MB
    )


def open_reader(options: SqliteOptions) -> sqlite3.Connection:
    """Open a connection that only reads."""
    connection = _open(options)
    connection.execute("PRAGMA query_only = 1")
    return connection


def _open(options: SqliteOptions, **how: Any) -> sqlite3.Connection:
    if sqlite3.sqlite_version_info < _OLDEST:
        needed = ".".join(map(str, _OLDEST))
        raise ConfigurationError(
            f"this Python comes with SQLite {sqlite3.sqlite_version}, and {needed} or later is needed: get a newer one"
        )
    # Closed by whichever thread is about to fork: the gate, not sqlite3, keeps threads apart.
    _prepare_file(options)
    more: dict[str, Any] = {"cached_statements": 256, "timeout": 0, "isolation_level": None, **options.connect, **how}
    connection: sqlite3.Connection = sqlite3.connect(options.target, check_same_thread=False, **more)
    try:
        connection.execute(f"PRAGMA cache_size = {-int(options.cache_mb * 1000)}")
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare_file(options: SqliteOptions) -> None:
    """Make the file if it is missing, for its mode: SQLite gives that to its log too. Refuse what strangers put there.

    SQLite's locks go when any descriptor of the file is closed in the process. So that of the new file is closed before
    another thread opens it.
    """
    path = options.local_path
    if path is None:
        return
    real = os.path.realpath(path)
    with _making:
        check_path(path, options.mode)
        if is_exposed(real, options.mode):
            for suffix in _BESIDE:
                check_path(real + suffix, options.mode)
        if options.makes_file and not os.path.exists(real):
            with contextlib.suppress(OSError):  # SQLite tells of what is wrong in its way
                os.close(create_file(real, options.mode))


def _set_journal_mode(connection: sqlite3.Connection, mode: str) -> None:
    (current,) = connection.execute("PRAGMA journal_mode").fetchone()
    if current != mode:
        (current,) = connection.execute(f"PRAGMA journal_mode = {mode}").fetchone()
    if current != mode:
        raise ConfigurationError(f"journal_mode {mode} cannot be used here: SQLite keeps {current}")
