"""Everything that hueyio raises.

The tree::

    HueyException
    ├── ConfigurationError            a Huey, a storage or an option is set up wrongly
    ├── TaskArgumentError             a call does not fit its task's signature, or cannot be serialised
    ├── UnknownTaskError              no task of that name is registered on this Huey
    ├── ResultTimeout                 a wait for a result ran out; the task may still run
    ├── ResultExpired                 how the task ended is not remembered any more
    ├── TaskLockedException           a lock is held by another task, a semaphore by as many as may
    ├── TaskNotUnique                 another task holds the unique key
    ├── RateLimitExceeded             a rate limit has no room now
    ├── PutBackTooLong                a task was put back again and again, for longer than it may
    ├── TransactionTooLong            a body's transaction was open for too long, and was rolled back
    ├── TaskTimeout                   a task ran longer than its timeout
    ├── ProcessLost                   the process of a run_in="process" task ended before the task
    ├── SerializationError            bytes that cannot be made, or cannot be read
    ├── StorageError                  the storage refused an operation
    │   ├── StorageUnavailable        it cannot be reached or is full; the same call may work later
    │   │   ├── StorageFull           it has no room for this now; nothing was changed
    │   │   └── StorageDamaged        it cannot be read, and does not heal: a backup must be restored
    │   └── LeaseLost                 this owner has no live lease: it was given up, or never registered
    └── SessionClosed                 a session was used after it was closed
    TaskException                     a task ended without a value; raised where its result is read
    ├── TaskRevoked                   it was revoked before it started
    ├── TaskExpired                   it was not started before its ``expires``
    ├── TaskCancelled                 it was cancelled, queued or running
    ├── WorkerLost                    its consumer died with it, too often
    └── TaskLost                      the storage lost it
    CancelExecution                   raised by a task or a pre-execute hook: do not go on
    RetryTask                         raised by a task: run me again
    Snooze                            raised by a task: run me later, this run does not count
    DeclarationWarning                a warning: what was declared is taken, and may not be what was meant
    NotEnqueuedWarning                a warning: a call was not awaited, so that nothing was enqueued

``CancelExecution``, ``RetryTask``, ``Snooze`` and ``TaskException`` are no ``HueyException``, as in Huey: user code
that guards a task body with ``except HueyException`` must not swallow them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

__all__ = [
    "CancelExecution",
    "ConfigurationError",
    "DeclarationWarning",
    "HueyException",
    "LeaseLost",
    "NotEnqueuedWarning",
    "ProcessLost",
    "PutBackTooLong",
    "RateLimitExceeded",
    "ResultExpired",
    "ResultTimeout",
    "RetryTask",
    "SerializationError",
    "SessionClosed",
    "Snooze",
    "StorageDamaged",
    "StorageError",
    "StorageFull",
    "StorageUnavailable",
    "TaskArgumentError",
    "TaskCancelled",
    "TaskException",
    "TaskExpired",
    "TaskLockedException",
    "TaskLost",
    "TaskNotUnique",
    "TaskRevoked",
    "TaskTimeout",
    "TransactionTooLong",
    "UnknownTaskError",
    "WorkerLost",
]


class HueyException(Exception):
    """Anything that hueyio itself complains about."""


class ConfigurationError(HueyException):
    """A Huey, a storage or an option is set up in a way that cannot work."""


class TaskArgumentError(HueyException, TypeError):
    """A call does not fit its task's signature, or an argument cannot be serialised."""


class UnknownTaskError(HueyException):
    """No task of that name is registered on this Huey."""


class ResultTimeout(HueyException):
    """A wait for a result ran out; the task may still run and be read later."""


class ResultExpired(HueyException):
    """The task is older than the ends that the storage remembers; if it left a value, that was read or has expired."""


class TaskLockedException(HueyException):
    """A lock is held by another task, or a semaphore by as many as may.

    ``delay``: a task that ends by it comes back after so many seconds, without using up a retry; None: as any failure.
    """

    def __init__(self, msg: str = "", delay: float | None = None) -> None:
        super().__init__(msg)
        self.delay = delay


class TaskNotUnique(HueyException):
    """A call with ``unique="raise"``: the task ``holder`` has its unique key, pending or running."""

    def __init__(self, name: str, holder: str) -> None:
        super().__init__(name, holder)
        self.name = name
        self.holder = holder

    def __str__(self) -> str:
        return f"task {self.name}: task {self.holder} has the same unique key and is not over yet"


class RateLimitExceeded(HueyException):
    """The rate limit ``key`` has no room for ``delay`` seconds.

    With ``retry`` a task that ends by it comes back then, without using up a retry; else it is a failure.
    """

    def __init__(self, key: str, delay: float, retry: bool = True) -> None:
        super().__init__(key, delay, retry)
        self.key = key
        self.delay = delay
        self.retry = retry

    def __str__(self) -> str:
        return f"rate limit {self.key} exceeded; there is room in {self.delay:.3g} s"


