"""Connections to wherever the server is; the two drivers of a deployment's search."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Final, NamedTuple

import redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from hueyio.exceptions import HueyException
from hueyio.storage.redis.deployment import Address, Deployment, Question
from hueyio.storage.redis.errors import translate
from hueyio.storage.redis.options import RedisOptions

__all__ = ["Connected", "ask", "connect", "connect_blocking", "let_go"]

_LONGEST_ANSWER: Final = 1.0
"""Seconds that a question may take: there are others to ask."""


class Connected(NamedTuple):
    """An open connection, and to which server."""

    connection: AbstractConnection
    server: RedisOptions


async def connect(deployment: Deployment, moved_to: Address | None = None) -> Connected:
    """Find the server and open a connection. Raises StorageUnavailable or ConfigurationError."""
    while True:
        announced = deployment.announced
        server = await _find(deployment, moved_to)
        connection = await _open(server)
        if deployment.announced == announced:
            return Connected(connection, server)
        await let_go(connection)  # another was announced meanwhile


async def _find(deployment: Deployment, moved_to: Address | None) -> RedisOptions:
    search = deployment.search(moved_to)
    answer: Any = None
    while True:
        try:
            question = search.send(answer)
        except StopIteration as found:
            server: RedisOptions = found.value
            return server
        answer = await ask(question)


def connect_blocking(deployment: Deployment) -> redis.Redis:
    """Find the server and make a client for a heartbeat. Raises StorageUnavailable or ConfigurationError."""
    search = deployment.search()
    answer: Any = None
    while True:
        try:
            question = search.send(answer)
        except StopIteration as found:
            server: RedisOptions = found.value
            break
        answer = _ask_blocking(question)
    return server.make_blocking_client()


async def _open(server: RedisOptions) -> AbstractConnection:
    connection = server.make_connection()
    try:
        async with asyncio.timeout(server.connect_timeout):
            await connection.connect()  # type: ignore[no-untyped-call]
    except (RedisError, OSError, TimeoutError) as error:
        await let_go(connection)
        raise translate(error, str(server)) from error
    except BaseException:
        await let_go(connection)
        raise
    return connection


async def let_go(connection: AbstractConnection) -> None:
    """Close a connection at once.

    redis-py closes it politely: what is not written yet goes out first, and TLS says goodbye. With a server that takes
    nothing any more this may outlast the loop, and the socket is left open. Nothing here is in need of that: what must
    be written is answered before anybody lets go. For the same reason every read has ``disconnect_on_error=False``:
    redis-py would close politely when it is cancelled.
    """
    if connection._writer is not None:
        connection._writer.transport.abort()
    await connection.disconnect(nowait=True)


async def ask(question: Question) -> Any:
    """Return the answer, or the error that says why there is none."""
    server = _in_a_hurry(question.server)
    try:
        connection = await _open(server)
    except HueyException as error:
        return error
    try:
        async with asyncio.timeout(server.timeout):
            await connection.send_command(*question.command)
            return await connection.read_response(disconnect_on_error=False)
    except (RedisError, OSError, TimeoutError) as error:
        return translate(error, str(server))
    finally:
        await let_go(connection)


def _ask_blocking(question: Question) -> Any:
    server = _in_a_hurry(question.server)
    client = server.make_blocking_client()
    try:
        connection = client.connection_pool.get_connection()
        connection.send_command(*question.command)  # type: ignore[no-untyped-call]
        return connection.read_response()
    except (RedisError, OSError) as error:
        return translate(error, str(server))
    finally:
        client.connection_pool.disconnect()


def _in_a_hurry(server: RedisOptions) -> RedisOptions:
    timeout = min(server.timeout, server.connect_timeout, _LONGEST_ANSWER)
    return replace(server, timeout=timeout, connect_timeout=timeout)
