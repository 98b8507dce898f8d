"""What ``huey.contrib.djhuey`` has, in its blocking form. The Huey is made when this is imported, as there."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Final, ParamSpec, TypeVar, Unpack, cast, overload

from hueyio.contrib.django import declaring
from hueyio.contrib.django.connections import with_fresh_connections
from hueyio.contrib.django.django_task import SyncDjangoTask, to_blocking
from hueyio.contrib.django.queues import get_huey
from hueyio.tasks.declared import TaskSettings
from hueyio.times.crontab import crontab

__all__ = ["HUEY", "close_db", "db_periodic_task", "db_task", "on_commit_task", "periodic_task", "task"]

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

Function = Callable[..., Any]

HUEY: Final = get_huey().sync


class BlockingDecorator:
    """What a decorator with settings returns: it keeps the function's types."""

    def __init__(self, declare: Callable[[Function], SyncDjangoTask[..., Any]]) -> None:
        self._declare = declare

    @overload
    def __call__(self, func: Callable[P, Coroutine[Any, Any, R]], /) -> SyncDjangoTask[P, R]: ...

    @overload
    def __call__(self, func: Callable[P, R], /) -> SyncDjangoTask[P, R]: ...

    def __call__(self, func: Function, /) -> SyncDjangoTask[..., Any]:
        """Declare the function."""
        return self._declare(func)


class BlockingDeclaration:
    """``@task`` and ``@task(retries=3)``, whose calls enqueue at once."""

    def __init__(self, declaration: declaring.Declaration) -> None:
        self._declaration: Any = declaration

    @overload
    def __call__(self, func: Callable[P, Coroutine[Any, Any, R]], /) -> SyncDjangoTask[P, R]: ...

    @overload
    def __call__(self, func: Callable[P, R], /) -> SyncDjangoTask[P, R]: ...

    @overload
    def __call__(self, *, context: bool = False, **options: Unpack[TaskSettings]) -> BlockingDecorator: ...

    def __call__(self, *functions: Function, **options: Any) -> Any:
        """Declare a function as a task; options are those of ``Huey.task``."""
        if functions:
            return to_blocking(self._declaration(*functions, **options))
        decorate: Any = self._declaration(**options)
        return BlockingDecorator(lambda function: to_blocking(decorate(function)))


task: Final = BlockingDeclaration(declaring.task)
db_task: Final = BlockingDeclaration(declaring.db_task)
on_commit_task: Final = declaring.on_commit_task


def periodic_task(
    validate_datetime: crontab | Callable[[datetime], bool],
    *,
    catch_up: bool = False,
    context: bool = False,
    **options: Unpack[TaskSettings],
) -> BlockingDecorator:
    """Declare a task that is enqueued whenever it is due; see ``Huey.periodic_task``."""
    decorate = declaring.periodic_task(validate_datetime, catch_up=catch_up, context=context, **options)
    return BlockingDecorator(lambda function: to_blocking(decorate(function)))


def db_periodic_task(
    validate_datetime: crontab | Callable[[datetime], bool],
    *,
    catch_up: bool = False,
    context: bool = False,
    **options: Unpack[TaskSettings],
) -> BlockingDecorator:
    """Declare a periodic task that uses the database; see ``db_task``."""
    decorate = declaring.db_periodic_task(validate_datetime, catch_up=catch_up, context=context, **options)
    return BlockingDecorator(lambda function: to_blocking(decorate(function)))


def close_db(fn: F) -> F:
    """Close old connections before and after each call of a function, but in immediate mode."""
    return cast("F", with_fresh_connections(fn, lambda: HUEY.immediate))


lock_task: Final = HUEY.lock_task
enqueue: Final = HUEY.enqueue
restore: Final = HUEY.restore
restore_all: Final = HUEY.restore_all
restore_by_id: Final = HUEY.restore_by_id
revoke: Final = HUEY.revoke
revoke_all: Final = HUEY.revoke_all
revoke_by_id: Final = HUEY.revoke_by_id
is_revoked: Final = HUEY.is_revoked
result: Final = HUEY.result
scheduled: Final = HUEY.scheduled
on_startup: Final = HUEY.on_startup
on_shutdown: Final = HUEY.on_shutdown
pre_execute: Final = HUEY.pre_execute
post_execute: Final = HUEY.post_execute
signal: Final = HUEY.signal
disconnect_signal: Final = HUEY.disconnect_signal
