"""What a consumer counts of the tasks that end in it: for the storage, and for its own metrics.

Theory of operation. The settler hands over each batch that was written. Ends are counted exactly. Durations go into
histograms (see ``control.histogram``); in a large batch only those of every fourth good end do, four times each,
because that costs most. All numbers only grow; ``take`` says by how much they did since it was called last. Lists of a
fixed length and whole numbers can be read from any thread at any time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final, Protocol

from hueyio.control.failure_group import group_of
from hueyio.control.histogram import BUCKETS
from hueyio.execution.job import Job
from hueyio.storage.records import MOST_COUNTED, OTHERS, Answer, Bury, Counted, Counters, EndKind, Finish, Settlement
from hueyio.tasks.ids import time_in

__all__ = ["Tally", "TaskTally"]

_LARGE: Final = 50
"""Tasks in a batch above which not all durations are counted."""
_EVERY: Final = 4
_LAST: Final = BUCKETS - 1
_MOST_TAKEN: Final = 10
"""Names that are handed over together, so that a server is busy with them for a millisecond or two only."""
_UNREADABLE: Final = "~unreadable"
"""The name of messages that do not say theirs."""


class _Written(Protocol):
    """A settlement that was written."""

    @property
    def job(self) -> Job: ...

    @property
    def settlement(self) -> Settlement: ...


class TaskTally:
    """What was counted of the tasks of one name since the consumer began; durations in microseconds."""

    __slots__ = ("done", "ends", "name", "retried", "run", "run_us", "told", "wait", "wait_us")

    def __init__(self, name: str) -> None:
        self.name = name
        self.done = 0
        self.ends: dict[EndKind, int] = {}
        """How many ended otherwise."""
        self.retried = 0
        self.run = [0] * BUCKETS
        self.run_us = 0
        self.wait = [0] * BUCKETS
        self.wait_us = 0
        self.told: Counters = {}

    @property
    def ended(self) -> int:
        """How many have ended, in any way."""
        return self.done + sum(self.ends.values())

    def all_ends(self) -> dict[EndKind, int]:
        """Return how many ended in which way."""
        return {"done": self.done, **dict(self.ends)}

    def count_times(self, job: Job, ahead: float, weight: int) -> None:
        """Count how long an attempt ran, and how long the task had waited if it was its first, or had a time set.

        ``ahead``: by how much the storage's clock is ahead of the monotonic one.
        """
        started_at = job.started_at
        if not started_at:
            return
        # The same as `bucket_of`: a call for each would cost a third of all this.
        us = int((job.ended_at - started_at) * 1e6)
        bucket = (us * us).bit_length()
        self.run_us += us * weight
        self.run[bucket if bucket < BUCKETS else _LAST] += weight
        eta = job.delivery.header.eta
        since = time_in(job.task.id) if job.task.attempt == 0 else None
        if eta is not None and (since is None or eta > since):
            since = eta
        if since is None:
            return
        us = int((started_at + ahead - since) * 1e6)
        if us < 0:  # the clock of who enqueued it was ahead
            us = 0
        bucket = (us * us).bit_length()
        self.wait_us += us * weight
        self.wait[bucket if bucket < BUCKETS else _LAST] += weight

    def take(self) -> Counters:
        """Return by how much everything has grown since the last time."""
        now: Counters = {kind: count for kind, count in self.all_ends().items() if count}
        now |= {"retried": self.retried, "rs": self.run_us, "ws": self.wait_us}
        now |= {f"r{bucket}": count for bucket, count in enumerate(self.run) if count}
        now |= {f"w{bucket}": count for bucket, count in enumerate(self.wait) if count}
        before, self.told = self.told, now
        return {key: count - before.get(key, 0) for key, count in now.items() if count != before.get(key, 0)}


class Tally:
    """All names; ``now`` gives epoch seconds by the storage's clock. Owned by the loop."""

    def __init__(self, now: Callable[[], float], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._monotonic = monotonic
        self._tasks: dict[str, TaskTally] = {}
        self._others = TaskTally(OTHERS)
        self._changed: set[TaskTally] = set()
        self._failures: Counters = {}
        self._turn = 0

    def tasks(self) -> list[TaskTally]:
        """List what was counted, by name; from any thread."""
        return [*self._tasks.copy().values(), self._others]

    def count(self, batch: Sequence[_Written], answers: Sequence[Answer]) -> None:
        """Count what was written."""
        every = _EVERY if len(batch) > _LARGE else 1
        ahead = self._now() - self._monotonic()
        tasks, changed, turn = self._tasks, self._changed, self._turn
        for written, answer in zip(batch, answers, strict=True):
            if answer != "accepted" and answer != "fired":
                continue
            job, settlement = written.job, written.settlement
            if type(settlement) is not Finish or settlement.kind != "done" or settlement.follow_ups:
                self._count_other(job, settlement, ahead)
                continue
            task = tasks.get(job.task.path) or self._find(job.task.path)
            task.done += 1
            changed.add(task)
            turn += 1
            if turn % every == 0:
                task.count_times(job, ahead, every)
        self._turn = turn

    def take(self) -> list[Counted]:
        """Return what was counted since the last time, in parts; none if there was nothing."""
        tasks = {task.name: task.take() for task in self._changed}
        failures, self._failures = self._failures, {}
        self._changed.clear()
        totals: Counters = {}
        for counters in tasks.values():
            for key, count in counters.items():
                totals[key] = totals.get(key, 0) + count
        parts = [Counted({}, _ends_of(part), {}, part) for part in _parts(tasks)]
        if parts:
            parts[0] = parts[0]._replace(totals=totals, failures=failures)
        return parts

    def _count_other(self, job: Job, settlement: Settlement, ahead: float) -> None:
        """Count an end that is not plainly good, or an attempt that will be followed by another."""
        if not isinstance(settlement, Finish | Bury):
            return  # it goes back as it was
        is_unreadable = settlement.kind == "unreadable"
        task = self._find(_UNREADABLE if is_unreadable else job.task.path)
        self._changed.add(task)
        if any(entry.header.id == settlement.receipt.id for entry in settlement.follow_ups):
            task.retried += 1
        elif settlement.kind == "done":
            task.done += 1
        else:
            kind: EndKind = "cancelled" if settlement.kind == "revoked" else settlement.kind
            task.ends[kind] = task.ends.get(kind, 0) + 1
        task.count_times(job, ahead, 1)
        if isinstance(settlement, Bury) and settlement.kind not in ("expired", "cancelled"):
            self._count_failure(group_of(task.name, settlement.reason))

    def _count_failure(self, group: str) -> None:
        if group not in self._failures and len(self._failures) >= MOST_COUNTED:
            group = OTHERS
        self._failures[group] = self._failures.get(group, 0) + 1

    def _find(self, path: str) -> TaskTally:
        found = self._tasks.get(path)
        if found is None:
            if len(self._tasks) >= MOST_COUNTED:
                return self._others
            name = path.encode("utf-8", "backslashreplace").decode()  # any storage can hold it
            found = self._tasks[path] = TaskTally(name)
        return found


def _ends_of(tasks: dict[str, Counters]) -> Counters:
    """Return how many tasks of each name ended."""
    return {name: sum(count for key, count in it.items() if key in _KINDS) for name, it in tasks.items()}


def _parts(tasks: dict[str, Counters]) -> Iterator[dict[str, Counters]]:
    items = iter(tasks.items())
    while part := dict(islice(items, _MOST_TAKEN)):
        yield part


_KINDS: Final[frozenset[str]] = frozenset(
    {"done", "failed", "expired", "cancelled", "lost", "undeclared", "unreadable"}
)
