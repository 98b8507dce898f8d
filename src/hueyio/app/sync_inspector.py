"""Look at a queue without its application, for code that blocks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from types import TracebackType
from typing import Self

from hueyio.control.consumers import ConsumerInfo
from hueyio.control.listing import TaskPage
from hueyio.control.task_details import TaskDetails
from hueyio.handles.blocking import Blocking
from hueyio.storage.contract import Storage
from hueyio.storage.records import COUNTED, Counts
from hueyio.tasks.states import ListName

__all__ = ["SyncInspector"]


class SyncInspector(Blocking):
    """Lists the tasks of a storage, for code that blocks; see ``Inspector``."""

    __slots__ = ()

    @property
    def storage(self) -> Storage:
        """What is looked at."""
        storage: Storage = self._wrapped.storage
        return storage

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SyncInspector {self.storage}>"

    # --- made from ``Inspector`` by `python -m tests.support.facade`; what is above is by hand

    def tasks(
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
        answer: TaskPage = self._wait(
            self._wrapped.tasks(state, name, text, since=since, until=until, limit=limit, after=after)
        )
        return answer

    def task(self, id: str) -> TaskDetails:
        """Say all that is known of one task; see ``Huey.inspect``. Its message is not read."""
        answer: TaskDetails = self._wait(self._wrapped.task(id))
        return answer

    def counts(self, most: int | None = COUNTED) -> Counts:
        """Count what there is. A figure above ``most`` is a lower bound: counting a million rows takes long."""
        answer: Counts = self._wait(self._wrapped.counts(most))
        return answer

    def consumers(self) -> list[ConsumerInfo]:
        """List the consumers that are alive."""
        answer: list[ConsumerInfo] = self._wait(self._wrapped.consumers())
        return answer

    def close(self) -> None:
        """Close the running loop's session; the next use opens another."""
        self._wait(self._wrapped.close())
