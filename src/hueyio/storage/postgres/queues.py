"""Which queues there are in a database: for whoever has an address and no app.

A session makes the tables and the queue where they are missing, and so would make one of a name that was mistyped. This
only reads, before anything is opened.
"""

from __future__ import annotations

import psycopg

from hueyio.exceptions import ConfigurationError, HueyException
from hueyio.storage.postgres.address import Address, read_url
from hueyio.storage.postgres.connection.connecting import connect
from hueyio.storage.postgres.connection.errors import translate
from hueyio.storage.postgres.functions import call_of
from hueyio.storage.postgres.storage import PostgresStorage

__all__ = ["find_queues", "find_storage", "read_url"]


async def find_queues(address: Address) -> list[str]:
    """Return the names of the queues, by name.

    Raises ConfigurationError if there are no tables of hueyio, StorageUnavailable if the server cannot be reached.
    """
    try:
        async with await connect(address.dsn, None) as connection:
            rows = await (await connection.execute(call_of("list_queues_1", address.schema))).fetchall()
    except (psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedFunction) as error:
        raise ConfigurationError(f"{address.where} has no queue of hueyio in the schema {address.schema}") from error
    except (psycopg.Error, OSError) as error:
        raise translate(error, address.where) from error
    return [str(name) for (name,) in rows]


async def find_storage(url: str, name: str) -> PostgresStorage:
    """Return the storage of a queue; raises HueyException if there is no such queue."""
    address = read_url(url)
    queues = await find_queues(address)
    if name not in queues:
        raise HueyException(f"there is no queue {name!r} in this database; there are: {', '.join(queues) or 'none'}")
    return PostgresStorage(name, address.dsn, schema=address.schema, create_tables=False)
