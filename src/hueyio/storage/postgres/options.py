"""How a PostgreSQL database is used: one frozen value, checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass, field

from hueyio.exceptions import ConfigurationError
from hueyio.storage.postgres.address import Address, describe, is_dsn, is_schema
from hueyio.storage.shared.bounds import check_count
from hueyio.storage.shared.ended import check_keep_ended
from hueyio.storage.shared.history import check_history_bounds
from hueyio.storage.shared.letters import check_failed_bounds

__all__ = ["PostgresOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresOptions:
    """Where the queue is and how it is written; ``PostgresStorage`` says what each means."""

    name: str
    dsn: str
    listen_dsn: str | None
    schema: str
    create_tables: bool
    max_connections: int
    prepare_threshold: int | None
    timeout: float
    outage_timeout: float
    dead_limit: int
    keep_ended: int
    keep_failed: int
    failed_bytes: int
    failed_ttl: float
    keep_history: int
    history_ttl: float
    where: str = field(init=False)
    """The server and the database, for messages."""

    def __post_init__(self) -> None:
        _require(isinstance(self.name, str) and self.name and _is_utf8(self.name), "name", "must be a non-empty string")
        _require("\0" not in self.name, "name", "must not have a NUL in it")
        for dsn, option in ((self.dsn, "dsn"), (self.listen_dsn, "listen_dsn")):
            _require(dsn is None or is_dsn(dsn), option, "must be a connection string or a postgresql:// URL")
        _require(
            is_schema(self.schema),
            "schema",
            "must be a name of lower-case letters, digits and underscores, of 40 characters at most",
        )
        _require(isinstance(self.create_tables, bool), "create_tables", "must be True or False")
        _require(
            type(self.max_connections) is int and self.max_connections >= 1,
            "max_connections",
            "must be a whole number, 1 or more",
        )
        for seconds, option in ((self.timeout, "timeout"), (self.outage_timeout, "outage_timeout")):
            _require(_is_number(seconds) and seconds >= 0, option, "must be a number of seconds, 0 or more")
        _require(self.timeout > 0, "timeout", "must be a number of seconds above 0")
        _require(
            self.prepare_threshold is None or (type(self.prepare_threshold) is int and self.prepare_threshold >= 0),
            "prepare_threshold",
            "must be a whole number, 0 or more, or None",
        )
        check_count("PostgresStorage", "dead_limit", self.dead_limit)
        check_keep_ended("PostgresStorage", self.keep_ended)
        check_failed_bounds("PostgresStorage", self.keep_failed, self.failed_bytes, self.failed_ttl)
        check_history_bounds("PostgresStorage", self.keep_history, self.history_ttl)
        object.__setattr__(self, "where", describe(self.dsn))

    @property
    def address(self) -> Address:
        """The database and the schema."""
        return Address(self.dsn, self.schema)

    @property
    def keeps_failed(self) -> bool:
        """Whether there is room for any failed task."""
        return self.keep_failed > 0 and self.failed_ttl > 0 and self.failed_bytes > 0

    @property
    def keeps_history(self) -> bool:
        """Whether there is room for any history."""
        return self.keep_history > 0 and self.history_ttl > 0


def _require(holds: object, name: str, what: str) -> None:
    if not holds:
        raise ConfigurationError(f"PostgresStorage: {name} {what}")


def _is_utf8(value: str) -> bool:
    try:
        return bool(value.encode())
    except UnicodeEncodeError:
        return False


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
