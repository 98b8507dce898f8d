"""Handles on results for code that blocks. Each method does what that of ``Result`` does, and waits for it.

A read is not a read of the twin: a value is deleted only when this thread has it. And a ``timeout`` implies a wait,
because in code that blocks nobody gives one for anything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, TypeVar, Unpack, overload

from hueyio.client.deletions import delete_read
from hueyio.core import Core
from hueyio.handles.blocking import Blocking
from hueyio.handles.chord_result import ChordResult
from hueyio.handles.reading import ReadOptions, read_options, shows_read_options
from hueyio.handles.result import Result, ResultGroup, Status, completed, fill, fill_all, reader_of
from hueyio.handles.together import hand_over_all
from hueyio.loops.portal import block_on, iterate, start_on_portal
from hueyio.messages.stored_result import Error, Returned
from hueyio.tasks.progress import Progress
from hueyio.tasks.task import Expires, Task

__all__ = ["SyncChordResult", "SyncResult", "SyncResultGroup", "to_sync"]

R = TypeVar("R")


class SyncResult(Blocking, Generic[R]):
    """A handle on one task's result, for code that blocks; see ``Result``."""

    __slots__ = ()

    _wrapped: Result[R]

    @property
    def aio(self) -> Result[R]:
        """The handle for coroutines: ``await result.aio``."""
        return self._wrapped

    @property
    def id(self) -> str:
        """The task's id."""
        return self._wrapped.id

    @property
    def task(self) -> Task | None:
        """The task, unless this handle was made from an id."""
        return self._wrapped.task

    @overload
    def get(
        self, blocking: Literal[False] = False, timeout: None = None, **options: Unpack[ReadOptions]
    ) -> R | None: ...

    @overload
    def get(self, blocking: bool = False, timeout: float | None = None, **options: Unpack[ReadOptions]) -> R: ...

    @shows_read_options
    def get(self, blocking: bool = False, timeout: float | None = None, **options: Unpack[ReadOptions]) -> R | None:
        """Return the value, or None if there is none yet; wait for it with ``blocking``, or with a ``timeout``.

        Raises TaskException if the task failed, ResultTimeout if the wait ran out; see ``Result.get``.
        """
        read = read_options(options)
        if not block_on(fill(self._wrapped, _waits(blocking, timeout), timeout, read), "Result.get"):
            return None
        value: R = reader_of(self._wrapped).hand_over(read.preserve, _delete_from_here)
        return value

    __call__ = get

    @shows_read_options
    def get_raw_result(
        self, blocking: bool = False, timeout: float | None = None, **options: Unpack[ReadOptions]
    ) -> R | Error | None:
        """Do the same as ``get``, but return the ``Error`` of a task that failed instead of raising it."""
        read = read_options(options)
        if not block_on(fill(self._wrapped, _waits(blocking, timeout), timeout, read), "Result.get"):
            return None
        reader = reader_of(self._wrapped)
        reader.release(read.preserve, _delete_from_here)
        return reader.ending.value if isinstance(reader.ending, Returned) else reader.ending

    def __repr__(self) -> str:
        return f"<SyncResult: task {self.id}>"

    # --- made from ``Result`` by `python -m tests.support.facade`; what is above is by hand

    def is_ready(self) -> bool:
        """Say whether the task has ended, well or not; what it left is read into this handle, and not deleted.

        See ``Result.is_ready``.
        """
        answer: bool = self._wait(self._wrapped.is_ready())
        return answer

    def updates(self) -> Iterator[Progress]:
        """Yield what the task reports of its progress, as it comes; ends when the task is over.

        See ``Result.updates``.
        """
        answer: Iterator[Progress] = iterate(self._wrapped.updates())
        return answer

    def status(self) -> Status:
        """Say where the task is, or how it ended; reads nothing away."""
        answer: Status = self._wait(self._wrapped.status())
        return answer

    def revoke(self, revoke_once: bool = True, *, revoke_until: datetime | None = None) -> None:
        """Keep the task from being run, unless it runs already. Does nothing if it is over."""
        self._wait(self._wrapped.revoke(revoke_once, revoke_until=revoke_until))

    def cancel(self) -> bool:
        """Cancel the task wherever it is, queued, scheduled or running; False if it was over. See ``Huey.cancel``."""
        answer: bool = self._wait(self._wrapped.cancel())
        return answer

    def restore(self) -> bool:
        """Take the revocation of this task back; False if there is none."""
        answer: bool = self._wait(self._wrapped.restore())
        return answer

    def is_revoked(self) -> bool:
        """Say whether this task, or all tasks of its name, are revoked."""
        answer: bool = self._wait(self._wrapped.is_revoked())
        return answer

    def reschedule(
        self,
        eta: datetime | None = None,
        delay: float | timedelta | None = None,
        expires: Expires | None = None,
        priority: float | None = None,
        preserve_pipeline: bool = True,
    ) -> Any:
        """Enqueue the same call under a new id, and revoke this one; return what ``enqueue`` returns.

        See ``Result.reschedule``.
        """
        answer: Any = to_sync(self._wait(self._wrapped.reschedule(eta, delay, expires, priority, preserve_pipeline)))
        return answer

    def reset(self) -> None:
        """Forget what was read, to read again after a retry."""
        self._wrapped.reset()


