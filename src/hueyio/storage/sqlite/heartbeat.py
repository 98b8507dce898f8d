"""The heartbeat of one owner, from a thread of its own: one update on a connection of its own."""

from __future__ import annotations

import sqlite3
import time
from typing import Final

from hueyio.exceptions import SessionClosed
from hueyio.storage.beat_recipe import SqliteBeat
from hueyio.storage.sqlite.engine.file import SqliteFile
from hueyio.storage.sqlite.engine.opening import open_writer, pragmas_of_writer
from hueyio.storage.sqlite.engine.place import identify
from hueyio.storage.sqlite.engine.room import Room
from hueyio.storage.sqlite.errors import explained, insist, is_full
from hueyio.storage.sqlite.options import SqliteOptions
from hueyio.storage.sqlite.statements import statements

__all__ = ["SqliteLeaseKeeper"]

_BEAT: Final = statements("consuming.sql")["beat"]


class SqliteLeaseKeeper:
    """Raises a counter. Not synced to the disk: after a power failure there is no owner left to keep alive."""

    def __init__(self, options: SqliteOptions, owner: str) -> None:
        self._options = options
        self._owner = owner
        self._file = SqliteFile(lambda: open_writer(options, is_durable=False), options.target)
        self._identity: tuple[int, int] | None = None
        self._room = Room()
        self._is_closed = False

    def beat(self) -> bool:
        """Raise the owner's counter; False if the owner was given up, or the file exchanged in which it was."""
        if self._is_closed:
            raise SessionClosed(f"the lease keeper of owner {self._owner!r} is closed")
        return explained(self._beat, self._options)

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

    def _beat(self) -> bool:
        try:
            return insist(self._attempt, self._options.timeout)
        except sqlite3.Error as error:
            if not is_full(error):
                raise
        with self._file as connection:
            self._room.make(connection)
        return insist(self._attempt, self._options.timeout)

    def _attempt(self) -> bool:
        if not self._is_same_file():
            self._file.close()
            return False
        with self._file as connection:
            return connection.execute(_BEAT, (time.time(), self._options.name, self._owner)).rowcount == 1

    def _is_same_file(self) -> bool:
        """Whether the path still names the file in which the owner registered; of a URI that is not looked at."""
        if self._options.connect.get("uri"):
            return True
        found = identify(self._options.target)
        if self._identity is None:
            self._identity = found
        return found is not None and found == self._identity
