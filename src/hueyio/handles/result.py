"""Handles on the results of tasks that were enqueued."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar, Unpack, overload

from hueyio.client.producer import Producer
from hueyio.control.cancel import cancel
from hueyio.control.revoke import is_revoked, restore, revoke
from hueyio.core import Core
from hueyio.exceptions import HueyException, ResultTimeout, SerializationError, StorageUnavailable
from hueyio.handles.reading import ReadOptions, read_options, shows_read_options
from hueyio.messages.message import read_task
from hueyio.messages.revocation import class_key, instance_key
from hueyio.messages.stored_result import Ending, Error, Returned, read_ending
from hueyio.serializer import Serializer
from hueyio.storage.contract import Session
from hueyio.storage.records import Found, Over
from hueyio.tasks.progress import Progress, read_progress
from hueyio.tasks.task import Expires, Task, eta_from

__all__ = ["Result", "ResultGroup", "Status", "handle_on", "handles_on", "handles_on_ends", "keys_of"]

logger = logging.getLogger(__name__)

R = TypeVar("R")

Status: TypeAlias = Literal[
    "queued",
    "scheduled",
    "waiting",
    "running",
    "retrying",
    "done",
    "failed",
    "revoked",
    "expired",
    "cancelled",
    "dead",
    "gone",
]
"""What ``status`` answers; ``waiting`` is a later stage of a pipeline, ``gone`` is over with nothing stored."""

_STATUS_OF_ERROR: Final[dict[str, Status]] = {
    "failed": "failed",
    "revoked": "revoked",
    "expired": "expired",
    "cancelled": "cancelled",
    "lost": "dead",
}


_OVER: Final = ("stored", "dead", "gone")


class Result(Generic[R]):
    """A handle on one task's result; ``await result`` waits for it and returns the value, or raises TaskException.

    The first read of the value deletes it from the storage (not on those that keep results for a time of their own) and
    keeps it in the handle. Waiting is by notification,
    and resolves on the final outcome only.
    """

    __slots__ = ("_ending", "_final", "_producer", "id", "task")

    def __init__(self, producer: Producer, task: Task | str) -> None:
        self._producer = producer
        self.task = task if isinstance(task, Task) else None
        self.id = task.id if isinstance(task, Task) else task
        self._ending: Ending | None = None
        self._final = False
        """Whether what was read is the final outcome; the error of an attempt that is retried is not."""

    def __await__(self) -> Generator[Any, None, R]:
        return self._wait(None, False, False).__await__()

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
        if blocking:
            return await self._wait(timeout, read.revoke_on_timeout, read.preserve)
        if not await self._look(read.preserve):
            return None
        value: R = self._value()
        return value

    __call__ = get

    @shows_read_options
    async def get_raw_result(
        self, blocking: bool = False, timeout: float | None = None, **options: Unpack[ReadOptions]
    ) -> R | Error | None:
        """Do the same as ``get``, but return the ``Error`` of a task that failed instead of raising it."""
        read = read_options(options)
        if blocking:
            await self._wait_until_read(timeout, read.revoke_on_timeout, read.preserve)
        elif not await self._look(read.preserve):
            return None
        return self._ending.value if isinstance(self._ending, Returned) else self._ending

    async def is_ready(self) -> bool:
        """Say whether the task has ended; what it left is read into this handle, and deleted in the storage.

        A task that returned None is ready as well, and one whose value was read by somebody else: ``get`` gives None.
        """
        if await self._look(preserve=False):
            return True
        session = await self._core.session()
        (found,) = await session.locate([self.id])
        if found.state not in _OVER:
            return False
        await self._take(session, (await session.await_outcomes([self.id]))[0], preserve=False)
        self._final = True
        return True

    async def updates(self) -> AsyncIterator[Progress]:
        """Yield what the task reports of its progress, as it comes; ends when the task is over.

        It is a level: of several reports in a row only the last may be seen. Any number may follow, in any process.
        """
        session = await self._core.session()
        seen: bytes | None = None
        while (seen := await session.follow(self.id, seen)) is not None:
            yield read_progress(seen, self._core.serializer)

    async def status(self) -> Status:
        """Say where the task is; reads nothing away."""
        if self._ending is not None and self._final:
            return _status_of_ending(self._ending)
        (found,) = await (await self._core.session()).locate([self.id])
        return _status_of(found, self._core.serializer)

    async def revoke(self, revoke_once: bool = True, *, revoke_until: datetime | None = None) -> None:
        """Keep the task from being run, unless it runs already. Does nothing if it is over."""
        if await self._is_alive():
            await revoke(self._core, self.id, revoke_until, revoke_once)

    async def cancel(self) -> bool:
        """Cancel the task wherever it is, queued, scheduled or running; False if it was over. See ``Huey.cancel``."""
        return await cancel(self._core, self.id)

    async def restore(self) -> bool:
        """Take the revocation of this task back; False if there is none."""
        return await restore(self._core, instance_key(self.id))

    async def is_revoked(self) -> bool:
        """Say whether this task, or all tasks of its name, are revoked."""
        return await is_revoked(self._core, keys_of(self), self._core.now(), True)

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
        holder = await self._producer.send_instead(new, self.id)
        await self.revoke()
        return handle_on(self._producer, new, holder)

    def reset(self) -> None:
        """Forget what was read, to read again after a retry."""
        self._ending = None
        self._final = False

    def __repr__(self) -> str:
        return f"<Result: task {self.id}>"

    @property
    def _core(self) -> Core:
        return self._producer.core

    async def _wait(self, timeout: float | None, revoke_on_timeout: bool, preserve: bool) -> R:
        await self._wait_until_read(timeout, revoke_on_timeout, preserve)
        value: R = self._value()
        return value

    async def _wait_until_read(self, timeout: float | None, revoke_on_timeout: bool, preserve: bool) -> None:
        if self._final:
            return
        if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, (int, float))):
            raise HueyException(f"timeout must be a number of seconds, or None to wait for ever, not {timeout!r}")
        session = await self._core.session()
        over = await self._wait_over(session, timeout)
        if over is None:
            if revoke_on_timeout:
                await self.revoke()
            raise ResultTimeout(f"no result of task {self.id} within {timeout:g} s; it may still run")
        await self._take(session, over, preserve)
        self._final = True

    async def _look(self, preserve: bool) -> bool:
        """Read what is stored, if anything is, without waiting; say whether something was read now or before."""
        if self._ending is None:
            session = await self._core.session()
            (data,) = await session.peek("results", [self.id])
            if data is not None:
                await self._take_unawaited(session, data, preserve)
        return self._ending is not None

    async def _is_alive(self) -> bool:
        (found,) = await (await self._core.session()).locate([self.id])
        return found.state not in _OVER

    async def _find_task(self) -> Task:
        """Return the task, of a handle that was made from an id the one in the queue."""
        if self.task is not None:
            return self.task
        (found,) = await (await self._core.session()).locate([self.id])
        if found.state not in ("queued", "scheduled", "running", "dead") or found.data is None:
            raise HueyException(f"task {self.id} is not in the queue any more, and this handle knows only its id")
        return read_task(found.data, self._core.serializer)

    async def _wait_over(self, session: Session, timeout: float | None) -> Over | None:
        """Wait for the end; None if it does not come in time. A timeout of 0 looks once."""
        if timeout is None:
            return await self._await_end(session)
        if timeout <= 0:
            (found,) = await session.locate([self.id])
            if found.state not in _OVER:
                return None
            timeout = 60.0  # it is over, so that this wait does not wait
        try:
            async with asyncio.timeout(timeout):
                return await self._await_end(session)
        except TimeoutError:
            return None

    async def _await_end(self, session: Session) -> Over:
        """Wait for the end; raises HueyException where nothing in this process can bring it."""
        capabilities = self._core.storage.capabilities
        if not capabilities.keeps:
            raise HueyException(f"{self._core.kind} keeps nothing: there will never be a result of task {self.id}")
        if self._core.immediate:
            await self._producer.immediate.wait(self.id)
        return (await session.await_outcomes([self.id]))[0]

    async def _take_unawaited(self, session: Session, data: bytes, preserve: bool) -> None:
        """Take what is stored without having waited for the end; an error may be that of an attempt that is retried."""
        over = Over(self.id, data)
        self._final = isinstance(_read(over, self._core.serializer), Returned)
        if not self._final:
            (found,) = await session.locate([self.id])
            self._final = found.state in _OVER
            if found.state == "stored":
                over = Over(self.id, found.data)  # the end came between the two looks
        await self._take(session, over, preserve)

    async def _take(self, session: Session, over: Over, preserve: bool) -> None:
        """Decode what was stored, keep it here, and only then delete it there."""
        self._ending = _read(over, self._core.serializer)
        if over.data is not None and not (preserve or over.shared or self._core.keeps_results):
            try:
                await session.delete("results", [self.id])
            except StorageUnavailable as error:
                # Were this raised, a value that was deleted, and only nobody could say so, would be lost.
                logger.warning(
                    "the result of task %s was read, but may stay until its time is over: %s", self.id, error
                )

    def _value(self) -> Any:
        match self._ending:
            case Returned(value):
                return value
            case Error() as error:
                raise error.to_exception()
            case None:
                raise AssertionError("read before it was there")


class ResultGroup(Generic[R]):
    """The results of several tasks, in the order in which these were given.

    ``group[i]`` and iteration give ``Result`` handles; ``await group`` and ``get`` the values, as a list.
    """

    __slots__ = ("_results",)

    def __init__(self, results: Sequence[Result[R]]) -> None:
        self._results = list(results)

    def __await__(self) -> Generator[Any, None, list[R]]:
        return self._wait().__await__()

    async def get(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Call ``Result.get`` of each, all at the same time; return the values, or raise for the first that failed."""
        values = await asyncio.gather(*(result.get(*args, **kwargs) for result in self), return_exceptions=True)
        for value in values:
            if isinstance(value, BaseException):
                raise value
        return list(values)

    async def __call__(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Do the same as ``get``."""
        return await self.get(*args, **kwargs)

    async def as_completed(self, backoff: float = 1.15, max_delay: float = 1.0) -> AsyncIterator[R]:
        """Yield the values in the order in which the tasks end; one that failed raises, and ends the iteration.

        ``backoff`` and ``max_delay`` are Huey's and do nothing here: nothing is polled.
        """
        waiting = [asyncio.ensure_future(result.get(blocking=True)) for result in self]
        try:
            for ended in asyncio.as_completed(waiting):
                yield await ended
        finally:
            for wait in waiting:
                wait.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

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


def handle_on(producer: Producer, task: Task, holder: str | None = None) -> Any:
    """Return what an enqueue gives: a Result, of a pipeline the ResultGroup of all stages, None without results.

    ``holder`` is the task that counts instead, if there is one.
    """
    if not producer.core.rules.results:
        return None
    if holder is not None:
        result = Result[Any](producer, holder)
        return result if task.on_complete is None else ResultGroup([result])
    if task.on_complete is None:
        return Result[Any](producer, task)
    return handles_on(producer, list(task.stages()))


def handles_on(producer: Producer, tasks: Sequence[Task | str]) -> ResultGroup[Any]:
    """Return the handles on several tasks, whether or not results are stored."""
    return ResultGroup([Result[Any](producer, task) for task in tasks])


def handles_on_ends(producer: Producer, tasks: Sequence[Task], holders: Sequence[str | None]) -> ResultGroup[Any]:
    """Return a handle for each of several tasks: on its last stage, or on the task that counts instead."""
    ends = [
        holder or (task if task.on_complete is None else list(task.stages())[-1])
        for task, holder in zip(tasks, holders, strict=True)
    ]
    return handles_on(producer, ends)


def keys_of(task: Task | Result[Any]) -> tuple[str, ...]:
    """Return the keys whose revocations stop this task; of a handle that knows only the id, that of the id."""
    known = task.task if isinstance(task, Result) else task
    return (instance_key(task.id),) if known is None else (instance_key(known.id), class_key(known.path))


def _read(over: Over, serializer: Serializer) -> Ending:
    if over.data is None:
        return Returned(None)
    try:
        return read_ending(over.data, serializer)
    except SerializationError as error:
        raise SerializationError(f"the result of task {over.id} cannot be read: {error}") from error


def _status_of_ending(ending: Ending) -> Status:
    return "done" if isinstance(ending, Returned) else _STATUS_OF_ERROR[ending.kind]


def _status_of(found: Found, serializer: Serializer) -> Status:
    match found.state:
        case "queued" | "scheduled":
            retried = found.data is not None and _attempt(found.data, serializer) > 0
            return "retrying" if retried else found.state
        case "expected":
            return "waiting"
        case "stored":
            return _status_of_ending(_read(Over(found.id, found.data), serializer))
        case _:
            return found.state


def _attempt(data: bytes, serializer: Serializer) -> int:
    try:
        return read_task(data, serializer).attempt
    except SerializationError:
        return 0  # it will be dead-lettered; until then it is where it is
