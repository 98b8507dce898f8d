"""Values and exceptions on their way between processes."""

from __future__ import annotations

import pickle
import traceback
from operator import attrgetter
from typing import Any, Final

from hueyio.exceptions import SerializationError
from hueyio.execution.pool.line import Raised, Returned
from hueyio.tasks.task import Task

__all__ = ["pack_error", "pack_task", "pack_value", "unpack", "unpack_task"]

_COMMON: Final = (
    *("id", "priority", "attempt", "retries"),
    *("retry_delay", "retry_backoff", "retry_max_delay", "retry_jitter"),
)
"""What any call has beside its name, its arguments and its headers."""
_common_of: Final = attrgetter(*_COMMON)
_rare_of: Final = attrgetter(
    *("eta", "expires", "expires_resolved", "timeout", "deadline", "deadline_resolved", "counted", "unique"),
    *("on_complete", "on_error", "chord", "values", "put_back", "granted"),
)
"""What few calls have: these cross as a whole Task."""
_NOTHING_RARE: Final = _rare_of(Task("", id=""))


class _RemoteTraceback(Exception):
    """The cause of an exception that was raised in another process: its traceback there, as text."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


class _Described(Exception):
    """Stands in for an exception that cannot be pickled; its repr is that of the original."""

    def __str__(self) -> str:
        return str(self.args[0])

    __repr__ = __str__


def pack_task(task: Task) -> bytes:
    """Return a task as bytes; raises SerializationError."""
    try:
        if _rare_of(task) == _NOTHING_RARE:  # a tenth of the cost
            call = (task.path, task.args, task.kwargs, task.own_headers, _common_of(task))
            return pickle.dumps(call, pickle.HIGHEST_PROTOCOL)
        # What the declaration says is known there too, and need not be such that it can be pickled.
        return pickle.dumps(task.replaced(_settings={}, unique=None), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise SerializationError(f"task {task.path}: its arguments cannot be pickled for a process: {error}") from error


def unpack_task(data: bytes) -> Task:
    """Return the task of these bytes; raises what its arguments raise."""
    packed = pickle.loads(data)
    if isinstance(packed, Task):
        return packed
    path, args, kwargs, headers, common = packed
    return Task(path, args, kwargs, headers=headers, **dict(zip(_COMMON, common, strict=True)))


def pack_value(value: Any, name: str) -> Returned | Raised:
    """Return what a body returned; what cannot be pickled is its failure."""
    try:
        return Returned(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
    except Exception as error:
        kind = type(value).__name__
        return pack_error(SerializationError(f"task {name}: its value, of {kind}, cannot be pickled: {error}"))


def pack_error(error: BaseException) -> Raised:
    """Return what a body raised, as itself if that survives, and described in any case."""
    text = "".join(traceback.format_exception(error))
    try:
        data: bytes | None = pickle.dumps(error, pickle.HIGHEST_PROTOCOL)
        pickle.loads(data or b"")  # many exceptions can be written and not be read
    except Exception:
        data = None
    return Raised(data, _repr(error), text)


def unpack(answer: Returned | Raised, name: str) -> tuple[Any, BaseException | None]:
    """Return the value and the exception of a body."""
    if isinstance(answer, Returned):
        try:
            return pickle.loads(answer.value), None
        except Exception as error:
            return None, SerializationError(f"task {name}: its value cannot be read back from its process: {error}")
    raised = _error(answer)
    raised.__cause__ = _RemoteTraceback(answer.traceback)
    return None, raised


def _error(answer: Raised) -> BaseException:
    if answer.error is not None:
        try:
            return pickle.loads(answer.error)  # type: ignore[no-any-return]
        except Exception:
            return _Described(answer.description)  # a class that is not here, or not the same
    return _Described(answer.description)


def _repr(error: BaseException) -> str:
    try:
        return repr(error)
    except Exception:
        return f"<{type(error).__name__} whose repr() fails>"
