"""From a place to a Huey: the app's own, or one that knows the queue and no task."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable
from contextlib import redirect_stdout
from importlib import import_module
from typing import Any, Final, TypeVar

from hueyio.app import Huey
from hueyio.app.presets.file import FileHuey
from hueyio.app.presets.redis import PriorityRedisExpireHuey, PriorityRedisHuey, RedisExpireHuey, RedisHuey
from hueyio.app.presets.sqlite import SqliteHuey
from hueyio.cli.failures import NothingFound
from hueyio.cli.place import Place
from hueyio.cli.sealed import SealedSerializer
from hueyio.core import core_of
from hueyio.exceptions import ConfigurationError, StorageUnavailable
from hueyio.named_tuple import NamedTuple
from hueyio.storage.file.queues import find_queues as find_queues_of_folder
from hueyio.storage.postgres_url import import_part, is_postgres_url
from hueyio.storage.redis.queues import look_for_queue
from hueyio.storage.sqlite.queues import find_queues as find_queues_of_file
from hueyio.worker.loading import load_huey

__all__ = ["Opened", "load_app", "open_place"]

T = TypeVar("T")

_DEFAULT_QUEUE: Final = "huey"

_CLASSES: Final[dict[str, type[RedisHuey]]] = {
    "RedisStorage": RedisHuey,
    "PriorityRedisStorage": PriorityRedisHuey,
    "RedisExpireStorage": RedisExpireHuey,
    "PriorityRedisExpireStorage": PriorityRedisExpireHuey,
}
"""By the name of the storage that a queue was written by."""


class Opened(NamedTuple):
    """A Huey, and the path of the app that has it; None: it is nobody's, knows no task, and reads none."""

    huey: Huey
    app: str | None

    @property
    def has_app(self) -> bool:
        """Whether it knows the tasks, and reads what they carry."""
        return self.app is not None


def open_place(place: Place, timeout: float) -> Opened:
    """Return the Huey of a place; no session is opened.

    Raises ConfigurationError, StorageUnavailable, or NothingFound where there is no such queue: none is made.
    """
    if place.app is not None:
        return Opened(load_app(place.app), place.app)
    if place.url is not None and is_postgres_url(place.url):
        return Opened(_in_database(place.url, place.queue, timeout), None)
    if place.url is not None:
        return Opened(_on_server(place.url, place.queue or _DEFAULT_QUEUE, timeout), None)
    assert place.file is not None
    return Opened(_in_file(place.file, place.queue, timeout), None)


def load_app(path: str) -> Huey:
    """Import an application; raises ConfigurationError if its Huey has no queue that others see."""
    with redirect_stdout(sys.stderr):  # what a module prints while it is imported is no data
        huey = load_huey(path)
    storage = huey.storage
    if core_of(huey).immediate:
        raise ConfigurationError(f"{path} is in immediate mode: it runs its tasks itself, and keeps none to look at")
    if not (storage.capabilities.across_processes and storage.capabilities.keeps):
        raise ConfigurationError(f"{path} keeps its tasks where no other process sees them: {storage}")
    return huey


def _on_server(url: str, queue: str, timeout: float) -> Huey:
    look = asyncio.run(_within(timeout, look_for_queue(url, queue)))
    if look.kind is None:
        raise _no_queue(queue, "on this server", look.others)
    return _CLASSES.get(look.kind, RedisHuey)(queue, url=url, **_without_app())


def _in_database(url: str, queue: str | None, timeout: float) -> Huey:
    module = import_part("queues")
    address = module.read_url(url)
    queues: list[str] = asyncio.run(_within(timeout, module.find_queues(address)))
    queue = _only(queues, queue, address.where, address.where)
    schema = {"schema": address.schema, "create_tables": False}
    made: type[Huey] = import_module("hueyio.app.presets.postgres").PostgresHuey  # psycopg takes long to import
    return made(queue, dsn=address.dsn, timeout=timeout, **schema, **_without_app())


async def _within(timeout: float, looking: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(timeout):
            return await looking
    except TimeoutError as error:
        raise StorageUnavailable(f"the server does not answer within {timeout:g} s") from error


def _in_file(path: str, queue: str | None, timeout: float) -> Huey:
    is_folder = os.path.isdir(path)
    queues = find_queues_of_folder(path) if is_folder else find_queues_of_file(path, timeout)
    queue = _only(queues, queue, path, os.path.abspath(path))
    if is_folder:
        return FileHuey(queue, path=path, timeout=timeout, **_without_app())
    return SqliteHuey(queue, filename=path, timeout=timeout, **_without_app())


def _only(queues: list[str], queue: str | None, said: str, where: str) -> str:
    if queue is None:
        if len(queues) != 1:
            raise ConfigurationError(f"{said} has {len(queues)} queues: say --queue with one of {_listed(queues)}")
        (queue,) = queues
    if queue not in queues:
        raise _no_queue(queue, f"in {where}", queues)
    return queue


def _without_app() -> dict[str, Any]:
    # What is cancelled here leaves no result: who waits learns it from the end that is remembered, and an error in a
    # format that the app does not read would be worse than none.
    return {"serializer": SealedSerializer(), "results": False}


def _no_queue(queue: str, where: str, others: list[str]) -> NothingFound:
    return NothingFound(f"there is no queue {queue!r} {where}; there are: {_listed(others)}")


def _listed(queues: list[str]) -> str:
    return ", ".join(queues) or "none"
