"""Declared tasks that can be enqueued when the database's transaction commits."""

from __future__ import annotations

import functools
from typing import Any, Final, ParamSpec, TypeVar, Unpack, cast

from django.db import transaction

from hueyio.client.prepare import encode
from hueyio.contrib.django.off_loop import off_loop
from hueyio.handles.options import check_names, shows_options
from hueyio.handles.result import handle_on
from hueyio.handles.sync_result import SyncResult, to_sync
from hueyio.handles.sync_task import SyncTask
from hueyio.handles.wrapper import BoundOptions, TaskWrapper
from hueyio.tasks.declared import CallOptions
from hueyio.tasks.task import Task

__all__ = [
    "OWN_FUNCTION",
    "AsyncDjangoTask",
    "DjangoBoundOptions",
    "DjangoTask",
    "OnCommitTask",
    "SyncDjangoTask",
    "to_blocking",
    "to_django",
    "to_on_commit",
]

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="SyncDjangoTask[..., Any]")

OWN_FUNCTION: Final = "hueyio_own_function"
"""The attribute in which what runs says which function the user wrote."""


class DjangoTask(TaskWrapper[P, R]):
    """A declared task: ``await send(7)``, ``send.sync(7)`` where nothing is awaited, ``send.on_commit(7)``."""

    def __init__(self, declared: TaskWrapper[P, R]) -> None:
        super().__init__(declared.huey, declared.spec, declared._producer)
        self.func = getattr(self.func, OWN_FUNCTION, self.func)  # call_local is the function itself

    def on_commit(self, /, *args: P.args, **kwargs: P.kwargs) -> SyncResult[R]:
        """Enqueue a call when the transaction of the default database commits; at once if there is none.

        Returns its handle, without waiting (None without results). Nothing is enqueued if it rolls back. Raises at once
        what a call raises because of its arguments.
        """
        return _enqueue_on_commit(self, self._call(args, kwargs, self.spec.check_call))

    @shows_options(CallOptions)
    def options(self, **options: Unpack[CallOptions]) -> DjangoBoundOptions[P, R]:
        """Return something to call in place of the task, with these settings for its calls; see ``TaskWrapper``."""
        check_names(f"{self.path}.options()", options, CallOptions.__annotations__)
        return DjangoBoundOptions(self, options)


class AsyncDjangoTask(DjangoTask[P, R]):
    """A declared ``async def`` task."""

    async def call_local(self, /, *args: P.args, **kwargs: P.kwargs) -> R:  # type: ignore[override]
        """Call the function itself, without Huey."""
        return cast("R", await self.func(*args, **kwargs))


class DjangoBoundOptions(BoundOptions[P, R]):
    """A task with settings for its next calls."""

    def on_commit(self, /, *args: P.args, **kwargs: P.kwargs) -> SyncResult[R]:
        """Enqueue a call with these settings when the transaction commits; see ``DjangoTask.on_commit``."""
        return _enqueue_on_commit(self._wrapper, self._build(args, kwargs, self._wrapper.spec.check_call))


class SyncDjangoTask(SyncTask[P, R]):
    """A declared task for code that awaits nothing: ``send(7)``, ``send.on_commit(7)``."""

    def on_commit(self, /, *args: P.args, **kwargs: P.kwargs) -> SyncResult[R]:
        """Enqueue a call when the transaction commits; see ``DjangoTask.on_commit``."""
        result: SyncResult[R] = self._wrapped.on_commit(*args, **kwargs)
        return result


class OnCommitTask(SyncDjangoTask[P, R]):
    """A task whose calls are enqueued when the transaction commits; all else is as of a blocking task."""

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> SyncResult[R]:
        """Enqueue a call when the transaction commits; see ``DjangoTask.on_commit``."""
        return self.on_commit(*args, **kwargs)


def to_django(declared: TaskWrapper[P, R]) -> DjangoTask[P, R]:
    """Return a declared task as Django has it."""
    return AsyncDjangoTask(declared) if declared.spec.is_async else DjangoTask(declared)


def to_blocking(declared: DjangoTask[P, R]) -> SyncDjangoTask[P, R]:
    """Return its blocking form, which looks like its function."""
    return _looking_like_function(SyncDjangoTask[P, R](declared))


def to_on_commit(declared: DjangoTask[P, R]) -> OnCommitTask[P, R]:
    """Return the form whose calls wait for the commit."""
    return _looking_like_function(OnCommitTask[P, R](declared))


def _looking_like_function(form: S) -> S:
    functools.update_wrapper(form, form.func)
    return form


@off_loop("Django has no transactions in coroutines: use `await task(...)` here, or on_commit() in sync_to_async")
def _enqueue_on_commit(wrapper: TaskWrapper[Any, Any], task: Task) -> Any:
    encode(wrapper._core, task)  # what cannot be written is refused here, where the transaction can still roll back
    transaction.on_commit(lambda: wrapper.huey.sync.enqueue(task))
    return to_sync(handle_on(wrapper._producer, task, None, is_committed=False))
