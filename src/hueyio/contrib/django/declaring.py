"""The decorators: what they declare is on a queue of the settings."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Concatenate, Final, Literal, ParamSpec, TypeVar, Unpack, overload

from hueyio.app import Huey
from hueyio.contrib.django.connections import with_fresh_connections
from hueyio.contrib.django.django_task import (
    OWN_FUNCTION,
    AsyncDjangoTask,
    DjangoTask,
    OnCommitTask,
    to_django,
    to_on_commit,
)
from hueyio.contrib.django.queues import get_huey
from hueyio.contrib.django.settings import DEFAULT
from hueyio.exceptions import ConfigurationError
from hueyio.handles.sync_task import SyncTask
from hueyio.handles.wrapper import TaskWrapper
from hueyio.tasks.declared import TaskSettings
from hueyio.tasks.task import Task
from hueyio.times.crontab import crontab

__all__ = ["Declaration", "db_body", "db_periodic_task", "db_task", "on_commit_task", "periodic_task", "task"]

P = ParamSpec("P")
R = TypeVar("R")

Function = Callable[..., Any]


class TaskDecorator:
    """What ``task(...)`` with settings returns: a decorator that keeps the function's types."""

    def __init__(self, declare: Callable[[Function], DjangoTask[..., Any]]) -> None:
        self._declare = declare

    @overload
    def __call__(self, func: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncDjangoTask[P, R]: ...

    @overload
    def __call__(self, func: Callable[P, R], /) -> DjangoTask[P, R]: ...

    def __call__(self, func: Function, /) -> DjangoTask[..., Any]:
        """Declare the function."""
        return self._declare(func)


class ContextTaskDecorator:
    """What ``task(context=True)`` returns: the first parameter is the Task, and callers do not give it."""

    def __init__(self, declare: Callable[[Function], DjangoTask[..., Any]]) -> None:
        self._declare = declare

    @overload
    def __call__(self, func: Callable[Concatenate[Task, P], Coroutine[Any, Any, R]], /) -> AsyncDjangoTask[P, R]: ...

    @overload
    def __call__(self, func: Callable[Concatenate[Task, P], R], /) -> DjangoTask[P, R]: ...

    def __call__(self, func: Function, /) -> DjangoTask[..., Any]:
        """Declare the function."""
        return self._declare(func)


class Declaration:
    """``@task``, ``@task(retries=3, using="mails")`` and their like."""

    def __init__(self, *, uses_database: bool) -> None:
        self._uses_database = uses_database

    @overload
    def __call__(self, func: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncDjangoTask[P, R]: ...

    @overload
    def __call__(self, func: Callable[P, R], /) -> DjangoTask[P, R]: ...

    @overload
    def __call__(  # type: ignore[overload-overlap]  # a bool that is no literal has the plain types
        self, *, using: str = DEFAULT, context: Literal[True], **options: Unpack[TaskSettings]
    ) -> ContextTaskDecorator: ...

    @overload
    def __call__(
        self, *, using: str = DEFAULT, context: bool = False, **options: Unpack[TaskSettings]
    ) -> TaskDecorator: ...

    def __call__(self, *functions: Function, using: str = DEFAULT, **options: Any) -> Any:
        """Declare a function as a task of the queue ``using``; the other options are those of ``Huey.task``."""

        def declare(function: Function) -> DjangoTask[..., Any]:
            huey = get_huey(using)
            decorate: Any = huey.task(**options)
            declared: TaskWrapper[..., Any] = decorate(db_body(huey, function) if self._uses_database else function)
            return to_django(declared)

        if len(functions) > 1:
            raise ConfigurationError(f"options of task are keywords, such as @task(retries=3), not {functions!r}")
        return declare(*functions) if functions else TaskDecorator(declare)


task: Final = Declaration(uses_database=False)
"""Declares a task on a queue of the settings: ``@task``, or ``@task(using="mails", retries=3)``."""

db_task: Final = Declaration(uses_database=True)
"""Declares a task that uses the database: old connections are closed before and after each attempt."""


def periodic_task(
    validate_datetime: crontab | Callable[[datetime], bool],
    *,
    using: str = DEFAULT,
    catch_up: bool = False,
    context: bool = False,
    **options: Unpack[TaskSettings],
) -> TaskDecorator:
    """Declare a task that is enqueued whenever it is due; see ``Huey.periodic_task``."""

    def declare(function: Function) -> DjangoTask[..., Any]:
        decorate = get_huey(using).periodic_task(validate_datetime, catch_up=catch_up, context=context, **options)
        return to_django(decorate(function))

    return TaskDecorator(declare)


def db_periodic_task(
    validate_datetime: crontab | Callable[[datetime], bool],
    *,
    using: str = DEFAULT,
    catch_up: bool = False,
    context: bool = False,
    **options: Unpack[TaskSettings],
) -> TaskDecorator:
    """Declare a periodic task that uses the database; see ``db_task``."""
    declare = periodic_task(validate_datetime, using=using, catch_up=catch_up, context=context, **options)
    return TaskDecorator(lambda function: declare(db_body(get_huey(using), function)))


class OnCommitDecorator:
    """What ``on_commit_task(...)`` with settings returns."""

    def __init__(self, declare: Callable[[Function], OnCommitTask[..., Any]]) -> None:
        self._declare = declare

    @overload
    def __call__(self, func: Callable[P, Coroutine[Any, Any, R]], /) -> OnCommitTask[P, R]: ...

    @overload
    def __call__(self, func: Callable[P, R], /) -> OnCommitTask[P, R]: ...

    def __call__(self, func: Function, /) -> OnCommitTask[..., Any]:
        """Declare the function."""
        return self._declare(func)


@overload
def on_commit_task(func: Callable[P, Coroutine[Any, Any, R]], /) -> OnCommitTask[P, R]: ...


@overload
def on_commit_task(func: Callable[P, R], /) -> OnCommitTask[P, R]: ...


@overload
def on_commit_task(*, using: str = DEFAULT, **options: Unpack[TaskSettings]) -> OnCommitDecorator: ...


def on_commit_task(*functions: Function, using: str = DEFAULT, **options: Any) -> Any:
    """Declare a task that uses the database, and whose calls are enqueued when the transaction commits.

    Calls return at once, also where nothing is awaited. See ``DjangoTask.on_commit``.
    """

    def declare(function: Function) -> OnCommitTask[..., Any]:
        decorate: Any = db_task(using=using, **options)
        return to_on_commit(decorate(function))

    return declare(*functions) if functions else OnCommitDecorator(declare)


def db_body(huey: Huey, function: Any) -> Any:
    """Return the function of a task that uses the database, as it is run; what is no function is refused later."""
    own = function.func if isinstance(function, (TaskWrapper, SyncTask)) else function
    if not callable(own):
        return own
    body = with_fresh_connections(own, lambda: huey.immediate)
    setattr(body, OWN_FUNCTION, own)
    return body
