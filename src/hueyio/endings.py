"""How a task's end is kept as bytes: what it returned, or its error.

A value is stored as ``[value]``, an error as ``[kind, metadata, cause]``, in the serializer's format, so that the
two cannot be taken for each other and a signature covers both. The exception itself is pickled apart: where it
cannot be read any more, the error still can.
"""

from __future__ import annotations

import pickle
import traceback
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from hueyio.exceptions import (
    SerializationError,
    TaskCancelled,
    TaskException,
    TaskExpired,
    TaskRevoked,
    WorkerLost,
)
from hueyio.serializer import Serializer

__all__ = ["Ending", "Error", "ErrorKind", "Returned", "error_of", "portable", "read_ending", "write_ending"]

ErrorKind: TypeAlias = Literal["failed", "revoked", "expired", "cancelled", "lost"]

_EXCEPTIONS: Final[dict[str, type[TaskException]]] = {
    "failed": TaskException,
    "revoked": TaskRevoked,
    "expired": TaskExpired,
    "cancelled": TaskCancelled,
    "lost": WorkerLost,
}
_MOST_TEXT: Final = 64 * 1024
"""Characters of a repr or a traceback that are kept: an error must not be what fills the storage."""


class Returned(NamedTuple):
    """The task returned this value."""

    value: Any


class Error(NamedTuple):
    """The task ended without a value; ``metadata`` as in ``TaskException``."""

    metadata: dict[str, Any]
    kind: ErrorKind = "failed"
    cause: bytes | None = None

    def to_exception(self) -> TaskException:
        """Build what the reader of the result gets raised."""
        exception = _EXCEPTIONS.get(self.kind, TaskException)(self.metadata)
        exception.__cause__ = _read_cause(self.cause)
        return exception


Ending: TypeAlias = Returned | Error


def write_ending(ending: Ending, serializer: Serializer) -> bytes:
    """Return the ending as bytes; raises SerializationError."""
    if isinstance(ending, Returned):
        return serializer.serialize([ending.value])
    try:
        return serializer.serialize([ending.kind, ending.metadata, ending.cause])
    except SerializationError:  # a format without bytes; the error's text says enough
        return serializer.serialize([ending.kind, ending.metadata, None])


def read_ending(data: bytes, serializer: Serializer) -> Ending:
    """Return the ending of these bytes; raises SerializationError."""
    match serializer.deserialize(data):
        case [value]:
            return Returned(value)
        case [str(kind), dict(metadata), cause]:
            return Error(metadata, kind, cause)  # type: ignore[arg-type]
        case other:
            raise SerializationError(f"not a result: {type(other).__name__}")


def error_of(exception: BaseException, *, task_id: str, retries: int, kind: ErrorKind = "failed") -> Error:
    """Describe how a task failed: Huey's four keys of metadata."""
    # A task that awaited another one's failure keeps the innermost text (Huey's rule).
    inner = exception.metadata.get("error") if isinstance(exception, TaskException) else None
    metadata = {
        "error": inner or _repr(exception),
        "retries": retries,
        "traceback": _traceback(exception),
        "task_id": task_id,
    }
    return Error(metadata, kind, _write_cause(exception))


def portable(exception: BaseException, error: Error) -> BaseException:
    """Return the exception if it survives pickling, else a TaskException that says the same."""
    return exception if error.cause is not None else TaskException(error.metadata)


def _write_cause(exception: BaseException) -> bytes | None:
    """Pickle an exception if it can be read back: many pickle well and cannot be built again."""
    try:
        data = pickle.dumps(exception, pickle.HIGHEST_PROTOCOL)
        pickle.loads(data)
    except Exception:  # whatever user code raises here, the error is kept by its text instead
        return None
    return data if len(data) <= _MOST_TEXT else None


def _read_cause(data: bytes | None) -> BaseException | None:
    if data is None:
        return None
    try:
        cause = pickle.loads(data)
    except Exception:  # its class may not exist in this process; the text says what it was
        return None
    return cause if isinstance(cause, BaseException) else None


def _repr(exception: BaseException) -> str:
    try:
        return repr(exception)[:_MOST_TEXT]
    except Exception as error:  # a __repr__ that raises must not cost the task its ending
        return f"<{type(exception).__name__} whose repr raises {type(error).__name__}>"


def _traceback(exception: BaseException) -> str:
    try:
        text = "".join(traceback.format_exception(exception))
    except Exception as error:  # likewise a __str__ that raises
        text = f"<no traceback: formatting it raises {type(error).__name__}>"
    if len(text) <= _MOST_TEXT:
        return text
    half = _MOST_TEXT // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"
