"""One call of a task, as data that is built without I/O."""

from __future__ import annotations

import inspect
import math
import os
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeAlias

from hueyio.exceptions import HueyException, TaskCancelled, TaskTimeout
from hueyio.named_tuple import NamedTuple
from hueyio.tasks.progress import Progress, make_progress
from hueyio.tasks.transaction import SyncAttempt, SyncTaskTransaction, TaskTransaction

__all__ = [
    "Counted",
    "Expires",
    "Membership",
    "PutBack",
    "Reporter",
    "Run",
    "Task",
    "aware",
    "bind_stage",
    "eta_from",
    "seconds_from",
]

Expires: TypeAlias = float | timedelta | datetime
"""Seconds or a timedelta: counted from the enqueue. A datetime: that moment."""

_JUST_BEFORE: Final = timedelta(microseconds=1)

_LONGEST: Final = 10 * 366 * 86400.0
"""Seconds; what is longer is a mistake (milliseconds?), and soon beyond what a datetime can say."""


_NO_SETTINGS: Final[Mapping[str, Any]] = MappingProxyType({})


class _Declared(Protocol):
    """A handle on a declared function; what ``then`` and ``error`` take beside a Task."""

    def s(self, *args: Any, **kwargs: Any) -> Task: ...


class Membership(NamedTuple):
    """A task's place in a chord."""

    latch: str
    """The id of the chord's callback."""
    position: int
    callback: str
    """The path of the callback's task."""


class Granted(NamedTuple):
    """What a task had before its first retry: its retries and its delay, for whoever runs it again in the end."""

    retries: int
    retry_delay: float


class PutBack(NamedTuple):
    """How often a task went back without an attempt that counts, and since when (epoch seconds)."""

    times: int
    since: float


class Counted(NamedTuple):
    """From where the relative times of a Task were counted, which nothing has sent yet."""

    eta: datetime | None
    """The eta that came of a delay; None: the Task has none that did."""
    ahead: float
    """What the storage's clock said of itself then; see ``storage.clock.Clock``."""


class Reporter(Protocol):
    """What the body of an attempt under way asks of whoever runs it; the blocking ones are for other threads."""

    async def report(self, receipt: Any, progress: Progress) -> bool: ...

    def report_blocking(self, receipt: Any, progress: Progress) -> bool: ...

    def transaction(self, task: Task) -> TaskTransaction: ...

    def blocking_transaction(self, task: Task) -> SyncTaskTransaction: ...


class Run:
    """The attempt under way, as its body may ask: when its time is over, and whether somebody cancelled it.

    ``ends_at`` is monotonic; infinite without a limit. Written by the loop, read by the body's thread too.
    """

    __slots__ = ("cancelled", "ends_at")

    def __init__(self, ends_at: float = math.inf) -> None:
        self.ends_at = ends_at
        self.cancelled = False


