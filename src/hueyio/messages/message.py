"""The wire contract: Task to Message to bytes, and back.

A message is a tuple of primitives. Fields are only ever added at the end; a reader fills missing ones with their
defaults and ignores surplus ones, so that producers and consumers of different versions understand each other.
Datetimes become epoch seconds here, and durations seconds.

The argument of an error handler is an exception. Where the serializer has none (JSON), what arrives is a TaskException,
and its metadata travel beside the arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple

from hueyio.exceptions import SerializationError, TaskArgumentError
from hueyio.messages.stored_result import exception_of, kind_of
from hueyio.serializer import Serializer
from hueyio.tasks.task import Membership, Task, aware, seconds_from

__all__ = ["Message", "read_task", "write_task"]

_VERSION: Final = 1


class Message(NamedTuple):
    """A task as primitives (its arguments are whatever the serializer takes)."""

    version: int
    id: str
    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] | None = None
    retries: int = 0
    attempt: int = 0
    retry_delay: float = 0.0
    retry_backoff: float = 0.0
    timeout: float | None = None
    priority: float | None = None
    eta: float | None = None
    expires: float | None = None
    """Relative, seconds; counted anew at each enqueue."""
    expires_at: float | None = None
    expires_absolute: bool = False
    on_complete: tuple[Any, ...] | None = None
    on_error: tuple[Any, ...] | None = None
    retry_max_delay: float | None = None
    retry_jitter: float = 0.0
    deadline: float | None = None
    """Relative, seconds; counted once, from the first enqueue."""
    deadline_at: float | None = None
    errors: tuple[tuple[int, str, dict[str, Any]], ...] | None = None
    """Positional arguments that are a TaskException: position, kind and metadata; in ``args`` there is None."""
    chord: tuple[str, int, str] | None = None
    collects: bool = False
    """It is a chord's callback."""


_DEFAULTS: Final = tuple(Message(_VERSION, "", ""))
_WIDTH: Final = len(_DEFAULTS)
_PLAIN: Final = 4
"""The fields that a plain call has; all others have their defaults."""
_PLAIN_TASK: Final = Task("", id="")
_rest_of: Final = attrgetter(
    *("kwargs", "retries", "attempt", "retry_delay", "retry_backoff", "timeout", "priority", "eta", "expires"),
    *("expires_resolved", "on_complete", "on_error", "retry_max_delay", "retry_jitter", "deadline"),
    *("deadline_resolved", "chord", "values"),
)
"""Whatever of a task goes into its message beside what a plain call has; read in C, for 0.5 us."""
_PLAIN_REST: Final = _rest_of(_PLAIN_TASK)


def write_task(task: Task, serializer: Serializer) -> bytes:
    """Return the task as bytes; raises TaskArgumentError that names the argument if one cannot be serialised."""
    try:
        return serializer.serialize(_to_fields(task))
    except SerializationError as error:
        plain = _to_fields(task, _apart)
        try:
            return serializer.serialize(plain)
        except SerializationError:
            raise _name_culprit(task, serializer, error) from error


def read_task(data: bytes, serializer: Serializer) -> Task:
    """Return the task of these bytes; raises SerializationError."""
    fields = serializer.deserialize(data)
    if not isinstance(fields, (tuple, list)) or len(fields) < 3:
        raise SerializationError(f"not a message: {type(fields).__name__}")
    try:
        return _from_fields(fields)
    except SerializationError:
        raise
    except Exception as error:  # fields of the wrong kind: whatever they break, the message is what is bad
        raise SerializationError(f"not a message: {type(error).__name__}: {error}") from error


def _together(args: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...] | None]:
    """Leave exceptions among the arguments to the serializer."""
    return args, None


def _apart(args: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...] | None]:
    """Take the exceptions that are all metadata out of the arguments."""
    kinds = [kind_of(value) for value in args]
    errors = tuple(
        (position, kind, value.metadata)
        for position, (kind, value) in enumerate(zip(kinds, args, strict=True))
        if kind is not None
    )
    plain = tuple(None if kind is not None else value for kind, value in zip(kinds, args, strict=True))
    return plain, errors or None


