"""What a consumer needs of the app whose tasks it runs."""

from __future__ import annotations

from typing import Protocol

from hueyio.execution.policy import Rules
from hueyio.registry import Registry
from hueyio.serializer import Serializer
from hueyio.signals import Signals
from hueyio.storage.contract import Session, Storage

__all__ = ["Host"]


class Host(Protocol):
    """The app, as its consumer sees it."""

    @property
    def registry(self) -> Registry: ...

    @property
    def serializer(self) -> Serializer: ...

    @property
    def signals(self) -> Signals: ...

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
