"""Connections to wherever the server is; the two drivers of a deployment's search."""

from __future__ import annotations

import asyncio
import encodings.idna  # noqa: F401 - names of hosts are encoded by it; a late import fails without a descriptor
from dataclasses import replace
from typing import Any, Final

import redis
from redis.exceptions import RedisError

from hueyio.exceptions import HueyException, StorageUnavailable
from hueyio.named_tuple import NamedTuple
from hueyio.storage.redis.connection.command import pack
from hueyio.storage.redis.connection.deployment import Address, Deployment, Question
from hueyio.storage.redis.connection.errors import translate
from hueyio.storage.redis.connection.inside_redis_py import abort, ask_raw, open_connection
from hueyio.storage.redis.connection.options import RedisOptions
from hueyio.storage.redis.connection.stream import Stream
from hueyio.storage.shared.background import is_cancelled

__all__ = ["Connected", "ask", "connect", "connect_blocking", "find_blocking"]

_LONGEST_ANSWER: Final = 1.0
"""Seconds that a question may take: there are others to ask."""


class Connected(NamedTuple):
    """An open connection, and to which server."""

    stream: Stream
    server: RedisOptions


async def connect(deployment: Deployment, moved_to: Address | None = None) -> Connected:
    """Find the server and open a connection. Raises StorageUnavailable or ConfigurationError."""
    try:
        while True:
            announced = deployment.announced
            server = await _find(deployment, moved_to)
            stream = await _open(server)
            if deployment.announced == announced:
                return Connected(stream, server)
            stream.close()  # another was announced meanwhile
    except asyncio.CancelledError as error:
        # Where a server resets a connection that is being opened, this comes out of redis-py now and then, and nobody
        # has cancelled anything: whoever waits for the connection would take the session for closed.
        if is_cancelled():
            raise
        raise StorageUnavailable(f"{deployment} cannot be reached: the connection was cut off") from error


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
    return find_blocking(deployment).make_blocking_client()


def find_blocking(deployment: Deployment) -> RedisOptions:
    """Find the server, from a thread. Raises StorageUnavailable or ConfigurationError."""
    search = deployment.search()
    answer: Any = None
    while True:
        try:
            question = search.send(answer)
        except StopIteration as found:
            server: RedisOptions = found.value
            return server
        answer = _ask_blocking(question)


async def _open(server: RedisOptions) -> Stream:
    connection = server.make_connection()
    try:
        async with asyncio.timeout(server.connect_timeout):
            await open_connection(connection)
        return await Stream.of(connection)
    except (RedisError, OSError, TimeoutError) as error:
        await abort(connection)
        raise translate(error, str(server)) from error
    except BaseException:
        await abort(connection)
        raise


async def ask(question: Question) -> Any:
    """Return the answer, or the error that says why there is none."""
    server = _in_a_hurry(question.server)
    try:
        stream = await _open(server)
    except HueyException as error:
        return error
    answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def take(answer: Any) -> None:
        if not answered.done():
            answered.set_result(answer)

    stream.begin(take, take)
    stream.write_now(pack(*question.command).packed)
    try:
        async with asyncio.timeout(server.timeout):
            answer = await answered
    except TimeoutError as error:
        answer = error
    finally:
        stream.close()
    return translate(answer, str(server)) if isinstance(answer, Exception) else answer


def _ask_blocking(question: Question) -> Any:
    server = _in_a_hurry(question.server)
    client = server.make_blocking_client()
    try:
        return ask_raw(client, question.command)
    except (RedisError, OSError) as error:
        return translate(error, str(server))
    finally:
        client.connection_pool.disconnect()


def _in_a_hurry(server: RedisOptions) -> RedisOptions:
    timeout = min(server.timeout, server.connect_timeout, _LONGEST_ANSWER)
    return replace(server, timeout=timeout, connect_timeout=timeout)
