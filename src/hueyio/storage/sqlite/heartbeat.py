"""The heartbeat of one owner, from a thread of its own: one update on a connection of its own."""

from __future__ import annotations

import time
from typing import Final

from hueyio.exceptions import SessionClosed
from hueyio.storage.beat_recipe import SqliteBeat
from hueyio.storage.sqlite.engine.file import SqliteFile
from hueyio.storage.sqlite.engine.opening import open_writer, pragmas_of_writer
from hueyio.storage.sqlite.errors import explained, insist
from hueyio.storage.sqlite.options import SqliteOptions
from hueyio.storage.sqlite.statements import statements

__all__ = ["SqliteLeaseKeeper"]

_BEAT: Final = statements("consuming.sql")["beat"]


class SqliteLeaseKeeper:
    """Raises a counter. Not synced to the disk: after a power failure there is no owner left to keep alive."""

    def __init__(self, options: SqliteOptions, owner: str) -> None:
        self._options = options
        self._owner = owner
        self._file = SqliteFile(lambda: open_writer(options, is_durable=False))
        self._is_closed = False

    def beat(self) -> bool:
        """Raise the owner's counter; False if the owner was given up."""
        if self._is_closed:
            raise SessionClosed(f"the lease keeper of owner {self._owner!r} is closed")
        return explained(lambda: insist(self._attempt, self._options.timeout), self._options)

    def to_recipe(self) -> SqliteBeat | None:
        """Say what a beat is; None where connections are made in the user's own way, or a URI names a relative path."""
        options = self._options
        is_uri = bool(options.connect.get("uri"))
        if "factory" in options.connect or (is_uri and not options.target.startswith("file:/")):
            return None
        return SqliteBeat(
            target=options.target,
            is_uri=is_uri,
            pragmas=("cache_size = -200", *pragmas_of_writer(options, is_durable=False)),
            statement=_BEAT,
            parameters=(options.name, self._owner),
            timeout=options.timeout,
        )

    def has_moved(self) -> bool:
        """Say that it never does."""
        return False

    def close(self) -> None:
        """Close the connection."""
        self._is_closed = True
        self._file.close()

    def _attempt(self) -> bool:
        with self._file as connection:
            return connection.execute(_BEAT, (time.time(), self._options.name, self._owner)).rowcount == 1
