"""What ``SyncHuey`` gives into the hands of code that blocks, beside results: chords and schedules."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from hueyio.handles.blocking import blocking
from hueyio.handles.chord_result import ChordResult
from hueyio.handles.sync_result import SyncResult, SyncResultGroup
from hueyio.schedules.stored import Schedules

__all__ = ["SyncChordResult", "SyncSchedules"]

R = TypeVar("R")


class SyncChordResult(Generic[R]):
    """Handles on a chord, for code that blocks; see ``ChordResult``."""

    __slots__ = ("_wrapped", "callback", "pipeline_results", "results")

    def __init__(self, chord: ChordResult[R]) -> None:
        self._wrapped = chord
        self.results: SyncResultGroup[Any] = SyncResultGroup(chord.results)
        self.callback: SyncResult[R] = SyncResult(chord.callback)
        pipeline = chord.pipeline_results
        self.pipeline_results: SyncResultGroup[Any] | None = None if pipeline is None else SyncResultGroup(pipeline)

    def get(
        self,
        blocking: bool = False,
        timeout: float | None = None,
        backoff: float = 1.15,
        max_delay: float = 1.0,
        revoke_on_timeout: bool = False,
        preserve: bool = False,
    ) -> R | None:
        """Read the callback's result; see ``SyncResult.get``."""
        value: R | None = self.callback.get(blocking, timeout, backoff, max_delay, revoke_on_timeout, preserve)
        return value

    def __call__(self, *args: Any, **kwargs: Any) -> R | None:
        """Do the same as ``get``."""
        return self.get(*args, **kwargs)

    def reset(self) -> None:
        """Forget what was read."""
        self._wrapped.reset()

    def __repr__(self) -> str:
        return f"<SyncChordResult: {len(self.results)} tasks, callback {self.callback.id}>"


class SyncSchedules:
    """Schedules that are kept in the storage, for code that blocks; see ``Schedules``."""

    def __init__(self, schedules: Schedules) -> None:
        self._wrapped = schedules

    add = blocking(Schedules.add)
    remove = blocking(Schedules.remove)
    pause = blocking(Schedules.pause)
    resume = blocking(Schedules.resume)
    run_now = blocking(Schedules.run_now)
    list = blocking(Schedules.list)
