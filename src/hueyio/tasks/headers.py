"""Headers: texts that travel with a call beside its arguments, such as the id of a trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hueyio.exceptions import ConfigurationError, TaskArgumentError
from hueyio.tasks.task import Task

__all__ = ["check_headers", "check_propagated", "check_stages", "inherit_listed"]

_MOST_KEYS: Final = 32

_MOST_BYTES: Final = 4096
"""Of all keys and values together, in UTF-8: each message carries them, and each stage that follows."""


def check_headers(headers: Any, path: str) -> dict[str, str] | None:
    """Return the headers of a call of the task with that path, None for no header.

    Raises TaskArgumentError that says which header is wrong.
    """
    if not isinstance(headers, Mapping):
        raise TaskArgumentError(f"task {path}: headers must be a dict of texts, not {headers!r:.100}")
    if len(headers) > _MOST_KEYS:
        raise TaskArgumentError(f"task {path}: at most {_MOST_KEYS} headers can be given, not {len(headers)}")
    size = sum(_size_of(key, value, path) for key, value in headers.items())
    if size > _MOST_BYTES:
        longest = max(headers, key=lambda key: _size_of(key, headers[key], path))
        raise TaskArgumentError(
            f"task {path}: headers take {_MOST_BYTES} bytes at most, not {size}; the longest is {longest!r:.100}"
        )
    return dict(headers) or None


def check_stages(task: Task) -> None:
    """Raise TaskArgumentError if a stage or an error handler would get too many headers from those before it."""
    carried: Mapping[str, str] = task.own_headers or {}
    for stage in task.stages():
        carried = _carry(carried, stage)
        handler = stage.on_error
        given = carried
        while handler is not None:
            given = _carry(given, handler)
            handler = handler.on_error


def check_propagated(keys: Any) -> tuple[str, ...]:
    """Return the keys that calls inherit which a body makes; raises ConfigurationError."""
    if isinstance(keys, str) or not isinstance(keys, Sequence) or not all(isinstance(key, str) for key in keys):
        raise ConfigurationError(f"propagate must be a tuple of the keys of headers, not {keys!r}")
    return tuple(keys)


def inherit_listed(task: Task, caller: Task, keys: Sequence[str]) -> bool:
    """Give a call those headers of the task whose body makes it that are listed; say whether that changed anything."""
    theirs, own = caller.own_headers or {}, task.own_headers or {}
    taken = {key: theirs[key] for key in keys if key in theirs and key not in own}
    if taken:
        task.headers = {**own, **taken}
    return bool(taken)


def _carry(carried: Mapping[str, str], stage: Task) -> Mapping[str, str]:
    """Return what a stage has when it runs."""
    if not stage.own_headers:
        return carried
    return check_headers({**carried, **stage.own_headers}, stage.path) or {}


def _size_of(key: Any, value: Any, path: str) -> int:
    if not isinstance(key, str):
        raise TaskArgumentError(f"task {path}: the key of a header must be a text, not {key!r:.100}")
    if not isinstance(value, str):
        raise TaskArgumentError(f"task {path}: header {key!r:.100} must be a text, not {value!r:.100}")
    try:
        return len(key.encode()) + len(value.encode())
    except UnicodeEncodeError:
        raise TaskArgumentError(f"task {path}: header {key!r:.100} is no valid Unicode text") from None