class Task:
    """One call of a declared function: its arguments and how it is to be run.

    Made by ``add.s(1, 2)``. ``name`` is that of the function, ``path`` has its module in front: by it the function is
    found, and logs and commands say it. ``retries`` counts what is left; ``attempt`` rises with each run that ended by
    itself. ``timeout`` (seconds) limits one attempt, ``deadline`` all of them together, ``expires`` the start.
    Datetimes are aware. ``on_complete`` is the next stage of a pipeline, ``on_error`` what runs when an attempt fails.
    ``is_cut`` says that the stages after the next one stand in the storage: then they are not known here.
    ``receipt`` is there while the task is claimed. ``put_back`` says how often it went back since its last attempt that
    counts: it was locked, snoozed and the like. Keywords of the decorator that hueyio does not know are in
    ``settings``, and are read as attributes too. ``chord`` is the task's place in a chord; a chord's callback alone has
    ``values``, what the members reported, which its function gets after its own arguments. ``headers`` are texts that
    travel with the message, its retries, and the stages and error handlers that follow it.
    """

    __slots__ = (
        "_headers",
        "_name",
        "_run",
        "_settings",
        "args",
        "attempt",
        "chord",
        "counted",
        "deadline",
        "deadline_resolved",
        "eta",
        "expires",
        "expires_resolved",
        "granted",
        "id",
        "is_cut",
        "kwargs",
        "on_complete",
        "on_error",
        "path",
        "priority",
        "put_back",
        "receipt",
        "reporter",
        "retries",
        "retry_backoff",
        "retry_delay",
        "retry_jitter",
        "retry_max_delay",
        "timeout",
        "unique",
        "values",
    )

    def __init__(
        self,
        path: str,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        id: str | None = None,
        eta: datetime | None = None,
        expires: Expires | None = None,
        expires_resolved: datetime | None = None,
        priority: float | None = None,
        attempt: int = 0,
        retries: int = 0,
        retry_delay: float = 0.0,
        retry_backoff: float = 0.0,
        retry_max_delay: float | None = None,
        retry_jitter: float = 0.0,
        timeout: float | None = None,
        deadline: Expires | None = None,
        deadline_resolved: datetime | None = None,
        on_complete: Task | None = None,
        on_error: Task | None = None,
        settings: Mapping[str, Any] = _NO_SETTINGS,
        unique: Any = None,
        chord: Membership | None = None,
        values: list[Any] | None = None,
        name: str | None = None,
        put_back: PutBack | None = None,
        headers: dict[str, str] | None = None,
        granted: Granted | None = None,
    ) -> None:
        self.path = path
        self._name = name
        self.args = args
        self.kwargs: dict[str, Any] = _copied(kwargs) if kwargs else {}
        self.id = id if id is not None else _new_id()
        self.eta = eta
        self.expires = expires
        self.expires_resolved = expires_resolved
        self.priority = priority
        self.attempt = attempt
        self.retries = retries
        self.retry_delay = retry_delay
        self.retry_backoff = retry_backoff
        self.retry_max_delay = retry_max_delay
        self.retry_jitter = retry_jitter
        self.timeout = timeout
        self.deadline = deadline
        self.deadline_resolved = deadline_resolved
        self._run: Run | None = None
        self.on_complete = on_complete
        self.is_cut = False
        self.on_error = on_error
        self._settings = settings
        self.chord = chord
        self.values = values
        self.receipt: Any = None
        self.unique = unique
        self.put_back = put_back
        self._headers = headers
        self.granted = granted
        self.counted: Counted | None = None
        self.reporter: Reporter | None = None

    @property
    def name(self) -> str:
        """The name of the function, or the ``name=`` that it was declared with."""
        return self.path.rpartition(".")[2] if self._name is None else self._name

    @property
    def settings(self) -> Mapping[str, Any]:
        """The decorator's keywords that hueyio does not know. They are the declaration's; a call has ``headers``."""
        return self._settings

    @property
    def data(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The positional and the keyword arguments."""
        return self.args, self.kwargs

    @property
    def headers(self) -> dict[str, str]:
        """The headers: keys and values are texts, at most 32 and 4 KB."""
        if self._headers is None:
            self._headers = {}
        return self._headers

    @headers.setter
    def headers(self, headers: dict[str, str]) -> None:
        self._headers = headers

    @property
    def own_headers(self) -> dict[str, str] | None:
        """The same dict; None if there is no header. Asking costs nothing."""
        return self._headers or None

    def inherit(self, parent: Task) -> Task:
        """Take the headers of the task that this one follows, under its own; return this task."""
        if parent._headers:
            self._headers = {**parent._headers, **(self._headers or {})}
        return self

    @property
    def revoke_id(self) -> str:
        """The key under which the storage keeps a revocation of this call."""
        return f"r:{self.id}"

    def __getattr__(self, name: str) -> Any:
        # Asked for what is not there; while a copy is being built that is everything.
        if not name.startswith("_") and name != "settings" and name in self.settings:
            return self.settings[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def then(self, task: Task | _Declared, /, *args: Any, **kwargs: Any) -> Task:
        """Append a stage to the end of the pipeline; return this task, the head.

        The stage gets its own arguments first, then what the stage before returned: a tuple as further positional
        arguments, a dict as keyword arguments that it does not have yet, None as nothing, anything else as one
        more argument.

        Example::

            task = add.s(1, 2).then(add, 10)
            print(await (await huey.enqueue(task)))  # [3, 13]
        """
        self.check_whole()
        following = bind_stage(task, "what then() gets", args, kwargs)
        _last_of(self.stages(), following.stages()).on_complete = following
        return self

    def error(self, task: Task | _Declared, /, *args: Any, **kwargs: Any) -> Task:
        """Append an error handler to the end of the chain; return this task.

        It gets its own arguments, then the exception. A later handler is for failures of the one before.
        """
        handler = bind_stage(task, "what error() gets", args, kwargs)
        _last_of(self._handlers(), handler._handlers()).on_error = handler
        return self

    def _handlers(self) -> Iterator[Task]:
        task: Task | None = self
        while task is not None:
            yield task
            task = task.on_error

    def stages(self) -> Iterator[Task]:
        """Yield this task and all stages that follow it."""
        stage: Task | None = self
        while stage is not None:
            yield stage
            stage = stage.on_complete

    def check_whole(self) -> None:
        """Raise HueyException if not all stages are known here, so that the rest of the pipeline would be lost."""
        if self.is_cut:
            raise HueyException(
                f"of the stages after {self!r} only the next one is known where it runs, the storage has the others; "
                "take the whole pipeline from huey.pending(), or make it anew"
            )

    def extended(self, value: Any) -> Task:
        """Return a copy whose arguments are extended by what the stage before returned; see ``then``."""
        match value:
            case None:
                return self.replaced()
            case tuple():
                return self.replaced(args=self.args + tuple(value))
            case dict():
                return self.replaced(kwargs={**value, **self.kwargs})
            case _:
                return self.replaced(args=(*self.args, value))

    def extend_data(self, value: Any) -> None:
        """Extend the arguments of this task itself as ``extended`` does those of a copy."""
        extended = self.extended(value)
        self.args, self.kwargs = extended.args, extended.kwargs

    def replaced(self, **changes: Any) -> Task:
        """Return a shallow copy with some fields changed."""
        copy = object.__new__(type(self))
        for name, value in zip(Task.__slots__, _all_of(self), strict=True):
            setattr(copy, name, value)
        for name, value in changes.items():
            setattr(copy, name, value)
        copy.receipt = None
        copy.reporter = None
        copy._run = None
        if copy._headers:
            copy._headers = dict(copy._headers)
        return copy

    def renewed(
        self, eta: datetime | None, expires: Expires | None, priority: float | None, preserve_pipeline: bool
    ) -> Task:
        """Return the call as if it had not been made yet: a new id, the first attempt; its later stages likewise."""
        following: Task | None = None
        if preserve_pipeline:
            self.check_whole()
            for stage in reversed([*self.stages()][1:]):
                following = stage._renewed(stage.eta, None, None, following, stage.on_error)
        return self._renewed(eta, expires, priority, following, self.on_error if preserve_pipeline else None)

    def _renewed(
        self,
        eta: datetime | None,
        expires: Expires | None,
        priority: float | None,
        on_complete: Task | None,
        on_error: Task | None,
    ) -> Task:
        return self.replaced(
            id=_new_id(),
            attempt=0,
            eta=eta,
            expires=self.expires if expires is None else expires,
            expires_resolved=None,
            deadline_resolved=None,
            put_back=None,
            counted=None,
            priority=self.priority if priority is None else priority,
            on_complete=on_complete,
            is_cut=False,
            on_error=on_error,
        )

    async def progress(self, fraction: float, message: str = "") -> bool:
        """Let followers know how far the body is: ``await task.progress(0.4, "page 4")``.

        False if nobody keeps it: the task does not run in a consumer (but in immediate mode, or by hand), or its lease
        has gone. Raises ValueError unless the fraction is from 0 to 1.
        """
        progress = make_progress(fraction, message)
        return self.reporter is not None and await self.reporter.report(self.receipt, progress)

    def progress_sync(self, fraction: float, message: str = "") -> bool:
        """Do what ``progress`` does from a body in a thread: it returns when the progress is kept.

        Raises HueyException on the thread of the consumer's loop, which it would block for ever.
        """
        progress = make_progress(fraction, message)
        return self.reporter is not None and self.reporter.report_blocking(self.receipt, progress)

    def transaction(self) -> TaskTransaction:
        """Open a transaction in which the task ends, together with rows of the body's own.

        ``async with (tx := task.transaction()) as conn:`` in a coroutine; ``conn`` is a connection to the database
        that the queue is in, of ``aiosqlite`` or of psycopg. To leave the block commits what was written with
        ``conn`` and the good end of the task, whose value is ``tx.result`` (None by default). An exception in the block
        rolls both back and is the body's. One block counts: a second one is refused.

        Raises HueyException where no consumer runs the task (in immediate mode, in a pool process), ConfigurationError
        for storages that are no such database. Leaving the block raises LeaseLost if the task is not this consumer's
        any more, TransactionTooLong if it was open for more than half a lease; nothing was committed then.
        """
        return self._whoever_runs().transaction(self)

    @property
    def sync(self) -> SyncAttempt:
        """What a body in a thread asks of its attempt without ``await``: ``with task.sync.transaction() as conn:``."""
        return SyncAttempt(lambda: self._whoever_runs().blocking_transaction(self))

    def _whoever_runs(self) -> Reporter:
        if self.reporter is None:
            raise HueyException(
                f"transaction() is for the body of a task while a consumer runs it, and nobody runs this {self!r}"
            )
        return self.reporter

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        """Leave out what belongs to the attempt under way."""
        state = {name: getattr(self, name) for name in Task.__slots__}
        del state["_settings"], state["is_cut"]
        return None, {
            **state,
            "settings": dict(self.settings),
            "reporter": None,
            "receipt": None,
            "counted": None,
            "_run": None,
        }

    def __setstate__(self, state: tuple[None, dict[str, Any]]) -> None:
        later = dict.fromkeys(("put_back", "counted", "_headers", "granted"))  # 0.1.0 had none of them
        fields: dict[str, Any] = {**later, **state[1]}
        fields["_settings"] = fields.pop("settings")  # the name that 0.1.0 reads
        fields["is_cut"] = False
        if "name" in fields:  # what 0.1.0 called the path
            fields["path"] = fields.pop("name")
            fields["_name"] = None
        for name, value in fields.items():
            setattr(self, name, value)

    @property
    def time_remaining(self) -> float:
        """Seconds that the attempt under way has left; infinite without a timeout or deadline, never below 0."""
        return math.inf if self._run is None else max(self._run.ends_at - time.monotonic(), 0.0)

    @property
    def is_timed_out(self) -> bool:
        """Whether the time of the attempt under way is over."""
        return self.time_remaining <= 0

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody cancelled the attempt under way."""
        return self._run is not None and self._run.cancelled

    def check_timeout(self) -> None:
        """Raise TaskTimeout if the attempt's time is over, TaskCancelled if somebody cancelled it; else do nothing.

        For bodies in threads, which cannot be stopped from outside: called now and then, it ends them in time.
        """
        if self.is_cancelled:
            raise TaskCancelled({"error": "cancelled", "retries": self.retries, "traceback": "", "task_id": self.id})
        if self.is_timed_out:
            raise TaskTimeout(f"task {self.path} ran out of its time")

    def count_anew(self, ahead: float) -> bool:
        """Move what was counted from a moment to where it would be if the clock had been right already.

        ``ahead`` is what the storage's clock says of itself now. Returns whether the clock plays a part in how this
        task is enqueued (whether an eta has come, too), or in a later stage or handler.
        """
        is_counted = False
        for stage in reversed([*self.stages()]):
            is_counted = stage._count_anew(ahead, is_counted)
        return is_counted

    def _count_anew(self, ahead: float, following_is: bool) -> bool:
        counted = self.counted
        eta = None
        if counted is not None and counted.eta is not None and self.eta is counted.eta:  # else somebody has set it
            eta = self.eta = counted.eta + timedelta(seconds=ahead - counted.ahead)
        is_counted = following_is or self.eta is not None or _is_relative(self.expires) or _is_relative(self.deadline)
        if self.on_error is not None and self.on_error.count_anew(ahead):
            is_counted = True
        self.counted = Counted(eta, ahead) if is_counted else None
        return is_counted

    def belong(self, name: str, settings: Mapping[str, Any]) -> None:
        """Take from the declaration what does not travel with a message: the function's name, and the settings."""
        self._name = name
        if settings:
            self._settings = settings

    def begin_run(self, seconds: float) -> None:
        """Start the clock of an attempt that has so many seconds."""
        self._run = Run(time.monotonic() + seconds)

    def cancel_run(self) -> None:
        """Let the body know that it was cancelled."""
        if self._run is None:
            self._run = Run()
        self._run.cancelled = True

    def resolve_deadline(self, now: float) -> datetime | None:
        """Say by when all attempts must be over; relative ones count from ``now``, or from the eta if that is later."""
        match self.deadline:
            case None:
                return None
            case datetime():
                return aware(self.deadline)
            case _:
                start = now if self.eta is None else max(now, self.eta.timestamp())
                return datetime.fromtimestamp(start + seconds_from(self.deadline, "deadline"), UTC)

    def resolve_expires(self, now: float) -> datetime | None:
        """Say when the task expires if it is enqueued at ``now`` (epoch seconds)."""
        match self.expires:
            case None:
                return None
            case datetime():
                return aware(self.expires)
            case _:
                seconds = seconds_from(self.expires, "expires")
                moment = datetime.fromtimestamp(now + seconds, UTC)
                # A task runs at the very moment at which it expires; one that expires at once never does.
                return moment if seconds > 0 else moment - _JUST_BEFORE

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Task):
            return NotImplemented
        return self.id == other.id and self.eta == other.eta and self.path == other.path

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<Task {self.path} {self.id}>"


