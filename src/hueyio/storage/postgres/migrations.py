"""The tables and functions in the database: made by whoever comes first, and brought forward by whoever is newer.

All of it is one transaction under an advisory lock of that transaction, so that two who come at the same time do not
meet, and a pooler in between does no harm.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg

from hueyio.exceptions import ConfigurationError
from hueyio.storage.postgres.functions import FUNCTIONS, TABLES, fill
from hueyio.storage.postgres.options import PostgresOptions

__all__ = ["VERSION", "bring_forward", "migrate", "read_version", "script"]

VERSION: Final = 1
"""Of the tables and functions that this hueyio needs."""

_LOCK: Final = 4_843_895_220_715_531
"""The advisory lock of all migrations."""


def script(schema: str, version: int = 0) -> str:
    """Return the SQL that brings a schema from this version to ours; it is one transaction when it is run as one."""
    parts = [f"CREATE SCHEMA IF NOT EXISTS {schema};"]
    if version < 1:
        parts += [f"CREATE TABLE {schema}.versions (version int NOT NULL);", *TABLES]
        parts.append(f"INSERT INTO {schema}.versions VALUES ({VERSION});")
    else:
        parts.append(f"UPDATE {schema}.versions SET version = {VERSION};")
    parts += [text.rstrip().rstrip(";") + ";" for text in FUNCTIONS.values()]
    return fill("\n\n".join(parts), schema)


async def read_version(connection: psycopg.AsyncConnection[tuple[Any, ...]], schema: str) -> int:
    """Return the version of what is there; 0: nothing is."""
    found = await (await connection.execute("SELECT to_regclass(%s::text)", [f"{schema}.versions"])).fetchone()
    if found is None or found[0] is None:
        return 0
    row = await (await connection.execute(f"SELECT version FROM {schema}.versions".encode())).fetchone()
    return 0 if row is None else int(row[0])


async def migrate(connection: psycopg.AsyncConnection[tuple[Any, ...]], options: PostgresOptions) -> None:
    """Make what is missing, if this storage may; raises ConfigurationError if it may not."""
    schema = options.schema
    if await read_version(connection, schema) >= VERSION:
        return
    if not options.create_tables:
        raise ConfigurationError(
            f"{options.where} has no tables of this hueyio in the schema {schema}: run `hueyio migrate` first"
        )
    await bring_forward(connection, schema)


async def bring_forward(connection: psycopg.AsyncConnection[tuple[Any, ...]], schema: str) -> int:
    """Make what is missing in a schema; return the version that it had."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s::bigint)", [_LOCK])
        version = await read_version(connection, schema)
        if version < VERSION:
            await connection.execute(script(schema, version).encode())
    return version
