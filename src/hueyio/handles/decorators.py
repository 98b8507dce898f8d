"""From a decorated function and its settings to a TaskSpec."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar, overload

from hueyio.exceptions import ConfigurationError, DeclarationWarning
from hueyio.handles.awaitable_task import AwaitableTaskWrapper
from hueyio.handles.sync_task import SyncTask
from hueyio.handles.wrapper import AsyncTaskWrapper, TaskWrapper
from hueyio.serializer.main_module import note_module
from hueyio.storage.texts import check_text
from hueyio.tasks.caller_line import warn_caller
from hueyio.tasks.declared import CALL_KEYWORDS, CallOptions, TaskOptions, TaskSpec, is_generator, module_of
from hueyio.tasks.given import closest
from hueyio.tasks.signature import innermost
from hueyio.tasks.task import Task, seconds_from

__all__ = ["ContextTaskDecorator", "EnteredTaskDecorator", "TaskDecorator", "make_spec"]

P = ParamSpec("P")
R = TypeVar("R")
W = TypeVar("W", bound=Awaitable[Any])
R_co = TypeVar("R_co", covariant=True)

_OPTIONS: Final = frozenset(TaskOptions.__dataclass_fields__) - {"settings"}

_DECLARED: Final = _OPTIONS | {"name", "settings", "catch_up"}
"""All that a decorator takes by keyword."""


_NOT_HERE: Final = {
    "task_base": "is gone: what a task declares is a TaskOptions, and extra keywords are kept in its settings",
    "task_class": "is gone: what a task declares is a TaskOptions, and extra keywords are kept in its settings",
}
"""Keywords that must not be taken for settings of the user's: they would silently do nothing."""


class TaskDecorator:
    """What ``huey.task(...)`` with settings returns: a decorator that keeps the function's types."""

    def __init__(self, declare: Callable[[Callable[..., Any]], TaskWrapper[..., Any]]) -> None:
        self._declare = declare

    @overload
    def __call__(self, func: AsyncTaskWrapper[P, R], /) -> AsyncTaskWrapper[P, R]: ...  # pyright: ignore[reportOverlappingOverload]

    @overload
    def __call__(self, func: TaskWrapper[P, R], /) -> TaskWrapper[P, R]: ...

    @overload
    def __call__(self, func: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTaskWrapper[P, R]: ...  # type: ignore[overload-overlap]  # an awaitable too

    @overload
    def __call__(self, func: Callable[P, W], /) -> AwaitableTaskWrapper[P, W]: ...

    @overload
    def __call__(self, func: Callable[P, R], /) -> TaskWrapper[P, R]: ...

    def __call__(self, func: Callable[..., Any], /) -> TaskWrapper[..., Any]:
        """Declare the function, or that of a task that is declared already."""
        return self._declare(func)


class _TakesTask(Protocol[P, R_co]):
    """A function whose first parameter is named ``task``: type checkers compare the name as well."""

    def __call__(self, task: Task, *args: P.args, **kwargs: P.kwargs) -> R_co: ...


class ContextTaskDecorator:
    """What ``huey.task(context=True)`` returns.

    If the first parameter is ``task: Task``, callers see the remaining parameters. If it is a keyword, write it with a
    default, ``task: Task | None = None``: Python's types cannot take a keyword out of a signature.
    """

    def __init__(self, declare: Callable[[Callable[..., Any]], TaskWrapper[..., Any]]) -> None:
        self._declare = declare

    @overload
    def __call__(self, func: AsyncTaskWrapper[P, R], /) -> AsyncTaskWrapper[P, R]: ...

    @overload
    def __call__(self, func: TaskWrapper[P, R], /) -> TaskWrapper[P, R]: ...

    @overload
    def __call__(self, func: _TakesTask[P, Coroutine[Any, Any, R]], /) -> AsyncTaskWrapper[P, R]: ...

    @overload
    def __call__(self, func: _TakesTask[P, R], /) -> TaskWrapper[P, R]: ...

    @overload
    def __call__(self, func: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTaskWrapper[P, R]: ...

    @overload
    def __call__(self, func: Callable[P, R], /) -> TaskWrapper[P, R]: ...

    def __call__(self, func: Callable[..., Any], /) -> TaskWrapper[..., Any]:
        """Declare the function."""
        return self._declare(func)


class EnteredTaskDecorator:
    """What ``huey.context_task(..., as_argument=True)`` returns: callers do not give the first argument."""

    def __init__(self, declare: Callable[[Callable[..., Any]], TaskWrapper[..., Any]]) -> None:
        self._declare = declare

    @overload
    def __call__(self, func: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]], /) -> AsyncTaskWrapper[P, R]: ...

    @overload
    def __call__(self, func: Callable[Concatenate[Any, P], R], /) -> TaskWrapper[P, R]: ...

    def __call__(self, func: Callable[..., Any], /) -> TaskWrapper[..., Any]:
        """Declare the function."""
        return self._declare(func)