_all_of: Final = attrgetter(*Task.__slots__)
"""Whatever a task has; read in C."""


def _new_id() -> str:
    """Return a UUID of version 7 as text: milliseconds since 1970, then 74 random bits.

    What is made at about the same time stands together in the indexes of a database. On SQLite random ids made a drain
    write 9,600 bytes for each task, of 20,000 that were queued; these make it 2,200.
    The generator is seeded by the system, anew after a fork; asking the system for each one would cost 3 us.
    """
    chance = _random.getrandbits(74)
    bits = time.time_ns() // 1_000_000 << 80 | chance >> 62 << 64 | chance & _LAST_62_BITS | _VERSION_AND_VARIANT
    digits = f"{bits:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


_LAST_62_BITS: Final = (1 << 62) - 1
_VERSION_AND_VARIANT: Final = 7 << 76 | 0b10 << 62


_random = random.Random(os.urandom(32))
os.register_at_fork(after_in_child=lambda: _random.seed(os.urandom(32)))


def _copied(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    if type(kwargs) is not dict and not isinstance(kwargs, Mapping):
        raise HueyException(f"kwargs of a Task are a dict of arguments, not {kwargs!r}")
    return dict(kwargs)


def _is_relative(moment: Expires | None) -> bool:
    return moment is not None and not isinstance(moment, datetime)


def aware(moment: datetime) -> datetime:
    """Return the moment with a time zone; a naive one is local time. Raises HueyException for what is no moment."""
    if not isinstance(moment, datetime):
        raise HueyException(f"a moment is a datetime, not {moment!r}")
    return moment if moment.tzinfo is not None else moment.astimezone()


def seconds_from(value: float | timedelta, what: str) -> float:
    """Return a duration in seconds, or raise ValueError that names the setting."""
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{what} must be seconds or a timedelta, not {value!r}")
    if not -_LONGEST <= value <= _LONGEST:
        raise ValueError(f"{what} must be at most {_LONGEST:.0f} seconds (ten years), not {value!r}")
    return float(value)


def eta_from(eta: datetime | None, delay: float | timedelta | None, now: float) -> datetime | None:
    """Return when a task is to start, from one of Huey's two ways to say it; None: at once."""
    if eta is not None and delay is not None:
        raise ValueError("give an eta or a delay, not both")
    if delay is not None:
        return datetime.fromtimestamp(now + seconds_from(delay, "delay"), UTC)
    if eta is None:
        return None
    if not isinstance(eta, datetime):
        raise ValueError(f"eta must be a datetime, not {eta!r}; for a number of seconds use delay")
    return aware(eta)


def _last_of(chain: Iterable[Task], following: Iterable[Task]) -> Task:
    """Return the last of a chain; raises HueyException if a Task would follow itself, and no chain would ever end."""
    added = {id(task) for task in following}
    last: Task | None = None
    for last in chain:
        if id(last) in added:
            raise HueyException(f"{last!r} cannot follow itself; make another call of it, such as add.s(1)")
    assert last is not None
    return last


def bind_stage(task: Task | _Declared, takes: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Task:
    """Make the Task that a stage, a handler or a callback is; ``takes`` names it."""
    if inspect.iscoroutine(task):
        task.close()  # it is not forgotten: nobody could have wanted it
        raise HueyException(f"{takes} must be a task or a call of one that is not enqueued yet: add.s(1), not add(1)")
    if not isinstance(task, Task):
        if not callable(getattr(task, "s", None)) or isinstance(task, type):
            raise HueyException(
                f"{takes} must be a declared task or a call of one, such as add.s(1), not {task!r:.200}"
            )
        return task.s(*args, **kwargs)
    if args or kwargs:
        return task.replaced(args=task.args + args, kwargs={**task.kwargs, **kwargs})
    return task
