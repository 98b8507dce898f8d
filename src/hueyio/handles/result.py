"""Handles on the results of tasks that were enqueued."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Final, Generic, Literal, TypeVar, Unpack, overload

from hueyio.client.producer import Producer
from hueyio.control.cancel import cancel
from hueyio.control.revoke import is_revoked, restore, revoke
from hueyio.core import Core
from hueyio.exceptions import HueyException, ResultTimeout
from hueyio.execution.lending import lending
from hueyio.handles.reader import Reader
from hueyio.handles.reading import Read, ReadOptions, read_options, shows_read_options
from hueyio.handles.status import Status, is_alive
from hueyio.handles.telling import telling
from hueyio.handles.together import Arrivals, hand_over_all, wait_together
from hueyio.messages.message import read_task
from hueyio.messages.revocation import class_key, instance_key
from hueyio.messages.stored_result import Error, Returned
from hueyio.tasks.given import check_switches
from hueyio.tasks.progress import Progress, read_progress
from hueyio.tasks.task import Counted, Expires, Task, eta_from

__all__ = [
    "Result",
    "ResultGroup",
    "Status",
    "completed",
    "fill",
    "fill_all",
    "handle_on",
    "handles_on",
    "handles_on_ends",
    "keys_of",
    "reader_of",
]

R = TypeVar("R")

_MOST_IN_A_TURN: Final = 1000
"""How many handles are made in one turn of the loop; each costs it 2 us."""


@telling("huey.sync.result_of(id)")
class Result(Generic[R]):
    """A handle on one task's result; ``await result`` waits for it and returns the value, or raises TaskException.

    The first read that gives the value keeps it in the handle, and deletes it from the storage (not on those that keep
    results for a time of their own). A read that is cancelled, or fails, leaves it. Waiting is by notification, and
    resolves on the final outcome only.

    A read that waits gives None for a task that returned None, and for one that returned a value which is not stored
    any more: it was read, or has expired. It raises TaskException for one that failed, also if its error is not stored
    any more; TaskLost if the storage has lost the task; ResultExpired if the task is older than the ends that are
    remembered. If nothing is known of the task but its id (``result_of``, or ``enqueue_in`` before the commit), it
    raises HueyException at once; with a timeout it waits, because the task may be enqueued a moment later.

    Example::

        result = await add(1, 2)
        print(await result.get(blocking=True, timeout=30))  # 3

        @huey.task
        async def fail() -> None:
            raise ValueError("no stock")

        try:
            await (await fail())
        except TaskException as error:
            print(error)  # ValueError('no stock')
    """

    __slots__ = ("_producer", "_reader", "id", "task")

    def __init__(
        self, producer: Producer, task: Task | str, seen_at: float | None = None, path: str | None = None
    ) -> None:
        """Make a handle; ``seen_at`` is when the storage was known to have the task (epoch seconds).

        ``path`` is that of the task, where it is known although the task is not.
        """
        self._producer = producer
        self.task: Task | None = None
        if isinstance(task, Task):
            self.task, self.id, path = task, task.id, task.path
        else:
            self.id = task
        self._reader = Reader(producer, self.id, seen_at, path)

    def __await__(self) -> Generator[Any, None, R]:
        return self.get(blocking=True).__await__()

    @overload
    async def get(
        self, blocking: Literal[False] = False, timeout: float | None = None, **options: Unpack[ReadOptions]
    ) -> R | None: ...

    @overload
    async def get(self, blocking: bool, timeout: float | None = None, **options: Unpack[ReadOptions]) -> R: ...

    @shows_read_options
    async def get(
        self, blocking: bool = False, timeout: float | None = None, **options: Unpack[ReadOptions]
    ) -> R | None:
        """Return the value, or None if there is none yet; with ``blocking`` wait for it, at most ``timeout`` seconds.

        Raises TaskException if the task failed, ResultTimeout if the wait ran out; ``revoke_on_timeout`` then
        revokes the task. ``preserve`` leaves the value in the storage. ``backoff`` and ``max_delay`` are Huey's
        and do nothing here: nothing is polled.
        """
        read = read_options(options)
        if not await fill(self, blocking, timeout, read):
            return None
        value: R = self._reader.hand_over(read.preserve)
        return value

    __call__ = get

    @shows_read_options
    async def get_raw_result(
        self, blocking: bool = False, timeout: float | None = None, **options: Unpack[ReadOptions]
    ) -> R | Error | None:
        """Do the same as ``get``, but return the ``Error`` of a task that failed instead of raising it."""
        read = read_options(options)
        if not await fill(self, blocking, timeout, read):
            return None
        self._reader.release(read.preserve)
        ending = self._reader.ending
        return ending.value if isinstance(ending, Returned) else ending

    async def is_ready(self) -> bool:
        """Say whether the task has ended, well or not; what it left is read into this handle, and not deleted.

        False for a task of which nothing is known.
        """
        return await self._reader.is_over()

    async def updates(self) -> AsyncIterator[Progress]:
        """Yield what the task reports of its progress, as it comes; ends when the task is over.

        It is a level: of several reports in a row only the last may be seen. Any number may follow, in any process.
        """
        session = await self._core.session()
        await self._reader.refuse_to_hang()
        seen: bytes | None = None
        while (seen := await lending([self.id], session.follow(self.id, seen))) is not None:
            yield read_progress(seen, self._core.serializer.within("progress", self.id))

    async def status(self) -> Status:
        """Say where the task is, or how it ended; reads nothing away."""
        return await self._reader.status()

    async def revoke(self, revoke_once: bool = True, *, revoke_until: datetime | None = None) -> None:
        """Keep the task from being run, unless it runs already. Does nothing if it is over."""
        if is_alive(await self._reader.find()):
            await revoke(self._core, self.id, revoke_until, revoke_once)

    async def cancel(self) -> bool:
        """Cancel the task wherever it is, queued, scheduled or running; False if it was over. See ``Huey.cancel``."""
        return await cancel(self._core, self.id)

    async def restore(self) -> bool:
        """Take the revocation of this task back; False if there is none."""
        return await restore(self._core, instance_key(self.id))

    async def is_revoked(self) -> bool:
        """Say whether this task, or all tasks of its name, are revoked."""
        return await is_revoked(self._core, keys_of(self), None, True)

    async def reschedule(
        self,
        eta: datetime | None = None,
        delay: float | timedelta | None = None,
        expires: Expires | None = None,
        priority: float | None = None,
        preserve_pipeline: bool = True,
    ) -> Any:
        """Enqueue the same call under a new id, and revoke this one; return what ``enqueue`` returns.

        Without ``eta`` and ``delay`` it may start at once. ``expires`` and ``priority`` replace those of the task. The
        later stages are enqueued anew too, unless ``preserve_pipeline`` is off. Whether the task ran already
        is not asked; the new one is written first, so that no failure between the two loses it. Where the two have one
        unique key the new one takes the place of this one, which is cancelled; raises TaskNotUnique if it runs already.
        """
        task = await self._find_task()
        new = task.renewed(eta_from(eta, delay, self._core.now()), expires, priority, preserve_pipeline)
        if delay is not None:
            new.counted = Counted(new.eta, self._core.clock.ahead)
        holder = await self._producer.send_instead(new, self.id)
        await self.revoke()
        return handle_on(self._producer, new, holder)

    def reset(self) -> None:
        """Forget what was read, to read again after a retry."""
        self._reader.reset()

    def __reduce__(self) -> Any:
        raise TypeError("a Result belongs to its process")  # the rest of the sentence says what to give instead

    def __repr__(self) -> str:
        return f"<Result: task {self.id}>"

    @property
    def _core(self) -> Core:
        return self._producer.core

    async def _find_task(self) -> Task:
        """Return the task, of a handle that was made from an id the one in the queue."""
        if self.task is not None:
            return self.task
        found = await self._reader.find()
        if found.state not in ("queued", "scheduled", "running", "dead") or found.data is None:
            raise HueyException(f"task {self.id} is not in the queue any more, and this handle knows only its id")
        return read_task(found.data, self._core.serializer, self.id)


class ResultGroup(Generic[R]):
    """The results of several tasks, in the order in which these were given.

    ``group[i]`` and iteration give ``Result`` handles; ``await group`` and ``get`` the values, as a list.

    Example::

        results = await add.map([(1, 2), (3, 4)])
        print(sorted([value async for value in results.as_completed()]))  # [3, 7]
        print(await results)  # [3, 7]
        print(await results[1])  # 7
    """

    __slots__ = ("_results",)

    def __init__(self, results: Sequence[Result[R]]) -> None:
        self._results = list(results)

    def __await__(self) -> Generator[Any, None, list[R]]:
        return self._wait().__await__()

    @overload
    async def get(
        self, blocking: Literal[False] = False, timeout: float | None = None, **options: Unpack[ReadOptions]
    ) -> list[R | None]: ...

    @overload
    async def get(self, blocking: bool, timeout: float | None = None, **options: Unpack[ReadOptions]) -> list[R]: ...

    @shows_read_options
    async def get(
        self, blocking: bool = False, timeout: float | None = None, **options: Unpack[ReadOptions]
    ) -> list[R] | list[R | None]:
        """Call ``Result.get`` of each, all at the same time; return the values, or raise for the first that failed.

        Values are deleted only when all of them are returned.
        """
        readers, preserve = await fill_all(self, blocking, timeout, **options)
        return hand_over_all(readers, preserve)

    __call__ = get

    async def as_completed(self, backoff: float = 1.15, max_delay: float = 1.0) -> AsyncIterator[R]:
        """Yield the values in the order in which the tasks end; one that failed raises, and ends the iteration.

        ``backoff`` and ``max_delay`` are Huey's and do nothing here: nothing is polled.
        """
        async with aclosing(completed(self)) as results:
            async for result in results:
                value: R = reader_of(result).hand_over(False)
                yield value

    async def _wait(self) -> list[R]:
        return await self.get(blocking=True)

    def __getitem__(self, position: int) -> Result[R]:
        return self._results[position]

    def __iter__(self) -> Iterator[Result[R]]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    def __repr__(self) -> str:
        return f"<ResultGroup: {len(self)} tasks>"


def reader_of(result: Result[Any]) -> Reader:
    """Return what reads for a handle."""
    return result._reader


async def fill(result: Result[Any], blocking: bool, timeout: float | None, options: Read, waited: float = 0.0) -> bool:
    """Read what a task left into its handle, and leave it in the storage; say whether there is something.

    With ``blocking`` wait for it; raises ResultTimeout if it does not come in time. ``waited``: seconds that are over.
    """
    reader = reader_of(result)
    if blocking is not True and blocking is not False:
        check_switches({"blocking": blocking})
    if not blocking:
        return await reader.look()
    left = timeout if timeout is None or not waited else max(0.0, timeout - waited)
    if await reader.wait(left):
        return True
    if options.revoke_on_timeout:
        await result.revoke()
    where = reader.core.storage  # two programs that name their files differently have two queues
    raise ResultTimeout(f"no result of task {result.id} within {timeout:g} s in {where}; it may still run")


async def fill_all(
    group: ResultGroup[Any], blocking: bool = False, timeout: float | None = None, **options: Unpack[ReadOptions]
) -> tuple[list[Reader | None], bool]:
    """Do that for all of a group; return what reads for each, None where there is nothing, and ``preserve``.

    Raises for the first that failed; then the others' values stay in the storage, and in their handles.
    """
    read = read_options(options)
    started = monotonic()
    if blocking:
        await wait_together([reader_of(result) for result in group], timeout)
    left = [result for result in group if not (blocking and reader_of(result).is_final)]
    fills = [fill(result, blocking, timeout, read, waited=monotonic() - started) for result in left]
    found = dict(zip(left, await asyncio.gather(*fills, return_exceptions=True), strict=True))
    readers: list[Reader | None] = []
    for result in group:
        there = found.get(result, True)
        if isinstance(there, BaseException):
            raise there
        reader = reader_of(result)
        if there and isinstance(reader.ending, Error):
            reader.hand_over(read.preserve)
        readers.append(reader if there else None)
    return readers, read.preserve


async def completed(group: ResultGroup[R]) -> AsyncGenerator[Result[R], None]:
    """Yield the handles of a group in the order in which the tasks end, filled; what they left stays in the storage."""

    results = list(group)
    ids = [result.id for result in results]
    arrivals = Arrivals(
        [reader_of(result) for result in results], lambda place: fill(results[place], True, None, read_options({}))
    )
    try:
        await arrivals.begin()
        for _ in results:
            result = results[await lending(ids, arrivals.next())]
            if not reader_of(result).is_final:
                await fill(result, True, None, read_options({}))
            yield result
    finally:
        await arrivals.end()


def handle_on(producer: Producer, task: Task, holder: str | None = None, is_committed: bool = True) -> Any:
    """Return what an enqueue gives: a Result, of a pipeline the ResultGroup of all stages, None without results.

    ``holder`` is the task that counts instead, if there is one. ``is_committed``: the storage has it.
    """
    if not producer.core.rules.results:
        return None
    seen_at = producer.core.now() if is_committed else None
    # `Result[Any](...)` would have typing try to note the type on each handle, which takes longer than to make it.
    result: Result[Any]
    if holder is not None:
        result = Result(producer, holder, seen_at, task.path)
        return result if task.on_complete is None else ResultGroup([result])
    if task.on_complete is None:
        result = Result(producer, task, seen_at)
        return result
    stages: list[Result[Any]] = [Result(producer, stage, seen_at) for stage in task.stages()]
    return ResultGroup(stages)


def handles_on(producer: Producer, tasks: Sequence[Task | str]) -> ResultGroup[Any]:
    """Return the handles on several tasks that the storage has, whether or not results are stored."""
    seen_at = producer.core.now()
    results: list[Result[Any]] = [Result(producer, task, seen_at) for task in tasks]
    return ResultGroup(results)


async def handles_on_ends(producer: Producer, tasks: Sequence[Task], holders: Sequence[str | None]) -> ResultGroup[Any]:
    """Return a handle for each of several tasks: on its last stage, or on the task that counts instead."""
    seen_at = producer.core.now()
    handles: list[Result[Any]] = []
    for number, (task, holder) in enumerate(zip(tasks, holders, strict=True), 1):
        end = task if task.on_complete is None else list(task.stages())[-1]
        handles.append(Result(producer, end if holder is None else holder, seen_at, task.path))
        if number % _MOST_IN_A_TURN == 0:
            await asyncio.sleep(0)
    return ResultGroup(handles)


def keys_of(task: Task | Result[Any]) -> tuple[str, ...]:
    """Return the keys whose revocations stop this task; of a handle that knows only the id, that of the id."""
    known = task.task if isinstance(task, Result) else task
    return (instance_key(task.id),) if known is None else (instance_key(known.id), class_key(known.path))
