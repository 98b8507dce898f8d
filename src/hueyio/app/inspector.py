"""Look at a queue without its application: what its tasks are, by what the storage has of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from importlib import import_module
from types import TracebackType
from typing import Final, Self

from hueyio.app.sync_inspector import SyncInspector
from hueyio.control.consumers import ConsumerInfo, read_consumers
from hueyio.control.listing import TaskPage, checked_page_size, list_tasks
from hueyio.control.task_details import TaskDetails, describe_task
from hueyio.control.wish import make_wish
from hueyio.exceptions import ConfigurationError, HueyException
from hueyio.loops.sessions import Sessions
from hueyio.storage.contract import Storage
from hueyio.storage.postgres_url import import_part, is_postgres_url
from hueyio.storage.records import COUNTED, Counts
from hueyio.tasks.states import ListName

__all__ = ["Inspector"]


class Inspector:
    """Lists the tasks of a storage, and says what is known of one. It needs no application, and reads no arguments.

    ::

        async with await Inspector.from_url("redis://cache:6379/0", "shop") as inspector:
            page = await inspector.tasks("failed", name="shop.mail.*")

    Elsewhere the storage is given: ``Inspector(SqliteStorage("shop", "app.db"))`` is for what a ``SqliteHuey`` wrote. A
    session opens at the first use in a loop. ``sync`` has the same as blocking methods.
    """

    def __init__(self, storage: Storage) -> None:
        if not isinstance(storage, Storage):
            raise ConfigurationError(f"an Inspector needs a storage, such as SqliteStorage(...), not {storage!r}")
        self.storage: Final = storage
        self._sessions = Sessions(storage)

    @classmethod
    async def from_url(cls, url: str, queue: str = "huey") -> Self:
        """Look at a queue of a Redis or Valkey server, whichever class of Huey wrote it, or of a PostgreSQL database.

        In a ``postgresql://`` URL ``?schema=`` may name another schema than ``hueyio``. Raises HueyException if there
        is no such queue: none is made.
        """
        if is_postgres_url(url):
            return cls(await import_part("queues").find_storage(url, queue))
        queues = import_module("hueyio.storage.redis.queues")  # when it is needed: redis-py takes long to import
        return cls(await queues.find_storage(url, queue))

    @property
    def sync(self) -> SyncInspector:
        """The same for callers without an event loop."""
        return SyncInspector(self)

    async def tasks(
        self,
        state: ListName | Iterable[ListName],
        name: str | None = None,
        text: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> TaskPage:
        """List the tasks of a state, or of several; see ``Huey.tasks``."""
        wish = make_wish(state, name, text, since, until)
        return await list_tasks(await self._sessions.get(), wish, checked_page_size(limit), after)

    async def task(self, id: str) -> TaskDetails:
        """Say all that is known of one task; see ``Huey.inspect``. Its message is not read."""
        if not isinstance(id, str):
            raise HueyException(f"a task's id is a text, not {id!r}")
        return await describe_task(await self._sessions.get(), id, None)

    async def counts(self, most: int | None = COUNTED) -> Counts:
        """Count what there is. A figure above ``most`` is a lower bound: counting a million rows takes long."""
        return await (await self._sessions.get()).counts(most)

    async def consumers(self) -> list[ConsumerInfo]:
        """List the consumers that are alive."""
        return read_consumers(await (await self._sessions.get()).owners())

    async def close(self) -> None:
        """Close the running loop's session; the next use opens another."""
        await self._sessions.close()

    async def __aenter__(self) -> Self:
        await self._sessions.get()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<Inspector {self.storage}>"
