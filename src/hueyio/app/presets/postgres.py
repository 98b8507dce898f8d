"""PostgresHuey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from hueyio.app.huey import Huey
from hueyio.app.options import HueyOptions
from hueyio.handles.options import check_names, merged, shows_options
from hueyio.storage.postgres_url import missing_psycopg

if TYPE_CHECKING:
    from hueyio.storage.postgres import PostgresStorage
else:
    try:
        from hueyio.storage.postgres import PostgresStorage
    except ImportError as error:  # psycopg is an extra, and needs libpq; all names of hueyio can be imported without
        _missing = error

        class PostgresStorage:
            """Stands where the storage cannot be imported, until somebody makes one."""

            def __init__(self, *args: Any, **options: Any) -> None:
                raise missing_psycopg(_missing) from _missing


__all__ = ["PostgresHuey"]


class PostgresHueyOptions(HueyOptions, total=False):
    """What ``PostgresHuey`` takes beside its own; see ``PostgresStorage``."""

    max_connections: int
    prepare_threshold: int | None
    timeout: float
    dead_limit: int
    keep_ended: int
    keep_failed: int
    failed_bytes: int
    failed_ttl: float
    keep_history: int
    history_ttl: float
    outage_timeout: float


class PostgresHuey(Huey):
    """Tasks in a PostgreSQL database, shared by all machines that reach it; see ``PostgresStorage``.

    ``dsn`` is a connection string or a URL, such as ``postgresql://app@db/app``; what it leaves out is taken from the
    environment (``PGHOST``, ``PGPASSWORD``, ...), as libpq does it.
    """

    storage_class = PostgresStorage

    @shows_options(Huey, PostgresStorage, names=PostgresHueyOptions.__annotations__)
    def __init__(
        self,
        name: str = "huey",
        dsn: str = "",
        *,
        schema: str = "hueyio",
        listen_dsn: str | None = None,
        create_tables: bool = True,
        storage_kwargs: dict[str, Any] | None = None,
        **options: Unpack[PostgresHueyOptions],
    ) -> None:
        check_names(type(self).__name__, options, PostgresHueyOptions.__annotations__)
        given: dict[str, Any] = {
            "dsn": dsn,
            "schema": schema,
            "listen_dsn": listen_dsn,
            "create_tables": create_tables,
        }
        super().__init__(name, **merged({**given, **options}, storage_kwargs))