class PutBackTooLong(HueyException):
    """A task went back ``count`` times in ``seconds`` without an attempt that counts: see ``max_put_back_age``.

    ``__cause__`` is what put it back the last time.
    """

    def __init__(self, path: str, count: int, seconds: float) -> None:
        super().__init__(path, count, seconds)
        self.path = path
        self.count = count
        self.seconds = seconds

    def __str__(self) -> str:
        return f"task {self.path} was put back {self.count} times in {self.seconds:.0f} s, and must not be once more"


class TransactionTooLong(HueyException):
    """``task.transaction()`` was open for more than half the consumer's lease; it was rolled back."""


class TaskTimeout(HueyException):
    """A task ran longer than its timeout."""


class ProcessLost(HueyException):
    """The process of a ``run_in="process"`` task exited or was killed while the task ran; the message says how."""


class SerializationError(HueyException, ValueError):
    """Bytes that cannot be made from a value, or a value that cannot be made from bytes."""


class StorageError(HueyException):
    """The storage refused an operation; repeating the call as it is will not help."""


class StorageUnavailable(StorageError):
    """The storage cannot be reached, is busy or is full; the same call may work later.

    Whether the operation took place is unknown: its reply may be what was lost.
    """


class StorageFull(StorageUnavailable):
    """The storage has no room for what it was given; nothing was changed. Something smaller may fit."""


class StorageDamaged(StorageUnavailable):
    """What the storage holds cannot be read. It does not heal; the same call works when a backup was restored."""


class LeaseLost(StorageError):
    """This owner has no live lease: others gave it up, or it never registered."""


class SessionClosed(HueyException):
    """A session was used after it was closed, or its loop has ended."""


class TaskException(Exception):
    """A task ended without a value; raised by whatever reads its result.

    ``metadata`` has Huey's four keys: ``error`` (the repr of the exception), ``retries`` (left before this
    attempt was counted), ``traceback`` (text) and ``task_id`` (of the stage that failed). Where the original
    exception survived serialisation it is the ``__cause__``.
    """

    def __init__(self, metadata: Mapping[str, Any] | None = None, *args: Any) -> None:
        self.metadata: dict[str, Any] = dict(metadata or {})
        super().__init__(*args)

    def __str__(self) -> str:
        return str(self.metadata.get("error") or "unknown error")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.metadata, *self.args)


class TaskRevoked(TaskException):
    """The task was revoked before it started."""


class TaskExpired(TaskException):
    """The task was not started before its ``expires``."""


class TaskCancelled(TaskException):
    """The task was cancelled, by a caller or by a pre-execute hook."""


class WorkerLost(TaskException):
    """The consumer that ran the task died, as often as ``max_deliveries`` allows."""


class TaskLost(TaskException):
    """The task was enqueued and the storage has lost it: a server that forgot, a file that was exchanged.

    Its status is ``unknown``: whether it ran is not known either.
    """


class CancelExecution(Exception):
    """Raised by a task or a pre-execute hook: do not go on with this task.

    ``retry=None`` follows the task's own retries, ``True`` grants at least one more run, ``False`` none.
    """

    def __init__(self, msg: str | None = None, retry: bool | None = None) -> None:
        if retry is not None and not isinstance(retry, bool):
            raise ValueError(f"CancelExecution takes None, True or False as retry, not {retry!r}")
        self.msg = msg
        self.retry = retry
        super().__init__(*(() if msg is None else (msg,)))


class RetryTask(Exception):
    """Raised by a task: run me again, at ``eta`` or after ``delay``, without using up a retry."""

    def __init__(
        self,
        msg: str | None = None,
        eta: datetime | None = None,
        delay: float | timedelta | None = None,
    ) -> None:
        if eta is not None and delay is not None:
            raise ValueError("RetryTask takes an eta or a delay, not both")
        if eta is not None and not isinstance(eta, datetime):
            raise ValueError(f"RetryTask takes a datetime as eta, not {eta!r}; for a number of seconds use delay")
        if delay is not None and (isinstance(delay, bool) or not isinstance(delay, (int, float, timedelta))):
            raise ValueError(f"RetryTask takes seconds or a timedelta as delay, not {delay!r}")
        self.msg = msg
        self.eta = eta
        self.delay = delay
        super().__init__(*(() if msg is None else (msg,)))


class Snooze(Exception):
    """Raised by a task: run me after ``delay`` (seconds or a timedelta); uses up neither an attempt nor a retry."""

    def __init__(self, delay: float | timedelta) -> None:
        seconds = delay.total_seconds() if isinstance(delay, timedelta) else delay
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds >= 0:
            raise ValueError(f"Snooze takes seconds or a timedelta of at least 0, not {delay!r}")
        self.delay = float(seconds)
        super().__init__(self.delay)


class DeclarationWarning(UserWarning):
    """What a decorator was given is taken, and may not be what was meant; the text says what to write instead."""


class NotEnqueuedWarning(RuntimeWarning):
    """A call was not awaited, so that nothing was enqueued (or revoked, freed, stored); told at the line of the call.

    Python's own warning of a coroutine that was never awaited is a RuntimeWarning too.
    """
