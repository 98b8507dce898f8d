"""What a consumer needs of the app whose tasks it runs."""

from __future__ import annotations

from typing import Protocol

from hueyio.execution.hooks import Hooks
from hueyio.execution.policy import Rules
from hueyio.serializer import Serializer
from hueyio.signals import Signals
from hueyio.storage.contract import Session, Storage
from hueyio.storage.records import Entry
from hueyio.tasks.registry import Registry
from hueyio.tasks.task import Task

__all__ = ["FullHost", "Host"]


class Host(Protocol):
    """The app, as its consumer sees it."""

    @property
    def name(self) -> str: ...

    @property
    def home(self) -> str | None:
        """The module that a pool process imports beside that of the task."""
        ...

    @property
    def registry(self) -> Registry: ...

    @property
    def serializer(self) -> Serializer: ...

    @property
    def signals(self) -> Signals: ...

    @property
    def hooks(self) -> Hooks: ...

    @property
    def rules(self) -> Rules: ...

    @property
    def result_ttl(self) -> float | None: ...

    @property
    def storage(self) -> Storage: ...

    async def session(self) -> Session: ...

    def now(self) -> float:
        """Return epoch seconds."""
        ...


class FullHost(Host, Protocol):
    """The app, as one of its consumers sees it that also enqueues: periodic tasks."""

    @property
    def utc(self) -> bool: ...

    def prepare(self, task: Task) -> Entry:
        """Check a task and encode it."""
        ...
