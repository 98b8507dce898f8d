"""Handles on results for code that blocks. Each method does what that of ``Result`` does, and waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, TypeVar, Unpack, overload

from hueyio.client.deletions import delete_read
from hueyio.core import Core
from hueyio.handles.chord_result import ChordResult
from hueyio.handles.reading import ReadOptions, read_options, shows_read_options
from hueyio.handles.result import Result, ResultGroup, Status, completed, fill, fill_all, reader_of
from hueyio.loops.portal import block_on, iterate, start_on_portal
from hueyio.messages.stored_result import Error, Returned
from hueyio.tasks.progress import Progress
from hueyio.tasks.task import Expires, Task

__all__ = ["SyncChordResult", "SyncResult", "SyncResultGroup", "read_here", "to_sync"]

R = TypeVar("R")


class SyncResult(Generic[R]):
    """A handle on one task's result, for code that blocks; see ``Result``."""

    __slots__ = ("_wrapped",)

    def __init__(self, result: Result[R]) -> None:
        self._wrapped = result

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
        wait = blocking or timeout is not None
        value: R | None = read_here(self._wrapped, wait, timeout, **options)
        return value

    __call__ = get

    @shows_read_options
    def get_raw_result(
        self, blocking: bool = False, timeout: float | None = None, **options: Unpack[ReadOptions]
    ) -> R | Error | None:
        """Do the same as ``get``, but return the ``Error`` of a task that failed instead of raising it."""
        wait = blocking or timeout is not None
        read = read_options(options)
        if not block_on(fill(self._wrapped, wait, timeout, read)):
            return None
        reader = reader_of(self._wrapped)
        reader.release(read.preserve, _delete_from_here)
        return reader.ending.value if isinstance(reader.ending, Returned) else reader.ending

    def is_ready(self) -> bool:
        """Say whether the task has ended, well or not; what it left is read into this handle, and not deleted."""
        return block_on(self._wrapped.is_ready())

    def status(self) -> Status:
        """Say where the task is, or how it ended; reads nothing away."""
        return block_on(self._wrapped.status())

    def revoke(self, revoke_once: bool = True, *, revoke_until: datetime | None = None) -> None:
        """Keep the task from being run, unless it runs already. Does nothing if it is over."""
        block_on(self._wrapped.revoke(revoke_once, revoke_until=revoke_until))

    def cancel(self) -> bool:
        """Cancel the task wherever it is; False if it was over already."""
        return block_on(self._wrapped.cancel())

    def updates(self) -> Iterator[Progress]:
        """Yield what the task reports of its progress, as it comes; ends when the task is over."""
        return iterate(self._wrapped.updates())

    def restore(self) -> bool:
        """Take the revocation of this task back; False if there is none."""
        return block_on(self._wrapped.restore())

    def is_revoked(self) -> bool:
        """Say whether this task, or all tasks of its name, are revoked."""
        return block_on(self._wrapped.is_revoked())

    def reschedule(
        self,
        eta: datetime | None = None,
        delay: float | timedelta | None = None,
        expires: Expires | None = None,
        priority: float | None = None,
        preserve_pipeline: bool = True,
    ) -> Any:
        """Enqueue the same call under a new id, and revoke this one; return the new handle."""
        return to_sync(block_on(self._wrapped.reschedule(eta, delay, expires, priority, preserve_pipeline)))

    def reset(self) -> None:
        """Forget what was read, to read again after a retry."""
        self._wrapped.reset()

    def __repr__(self) -> str:
        return f"<SyncResult: task {self.id}>"


class SyncResultGroup(Generic[R]):
    """The results of several tasks, for code that blocks; see ``ResultGroup``."""

    __slots__ = ("_wrapped",)

    def __init__(self, group: ResultGroup[R]) -> None:
        self._wrapped = group

    def get(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Call ``SyncResult.get`` of each, all at the same time; return the values, or raise for the first failure."""
        if kwargs.get("timeout") is not None or len(args) > 1:
            args, kwargs = ((True, *args[1:]), kwargs) if args else ((), {**kwargs, "blocking": True})
        readers, preserve = block_on(fill_all(self._wrapped, *args, **kwargs))
        return [None if reader is None else reader.hand_over(preserve, _delete_from_here) for reader in readers]

    def __call__(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Do the same as ``get``."""
        return self.get(*args, **kwargs)

    def as_completed(self, backoff: float = 1.15, max_delay: float = 1.0) -> Iterator[R]:
        """Yield the values in the order in which the tasks end; one that failed raises, and ends the iteration."""
        for result in iterate(completed(self._wrapped)):
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


class SyncChordResult(Generic[R]):
    """Handles on a chord, for code that blocks; see ``ChordResult``."""

    __slots__ = ("_wrapped", "callback", "pipeline_results", "results")

    def __init__(self, chord: ChordResult[R]) -> None:
        self._wrapped = chord
        self.results: SyncResultGroup[Any] = SyncResultGroup(chord.results)
        self.callback: SyncResult[R] = SyncResult(chord.callback)
        pipeline = chord.pipeline_results
        self.pipeline_results: SyncResultGroup[Any] | None = None if pipeline is None else SyncResultGroup(pipeline)

    @shows_read_options
    def get(self, blocking: bool = False, timeout: float | None = None, **options: Unpack[ReadOptions]) -> R | None:
        """Read the callback's result; see ``SyncResult.get``."""
        value: R | None = self.callback.get(blocking, timeout, **options)
        return value

    __call__ = get

    def reset(self) -> None:
        """Forget what was read."""
        self._wrapped.reset()

    def __repr__(self) -> str:
        return f"<SyncChordResult: {len(self.results)} tasks, callback {self.callback.id}>"


def read_here(
    result: Result[Any], blocking: bool = False, timeout: float | None = None, **options: Unpack[ReadOptions]
) -> Any:
    """Do what ``Result.get`` does, in this thread: a value is deleted only when the thread has it."""
    read = read_options(options)
    if not block_on(fill(result, blocking, timeout, read)):
        return None
    return reader_of(result).hand_over(read.preserve, _delete_from_here)


def _delete_from_here(core: Core, id: str) -> None:
    start_on_portal(delete_read, core, id)


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
