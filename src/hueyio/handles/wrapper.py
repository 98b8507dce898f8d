"""What a decorated function becomes: a handle on a declared task."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime, timedelta
from typing import Any, Final, Generic, ParamSpec, Protocol, TypeVar, cast

from hueyio.exceptions import TaskArgumentError
from hueyio.handles.result import Result, ResultGroup
from hueyio.handles.sync_result import SyncResult
from hueyio.handles.sync_task import SyncTask
from hueyio.storage.records import Entry
from hueyio.tasks.declared import TaskOptions, TaskSpec, check_settings
from hueyio.tasks.task import Expires, Task, eta_from, seconds_from
from hueyio.tasks.unique import Unique, UniqueKey, UniqueMode, check_unique

__all__ = ["AsyncTaskWrapper", "BoundOptions", "TaskWrapper"]

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=Coroutine[Any, Any, Any])

_RESERVED: Final = frozenset(
    {"id", "eta", "delay", "retries", "retry_delay", "retry_backoff", "priority", "expires", "timeout"}
)
"""Keywords of a call that are Huey's, never the function's."""

_NOTHING: Final = (None,) * 6

_USUAL: Final = TaskOptions()
_PASSED_ON: Final = (
    *("expires", "priority", "retries", "retry_delay", "retry_backoff", "retry_max_delay", "retry_jitter"),
    *("timeout", "deadline", "settings"),
)
"""The options that a Task has too."""


class _App(Protocol):
    """What a wrapper needs of its Huey."""

    def prepare(self, task: Task) -> Entry: ...

    async def send(self, task: Task, entry: Entry) -> Any: ...

    async def send_in(self, connection: Any, task: Task, entry: Entry) -> Any: ...

    def enqueue_many(self, tasks: Iterable[Task]) -> Coroutine[Any, Any, Any]: ...

    async def revoke_all(self, task: Any, revoke_until: datetime | None = None, revoke_once: bool = False) -> None: ...

    async def restore_all(self, task: Any) -> bool: ...

    async def is_revoked(self, task: Any, timestamp: datetime | None = None, peek: bool = True) -> bool: ...

    def unregister(self, name: str) -> bool: ...


class TaskWrapper(Generic[P, R]):
    """A declared task. Calling it checks the arguments at once and returns a coroutine that enqueues the call.

    Keywords that are Huey's (id, eta, delay, retries, retry_delay, retry_backoff, priority, expires, timeout) never
    reach the function; ``options`` takes the same ones and keeps the types.
    """

    __name__: str
    __wrapped__: Callable[P, Any]

    def __init__(self, huey: _App, spec: TaskSpec) -> None:
        self.huey = huey
        self.spec = spec
        self.name = spec.name
        self.func = cast("Callable[P, Any]", spec.func)
        self._unique = check_unique(spec.options.unique, spec.options.unique_key)
        self._declared = _declared(spec.options, self._unique)
        functools.update_wrapper(self, spec.func)

    @property
    def retries(self) -> int:
        """The declared number of retries."""
        return self.spec.options.retries

    @property
    def retry_delay(self) -> float:
        """The declared delay between retries, in seconds."""
        return self.spec.options.retry_delay

    @property
    def context(self) -> bool:
        """Whether a run gets its Task as the argument ``task``."""
        return self.spec.options.context

    @property
    def settings(self) -> dict[str, Any]:
        """Keywords of the decorator that hueyio does not know."""
        return dict(self.spec.options.settings)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, Result[R]]:
        """Enqueue a call; ``await`` it for its Result.

        Raises TaskArgumentError at once if the arguments do not fit the function or cannot be serialised.
        """
        return self._send(self.s(*args, **kwargs))

    def enqueue_in(self, connection: Any, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, Result[R]]:
        """Enqueue a call as part of the transaction that is open on your own SQLite connection; see ``Huey``.

        The task becomes visible with your commit, or never. Raises what a call raises.
        """
        return self._send_in(connection, self.s(*args, **kwargs))

    @property
    def sync(self) -> SyncTask[P, R]:
        """The same task for code that blocks: ``add.sync(1, 2).get(timeout=5)``."""
        return SyncTask(self)

    def s(self, *args: Any, **kwargs: Any) -> Task:
        """Build the call without enqueueing it."""
        if kwargs and not _RESERVED.isdisjoint(kwargs):
            given = {name: kwargs.pop(name) for name in _RESERVED & kwargs.keys()}
            return self._build(args, kwargs, **given)
        # Nothing is said beside the arguments: what was declared has been checked.
        self.spec.check_partial_call(args, kwargs)
        return Task(self.name, args, kwargs, **self._declared)

    def options(
        self,
        *,
        id: str | None = None,
        eta: datetime | None = None,
        delay: float | timedelta | None = None,
        retries: int | None = None,
        retry_delay: float | None = None,
        retry_backoff: float | None = None,
        priority: float | None = None,
        expires: Expires | None = None,
        timeout: float | None = None,
        retry_max_delay: float | timedelta | None = None,
        retry_jitter: float | None = None,
        deadline: Expires | None = None,
        unique: UniqueMode | None = None,
        unique_key: UniqueKey | None = None,
    ) -> BoundOptions[P, R]:
        """Return something to call in place of the task, with these settings for its calls."""
        given = {
            "id": id,
            "eta": eta,
            "delay": delay,
            "retries": retries,
            "retry_delay": retry_delay,
            "retry_backoff": retry_backoff,
            "priority": priority,
            "expires": expires,
            "timeout": timeout,
            "retry_max_delay": retry_max_delay,
            "retry_jitter": retry_jitter,
            "deadline": deadline,
            "unique": unique,
            "unique_key": unique_key,
        }
        return BoundOptions(self, {name: value for name, value in given.items() if value is not None})

    def schedule(
        self,
        args: Any = None,
        kwargs: dict[str, Any] | None = None,
        eta: datetime | None = None,
        delay: float | timedelta | None = None,
        priority: float | None = None,
        retries: int | None = None,
        retry_delay: float | None = None,
        retry_backoff: float | None = None,
        expires: Expires | None = None,
        timeout: float | None = None,
        id: str | None = None,
    ) -> Coroutine[Any, Any, Result[R]]:
        """Enqueue a call that starts later: at ``eta``, or after ``delay`` seconds.

        A single number, timedelta or datetime is the delay or the eta of a call without arguments.
        Raises ValueError unless exactly one of ``eta`` and ``delay`` is there.
        """
        if isinstance(args, (int, float, timedelta, datetime)) and kwargs is None and eta is None and delay is None:
            eta, delay = (args, None) if isinstance(args, datetime) else (None, args)
            args = None
        if args is not None and not isinstance(args, Iterable):
            raise ValueError(f"args of {self.name}.schedule must be a tuple of arguments, not {args!r}")
        if kwargs is not None and not isinstance(kwargs, dict):
            raise ValueError(f"kwargs of {self.name}.schedule must be a dict, not {kwargs!r}")
        if eta is None and delay is None:
            raise ValueError(f"{self.name}.schedule needs an eta or a delay")
        task = self._build(
            () if args is None else tuple(args),
            kwargs or {},
            id=id,
            eta=eta,
            delay=delay,
            retries=retries,
            retry_delay=retry_delay,
            retry_backoff=retry_backoff,
            priority=priority,
            expires=expires,
            timeout=timeout,
        )
        return self._send(task)

    def map(self, it: Iterable[Any]) -> Coroutine[Any, Any, ResultGroup[R]]:
        """Enqueue one call for each element, all in one write; a tuple is several arguments, anything else is one."""
        if not isinstance(it, Iterable):
            raise TaskArgumentError(f"task {self.name}: map takes an iterable of arguments, not {it!r}")
        tasks = [self.s(*item) if isinstance(item, tuple) else self.s(item) for item in it]
        return self._named(self.huey.enqueue_many(tasks))

    def call_local(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself, without Huey."""
        return cast("R", self.func(*args, **kwargs))

    async def revoke(self, revoke_until: datetime | None = None, revoke_once: bool = False) -> None:
        """Keep all calls from being run: for good, until a moment, or only the next."""
        await self.huey.revoke_all(self, revoke_until, revoke_once)

    async def restore(self) -> bool:
        """Take the revocation back; False if there is none."""
        return await self.huey.restore_all(self)

    async def is_revoked(self, timestamp: datetime | None = None, peek: bool = True) -> bool:
        """Say whether all calls are revoked, now or at a moment; without ``peek`` a revocation for once is used up."""
        return await self.huey.is_revoked(self, timestamp, peek)

    def unregister(self) -> bool:
        """Forget the task; its messages can then be neither made nor run. False if it was forgotten before."""
        return self.huey.unregister(self.name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def _send(self, task: Task) -> Coroutine[Any, Any, Result[R]]:
        return self._named(self.huey.send(task, self.huey.prepare(task)))

    def _send_in(self, connection: Any, task: Task) -> Coroutine[Any, Any, Result[R]]:
        return self._named(self.huey.send_in(connection, task, self.huey.prepare(task)))

    def _named(self, coroutine: C) -> C:
        """Give a coroutine the task's name, so that Python's warning that nobody awaited it says which task."""
        cast("Any", coroutine).__qualname__ = self.name
        return coroutine

    def _build(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        id: str | None = None,
        eta: datetime | None = None,
        delay: float | timedelta | None = None,
        retries: int | None = None,
        retry_delay: float | None = None,
        retry_backoff: float | None = None,
        priority: float | None = None,
        expires: Expires | None = None,
        timeout: float | None = None,
        retry_max_delay: float | timedelta | None = None,
        retry_jitter: float | None = None,
        deadline: Expires | None = None,
        unique: UniqueMode | None = None,
        unique_key: UniqueKey | None = None,
    ) -> Task:
        # Whether nothing is missing is checked when it is enqueued: a later stage of a pipeline gets more.
        self.spec.check_partial_call(args, kwargs)
        if (retries, retry_delay, retry_backoff, priority, expires, timeout) != _NOTHING:
            retry_delay = None if retry_delay is None else seconds_from(retry_delay, "retry_delay")
            timeout = None if timeout is None else seconds_from(timeout, "timeout")
            if expires is not None and not isinstance(expires, datetime):
                seconds_from(expires, "expires")
            check_settings(
                retries=retries or 0,
                retry_delay=retry_delay or 0,
                retry_backoff=retry_backoff or 0,
                timeout=timeout,
                priority=priority,
            )
        declared = self.spec.options
        if (retry_max_delay, retry_jitter, deadline) != (None, None, None):
            retry_max_delay = None if retry_max_delay is None else seconds_from(retry_max_delay, "retry_max_delay")
            check_settings(retry_max_delay=retry_max_delay, retry_jitter=retry_jitter or 0)
            if deadline is not None and not isinstance(deadline, datetime):
                seconds_from(deadline, "deadline")
        if retry_max_delay is None:
            retry_max_delay = declared.retry_max_delay
        assert not isinstance(retry_max_delay, timedelta)
        return Task(
            self.name,
            args,
            kwargs,
            id=id,
            eta=None if eta is None and delay is None else eta_from(eta, delay, time.time()),
            expires=declared.expires if expires is None else expires,
            priority=declared.priority if priority is None else priority,
            retries=declared.retries if retries is None else retries,
            retry_delay=declared.retry_delay if retry_delay is None else retry_delay,
            retry_backoff=declared.retry_backoff if retry_backoff is None else retry_backoff,
            retry_max_delay=retry_max_delay,
            retry_jitter=declared.retry_jitter if retry_jitter is None else retry_jitter,
            timeout=declared.timeout if timeout is None else timeout,
            settings=declared.settings,
            deadline=declared.deadline if deadline is None else deadline,
            unique=self._unique if unique is None and unique_key is None else self._unique_as(unique, unique_key),
        )

    def _unique_as(self, mode: UniqueMode | None, key: UniqueKey | None) -> Unique | None:
        """Return how a call is unique that says so itself; what it leaves out is as declared."""
        declared = self.spec.options
        return check_unique(mode or declared.unique, declared.unique_key if key is None else key)


def _declared(options: TaskOptions, unique: Unique | None) -> dict[str, Any]:
    """Return what a Task gets from its declaration; what is usual is left out, so that most get nothing."""
    given = {name: getattr(options, name) for name in _PASSED_ON if getattr(options, name) != getattr(_USUAL, name)}
    return given if unique is None else {**given, "unique": unique}


class AsyncTaskWrapper(TaskWrapper[P, R]):
    """A declared ``async def`` task."""

    async def call_local(self, *args: P.args, **kwargs: P.kwargs) -> R:  # type: ignore[override]
        """Call the function itself, without Huey."""
        return cast("R", await self.func(*args, **kwargs))


class BoundOptions(Generic[P, R]):
    """A task with settings for its next calls; see ``TaskWrapper.options``."""

    def __init__(self, wrapper: TaskWrapper[P, R], given: dict[str, Any]) -> None:
        self._wrapper = wrapper
        self._given = given

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, Result[R]]:
        """Enqueue a call with these settings; ``await`` it for its Result."""
        return self._wrapper._send(self.s(*args, **kwargs))

    def enqueue_in(self, connection: Any, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, Result[R]]:
        """Enqueue a call with these settings as part of a transaction; see ``TaskWrapper.enqueue_in``."""
        return self._wrapper._send_in(connection, self.s(*args, **kwargs))

    @property
    def sync(self) -> Callable[P, SyncResult[R]]:
        """The same for code that blocks."""
        return SyncTask[P, R](self)

    def s(self, *args: P.args, **kwargs: P.kwargs) -> Task:
        """Build the call without enqueueing it."""
        return self._wrapper._build(args, dict(kwargs), **self._given)
