# pyright: reportIncompatibleMethodOverride=false
"""The types of a task whose function returns an awaitable, as that of a decorator of coroutine functions does.

For type checkers only: what runs is a plain task, and what the awaitable gives is its result. These are classes and not
overloads of the methods, since mypy takes a call for ``Any`` if overloads differ where a type is ``Any``. Their methods
give what the awaitable does, which pyright must allow for.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from hueyio.handles.sync_task import SyncTask
from hueyio.handles.wrapper import TaskWrapper

__all__ = ["AwaitableSyncTask", "AwaitableTaskWrapper"]

P = ParamSpec("P")
R = TypeVar("R")

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable
    from datetime import datetime, timedelta
    from typing import Any, Unpack

    from hueyio.handles.result import Result, ResultGroup
    from hueyio.handles.sync_result import SyncResult, SyncResultGroup
    from hueyio.handles.sync_task import SyncBoundOptions
    from hueyio.handles.wrapper import BoundOptions
    from hueyio.tasks.declared import CallOptions, ScheduleOptions

    T = TypeVar("T")

    class AwaitableTaskWrapper(TaskWrapper[P, R]):
        """A declared task whose ``R`` is an ``Awaitable[T]``: its calls give a ``Result[T]``."""

        def __call__(
            self: TaskWrapper[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
        ) -> Coroutine[None, None, Result[T]]: ...

        def enqueue_in(
            self: TaskWrapper[P, Awaitable[T]], connection: Any, /, *args: P.args, **kwargs: P.kwargs
        ) -> Coroutine[None, None, Result[T]]: ...

        @property
        def sync(self: TaskWrapper[P, Awaitable[T]]) -> SyncTask[P, T]: ...

        def options(self: TaskWrapper[P, Awaitable[T]], **options: Unpack[CallOptions]) -> BoundOptions[P, T]: ...

        def schedule(
            self: TaskWrapper[P, Awaitable[T]],
            args: Any = None,
            kwargs: dict[str, Any] | None = None,
            eta: datetime | None = None,
            delay: float | timedelta | None = None,
            **options: Unpack[ScheduleOptions],
        ) -> Coroutine[None, None, Result[T]]: ...

        def map(self: TaskWrapper[P, Awaitable[T]], it: Iterable[Any]) -> Coroutine[None, None, ResultGroup[T]]: ...

    class AwaitableSyncTask(SyncTask[P, R]):
        """A declared task of ``hueyio.blocking`` whose ``R`` is an ``Awaitable[T]``: its calls give a ``Result[T]``."""

        def __call__(self: SyncTask[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> SyncResult[T]: ...

        def enqueue_in(
            self: SyncTask[P, Awaitable[T]], connection: Any, /, *args: P.args, **kwargs: P.kwargs
        ) -> SyncResult[T]: ...

        def options(self: SyncTask[P, Awaitable[T]], **options: Unpack[CallOptions]) -> SyncBoundOptions[P, T]: ...

        def schedule(
            self: SyncTask[P, Awaitable[T]],
            args: Any = None,
            kwargs: dict[str, Any] | None = None,
            eta: datetime | None = None,
            delay: float | timedelta | None = None,
            **options: Unpack[ScheduleOptions],
        ) -> SyncResult[T]: ...

        def map(self: SyncTask[P, Awaitable[T]], it: Iterable[Any]) -> SyncResultGroup[T]: ...

else:
    AwaitableTaskWrapper, AwaitableSyncTask = TaskWrapper, SyncTask
