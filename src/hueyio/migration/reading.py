"""From a message of Huey's to a Task of ours. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hueyio.exceptions import SerializationError
from hueyio.migration.codec import Codec
from hueyio.migration.huey_values import HueyMessage, split_kwargs
from hueyio.migration.renames import NO_RENAMES, Renames
from hueyio.tasks.task import Task, seconds_from

__all__ = ["Reading", "tasks_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one queue of Huey's is to be read.

    ``utc`` is what its Huey was made with: naive times are UTC, or local.
    """

    codec: Codec
    utc: bool = True
    renames: Renames = NO_RENAMES

    def name_of(self, name: str) -> str:
        """Return the path that a task of Huey's has here."""
        return self.renames.new_name(name)

    def read_message(self, data: bytes) -> HueyMessage:
        """Return the message of these bytes; raises SerializationError."""
        read = self.codec.read(data)
        if not isinstance(read, HueyMessage):
            raise SerializationError(f"no message of Huey's, but {type(read).__name__}")
        for stage in _messages_of(read):
            _check(stage)
        return read

    def path_in(self, data: bytes) -> str:
        """Return the path of a message's task, whether or not the rest of it can be read; "?" for none."""
        try:
            read = self.codec.read_around(data)
        except SerializationError:
            return "?"
        return self.name_of(read.name) if isinstance(read, HueyMessage) and isinstance(read.name, str) else "?"

    def to_task(self, message: HueyMessage) -> Task:
        """Return the task of a message, with all that follows it; raises SerializationError for fields that are off."""
        try:
            return self._to_task(message)
        except (TypeError, ValueError, OverflowError) as error:
            raise SerializationError(f"its fields cannot be read: {error}") from error

    def moment(self, value: datetime | None) -> datetime | None:
        """Return a time of Huey's with its zone."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC) if self.utc else value.astimezone()

    def expiry(self, message: HueyMessage, now: datetime) -> datetime | None:
        """Return when a task expires that is in Huey's queue; raises SerializationError.

        One that is scheduled is enqueued again when it is due, and a relative ``expires`` then counts from there.
        """
        try:
            return self._expiry(message, now)
        except (TypeError, ValueError, OverflowError) as error:
            raise SerializationError(f"its expires cannot be read: {error}") from error

    def _expiry(self, message: HueyMessage, now: datetime) -> datetime | None:
        eta, expires = self.moment(message.eta), message.expires
        if not expires:
            return None
        if isinstance(expires, datetime) or eta is None or eta <= now:
            return self.moment(message.expires_resolved) or self._resolved(expires, now)
        return self._resolved(expires, eta)

    def _resolved(self, expires: Any, start: datetime) -> datetime | None:
        if isinstance(expires, datetime):
            return expires.astimezone()  # Huey takes a naive one for local time
        return start + timedelta(seconds=seconds_from(expires, "expires"))

    def _to_task(self, message: HueyMessage) -> Task:
        following: Task | None = None
        for stage in reversed(_stages(message)):
            following = self._one(stage, following)
        assert following is not None
        return following

    def _one(self, message: HueyMessage, on_complete: Task | None) -> Task:
        expires = message.expires
        kwargs, headers = split_kwargs(message)
        return Task(
            self.name_of(message.name),
            tuple(message.args or ()),
            kwargs,
            id=message.id,
            eta=self.moment(message.eta),
            expires=self._resolved(expires, datetime.now(UTC)) if isinstance(expires, datetime) else expires or None,
            priority=message.priority,
            retries=int(message.retries or 0),
            retry_delay=float(message.retry_delay or 0),
            retry_backoff=float(message.retry_backoff or 0),
            timeout=message.timeout or None,
            headers=headers or None,
            on_complete=on_complete,
            on_error=None if message.on_error is None else self._to_task(message.on_error),
        )


def tasks_of(task: Task) -> list[Task]:
    """List a task, its stages, and the error handlers of each."""
    found: list[Task] = []
    for stage in task.stages():
        found.append(stage)
        if stage.on_error is not None:
            found += tasks_of(stage.on_error)
    return found


def _stages(message: HueyMessage) -> list[HueyMessage]:
    found = [message]
    while found[-1].on_complete is not None:
        found.append(found[-1].on_complete)
    return found


def _messages_of(message: HueyMessage) -> list[Any]:
    """List a message, its stages and their error handlers, whatever they are."""
    found: list[Any] = []
    left: list[Any] = [message]
    while left:
        one = left.pop()
        found.append(one)
        if isinstance(one, HueyMessage):
            left += [it for it in (one.on_complete, one.on_error) if it is not None]
    return found


def _check(message: Any) -> None:
    if not isinstance(message, HueyMessage):
        raise SerializationError(f"what follows it is no message, but {type(message).__name__}")
    if not (isinstance(message.id, str) and message.id and isinstance(message.name, str) and message.name):
        raise SerializationError("a message without id and name")
    if not isinstance(message.args, (tuple, list, type(None))) or not isinstance(message.kwargs, (dict, type(None))):
        raise SerializationError("its arguments are no list and dict")
    for moment in (message.eta, message.expires_resolved):
        if not isinstance(moment, (datetime, type(None))):
            raise SerializationError(f"its time is no datetime, but {type(moment).__name__}")
