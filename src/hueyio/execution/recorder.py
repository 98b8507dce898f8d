"""What a batch of settlements leaves in the history.

Made once for a batch that is written under one number, so that a repeat says the same. All failures are remembered.
Good ends are up to ``MOST_GOOD_ENDS`` a second, so that a busy consumer is nearly as fast as without; of the others the
storage keeps the id and which way they ended, as of every task.
"""

from __future__ import annotations

import reprlib
import time
from collections.abc import Callable, Iterable
from typing import Final, Protocol, TypeGuard

from hueyio.core import Core
from hueyio.execution.attempt_record import first_line
from hueyio.execution.job import Job
from hueyio.messages.past_run import PastRun, write_runs
from hueyio.named_tuple import NamedTuple
from hueyio.storage.contract import Storage
from hueyio.storage.records import Bury, Finish, HistoryBatch, Settlement
from hueyio.tasks.task import Task

__all__ = ["MOST_GOOD_ENDS", "HasSettlement", "Recorder", "Settled"]

MOST_GOOD_ENDS: Final = 1000
"""How many tasks that ended well are remembered in a second, and at once."""

_MOST_ARGUMENTS: Final = 200
"""Characters of a call's arguments."""


class HasSettlement(Protocol):
    """A job and what is, or was, written of it."""

    @property
    def job(self) -> Job: ...

    @property
    def settlement(self) -> Settlement: ...


class Settled(NamedTuple):
    """A job and what is written of it."""

    job: Job
    settlement: Settlement


class Recorder:
    """Makes the history of one owner after another; knows how many good ends it may still remember."""

    def __init__(self, core: Core, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._core = core
        self._monotonic = monotonic
        self._left = float(MOST_GOOD_ENDS)
        self._since = monotonic()
        self._storage: Storage | None = None
        self._is_kept = False
        """Whether that storage keeps any history."""

    def record(self, batch: Iterable[HasSettlement], owner: str) -> HistoryBatch | None:
        """Return what a batch leaves; None: nothing."""
        if not self._keeps_history():
            return None
        self._refill()
        offset = self._core.now() - self._since
        ids: list[str] = []
        places: list[int] = []
        runs: list[PastRun] = []
        attempts: list[tuple[int, bytes]] = []
        for place, item in enumerate(batch):
            job, settlement = item.job, item.settlement
            if job.attempt_record is not None:
                attempts.append((place, job.attempt_record))
            if not _is_end(settlement):
                continue
            if settlement.kind == "done" and not self._take():
                continue
            ids.append(settlement.receipt.id)
            places.append(place)
            runs.append(self._run_of(job, settlement, offset))
        if not (ids or attempts):
            return None
        return HistoryBatch(tuple(ids), tuple(places), write_runs(owner, runs) if runs else b"", tuple(attempts))

    def _keeps_history(self) -> bool:
        storage = self._core.storage
        if storage is not self._storage:  # immediate mode changes it; its capabilities cost more than a look
            self._storage, self._is_kept = storage, storage.capabilities.keeps_history
        return self._is_kept

    def _refill(self) -> None:
        """Allow as many good ends more as the time since the last call gives."""
        now = self._monotonic()
        self._left = min(self._left + (now - self._since) * MOST_GOOD_ENDS, MOST_GOOD_ENDS)
        self._since = now

    def _take(self) -> bool:
        """Say whether one more good end is remembered."""
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def _run_of(self, job: Job, end: Finish | Bury, offset: float) -> PastRun:
        task, is_known = job.task, end.kind != "unreadable"
        ended_at = job.ended_at or self._since  # what could not be ended in order has not been concluded
        return PastRun(
            task.path if is_known else "",
            end.kind,
            task.attempt + job.started,
            ended_at + offset,
            ended_at - job.started_at if job.started else None,
            first_line(end.reason) if isinstance(end, Bury) else "",
            _short_form(task) if self._core.history_args and is_known else None,
        )


def _is_end(settlement: Settlement) -> TypeGuard[Finish | Bury]:
    """Say whether the task is over with it."""
    if isinstance(settlement, Finish):
        id, follow_ups = settlement.receipt.id, settlement.follow_ups
        return not follow_ups or all(entry.header.id != id for entry in follow_ups)
    return isinstance(settlement, Bury)


def _short_form(task: Task) -> str:
    """Return a call's arguments as text, cut short."""
    try:
        parts = [*map(reprlib.repr, task.args), *(f"{name}={reprlib.repr(it)}" for name, it in task.kwargs.items())]
        text = ", ".join(parts)
    except Exception as error:  # a __repr__ of the user's must not cost the batch its history
        text = f"<arguments whose repr raises {type(error).__name__}>"
    return text if len(text) <= _MOST_ARGUMENTS else f"{text[:_MOST_ARGUMENTS]}..."