def make_spec(
    function: Any, options: dict[str, Any], around: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None
) -> TaskSpec:
    """Return what is declared; keywords that hueyio does not know become the task's ``settings``.

    A task that is declared anew (under another name, or on another Huey) is taken for its function. ``around`` puts
    something around its body. Raises ConfigurationError that names the option.
    """
    function = _function_of(function)
    options = dict(options)
    for key, reason in _NOT_HERE.items():
        if key in options:
            raise ConfigurationError(f"{key}= {reason}")
    own_name, module = _name_of(function, options.pop("name", None)), module_of(function)
    home = note_module(module, _names_of_module(function, module))
    if around is not None:
        function = around(function)
    known = {key: value for key, value in options.items() if key in _OPTIONS}
    known["settings"] = _settings_of(options)
    for key in ("retry_delay", "retry_max_delay", "timeout"):
        if known.get(key) is not None:
            known[key] = seconds_from(known[key], key)
    if known.get("timeout") == 0:  # no limit, as in Huey: often a number of the app's settings
        known["timeout"] = None
    spec = TaskSpec(f"{home}.{own_name}", function, TaskOptions(**known), own_name)
    if spec.lane == "process":
        _check_importable(spec.path, module)
    _warn_of_shared_names(spec)
    return spec


def _names_of_module(function: Any, module: str) -> Mapping[str, Any]:
    """Return the globals of the module that declares a function; a pool process runs it before it is ``__main__``."""
    own: Mapping[str, Any] | None = getattr(innermost(function), "__globals__", None)
    return own if own is not None else vars(sys.modules[module]) if module in sys.modules else {}


def _warn_of_shared_names(spec: TaskSpec) -> None:
    """Say which keywords of a call have two owners, the function and the options, and who gets them."""
    ways = f"{spec.path}.options() sets options, and gives all keywords of the call to the function"
    for name in sorted(CALL_KEYWORDS - spec.call_keywords):
        warn_caller(
            f"task {spec.path}: its parameter {name!r} is named like an option of calls. A call gives {name}= to the "
            f"function, where Huey takes it for the option; {ways}",
            DeclarationWarning,
        )
    if spec.takes_any_keyword:
        names = ", ".join(sorted(spec.call_keywords))
        warn_caller(
            f"task {spec.path}: it takes any keyword, but of a call these are options: {names}; {ways}",
            DeclarationWarning,
        )


def _settings_of(options: dict[str, Any]) -> Mapping[str, Any]:
    """Return the user's own settings: those in ``settings``, and keywords that hueyio does not know."""
    settings = options.pop("settings", {})
    if not isinstance(settings, Mapping):
        raise ConfigurationError(f"settings must be a mapping from names to values, not {settings!r}")
    unknown = {key: value for key, value in options.items() if key not in _OPTIONS}
    for key in unknown:
        _warn_of_likely_mistake(key)
    return MappingProxyType({**settings, **unknown})


def _warn_of_likely_mistake(key: str) -> None:
    """Say that a keyword which is taken for a setting of the user's may be meant for an option."""
    ours = f"{key}= is no option of a task, and is kept as a setting of your own"
    mine = f"if that is meant, write settings={{{key!r}: ...}}"
    if key in CallOptions.__annotations__:
        warn_caller(f"{ours}; it is an option of calls: task.options({key}=...)(...). {mine}", DeclarationWarning)
    elif meant := closest(key, _DECLARED):
        warn_caller(f"{ours}; did you mean {meant}=? {mine}", DeclarationWarning)


def _function_of(declared: Any) -> Callable[..., Any]:
    """Return the function to run, or raise ConfigurationError that says why there is none."""
    if isinstance(declared, (TaskWrapper, SyncTask)):
        return declared.func
    if isinstance(declared, staticmethod):
        return declared.__func__
    if isinstance(declared, classmethod):
        raise ConfigurationError(f"{declared.__func__.__qualname__} is a class method: only a function can be a task")
    if not callable(declared):
        raise ConfigurationError(
            f"only a function can be a task, not {declared!r}; options are keywords, such as @huey.task(retries=3)"
        )
    if is_generator(declared):
        name = getattr(declared, "__qualname__", repr(declared))
        raise ConfigurationError(f"{name} is a generator function: calling it would run nothing")
    if _is_method(declared):
        raise ConfigurationError(
            f"{declared.__qualname__} is a method, and a worker has no object to call it on; "
            "declare a function, or a @staticmethod, and pass what it needs as arguments"
        )
    return declared  # type: ignore[no-any-return]


def _is_method(function: Any) -> bool:
    """Say whether a function was written in the body of a class, to be called on an object."""
    place, _, _ = getattr(function, "__qualname__", "").rpartition(".")
    if not inspect.isfunction(function) or not place or place.endswith("<locals>"):
        return False
    first = next(iter(inspect.signature(function).parameters), "")
    return first in ("self", "cls")


def _check_importable(task: str, name: str) -> None:
    """Raise ConfigurationError if another process cannot import the module."""
    module = sys.modules.get(name)
    if name == "__main__":
        spec = getattr(module, "__spec__", None)
        found = getattr(module, "__file__", None) if spec is None else not spec.name.endswith("__main__")
    else:
        found = module is not None
    if not found:
        raise ConfigurationError(
            f'task {task} cannot run in a process: run_in="process" needs a module that another process can import, '
            f"and {name!r} is none; move the function into a file of its own"
        )


def _name_of(function: Any, name: Any) -> str:
    if name is not None and (not isinstance(name, str) or not name):
        raise ConfigurationError(f"a task's name must be a text that is not empty, not {name!r}")
    if name is not None:
        check_text("the task's name", name)
    if name is None and isinstance(inspect.unwrap(function), functools.partial):
        raise ConfigurationError(f"{function!r} has no name of its own; give it one: name=")
    own: str = getattr(function, "__name__", type(function).__name__)
    return own if name is None else name