class SyncResultGroup(Blocking, Generic[R]):
    """The results of several tasks, for code that blocks; see ``ResultGroup``."""

    __slots__ = ()

    _wrapped: ResultGroup[R]

    @property
    def aio(self) -> ResultGroup[R]:
        """The handle for coroutines: ``await group.aio``."""
        return self._wrapped

    @overload
    def get(
        self, blocking: Literal[False] = False, timeout: None = None, **options: Unpack[ReadOptions]
    ) -> list[R | None]: ...

    @overload
    def get(self, blocking: bool = False, timeout: float | None = None, **options: Unpack[ReadOptions]) -> list[R]: ...

    @shows_read_options
    def get(
        self, blocking: bool = False, timeout: float | None = None, **options: Unpack[ReadOptions]
    ) -> list[R] | list[R | None]:
        """Call ``SyncResult.get`` of each, all at the same time; return the values, or raise for the first failure."""
        reading = fill_all(self._wrapped, _waits(blocking, timeout), timeout, **options)
        readers, preserve = block_on(reading, "ResultGroup.get")
        return hand_over_all(readers, preserve, _delete_from_here)

    __call__ = get

    def as_completed(self, backoff: float = 1.15, max_delay: float = 1.0) -> Iterator[R]:
        """Yield the values in the order in which the tasks end; one that failed raises, and ends the iteration."""
        for result in iterate(completed(self._wrapped), "ResultGroup.as_completed"):
            value: R = reader_of(result).hand_over(False, _delete_from_here)
            yield value

    def __getitem__(self, position: int) -> SyncResult[R]:
        return SyncResult(self._wrapped[position])

    def __iter__(self) -> Iterator[SyncResult[R]]:
        return iter([SyncResult(result) for result in self._wrapped])

    def __len__(self) -> int:
        return len(self._wrapped)

    def __repr__(self) -> str:
        return f"<SyncResultGroup: {len(self)} tasks>"

    # --- made from ``ResultGroup`` by `python -m tests.support.facade`; what is above is by hand


class SyncChordResult(Blocking, Generic[R]):
    """Handles on a chord, for code that blocks; see ``ChordResult``."""

    __slots__ = ("callback", "pipeline_results", "results")

    _wrapped: ChordResult[R]

    def __init__(self, chord: ChordResult[R]) -> None:
        super().__init__(chord)
        self.results: SyncResultGroup[Any] = SyncResultGroup(chord.results)
        self.callback: SyncResult[R] = SyncResult(chord.callback)
        pipeline = chord.pipeline_results
        self.pipeline_results: SyncResultGroup[Any] | None = None if pipeline is None else SyncResultGroup(pipeline)

    @property
    def aio(self) -> ChordResult[R]:
        """The handles for coroutines: ``await chord.aio``."""
        return self._wrapped

    @shows_read_options
    def get(self, blocking: bool = False, timeout: float | None = None, **options: Unpack[ReadOptions]) -> R | None:
        """Read the callback's result; see ``SyncResult.get``."""
        value: R | None = self.callback.get(blocking, timeout, **options)
        return value

    __call__ = get

    def __repr__(self) -> str:
        return f"<SyncChordResult: {len(self.results)} tasks, callback {self.callback.id}>"

    # --- made from ``ChordResult`` by `python -m tests.support.facade`; what is above is by hand

    def reset(self) -> None:
        """Forget what was read."""
        self._wrapped.reset()


def _waits(blocking: bool, timeout: float | None) -> bool:
    # What is neither True nor False is refused where it is read.
    return True if blocking is False and timeout is not None else blocking


def _delete_from_here(core: Core, ids: Sequence[str]) -> None:
    start_on_portal(delete_read, core, ids)


def to_sync(value: Any) -> Any:
    """Return the blocking form of a handle on results; anything else as it is."""
    match value:
        case Result():
            return SyncResult(value)
        case ResultGroup():
            return SyncResultGroup(value)
        case ChordResult():
            return SyncChordResult(value)
        case _:
            return value
