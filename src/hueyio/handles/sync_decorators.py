"""The decorators of a blocking Huey: what they declare is called without ``await``."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

from hueyio.handles.awaitable_task import AwaitableSyncTask
from hueyio.handles.sync_task import SyncTask
from hueyio.handles.wrapper import TaskWrapper
from hueyio.tasks.task import Task

__all__ = ["SyncContextTaskDecorator", "SyncEnteredTaskDecorator", "SyncTaskDecorator", "blocking_form"]

P = ParamSpec("P")
R = TypeVar("R")
W = TypeVar("W", bound=Awaitable[Any])
R_co = TypeVar("R_co", covariant=True)


def blocking_form(task: TaskWrapper[P, R]) -> SyncTask[P, R]:
    """Return the blocking form of a declared task, which looks like its function."""
    form = SyncTask[P, R](task)
    functools.update_wrapper(form, task.func)
    return form


class SyncTaskDecorator:
    """What ``huey.task(...)`` with settings returns: a decorator that keeps the function's types."""

    def __init__(self, declare: Callable[[Callable[..., Any]], TaskWrapper[..., Any]]) -> None:
        self._declare = declare

    @overload
    def __call__(self, func: SyncTask[P, R], /) -> SyncTask[P, R]: ...

    @overload
    def __call__(self, func: TaskWrapper[P, R], /) -> SyncTask[P, R]: ...  # pyright: ignore[reportOverlappingOverload]

    @overload
    def __call__(self, func: Callable[P, Coroutine[Any, Any, R]], /) -> SyncTask[P, R]: ...  # type: ignore[overload-overlap]  # an awaitable too

    @overload
    def __call__(self, func: Callable[P, W], /) -> AwaitableSyncTask[P, W]: ...

    @overload
    def __call__(self, func: Callable[P, R], /) -> SyncTask[P, R]: ...

    def __call__(self, func: Callable[..., Any], /) -> SyncTask[..., Any]:
        """Declare the function, or that of a task that is declared already."""
        return blocking_form(self._declare(func))


class _TakesTask(Protocol[P, R_co]):
    """A function whose first parameter is named ``task``: type checkers compare the name as well."""

    def __call__(self, task: Task, *args: P.args, **kwargs: P.kwargs) -> R_co: ...


class SyncContextTaskDecorator:
    """What ``huey.task(context=True)`` returns; see ``ContextTaskDecorator``."""

    def __init__(self, declare: Callable[[Callable[..., Any]], TaskWrapper[..., Any]]) -> None:
        self._declare = declare

    @overload
    def __call__(self, func: SyncTask[P, R], /) -> SyncTask[P, R]: ...

    @overload
    def __call__(self, func: _TakesTask[P, Coroutine[Any, Any, R]], /) -> SyncTask[P, R]: ...

    @overload
    def __call__(self, func: _TakesTask[P, R], /) -> SyncTask[P, R]: ...

    @overload
    def __call__(self, func: Callable[P, Coroutine[Any, Any, R]], /) -> SyncTask[P, R]: ...

    @overload
    def __call__(self, func: Callable[P, R], /) -> SyncTask[P, R]: ...

    def __call__(self, func: Callable[..., Any], /) -> SyncTask[..., Any]:
        """Declare the function."""
        return blocking_form(self._declare(func))


class SyncEnteredTaskDecorator:
    """What ``huey.context_task(..., as_argument=True)`` returns: callers do not give the first argument."""

    def __init__(self, declare: Callable[[Callable[..., Any]], TaskWrapper[..., Any]]) -> None:
        self._declare = declare

    @overload
    def __call__(self, func: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]], /) -> SyncTask[P, R]: ...

    @overload
    def __call__(self, func: Callable[Concatenate[Any, P], R], /) -> SyncTask[P, R]: ...

    def __call__(self, func: Callable[..., Any], /) -> SyncTask[..., Any]:
        """Declare the function."""
        return blocking_form(self._declare(func))
