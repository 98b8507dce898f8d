"""Find calls among those that are enqueued, and say which there are if one is missing. Pure."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from hueyio.exceptions import HueyException
from hueyio.named_tuple import NamedTuple
from hueyio.tasks.task import Task

__all__ = ["Enqueued", "Wanted", "call_text", "describe", "find", "name_of"]


class Enqueued(NamedTuple):
    """A task that waits, and the function that is declared for it; None: there is none here."""

    task: Task
    func: Callable[..., Any] | None


class Wanted(NamedTuple):
    """What a call has to be; None: anything. ``by`` is the latest moment at which it is due."""

    name: str
    args: Sequence[Any] | None = None
    kwargs: Mapping[str, Any] | None = None
    by: datetime | None = None


def name_of(task: object) -> str:
    """Return the full name of a task that is given as a declared task or by its name."""
    if isinstance(task, str):
        return task
    path = getattr(task, "path", None)
    if isinstance(path, str) and not isinstance(task, Task):
        return path
    raise HueyException(f"say which task is meant: the declared one, or its full name such as 'app.add', not {task!r}")


def find(enqueued: Iterable[Enqueued], wanted: Wanted) -> list[Task]:
    """Return the calls that are what is wanted, in order."""
    return [it.task for it in enqueued if _is_wanted(it, wanted)]


def describe(enqueued: Iterable[Enqueued], now: datetime) -> str:
    """List calls, one in a line, with how long they are still to wait."""
    lines = [f"  {call_text(it.task.path, it.task.args, it.task.kwargs)}{_due(it.task, now)}" for it in enqueued]
    return "\n".join(lines) if lines else "  nothing"


def _is_wanted(it: Enqueued, wanted: Wanted) -> bool:
    if it.task.path != wanted.name:
        return False
    if wanted.by is not None and it.task.eta is not None and it.task.eta > wanted.by:
        return False
    return _has_arguments(it, wanted.args, wanted.kwargs or {})


def _has_arguments(it: Enqueued, args: Sequence[Any] | None, kwargs: Mapping[str, Any]) -> bool:
    """Compare by the names of the parameters, so that ``add(1, 2)`` is ``add(a=1, b=2)``.

    With ``args`` all arguments must be the same; ``kwargs`` alone says of some what they must be.
    """
    if args is None and not kwargs:
        return True
    found = _named(it.func, it.task.args, it.task.kwargs)
    wanted = _named(it.func, tuple(args or ()), kwargs)
    if args is not None:
        return found == wanted
    return all(name in found and found[name] == value for name, value in wanted.items())


def _named(func: Callable[..., Any] | None, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[Any, Any]:
    """Return arguments by their names, or by their places where a function does not say names."""
    plain: dict[Any, Any] = {**dict(enumerate(args)), **kwargs}
    if func is None:
        return plain
    try:
        return dict(inspect.signature(func).bind_partial(*args, **kwargs).arguments)
    except (TypeError, ValueError):  # they do not fit, or it has no signature
        return plain


def call_text(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Write a call as it would be written in code."""
    shown = [*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())]
    return f"{name}({', '.join(shown)})"


def _due(task: Task, now: datetime) -> str:
    if task.eta is None or task.eta <= now:
        return ""
    left = task.eta - now
    return f" in {timedelta(seconds=round(left.total_seconds()))}"
