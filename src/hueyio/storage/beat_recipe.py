"""What a heartbeat does, as data: so that a process that imports nothing of hueyio can send it.

``LeaseKeeper`` beats from a thread, which stands still while a task holds the interpreter lock. A keeper that is
``Portable`` (``contract.py``) says by one of these what it does; ``consumer/beater_process.py`` knows each of them.
"""

from __future__ import annotations

from typing import TypeAlias

from hueyio.named_tuple import NamedTuple

__all__ = ["BeatRecipe", "FileBeat", "RedisBeat", "SqliteBeat"]


class SqliteBeat(NamedTuple):
    """One statement on an SQLite file. Its first parameter is the time, the others follow; it changes one row."""

    target: str
    """A path or a URI."""
    is_uri: bool
    pragmas: tuple[str, ...]
    statement: str
    parameters: tuple[str, ...]
    timeout: float
    """Seconds for which the lock of another connection is waited for."""

    def __str__(self) -> str:
        return f"SQLite file {self.target}"


class FileBeat(NamedTuple):
    """A counter and a time in a small file, raised while a lock is held."""

    lock: str
    beat: str
    timeout: float
    mode: int
    """Of the lock file, where that has to be made anew."""

    def __str__(self) -> str:
        return f"file {self.beat}"


class RedisBeat(NamedTuple):
    """One script on one server, which answers 1 while the lease lasts."""

    host: str
    port: int
    path: str
    """The Unix socket; empty: it is reached by TCP."""
    login: tuple[str, ...]
    """The arguments of AUTH; none: there is nothing to say."""
    client_name: str
    db: int
    timeout: float
    """Seconds that connecting, and then a reply, may take."""
    script: str
    keys: tuple[str, ...]
    argument: str

    def __str__(self) -> str:
        return f"Redis at {self.path or f'{self.host}:{self.port}'}/{self.db}"

    def __repr__(self) -> str:
        return f"<RedisBeat: {self}>"  # the login is nobody's business


BeatRecipe: TypeAlias = SqliteBeat | FileBeat | RedisBeat
