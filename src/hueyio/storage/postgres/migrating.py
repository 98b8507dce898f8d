"""What ``hueyio migrate`` needs of this storage: a migration by itself, by a role that may do more than workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from hueyio.storage.postgres import migrations
from hueyio.storage.postgres.address import Address, read_url
from hueyio.storage.postgres.connection.connecting import connect
from hueyio.storage.postgres.connection.errors import translate
from hueyio.storage.postgres.storage import PostgresStorage

__all__ = ["PostgresStorage", "bring_forward", "find_version", "read_url", "script"]


async def bring_forward(address: Address, timeout: float) -> tuple[int, int]:
    """Make what is missing; return the version before and after. ``timeout`` is for the connection alone.

    Raises StorageUnavailable, or ConfigurationError where the role may not.
    """
    async with _connected(address, timeout) as connection:
        before = await migrations.bring_forward(connection, address.schema)
    return before, max(before, migrations.VERSION)


async def find_version(address: Address, timeout: float) -> int:
    """Return the version of what is in the schema; 0: nothing is."""
    async with _connected(address, timeout) as connection:
        return await migrations.read_version(connection, address.schema)


def script(schema: str, version: int) -> str:
    """Return the SQL that brings a schema from this version to ours, as one transaction; a comment if it is there."""
    if version >= migrations.VERSION:
        return f"-- The schema {schema} has version {version}: nothing is to be done.\n"
    return f"BEGIN;\n\n{migrations.script(schema, version)}\n\nCOMMIT;\n"


@asynccontextmanager
async def _connected(address: Address, timeout: float) -> AsyncIterator[psycopg.AsyncConnection[tuple[Any, ...]]]:
    try:
        async with asyncio.timeout(timeout):
            connection = await connect(address.dsn, None)
        async with connection:
            yield connection
    except (psycopg.Error, OSError, TimeoutError) as error:
        raise translate(error, address.where) from error
