"""A declared task for code that blocks: what ``add.sync`` is, and what a decorator of ``hueyio.blocking`` makes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime, timedelta
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, Unpack

from hueyio.handles.blocking import Blocking
from hueyio.handles.options import shows_options
from hueyio.handles.result import Result, ResultGroup
from hueyio.handles.sync_result import SyncResult, SyncResultGroup, to_sync
from hueyio.loops.portal import block_here, block_on
from hueyio.tasks.declared import CallOptions, ScheduleOptions, TaskSpec
from hueyio.tasks.task import Task

__all__ = ["SyncBoundOptions", "SyncNamedTask", "SyncTask"]

P = ParamSpec("P")
R = TypeVar("R")


class _Aio(Protocol[P, R]):
    """The task for coroutines; a ``TaskWrapper``, as far as types of calls are concerned."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[None, None, Result[R]]: ...

    def schedule(
        self,
        args: Any = None,
        kwargs: dict[str, Any] | None = None,
        eta: datetime | None = None,
        delay: float | timedelta | None = None,
        **options: Unpack[ScheduleOptions],
    ) -> Coroutine[None, None, Result[R]]: ...

    def map(self, it: Iterable[Any]) -> Coroutine[None, None, ResultGroup[R]]: ...

    def options(self, **options: Unpack[CallOptions]) -> Callable[P, Coroutine[None, None, Result[R]]]: ...


