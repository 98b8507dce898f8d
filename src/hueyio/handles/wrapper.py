"""What a decorated function becomes: a handle on a declared task."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Generic, ParamSpec, TypeAlias, TypeVar, Unpack, cast

from hueyio.client.prepare import encode
from hueyio.client.producer import Producer
from hueyio.control.revoke import is_revoked, restore, revoke_all
from hueyio.exceptions import TaskArgumentError
from hueyio.handles.awaited import awaited
from hueyio.handles.options import check_names, shows_options
from hueyio.handles.result import Result, ResultGroup, handle_on, handles_on_ends
from hueyio.handles.sync_task import SyncBoundOptions, SyncTask
from hueyio.handles.telling import telling
from hueyio.messages.revocation import class_key
from hueyio.storage.records import Entry
from hueyio.tasks.declared import CallOptions, ScheduleOptions, TaskOptions, TaskSpec, read_call_options
from hueyio.tasks.given import items_of
from hueyio.tasks.task import Counted, Task, aware
from hueyio.tasks.unawaited import Unawaited
from hueyio.tasks.unique import check_unique

__all__ = ["AsyncTaskWrapper", "BoundOptions", "TaskWrapper"]

P = ParamSpec("P")
R = TypeVar("R")

_Check: TypeAlias = Callable[[tuple[Any, ...], Mapping[str, Any]], None]
"""Raises TaskArgumentError if arguments do not fit the function: whole ones, or those of a call that gets more."""

_USUAL: Final = TaskOptions()
_PASSED_ON: Final = tuple(name for name in TaskOptions.__dataclass_fields__ if hasattr(Task, name) and name != "unique")
"""The options that a Task has too."""


@awaited
@telling("task.sync")
class TaskWrapper(Generic[P, R]):
    """A declared task. Calling it checks the arguments at once and returns a coroutine that enqueues the call.

    Keywords that are options (id, eta, delay, retries, retry_delay, retry_backoff, priority, expires, timeout) do not
    reach the function, unless it has a parameter of that name; then it gets them. ``options`` takes the same ones and
    keeps the types, and gives all keywords of the call to the function.
    """

    __name__: str
    __wrapped__: Callable[P, Any]

    def __init__(self, huey: Any, spec: TaskSpec, producer: Producer) -> None:
        self.huey = huey
        self.spec = spec
        self.name = spec.name
        self.path = spec.path
        self.func = cast("Callable[P, Any]", spec.func)
        self._producer = producer
        self._core = producer.core
        self._declared = _declared(spec)
        self._call_keywords = spec.call_keywords
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

    @awaited
    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[None, None, Result[R]]:
        """Enqueue a call; ``await`` it for its Result.

        Raises TaskArgumentError at once if the arguments do not fit the function or cannot be serialised.
        """
        return self._send(self._call(args, kwargs, self.spec.check_call), "{}.sync")

    @awaited
    def enqueue_in(self, connection: Any, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[None, None, Result[R]]:
        """Enqueue a call as part of the transaction that is open on your own connection; see ``Huey``.

        The task becomes visible with your commit, or never. Raises what a call raises.
        """
        return self._send_in(connection, self._call(args, kwargs, self.spec.check_call), "{}.sync.enqueue_in")

    @property
    def sync(self) -> SyncTask[P, R]:
        """The same task for code that blocks: ``add.sync(1, 2).get(timeout=5)``."""
        return SyncTask(self)

    def s(self, /, *args: Any, **kwargs: Any) -> Task:
        """Build the call without enqueueing it."""
        # Whether nothing is missing is checked when it is enqueued: a later stage of a pipeline gets more.
        return self._call(args, kwargs, self.spec.check_partial_call)

    @shows_options(CallOptions)
    def options(self, **options: Unpack[CallOptions]) -> BoundOptions[P, R]:
        """Return something to call in place of the task, with these settings for its calls; None: as declared.

        Raises ConfigurationError for an option that there is not.

        Example::

            result = await add.options(delay=0.1, retries=2, timeout=30)(1, 2)
            print(await result)  # 3
        """
        check_names(f"{self.path}.options()", options, CallOptions.__annotations__)
        return BoundOptions(self, options)

    @awaited
    @shows_options(CallOptions)
    def schedule(
        self,
        args: Any = None,
        kwargs: dict[str, Any] | None = None,
        eta: datetime | None = None,
        delay: float | timedelta | None = None,
        **options: Unpack[ScheduleOptions],
    ) -> Coroutine[None, None, Result[R]]:
        """Enqueue a call that starts later: at ``eta``, or after ``delay`` seconds; ``options`` as in ``options()``.

        A single number, timedelta or datetime is the delay or the eta of a call without arguments.
        Raises ValueError unless exactly one of ``eta`` and ``delay`` is there.

        Example::

            await add.schedule((1, 2), delay=timedelta(minutes=10))
            await add.schedule((1, 2), eta=datetime(2030, 1, 1, tzinfo=UTC))
        """
        check_names(f"{self.path}.schedule()", options, CallOptions.__annotations__)
        if isinstance(args, (int, float, timedelta, datetime)) and kwargs is None and eta is None and delay is None:
            eta, delay = (args, None) if isinstance(args, datetime) else (None, args)
            args = None
        if args is not None:
            args = items_of(
                args, f"args of {self.path}.schedule must be a tuple of arguments, such as (1, 2)", ValueError
            )
        if kwargs is not None and not isinstance(kwargs, dict):
            raise ValueError(f"kwargs of {self.path}.schedule must be a dict, not {kwargs!r}")
        if eta is None and delay is None:
            raise ValueError(f"{self.path}.schedule needs an eta or a delay")
        given: CallOptions = {**options, "eta": eta, "delay": delay}
        task = self._build(() if args is None else args, kwargs or {}, self.spec.check_call, given)
        return self._send(task, "{}.sync.schedule")

    @awaited
    def map(self, it: Iterable[Any]) -> Coroutine[None, None, ResultGroup[R]]:
        """Enqueue one call for each element, all in one write; a tuple is several arguments, anything else is one.

        Example::

            results = await add.map([(1, 2), (3, 4)])
            print(await results)  # [3, 7]
        """
        takes = f"task {self.path}: map takes an iterable of arguments, such as [1, 2]"
        items, check = items_of(it, takes, TaskArgumentError), self.spec.check_call
        tasks = [self._call(item if isinstance(item, tuple) else (item,), {}, check) for item in items]
        coroutine = self._enqueue_many(tasks, [encode(self._core, task) for task in tasks])
        return Unawaited(coroutine, self.path, "{}.sync.map", sys._getframe(1))

    def call_local(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself, without Huey."""
        return cast("R", self.func(*args, **kwargs))

    async def revoke(self, revoke_until: datetime | None = None, revoke_once: bool = False) -> None:
        """Keep all calls from being run: for good, until a moment, or only the next."""
        await revoke_all(self._core, self.path, revoke_until, revoke_once)

    async def restore(self) -> bool:
        """Take the revocation back; False if there is none."""
        return await restore(self._core, class_key(self.path))

    async def is_revoked(self, timestamp: datetime | None = None, peek: bool = True) -> bool:
        """Say whether all calls are revoked, now or at a moment; without ``peek`` a revocation for once is used up."""
        at = None if timestamp is None else aware(timestamp).timestamp()
        return await is_revoked(self._core, [class_key(self.path)], at, peek)

    def unregister(self) -> bool:
        """Forget the task; its messages can then be neither made nor run. False if it was forgotten before."""
        return self._core.registry.unregister(self.path)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}>"

    # Both are called by public methods only: the frame before theirs is the user's.

    def _send(self, task: Task, way: str) -> Coroutine[None, None, Result[R]]:
        return Unawaited(self._enqueue(task, encode(self._core, task)), self.path, way, sys._getframe(2))

    def _send_in(self, connection: Any, task: Task, way: str) -> Coroutine[None, None, Result[R]]:
        coroutine = self._enqueue_in(connection, task, encode(self._core, task))
        return Unawaited(coroutine, self.path, way, sys._getframe(2))

    async def _enqueue(self, task: Task, entry: Entry) -> Result[R]:
        handle: Result[R] = handle_on(self._producer, task, await self._producer.send(task, entry))
        return handle

    async def _enqueue_in(self, connection: Any, task: Task, entry: Entry) -> Result[R]:
        holder = await self._producer.send_in(connection, task, entry)
        handle: Result[R] = handle_on(self._producer, task, holder, is_committed=self._core.immediate)
        return handle

    async def _enqueue_many(self, tasks: list[Task], entries: list[Entry]) -> ResultGroup[R]:
        holders = await self._producer.send_many(tasks, entries)
        handles: Any = await handles_on_ends(self._producer, tasks, holders) if self._core.rules.results else None
        return cast("ResultGroup[R]", handles)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any], check: _Check) -> Task:
        """Build a call whose keywords may be options; ``check`` says what its arguments must be."""
        if kwargs and not self._call_keywords.isdisjoint(kwargs):
            given: Any = {name: kwargs.pop(name) for name in self._call_keywords & kwargs.keys()}
            return self._build(args, kwargs, check, given)
        # Nothing is said beside the arguments: what was declared has been checked.
        check(args, kwargs)
        return Task(self.path, args, kwargs, **self._declared)

    def _build(self, args: tuple[Any, ...], kwargs: dict[str, Any], check: _Check, given: CallOptions) -> Task:
        check(args, kwargs)
        said = read_call_options(given, self.spec.options, self.path, self._core.now())
        task = Task(self.path, args, kwargs, **{**self._declared, **said})
        if given.get("delay") is not None:
            task.counted = Counted(task.eta, self._core.clock.ahead)
        return task


