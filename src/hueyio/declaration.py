"""From a decorated function and its settings to a TaskSpec."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from types import MappingProxyType
from typing import Any, Final, ParamSpec, TypeVar, overload

from hueyio.exceptions import ConfigurationError
from hueyio.spec import TaskOptions, TaskSpec
from hueyio.task import seconds_from
from hueyio.wrapper import AsyncTaskWrapper, TaskWrapper

__all__ = ["TaskDecorator", "make_spec"]

P = ParamSpec("P")
R = TypeVar("R")

_OPTIONS: Final = frozenset(TaskOptions.__dataclass_fields__) - {"settings"}


_NOT_HERE: Final = {
    "at_most_once": "comes in a later version",
    "unique": "comes in a later version",
    "run_in": "comes in a later version",
    "task_base": "is gone: what a task declares is a TaskOptions, and extra keywords are kept in its settings",
    "task_class": "is gone: what a task declares is a TaskOptions, and extra keywords are kept in its settings",
}
"""Keywords that must not be taken for settings of the user's: they would silently do nothing."""


class TaskDecorator:
    """What ``huey.task(...)`` with settings returns: a decorator that keeps the function's types."""

    def __init__(self, declare: Callable[[Callable[..., Any]], TaskWrapper[..., Any]]) -> None:
        self._declare = declare

    @overload
    def __call__(self, func: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTaskWrapper[P, R]: ...

    @overload
    def __call__(self, func: Callable[P, R], /) -> TaskWrapper[P, R]: ...

    def __call__(self, func: Callable[..., Any], /) -> TaskWrapper[..., Any]:
        """Declare the function."""
        return self._declare(func)


def make_spec(function: Any, options: dict[str, Any]) -> TaskSpec:
    """Return what is declared; keywords that hueyio does not know become the task's ``settings``.

    A task that is declared anew (under another name, or on another Huey) is taken for its function. Raises
    ConfigurationError that names the option.
    """
    function = function.func if isinstance(function, TaskWrapper) else function
    if not callable(function):
        raise ConfigurationError(f"only a function can be a task, not {function!r}")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ConfigurationError(f"{function.__qualname__} is a generator function: calling it would run nothing")
    options = dict(options)
    for key, reason in _NOT_HERE.items():
        if key in options:
            raise ConfigurationError(f"{key}= {reason}")
    own_name = options.pop("name", None) or getattr(function, "__name__", type(function).__name__)
    known = {key: value for key, value in options.items() if key in _OPTIONS}
    known["settings"] = MappingProxyType({key: value for key, value in options.items() if key not in _OPTIONS})
    for key in ("retry_delay", "timeout"):
        if known.get(key) is not None:
            known[key] = seconds_from(known[key], key)
    return TaskSpec(f"{function.__module__}.{own_name}", function, TaskOptions(**known))
