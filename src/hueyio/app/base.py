"""What every part of a Huey needs: its settings, its storage, its sessions."""

from __future__ import annotations

import asyncio
import inspect
import time
import weakref
from types import TracebackType
from typing import Any, Final, Self, TypedDict

from hueyio.client.immediate import ImmediateRunner
from hueyio.exceptions import ConfigurationError
from hueyio.execution.context import running
from hueyio.execution.hooks import Hooks
from hueyio.execution.policy import Rules, build_error_result
from hueyio.execution.run_context import RUN_CONTEXT
from hueyio.loops.sessions import Sessions
from hueyio.serializer import Serializer
from hueyio.signals import Signals
from hueyio.storage.contract import Session, Storage
from hueyio.storage.memory import MemoryStorage
from hueyio.tasks.registry import Registry
from hueyio.tasks.task import Task

__all__ = ["Base", "HueyOptions", "find_huey"]


_RESULT_TTL: Final = 7 * 86400.0


class HueyOptions(TypedDict, total=False):
    """Settings that every Huey has; see ``Huey``."""

    results: bool
    store_none: bool
    utc: bool
    immediate: bool
    serializer: Serializer | None
    compression: bool
    use_zlib: bool
    immediate_use_memory: bool
    store_intermediate_errors: bool
    result_ttl: float | None


class Base:
    """A Huey's settings and its way to the storage; the parts of ``Huey`` build on it."""

    storage_class: type[Any] | None = None

    def __init__(
        self,
        name: str = "huey",
        results: bool = True,
        store_none: bool = False,
        utc: bool = True,
        immediate: bool = False,
        serializer: Serializer | None = None,
        compression: bool = False,
        use_zlib: bool = False,
        immediate_use_memory: bool = True,
        storage_class: type[Any] | None = None,
        store_intermediate_errors: bool = True,
        result_ttl: float | None = _RESULT_TTL,
        **storage_kwargs: Any,
    ) -> None:
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"a Huey's name must be a text that is not empty, not {name!r}")
        if result_ttl is not None and not _is_positive(result_ttl):
            raise ConfigurationError(f"result_ttl must be seconds > 0 or None, not {result_ttl!r}")
        if serializer is not None and not isinstance(serializer, Serializer):
            raise ConfigurationError(f"serializer must be a hueyio.Serializer or of a subclass, not {serializer!r}")
        if serializer is not None and (compression or use_zlib):
            raise ConfigurationError("compression and use_zlib are for the default serializer; give them to yours")
        self.name = name
        self.home: str | None = None
        """The module in which a worker found it: what a pool process imports."""
        self.utc = utc
        self.serializer = serializer or Serializer(compression, use_zlib=use_zlib)
        self.registry = Registry()
        self.signals = Signals()
        self.hooks = Hooks(self.signals.thread)
        self.rules = Rules(
            results=results,
            store_none=store_none,
            store_intermediate_errors=store_intermediate_errors,
            serializer=self.serializer,
            build_error_result=self.build_error_result,
        )
        self.result_ttl = result_ttl
        if storage_class is not None:
            self.storage_class = storage_class
        self._storage_kwargs = storage_kwargs
        self._immediate_use_memory = immediate_use_memory
        self._runner = ImmediateRunner(self)
        self._immediate = False
        self._sessions = self._live = Sessions(self.create_storage())
        self._take_result_ttl(self._live.storage.capabilities.result_ttl)
        self.immediate = immediate
        _all.append(weakref.ref(self, _all.remove))

    def create_storage(self) -> Storage:
        """Build the storage for the mode that is on: called when the Huey is made and when ``immediate`` is set."""
        if self._immediate and self._immediate_use_memory:
            return self.get_immediate_storage()
        return self.get_storage(**self._storage_kwargs)

    def get_immediate_storage(self) -> Storage:
        """Build the storage of immediate mode: a fresh one in memory, each time."""
        return MemoryStorage(name=self.name)

    def build_error_result(self, task: Task, exception: BaseException) -> dict[str, Any]:
        """Describe a failed attempt: what its ``TaskException.metadata`` will be; override it to add keys."""
        return build_error_result(task, exception)

    def get_storage(self, **storage_kwargs: Any) -> Storage:
        """Build the storage; an override may return any that satisfies the contract."""
        if self.storage_class is None:
            raise ConfigurationError("Huey needs a storage: SqliteHuey, RedisHuey or MemoryHuey, or a storage_class=")
        try:
            inspect.signature(self.storage_class).bind(name=self.name, **storage_kwargs)
        except TypeError as error:
            raise ConfigurationError(f"{type(self).__name__}: {self.storage_class.__name__} {error}") from None
        storage: Storage = self.storage_class(name=self.name, **storage_kwargs)
        return storage

    def _take_result_ttl(self, ttl: float | None) -> None:
        """Follow a storage that keeps its results for a time of its own."""
        self.keeps_results = ttl is not None
        if ttl is None:
            return
        if self.result_ttl != _RESULT_TTL:
            raise ConfigurationError(f"{self._live.storage} has an expire_time of its own: leave result_ttl out")
        self.result_ttl = ttl

    @property
    def storage(self) -> Storage:
        """The storage in use; a memory storage in immediate mode."""
        return self._sessions.storage

    @property
    def immediate(self) -> bool:
        """Whether tasks run where they are enqueued. Takes effect at the next await."""
        return self._immediate

    @immediate.setter
    def immediate(self, immediate: bool) -> None:
        if immediate == self._immediate:
            return
        self._immediate = immediate
        swaps = immediate and self._immediate_use_memory
        self._sessions = Sessions(self.create_storage()) if swaps else self._live

    def refuse_storage(self, reason: str) -> None:
        """Have every use of the storage raise StorageError, because it is out of reach here."""
        self._sessions.refusal = reason

    async def session(self) -> Session:
        """Return the running loop's storage session, opened at its first use."""
        return await self._sessions.get()

    async def close(self) -> None:
        """Close the running loop's session; the next use opens another.

        In the body of a task it does nothing: the session is that of the consumer which runs the body.
        """
        if not self._is_in_body():
            await self._sessions.close()

    def _is_in_body(self) -> bool:
        site, task = RUN_CONTEXT.get(), running.get(None)
        return (
            site is not None
            and task is not None
            and task.receipt is not None
            and site.storage is self.storage
            and site.loop is asyncio.get_running_loop()
        )

    async def __aenter__(self) -> Self:
        await self.session()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def now(self) -> float:
        """Return epoch seconds."""
        return time.time()


def find_huey(name: str, task: str) -> Base | None:
    """Return the Huey of that name that declares the task, the latest one; None if there is none in this process."""
    hueys = [made() for made in reversed(_all)]
    return next((it for it in hueys if it is not None and it.name == name and it.registry.get(task)), None)


_all: Final[list[weakref.ref[Base]]] = []
"""Every Huey that is alive, in the order of their making."""


def _is_positive(seconds: object) -> bool:
    return isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and seconds > 0
