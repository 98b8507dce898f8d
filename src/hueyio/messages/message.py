"""The wire contract: Task to Message to bytes, and back.

A message is a tuple of primitives. Fields are only ever added at the end; a reader fills missing ones with their
defaults and ignores surplus ones, so that producers and consumers of different versions understand each other.
Datetimes become epoch seconds here, and durations seconds.

A short pipeline is one message: its first stage holds the others. Of a long one each stage is a message of its own,
which holds no more than the id of the next (it is *cut*), so that no stage is written or read more than twice, however
many there are. hueyio 0.1 would run such a stage without what follows it. So its path begins with ``CUT``: to 0.1 it
is a task that nobody has declared, and goes back to the queue until a newer worker takes it.

The argument of an error handler is an exception. Where the serializer has none (JSON), what arrives is a TaskException,
and its metadata travel beside the arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from inspect import isawaitable
from operator import attrgetter
from typing import Any, Final, TypeAlias

from hueyio.exceptions import SerializationError, TaskArgumentError
from hueyio.messages.stored_result import exception_of, kind_of
from hueyio.named_tuple import NamedTuple
from hueyio.serializer import Serializer
from hueyio.serializer.types import Types
from hueyio.storage.records import Stage
from hueyio.storage.stages import join, split
from hueyio.storage.texts import check_text
from hueyio.tasks.headers import check_headers
from hueyio.tasks.task import Granted, Membership, PutBack, Task, aware, seconds_from

__all__ = ["CUT", "MOST_NESTED", "Message", "read_task", "write_stages", "write_task"]

_Arguments: TypeAlias = tuple[tuple[Any, ...], dict[str, Any], tuple[Any, ...] | None]
"""Positional ones, those by keyword, and the errors among the first."""

_Divide: TypeAlias = Callable[[Task], _Arguments]

CUT: Final = "hueyio.cut:"
"""What the path of a stage begins with that is a message of its own and has others behind it."""

_VERSION: Final = 1
MOST_NESTED: Final = 250
"""Stages that one message holds at most; more are joined. Serializers go no deeper than some hundreds of levels."""


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
    put_back: tuple[int, float] | None = None
    """How often it went back without an attempt that counts, and since when."""
    headers: dict[str, str] | None = None
    """Texts that travel with it; see ``Task``."""
    granted: tuple[int, float] | None = None
    """The retries and the delay that it had before its first retry."""
    then: str | None = None
    """The id of the next stage, of one that is cut."""


_DEFAULTS: Final = tuple(Message(_VERSION, "", ""))
_WIDTH: Final = len(_DEFAULTS)
_PLAIN: Final = 4
"""The fields that a plain call has; all others have their defaults."""
_PLAIN_TASK: Final = Task("", id="")
_rest_of: Final = attrgetter(
    *("kwargs", "retries", "attempt", "retry_delay", "retry_backoff", "timeout", "priority", "eta", "expires"),
    *("expires_resolved", "on_complete", "on_error", "retry_max_delay", "retry_jitter", "deadline"),
    *("deadline_resolved", "chord", "values", "put_back", "_headers", "granted"),
)
"""Whatever of a task goes into its message beside what a plain call has; read in C, for 0.5 us."""
_PLAIN_REST: Final = _rest_of(_PLAIN_TASK)


def write_task(task: Task, serializer: Serializer) -> bytes:
    """Return the task, with all that follows it, as bytes.

    Raises TaskArgumentError that names the argument if one cannot be serialised.
    """
    if task.on_complete is not None and not task.is_cut and sum(1 for _ in task.stages()) > MOST_NESTED:
        data, stages = write_stages(task, serializer)
        return join(task.id, data, stages)
    return _write(task, serializer.within("message"), task.is_cut)


def write_stages(task: Task, serializer: Serializer) -> tuple[bytes, tuple[Stage, ...]]:
    """Return the task, cut, as bytes, and each stage that follows it; raises what ``write_task`` does."""
    serializer = serializer.within("message")
    stages = [Stage(it.id, _write(it, serializer, it.on_complete is not None)) for it in task.stages()]
    return stages[0].data, tuple(stages[1:])


def read_task(data: bytes, serializer: Serializer, id: str | None = None, following: bytes | None = None) -> Task:
    """Return the task of these bytes, which has this ``id`` if one is given; raises SerializationError.

    ``following`` is the message of the stage after one that is cut. Without it no more is known of that than its id.
    """
    serializer = serializer.within("message")
    try:
        joined = split(data)
    except ValueError as error:
        raise SerializationError(f"not the messages of a pipeline: {error}") from error
    if joined is not None:
        return _read_joined(joined, serializer, id)
    task = _read_one(data, serializer, id)
    if following is not None and task.is_cut and task.on_complete is not None:
        task.on_complete = _read_one(following, serializer, task.on_complete.id)
    return task


def _write(task: Task, serializer: Serializer, is_cut: bool) -> bytes:
    together: _Divide = _together
    apart: _Divide = _apart
    if serializer.types is not None:
        together, apart = _in_plain(serializer.types, together), _in_plain(serializer.types, apart)
    try:
        return serializer.serialize(_to_fields(task, together, is_cut))
    except SerializationError as error:
        try:
            return serializer.serialize(_to_fields(task, apart, is_cut))
        except SerializationError:
            raise _name_culprit(task, serializer, error) from error


def _read_one(data: bytes, serializer: Serializer, id: str | None) -> Task:
    task = _read(serializer.deserialize(data))
    if id is not None and task.id != id:  # damaged, or another's: a retry of it would be another task, this one be lost
        raise SerializationError(f"it is the message of task {task.id!r}")
    return task


def _read_joined(joined: Sequence[Stage], serializer: Serializer, id: str | None) -> Task:
    """Put a pipeline together. Each stage says which one is the next: nobody could put in another that is signed."""
    if not joined:
        raise SerializationError("the messages of a pipeline, but there are none")
    head = stage = _read_one(joined[0].data, serializer, joined[0].id if id is None else id)
    for it in joined[1:]:
        if not stage.is_cut or stage.on_complete is None or stage.on_complete.id != it.id:
            raise SerializationError(f"stage {stage.id!r} of a pipeline is not followed by {it.id!r}")
        following = _read_one(it.data, serializer, it.id)
        stage.on_complete, stage.is_cut = following, False
        stage = following
    if stage.is_cut:
        raise SerializationError(f"what follows stage {stage.id!r} of a pipeline is missing")
    return head


def _read(fields: Any) -> Task:
    if not isinstance(fields, (tuple, list)) or len(fields) < 3:
        raise SerializationError(f"not a message: {type(fields).__name__}")
    try:
        return _from_fields(fields)
    except SerializationError:
        raise
    except Exception as error:  # fields of the wrong kind: whatever they break, the message is what is bad
        raise SerializationError(f"not a message: {type(error).__name__}: {error}") from error


def _together(task: Task) -> _Arguments:
    """Leave exceptions among the arguments to the serializer."""
    return task.args, task.kwargs, None


def _in_plain(types: Types, divide: _Divide) -> _Divide:
    """Let arguments be what the serializer's types have in their place."""

    def divide_plain(task: Task) -> _Arguments:
        args, kwargs, errors = divide(task)
        plain = {key: types.to_plain(value) for key, value in kwargs.items()}
        return tuple(map(types.to_plain, args)), plain, errors

    return divide_plain


