"""What has to be known of the inside of redis-py; all else uses what it exports and documents.

redis-py documents clients and pools. hueyio needs single connections, and each only until it is open and logged in:
from then on it reads and writes the transport itself (``stream.py``). What is listed here may change with any version,
so ``nox -s redis_py`` tests the oldest and the newest that ``pyproject.toml`` allows. All was seen in 7.2.1 to 8.1.0.

===================================  ==============================================================================
``AbstractConnection``               what the three classes of connections have in common; not exported
``connect``                          raises what ``errors.translate`` knows; redis-py says TLS, login, database itself
``_reader``, ``_writer``             asyncio's streams, None while not connected; see ``take_over``
``_parser.parse_error``              the exception that an error of the server is
``disconnect(nowait=True)``          closes without waiting for the transport
``get_connection``                   of a blocking client's pool; ``read_response``: the reply as the server gave it
``crc.key_slot``                     the slot of a key in a cluster
``asyncio.connection.parse_url``     what ``from_url`` makes of a url
``connection_kwargs``                of a pool, of a cluster's ``nodes_manager``: what connections are made with
``connection_class``                 of a pool
``nodes_manager.startup_nodes``      of a ``RedisCluster``: the nodes that it was given
``sentinel_manager``, ``is_master``  of the pool of ``Sentinel.master_for``; ``service_name`` beside them
``MovedError.node_addr``             where a cluster says that a slot is
``PRIVATE_SETTINGS``                 parameters of connections through which redis-py's own parts talk to each other
===================================  ==============================================================================
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import redis
from redis.asyncio.connection import AbstractConnection, parse_url
from redis.crc import key_slot
from redis.exceptions import MovedError

from hueyio.named_tuple import NamedTuple

__all__ = [
    "PRIVATE_SETTINGS",
    "Connection",
    "Given",
    "Taken",
    "abort",
    "address_of",
    "ask_raw",
    "key_slot",
    "open_connection",
    "parse_url",
    "read_given",
    "take_over",
]

Connection: TypeAlias = AbstractConnection
"""One connection for asyncio."""

PRIVATE_SETTINGS: Final = frozenset(
    {
        "cache", "event_dispatcher", "himport_registry", "legacy_responses", "maint_notifications_config",
        "maint_notifications_pool_handler", "oss_cluster_maint_notifications_handler", "redis_connect_func",
    }
)  # fmt: skip
"""Parameters of connections that belong to the client or the pool that they were taken from."""


async def open_connection(connection: Connection) -> None:
    """Connect. Raises RedisError or OSError."""
    await connection.connect()  # type: ignore[no-untyped-call]


async def abort(connection: Connection) -> None:
    """Close a connection at once that could not be opened; ``stream.py`` says why not politely."""
    if connection._writer is not None:
        connection._writer.transport.abort()
    await connection.disconnect(nowait=True)


class Taken(NamedTuple):
    """What an open connection consists of."""

    writer: asyncio.StreamWriter
    parse_error: Callable[[str], Exception]
    unread: bytes
    """What has arrived and was read by nobody."""


async def take_over(connection: Connection, protocol: asyncio.Protocol) -> Taken:
    """Have a protocol get what arrives from now on; redis-py's object is not connected any more.

    Raises RedisError or OSError if the connection is closed already. Nothing is waited for.
    """
    reader, writer = connection._reader, connection._writer
    if reader is None or writer is None:
        raise redis.ConnectionError("the connection is closed")
    if (error := reader.exception()) is not None:
        raise error
    if reader.at_eof() or writer.transport.is_closing():
        raise redis.ConnectionError("the connection is closed by the server")
    writer.transport.set_protocol(protocol)
    connection._reader = connection._writer = None
    reader.feed_eof()  # so that reading ends with what is there
    return Taken(writer, connection._parser.parse_error, await reader.read())


def ask_raw(client: redis.Redis, command: Sequence[str]) -> Any:
    """Return the reply to a command as the server gave it. Raises RedisError or OSError."""
    connection = client.connection_pool.get_connection()
    connection.send_command(*command)  # type: ignore[no-untyped-call]
    return connection.read_response()


def address_of(error: MovedError) -> tuple[str, int]:
    """Return where a slot is; the host is empty if the server does not know its own."""
    host, port = error.node_addr
    return host, int(port)


class Given(NamedTuple):
    """What a client or a pool of the user's knows of where it connects to."""

    settings: Mapping[str, Any]
    nodes: Sequence[tuple[str, int]] = ()
    """Those of a cluster."""
    sentinels: Sequence[Mapping[str, Any]] = ()
    """What a connection to each of the Sentinels is made with, which name the server."""
    master: str = ""
    is_master: bool = True
    """False: it connects to the replicas of the master."""


def read_given(given: Any) -> Given | None:
    """Read a client or a pool, for asyncio or not; None if it is neither."""
    nodes = getattr(given, "nodes_manager", None)
    if nodes is not None:
        addresses = [(it.host, int(it.port)) for it in nodes.startup_nodes.values()]
        return Given(nodes.connection_kwargs, addresses)
    pool = getattr(given, "connection_pool", given)
    try:
        settings = {**pool.connection_kwargs, "connection_class": pool.connection_class}
    except AttributeError:
        return None
    manager = getattr(pool, "sentinel_manager", None)
    if manager is None:
        return Given(settings)
    sentinels = [it.connection_pool.connection_kwargs for it in manager.sentinels]
    return Given(settings, (), sentinels, pool.service_name, pool.is_master)
