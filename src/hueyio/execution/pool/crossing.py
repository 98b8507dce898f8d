"""Values and exceptions on their way between processes."""

from __future__ import annotations

import pickle
import traceback
from typing import Any

from hueyio.exceptions import SerializationError
from hueyio.execution.pool.line import Raised, Returned
from hueyio.tasks.task import Task

__all__ = ["pack_error", "pack_task", "pack_value", "unpack"]


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
        # What the declaration says is known there too, and need not be such that it can be pickled.
        return pickle.dumps(task.replaced(_settings={}, unique=None), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise SerializationError(f"task {task.path}: its arguments cannot be pickled for a process: {error}") from error


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