def _apart(task: Task) -> _Arguments:
    """Take the exceptions that are all metadata out of the arguments."""
    args = task.args
    kinds = [kind_of(value) for value in args]
    errors = tuple(
        (position, kind, value.metadata)
        for position, (kind, value) in enumerate(zip(kinds, args, strict=True))
        if kind is not None
    )
    plain = tuple(None if kind is not None else value for kind, value in zip(kinds, args, strict=True))
    return plain, task.kwargs, errors or None


def _to_fields(task: Task, divide: _Divide, is_cut: bool) -> tuple[Any, ...]:
    """Return the message's fields, without the trailing ones that have their defaults.

    ``is_cut``: what follows stands elsewhere.
    """
    args, kwargs, errors = divide(task)
    if errors is None and _rest_of(task) == _PLAIN_REST:  # nearly all are plain calls
        return _VERSION, task.id, task.path, args
    absolute = isinstance(task.expires, datetime)
    expires_at = aware(task.expires) if isinstance(task.expires, datetime) else task.expires_resolved
    deadline_at = aware(task.deadline) if isinstance(task.deadline, datetime) else task.deadline_resolved
    following = task.on_complete
    message = (
        _VERSION,
        task.id,
        CUT + task.path if is_cut else task.path,
        args,
        kwargs or None,
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
        None if following is None or is_cut else _to_fields(following, divide, following.is_cut),
        None if task.on_error is None else _to_fields(task.on_error, divide, task.on_error.is_cut),
        task.retry_max_delay,
        task.retry_jitter,
        None
        if task.deadline is None or isinstance(task.deadline, datetime)
        else seconds_from(task.deadline, "deadline"),
        deadline_at.timestamp() if deadline_at is not None else None,
        errors,
        tuple(task.chord) if task.chord is not None else None,
        task.values is not None,
        None if task.put_back is None else tuple(task.put_back),
        None if task.own_headers is None else check_headers(task.own_headers, task.path),
        None if task.granted is None else tuple(task.granted),
        following.id if is_cut and following is not None else None,
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
    if not (id.isascii() and name.isascii()):
        check_text("not a message: its id", id, SerializationError)
        check_text("not a message: its name", name, SerializationError)
    if len(fields) == _PLAIN:  # nearly all are plain calls
        if not isinstance(fields[3], (tuple, list)):
            raise _wrong_kind("args", fields[3])
        return Task(name, tuple(fields[3]), id=id)
    if len(fields) > _WIDTH:
        fields = fields[:_WIDTH]
    if tuple(map(type, fields)) not in _seen_kinds:
        _check_kinds(fields)
    message = Message(*fields)
    if len(fields) > _FIRST_BOUND:
        _check_bounds(message)
    on_complete = _from_fields(message.on_complete) if message.on_complete else None
    if message.then is not None:
        name, on_complete = name.removeprefix(CUT), Task("?", id=message.then)
    expires_at = _moment(message.expires_at)
    deadline_at = _moment(message.deadline_at)
    task = Task(
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
        on_complete=on_complete,
        on_error=_from_fields(message.on_error) if message.on_error else None,
        chord=Membership(*message.chord[:3]) if message.chord else None,
        values=[] if message.collects else None,
        put_back=PutBack(*message.put_back[:2]) if message.put_back else None,
        headers=message.headers,
        granted=Granted(*message.granted[:2]) if message.granted else None,
    )
    task.is_cut = message.then is not None
    return task


def _check_kinds(fields: Sequence[Any]) -> None:
    """Raise SerializationError for a field that is not of its kind; remember a combination that is good.

    Unchecked it would raise wherever it is used first, and what it breaks there is not the message.
    """
    for name, value in zip(Message._fields, fields, strict=False):
        if not _CHECKS[name](value):
            raise _wrong_kind(name, value)
    if len(_seen_kinds) < _MOST_KINDS:
        _seen_kinds.add(tuple(map(type, fields)))


def _check_bounds(message: Message) -> None:
    """Raise SerializationError for a number that nothing can use, or a part of a field that is not of its kind."""
    timeout, priority = message.timeout, message.priority
    if timeout is not None and not -_LARGEST <= timeout <= _LARGEST:  # NaN is not either
        raise SerializationError("not a message: its timeout is out of range")
    if priority is not None and not -_LARGEST <= priority <= _LARGEST:
        raise SerializationError("not a message: its priority is out of range")
    for part in message.errors or ():
        if not (_are(part, int, str, dict) and 0 <= part[0] < len(message.args)):
            raise _wrong_kind("errors", part)
    if message.chord is not None and not _are(message.chord[:3], str, int, str):
        raise _wrong_kind("chord", message.chord)
    if message.chord is not None:
        check_text("not a message: its chord", message.chord[0], SerializationError)
    if message.then is not None:
        check_text("not a message: the id of its next stage", message.then, SerializationError)
    if message.put_back is not None:
        parts = message.put_back[:2]
        if not ((_are(parts, int, float) or _are(parts, int, int)) and parts[0] > 0 and 0 <= parts[1] <= _LARGEST):
            raise _wrong_kind("put_back", message.put_back)
    for key, value in (message.headers or {}).items():
        if not (isinstance(key, str) and isinstance(value, str)):
            raise _wrong_kind("headers", key if not isinstance(key, str) else value)
    if message.granted is not None:
        parts = message.granted[:2]
        if not ((_are(parts, int, float) or _are(parts, int, int)) and 0 <= parts[1] <= _LARGEST):
            raise _wrong_kind("granted", message.granted)


def _are(values: Any, *kinds: type) -> bool:
    return isinstance(values, (tuple, list)) and [type(value) for value in values] == list(kinds)


def _wrong_kind(name: str, value: object) -> SerializationError:
    return SerializationError(f"not a message: its {name} must not be {type(value).__name__}")


def _is_whole(value: object) -> bool:
    return type(value) is int


def _is_number(value: object) -> bool:
    return type(value) in (float, int)


def _is_moment(value: object) -> bool:
    return value is None or _is_number(value)


def _is_switch(value: object) -> bool:
    return type(value) is bool


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_list(value: object) -> bool:
    return isinstance(value, (tuple, list))


def _is_list_or_none(value: object) -> bool:
    return value is None or _is_list(value)


def _is_mapping(value: object) -> bool:
    return value is None or isinstance(value, dict)


_CHECKS: Final[dict[str, Callable[[object], bool]]] = {
    **dict.fromkeys(("version", "retries", "attempt"), _is_whole),
    **dict.fromkeys(("id", "name"), _is_text),
    "then": _is_text_or_none,
    **dict.fromkeys(("retry_delay", "retry_backoff", "retry_jitter"), _is_number),
    **dict.fromkeys(("timeout", "priority", "eta", "expires", "expires_at"), _is_moment),
    **dict.fromkeys(("retry_max_delay", "deadline", "deadline_at"), _is_moment),
    **dict.fromkeys(("expires_absolute", "collects"), _is_switch),
    **dict.fromkeys(("on_complete", "on_error", "errors", "chord", "put_back", "granted"), _is_list_or_none),
    "args": _is_list,
    **dict.fromkeys(("kwargs", "headers"), _is_mapping),
}
_FIRST_BOUND: Final = Message._fields.index("timeout")
_LARGEST: Final = 2.0**53
"""More than any number of a message can be; what is larger no loop could wait for, and no storage sort by."""
_MOST_KINDS: Final = 1000
_seen_kinds: Final[set[tuple[type, ...]]] = set()
"""Combinations of kinds that are good: nearly all messages have one of a few. Written by any thread."""


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
    types = serializer.types
    for stage in (*task.stages(), *_handlers(task)):
        named = [(f"argument {position}", value) for position, value in enumerate(_apart(stage)[0], 1)]
        named += [(f"argument {key!r}", value) for key, value in stage.kwargs.items()]
        for which, value in named:
            try:
                serializer.serialize(value if types is None else types.to_plain(value))
            except SerializationError as reason:
                return TaskArgumentError(f"task {stage.path}: {which} cannot be serialised: {reason}{_cure(value)}")
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


def _cure(value: object) -> str:
    """Say what to give in the place of something that is no value yet."""
    if isawaitable(value):
        return "; await it, and give the value; or give the id of a Result"
    if hasattr(value, "get_raw_result"):  # a blocking handle
        return "; give the value, or the id of the Result"
    return "; give the arguments, not the task" if hasattr(value, "call_local") else ""
