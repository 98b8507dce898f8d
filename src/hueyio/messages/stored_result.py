"""How a task's end is kept as bytes: what it returned, or its error.

A value is stored as ``[value]``, an error as ``[kind, metadata, cause]``, in the serializer's format, so that the
two cannot be taken for each other and a signature covers both. The exception itself is serialised apart: where it
cannot be read any more, the error still can. It goes through the same serializer, never through pickle by itself:
whoever chose a format that runs no code, or one that is signed, gets nothing else; a format that has no
exceptions keeps the text only.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from hueyio.exceptions import (
    SerializationError,
    TaskCancelled,
    TaskException,
    TaskExpired,
    TaskRevoked,
    WorkerLost,
)
from hueyio.named_tuple import NamedTuple
from hueyio.serializer import Serializer

__all__ = [
    "Ending",
    "Error",
    "ErrorKind",
    "Returned",
    "ending_from",
    "error_of",
    "exception_of",
    "kind_of",
    "metadata_of",
    "portable",
    "read_ending",
    "repr_of",
    "write_ending",
    "write_value",
]

ErrorKind: TypeAlias = Literal["failed", "revoked", "expired", "cancelled", "lost"]

_EXCEPTIONS: Final[dict[str, type[TaskException]]] = {
    "failed": TaskException,
    "revoked": TaskRevoked,
    "expired": TaskExpired,
    "cancelled": TaskCancelled,
    "lost": WorkerLost,
}
_KINDS: Final = {exception: kind for kind, exception in _EXCEPTIONS.items()}
_MOST_TEXT: Final = 64 * 1024
"""Characters of a repr or a traceback that are kept: an error must not be what fills the storage."""


class Returned(NamedTuple):
    """The task returned this value."""

    value: Any


class Error(NamedTuple):
    """The task ended without a value; ``metadata`` as in ``TaskException``, ``cause`` is what was raised."""

    metadata: dict[str, Any]
    kind: ErrorKind = "failed"
    cause: BaseException | None = None

    def __eq__(self, other: object) -> bool:
        """Say whether both are about the same failure; the exception, if it came along, is another one each time."""
        if not isinstance(other, Error):
            return NotImplemented
        return (self.kind, self.metadata) == (other.kind, other.metadata)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def to_exception(self) -> TaskException:
        """Build what the reader of the result gets raised."""
        exception = exception_of(self.kind, self.metadata)
        exception.__cause__ = self.cause
        return exception


Ending: TypeAlias = Returned | Error


def write_ending(ending: Ending, serializer: Serializer) -> bytes:
    """Return the ending as bytes, by the serializer of the place; raises SerializationError."""
    if isinstance(ending, Returned):
        return write_value(ending.value, serializer)
    cause = _write_cause(ending.cause, serializer)
    try:
        return serializer.serialize([ending.kind, ending.metadata, cause])
    except SerializationError:  # a format without bytes; the error's text says enough
        return serializer.serialize([ending.kind, ending.metadata, None])


def write_value(value: Any, serializer: Serializer) -> bytes:
    """Return as bytes that the task has returned this; otherwise as ``write_ending``."""
    if serializer.types is not None:
        value = serializer.types.to_plain(value)
    try:
        return serializer.serialize([value])
    except SerializationError:
        serializer.serialize(value)  # raises the same about the value itself, not about the list around it
        raise


def read_ending(data: bytes, serializer: Serializer) -> Ending:
    """Return the ending of these bytes, by the serializer of the place; raises SerializationError."""
    return ending_from(serializer.deserialize(data), serializer)


def ending_from(read: Any, serializer: Serializer) -> Ending:
    """Return the ending that was read; raises SerializationError."""
    match read:
        case [value]:
            return Returned(value)
        case [str(kind), dict(metadata), cause]:
            return Error(metadata, kind, _read_cause(cause, serializer))  # type: ignore[arg-type]
        case other:
            raise SerializationError(f"not a result: {type(other).__name__}")


def exception_of(kind: str, metadata: Mapping[str, Any]) -> TaskException:
    """Build the exception of an error; a kind that is not known here is a plain TaskException."""
    return _EXCEPTIONS.get(kind, TaskException)(metadata)


def kind_of(exception: object) -> str | None:
    """Return the kind of a TaskException subclass that its metadata describe fully, else None."""
    return _KINDS.get(type(exception))  # type: ignore[arg-type]


def error_of(
    exception: BaseException, metadata: dict[str, Any], serializer: Serializer, *, is_passed_on: bool
) -> Error:
    """Describe how a task failed. The exception goes along; where it is passed on, if ``serializer`` can carry it.

    Whoever reads an ending does without an exception that cannot be built. Nobody reads a message with one as an
    argument, so that is built once in advance, and only that: making it may count, or send something.
    """
    if not isinstance(metadata, dict):
        raise TypeError(f"build_error_result must return a dict, not {metadata!r}")
    if is_passed_on and _read_cause(_write_cause(exception, serializer), serializer) is None:
        return Error(metadata)
    return Error(metadata, "failed", exception)


def metadata_of(exception: BaseException, *, task_id: str, retries: int) -> dict[str, Any]:
    """Return Huey's four keys of metadata."""
    # A task that awaited another one's failure keeps the innermost text (Huey's rule).
    inner = exception.metadata.get("error") if isinstance(exception, TaskException) else None
    return {
        "error": inner or repr_of(exception),
        "retries": retries,
        "traceback": _traceback(exception),
        "task_id": task_id,
    }


def portable(exception: BaseException, error: Error) -> BaseException:
    """Return the exception if it goes along with the error, else a TaskException that says the same."""
    return exception if error.cause is not None else TaskException(error.metadata)


def _write_cause(exception: BaseException | None, serializer: Serializer) -> bytes | None:
    if exception is None:
        return None
    try:
        data = serializer.within("cause").serialize(exception)
    except Exception:  # whatever user code raises here, the error is kept by its text instead
        return None
    return data if len(data) <= _MOST_TEXT else None


def _read_cause(data: Any, serializer: Serializer) -> BaseException | None:
    if not isinstance(data, bytes):
        return None
    try:
        cause = serializer.within("cause").deserialize(data)
    except Exception:  # its class may not exist in this process; the text says what it was
        return None
    return cause if isinstance(cause, BaseException) else None


def repr_of(exception: BaseException) -> str:
    """Return the repr of an exception, whatever that raises."""
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