class SyncTask(Blocking, Generic[P, R]):
    """Call it to enqueue a call, and wait until that is written; each method does what that of ``TaskWrapper`` does."""

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> SyncResult[R]:
        """Enqueue a call; return its handle (None without results)."""
        result: SyncResult[R] = to_sync(block_on(self._wrapped(*args, **kwargs)))
        return result

    @property
    def aio(self) -> _Aio[P, R]:
        """The same task for coroutines: ``result = await add.aio(1, 2)``."""
        task: _Aio[P, R] = self._wrapped
        return task

    @property
    def huey(self) -> Any:
        """The blocking form of its Huey."""
        return self._wrapped.huey.sync

    @property
    def spec(self) -> TaskSpec:
        """What is declared."""
        spec: TaskSpec = self._wrapped.spec
        return spec

    @property
    def name(self) -> str:
        """The function's name, or the given one."""
        name: str = self._wrapped.name
        return name

    @property
    def path(self) -> str:
        """The name with its module."""
        path: str = self._wrapped.path
        return path

    @property
    def func(self) -> Callable[P, Any]:
        """The function itself."""
        func: Callable[P, Any] = self._wrapped.func
        return func

    @shows_options(CallOptions)
    def options(self, **options: Unpack[CallOptions]) -> SyncBoundOptions[P, R]:
        """Return something to call in place of the task, with these settings for its calls; None: as declared.

        See ``TaskWrapper.options``.
        """
        return SyncBoundOptions(self._wrapped.options(**options))

    def call_local(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself, without Huey; a coroutine function runs on the loop of blocking calls."""
        value: Any = self._wrapped.call_local(*args, **kwargs)
        returned: R = block_on(value) if inspect.iscoroutine(value) else value
        return returned

    def __repr__(self) -> str:
        return f"<SyncTask {self.path}>"

    # --- made from ``TaskWrapper`` by `python -m tests.support.facade`; what is above is by hand

    @property
    def retries(self) -> int:
        """The declared number of retries."""
        answer: int = self._wrapped.retries
        return answer

    @property
    def retry_delay(self) -> float:
        """The declared delay between retries, in seconds."""
        answer: float = self._wrapped.retry_delay
        return answer

    @property
    def context(self) -> bool:
        """Whether a run gets its Task as the argument ``task``."""
        answer: bool = self._wrapped.context
        return answer

    @property
    def settings(self) -> dict[str, Any]:
        """Keywords of the decorator that hueyio does not know."""
        answer: dict[str, Any] = self._wrapped.settings
        return answer

    def enqueue_in(self, connection: Any, /, *args: P.args, **kwargs: P.kwargs) -> SyncResult[R]:
        """Enqueue a call as part of the transaction that is open on your own connection; see ``Huey``.

        See ``TaskWrapper.enqueue_in``.
        """
        answer: SyncResult[R] = to_sync(block_here(self._wrapped.enqueue_in(connection, *args, **kwargs)))
        return answer

    def s(self, /, *args: Any, **kwargs: Any) -> Task:
        """Build the call without enqueueing it."""
        answer: Task = self._wrapped.s(*args, **kwargs)
        return answer

    @shows_options(CallOptions)
    def schedule(
        self,
        args: Any = None,
        kwargs: dict[str, Any] | None = None,
        eta: datetime | None = None,
        delay: float | timedelta | None = None,
        **options: Unpack[ScheduleOptions],
    ) -> SyncResult[R]:
        """Enqueue a call that starts later: at ``eta``, or after ``delay`` seconds; ``options`` as in ``options()``.

        See ``TaskWrapper.schedule``.
        """
        answer: SyncResult[R] = to_sync(self._wait(self._wrapped.schedule(args, kwargs, eta, delay, **options)))
        return answer

    def map(self, it: Iterable[Any]) -> SyncResultGroup[R]:
        """Enqueue one call for each element, all in one write; a tuple is several arguments, anything else is one.

        See ``TaskWrapper.map``.
        """
        answer: SyncResultGroup[R] = to_sync(self._wait(self._wrapped.map(it)))
        return answer

    def revoke(self, revoke_until: datetime | None = None, revoke_once: bool = False) -> None:
        """Keep all calls from being run: for good, until a moment, or only the next."""
        self._wait(self._wrapped.revoke(revoke_until, revoke_once))

    def restore(self) -> bool:
        """Take the revocation back; False if there is none."""
        answer: bool = self._wait(self._wrapped.restore())
        return answer

    def is_revoked(self, timestamp: datetime | None = None, peek: bool = True) -> bool:
        """Say whether all calls are revoked, now or at a moment; without ``peek`` a revocation for once is used up."""
        answer: bool = self._wait(self._wrapped.is_revoked(timestamp, peek))
        return answer

    def unregister(self) -> bool:
        """Forget the task; its messages can then be neither made nor run. False if it was forgotten before."""
        answer: bool = self._wrapped.unregister()
        return answer


class SyncBoundOptions(Blocking, Generic[P, R]):
    """A task with settings for its next calls, for code that blocks; see ``TaskWrapper.options``."""

    __slots__ = ()

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> SyncResult[R]:
        """Enqueue a call with these settings; return its handle (None without results)."""
        result: SyncResult[R] = to_sync(block_on(self._wrapped(*args, **kwargs)))
        return result

    @property
    def aio(self) -> Callable[P, Coroutine[None, None, Result[R]]]:
        """The same for coroutines."""
        bound: Callable[P, Coroutine[None, None, Result[R]]] = self._wrapped
        return bound

    # --- made from ``BoundOptions`` by `python -m tests.support.facade`; what is above is by hand

    def enqueue_in(self, connection: Any, /, *args: P.args, **kwargs: P.kwargs) -> SyncResult[R]:
        """Enqueue a call with these settings as part of a transaction; see ``TaskWrapper.enqueue_in``."""
        answer: SyncResult[R] = to_sync(block_here(self._wrapped.enqueue_in(connection, *args, **kwargs)))
        return answer

    def s(self, /, *args: P.args, **kwargs: P.kwargs) -> Task:
        """Build the call without enqueueing it."""
        answer: Task = self._wrapped.s(*args, **kwargs)
        return answer


class SyncNamedTask(Blocking):
    """A task by its full name, for code that blocks; see ``NamedTask``."""

    __slots__ = ()

    def __call__(self, /, *args: Any, **kwargs: Any) -> SyncResult[Any]:
        """Enqueue a call; return its handle (None without results)."""
        result: SyncResult[Any] = to_sync(block_on(self._wrapped(*args, **kwargs)))
        return result

    @property
    def aio(self) -> Callable[..., Coroutine[None, None, Result[Any]]]:
        """The same for coroutines."""
        named: Callable[..., Coroutine[None, None, Result[Any]]] = self._wrapped
        return named

    @property
    def path(self) -> str:
        """The full name."""
        path: str = self._wrapped.path
        return path

    def __repr__(self) -> str:
        return f"<SyncNamedTask {self.path}>"

    # --- made from ``NamedTask`` by `python -m tests.support.facade`; what is above is by hand

    @shows_options(CallOptions)
    def options(self, **options: Unpack[CallOptions]) -> SyncNamedTask:
        """Return the same task with these settings for its calls, in the place of earlier ones; None: as usual."""
        answer: SyncNamedTask = SyncNamedTask(self._wrapped.options(**options))
        return answer
