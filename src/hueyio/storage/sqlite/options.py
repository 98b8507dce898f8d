"""How a SQLite file is opened: one frozen value, checked when it is made."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from hueyio.exceptions import ConfigurationError
from hueyio.storage.shared.ended import check_keep_ended
from hueyio.storage.shared.history import check_history_bounds
from hueyio.storage.shared.letters import check_failed_bounds
from hueyio.storage.shared.private_files import DEFAULT_MODE, check_mode

__all__ = ["SqliteOptions"]

_JOURNAL_MODES: Final = ("wal", "delete", "truncate", "persist")
_PASSED_ON: Final = ("cached_statements", "detect_types", "factory", "uri")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteOptions:
    """Where the file is and how it is written; ``SqliteStorage`` says what each means."""

    name: str
    filename: str | os.PathLike[str]
    cache_mb: float
    fsync: bool
    sync_on_loop: bool
    journal_mode: str
    timeout: float
    strict_fifo: bool
    create_tables: bool
    dead_limit: int
    keep_ended: int
    keep_failed: int
    failed_bytes: int
    failed_ttl: float
    keep_history: int
    history_ttl: float
    clock: Callable[[], float]
    connect: Mapping[str, Any]
    mode: int = DEFAULT_MODE
    path: str = field(init=False)
    """The file for messages: absolute, because who names it may be in another directory; a URI as it is."""
    target: str = field(init=False)
    """What sqlite3.connect is told: a URI as it is, a path made absolute, whatever directory is current later."""
    bounds: tuple[int, int, int, float, int, int, float] = field(init=False)
    """What a transaction keeps of dead letters, ended ids, failed tasks and history."""

    def __post_init__(self) -> None:
        _require(self.name and _is_text(self.name), "name", "must be a non-empty string")
        _require(isinstance(self.filename, str | os.PathLike), "filename", "must be a path")
        path = os.fspath(self.filename)
        _require(path and _is_text(path) and "\0" not in path, "filename", "must be a path")
        is_memory = path == ":memory:" or (self._is_uri and "memory" in path)
        _require(not is_memory, "filename", "must name a file: a database in memory is not shared; MemoryHuey is that")
        is_fixed = self._is_uri or os.path.isabs(path)
        object.__setattr__(self, "target", path if is_fixed else os.path.abspath(path))
        object.__setattr__(self, "path", self.target)
        self._require_values()
        letters = self.dead_limit, self.keep_ended, self.keep_failed, self.failed_ttl, self.failed_bytes
        object.__setattr__(self, "bounds", (*letters, self.keep_history, self.history_ttl))

    @property
    def local_path(self) -> str | None:
        """The path of the file; None if a URI names it in a way that only SQLite understands."""
        if not self._is_uri or not self.target.startswith("file:"):
            return self.target
        parts = urlsplit(self.target)
        plain = not parts.netloc or parts.netloc == "localhost"
        return os.path.abspath(unquote(parts.path)) if plain and "vfs=" not in parts.query else None

    @property
    def makes_file(self) -> bool:
        """Whether SQLite makes the file if it is missing; a URI may say that it does not."""
        if not self._is_uri:
            return True
        said = parse_qs(urlsplit(self.target).query)
        return said.get("mode", ["rwc"])[-1] == "rwc" and "immutable" not in said

    @property
    def _is_uri(self) -> bool:
        return bool(self.connect.get("uri"))

    def _require_values(self) -> None:
        _require(_is_number(self.cache_mb) and self.cache_mb > 0, "cache_mb", "must be a number above 0")
        _require(self.journal_mode in _JOURNAL_MODES, "journal_mode", f"must be one of {', '.join(_JOURNAL_MODES)}")
        _require(_is_number(self.timeout) and self.timeout >= 0, "timeout", "must be a number of seconds, 0 or more")
        _require(
            type(self.dead_limit) is int and self.dead_limit >= 1, "dead_limit", "must be a whole number, 1 or more"
        )
        check_keep_ended("SqliteStorage", self.keep_ended)
        check_failed_bounds("SqliteStorage", self.keep_failed, self.failed_bytes, self.failed_ttl)
        check_mode("SqliteStorage", self.mode)
        check_history_bounds("SqliteStorage", self.keep_history, self.history_ttl)
        _require(callable(self.clock), "clock", "must be a function that returns epoch seconds")
        for flag in ("fsync", "sync_on_loop", "strict_fifo", "create_tables"):
            _require(isinstance(getattr(self, flag), bool), flag, "must be True or False")
        for key in self.connect:
            _require(key in _PASSED_ON, key, f"is no option; sqlite3.connect is passed only {', '.join(_PASSED_ON)}")


def _require(holds: object, name: str, what: str) -> None:
    if not holds:
        raise ConfigurationError(f"SqliteStorage: {name} {what}")


def _is_text(value: object) -> bool:
    """A string that SQLite can hold: one without lone surrogates."""
    try:
        return isinstance(value, str) and bool(value.encode())
    except UnicodeEncodeError:
        return False


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