def _declared(spec: TaskSpec) -> dict[str, Any]:
    """Return what a Task gets from its declaration; what is usual is left out, so that most get nothing."""
    options = spec.options
    given = {name: getattr(options, name) for name in _PASSED_ON if getattr(options, name) != getattr(_USUAL, name)}
    if spec.name != spec.path.rpartition(".")[2]:  # else the path says it
        given["name"] = spec.name
    unique = check_unique(options.unique, options.unique_key)
    return given if unique is None else {**given, "unique": unique}


class AsyncTaskWrapper(TaskWrapper[P, R]):
    """A declared ``async def`` task."""

    async def call_local(self, /, *args: P.args, **kwargs: P.kwargs) -> R:  # type: ignore[override]
        """Call the function itself, without Huey."""
        return cast("R", await self.func(*args, **kwargs))


@awaited
class BoundOptions(Generic[P, R]):
    """A task with settings for its next calls; see ``TaskWrapper.options``."""

    def __init__(self, wrapper: TaskWrapper[P, R], given: CallOptions) -> None:
        self._wrapper = wrapper
        self._given = given

    @awaited
    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[None, None, Result[R]]:
        """Enqueue a call with these settings; ``await`` it for its Result."""
        return self._wrapper._send(self._build(args, kwargs, self._wrapper.spec.check_call), "{}.options(...).sync")

    @awaited
    def enqueue_in(self, connection: Any, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[None, None, Result[R]]:
        """Enqueue a call with these settings as part of a transaction; see ``TaskWrapper.enqueue_in``."""
        task = self._build(args, kwargs, self._wrapper.spec.check_call)
        return self._wrapper._send_in(connection, task, "{}.options(...).sync.enqueue_in")

    @property
    def sync(self) -> SyncBoundOptions[P, R]:
        """The same for code that blocks."""
        return SyncBoundOptions(self)

    def s(self, /, *args: P.args, **kwargs: P.kwargs) -> Task:
        """Build the call without enqueueing it."""
        return self._build(args, kwargs, self._wrapper.spec.check_partial_call)

    def _build(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], check: _Check) -> Task:
        return self._wrapper._build(args, dict(kwargs), check, self._given)