def _to_fields(task: Task, split: Callable[[tuple[Any, ...]], Any] = _together) -> tuple[Any, ...]:
    """Return the message's fields, without the trailing ones that have their defaults."""
    args, errors = split(task.args)
    if errors is None and _rest_of(task) == _PLAIN_REST:  # nearly all are plain calls
        return _VERSION, task.id, task.path, args
    absolute = isinstance(task.expires, datetime)
    expires_at = aware(task.expires) if isinstance(task.expires, datetime) else task.expires_resolved
    deadline_at = aware(task.deadline) if isinstance(task.deadline, datetime) else task.deadline_resolved
    message = (
        _VERSION,
        task.id,
        task.path,
        args,
        task.kwargs or None,
        task.retries,
        task.attempt,
        task.retry_delay,
        task.retry_backoff,
        task.timeout,
        task.priority,
        task.eta.timestamp() if task.eta is not None else None,
        None if task.expires is None or isinstance(task.expires, datetime) else seconds_from(task.expires, "expires"),
        expires_at.timestamp() if expires_at is not None else None,
        absolute,
        _to_fields(task.on_complete, split) if task.on_complete is not None else None,
        _to_fields(task.on_error, split) if task.on_error is not None else None,
        task.retry_max_delay,
        task.retry_jitter,
        None
        if task.deadline is None or isinstance(task.deadline, datetime)
        else seconds_from(task.deadline, "deadline"),
        deadline_at.timestamp() if deadline_at is not None else None,
        errors,
        tuple(task.chord) if task.chord is not None else None,
        task.values is not None,
    )
    width = _WIDTH
    while width > _PLAIN and message[width - 1] == _DEFAULTS[width - 1]:
        width -= 1
    return message[:width]


def _from_fields(fields: tuple[Any, ...] | list[Any]) -> Task:
    version, id, name = fields[:3]
    if version != _VERSION:
        raise SerializationError(f"a message of version {version!r}, this hueyio reads version {_VERSION}")
    if not (isinstance(id, str) and isinstance(name, str)):
        raise SerializationError("a message without id and name")
    if len(fields) == _PLAIN:  # nearly all are plain calls
        return Task(name, tuple(fields[3]), id=id)
    message = Message(*fields[:_WIDTH])
    expires_at = _moment(message.expires_at)
    deadline_at = _moment(message.deadline_at)
    return Task(
        name,
        tuple(message.args) if message.errors is None else _with_errors(message.args, message.errors),
        message.kwargs,
        id=id,
        eta=_moment(message.eta),
        expires=expires_at if message.expires_absolute else message.expires,
        expires_resolved=expires_at,
        priority=message.priority,
        attempt=message.attempt,
        retries=message.retries,
        retry_delay=message.retry_delay,
        retry_backoff=message.retry_backoff,
        retry_max_delay=message.retry_max_delay,
        retry_jitter=message.retry_jitter,
        timeout=message.timeout,
        deadline=deadline_at if message.deadline is None else message.deadline,
        deadline_resolved=deadline_at,
        on_complete=_from_fields(message.on_complete) if message.on_complete else None,
        on_error=_from_fields(message.on_error) if message.on_error else None,
        chord=Membership(*message.chord[:3]) if message.chord else None,
        values=[] if message.collects else None,
    )


def _with_errors(args: Sequence[Any], errors: Iterable[tuple[int, str, dict[str, Any]]]) -> tuple[Any, ...]:
    """Put exceptions back to where they were among the arguments."""
    whole = list(args)
    for position, kind, metadata in errors:
        whole[position] = exception_of(kind, metadata)
    return tuple(whole)


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _name_culprit(task: Task, serializer: Serializer, error: SerializationError) -> TaskArgumentError:
    """Find the argument that cannot be serialised, of the task or of one that follows it."""
    for stage in (*task.stages(), *_handlers(task)):
        named = [(f"argument {position}", value) for position, value in enumerate(_apart(stage.args)[0], 1)]
        named += [(f"argument {key!r}", value) for key, value in stage.kwargs.items()]
        for which, value in named:
            try:
                serializer.serialize(value)
            except SerializationError as reason:
                return TaskArgumentError(f"task {stage.path}: {which} cannot be serialised: {reason}")
    return TaskArgumentError(f"task {task.path}: {error}")


def _handlers(task: Task) -> list[Task]:
    """List the error handlers of a task and of all its stages."""
    found: list[Task] = []
    for stage in task.stages():
        handler = stage.on_error
        while handler is not None:
            found.append(handler)
            handler = handler.on_error
    return found
