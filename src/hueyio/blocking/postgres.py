"""PostgresHuey, for a program without any ``async``."""

from __future__ import annotations

from typing import Any, Unpack

from hueyio.app.presets import postgres
from hueyio.app.sync_huey import SyncHuey
from hueyio.blocking.huey import Huey
from hueyio.handles.options import shows_options

__all__ = ["PostgresHuey"]


class PostgresHuey(Huey):
    """Tasks in a PostgreSQL database, shared by all machines that reach it; see ``hueyio.PostgresHuey``."""

    __slots__ = ()

    @shows_options(postgres.PostgresHuey)
    def __init__(
        self,
        name: str = "huey",
        dsn: str = "",
        *,
        schema: str = "hueyio",
        listen_dsn: str | None = None,
        create_tables: bool = True,
        storage_kwargs: dict[str, Any] | None = None,
        **options: Unpack[postgres.PostgresHueyOptions],
    ) -> None:
        made = postgres.PostgresHuey(
            name,
            dsn,
            schema=schema,
            listen_dsn=listen_dsn,
            create_tables=create_tables,
            storage_kwargs=storage_kwargs,
            **options,
        )
        SyncHuey.__init__(self, made)
