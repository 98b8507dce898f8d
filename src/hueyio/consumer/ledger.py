"""The consumer's memory of what it holds under its lease.

A job enters when it is dispatched and leaves when its settlement was answered. A job whose outcome waits to be written
takes no room any more, so that the next claim goes into the same commit as the settlement; a storage that falls behind
slows the claims down all the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from hueyio.consumer.pace import Pace
from hueyio.execution.job import Job
from hueyio.storage.records import Lane

__all__ = ["Ledger"]


class Ledger:
    """What the consumer holds, by id, and how much more each lane takes.

    A job counts for the lane that it was claimed from, also where its function has since moved to another.

    The ``paced`` lanes hold more ahead while their bodies are short; ``on_ahead`` is called when one begins to.
    """

    def __init__(
        self,
        sizes: dict[Lane, int],
        prefetch: int | None,
        on_room: Callable[[], None],
        *,
        paced: Sequence[Lane] = (),
        on_ahead: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._by_id: dict[str, Job] = {}
        # Sets beside the ids: a retry may be claimed again before the answer to its settlement was read, and
        # then two jobs of one id are held for a moment.
        self._held: dict[Lane, set[Job]] = {lane: set() for lane in sizes}
        self._ended: set[Job] = set()
        self.cancelled: frozenset[str] = frozenset()
        """What the listener last heard: ids under this lease that somebody cancelled."""
        self.revocations = -1
        """What it last heard of revocations: a number that changes when something is revoked."""
        self._paces: dict[Lane, Pace] = {}
        if prefetch is None:
            self._paces = {lane: Pace(sizes[lane], monotonic()) for lane in paced}
        # Claims of one or two at a time would cost a round trip each: a lane is refilled when half of its
        # prefetched jobs are gone, which is always before a slot runs dry.
        self._usual = {
            lane: (size + usual, size + usual // 2 - (usual == 0))
            for lane, size in sizes.items()
            for usual in [size if prefetch is None else prefetch]
        }
        self._most = {lane: most for lane, (most, _) in self._usual.items()}
        self._refill_at = {lane: refill_at for lane, (_, refill_at) in self._usual.items()}
        self._sizes = dict(sizes)
        for lane, pace in self._paces.items():
            self._hold_ahead(lane, pace)
        self._lending: set[Lane] = set()
        self._most_ended = sum(self._most.values())
        self._on_room = on_room
        self._on_ahead = on_ahead
        self._monotonic = monotonic
        self.ended_last: Job | None = None
        """Whose outcome came last."""

    def room(self) -> dict[Lane, int]:
        """Say how many jobs each lane takes now; lanes that take none are left out."""
        if self._paces:
            self._adapt(self._monotonic())
        if len(self._ended) >= self._most_ended:
            return {}
        return {
            lane: self._most[lane] - len(held)
            for lane, held in self._held.items()
            if len(held) <= self._refill_at[lane]
        }

    @property
    def is_ahead(self) -> bool:
        """Whether a lane may hold more than usual, or still does."""
        return any(pace.ahead > pace.usual or self._over(lane) for lane, pace in self._paces.items())

    def surplus(self, now: float) -> dict[Lane, int]:
        """Say how many jobs too many are held in lanes whose bodies were short, and have become long."""
        self._adapt(now)
        return {lane: over for lane in self._paces if (over := self._over(lane)) > 0}

    def _over(self, lane: Lane) -> int:
        """Say by how many more jobs are held than may be."""
        return 0 if lane in self._lending else max(len(self._held[lane]) - self._most[lane], 0)

    def _adapt(self, now: float) -> None:
        """Let each lane hold as many ahead as its pace asks for."""
        for lane, pace in self._paces.items():
            was_ahead = pace.ahead > pace.usual
            if lane in self._lending or not pace.look(now):
                continue
            self._hold_ahead(lane, pace)
            self._most_ended = sum(self._most.values())
            if pace.ahead > pace.usual and not was_ahead:
                self._on_ahead()

    def _hold_ahead(self, lane: Lane, pace: Pace) -> None:
        size = self._sizes[lane]
        self._most[lane], self._refill_at[lane] = size + pace.ahead, size + pace.ahead // 2

    def lend(self, lane: Lane, lent: int, most_lent: int) -> None:
        """Make room beside so many jobs whose bodies wait with their slots lent, at most for ``most_lent``.

        At that bound nothing is prefetched, so that whatever is held has been begun.
        """
        if lane in self._paces:
            self._paces[lane].slow_down()
        most, refill_at = self._usual[lane]
        bound = most_lent + self._sizes[lane]
        self._most[lane] = min(most + lent, bound) if lent else most
        # There too: not one claim for each that ends.
        self._refill_at[lane] = min(refill_at + lent, bound - max(self._sizes[lane] // 2, 1)) if lent else refill_at
        self._lending = {*self._lending, lane} if lent else self._lending - {lane}

    def is_full(self, lane: Lane) -> bool:
        """Say whether a lane takes nothing more now."""
        return len(self._held[lane]) > self._refill_at[lane]

    def add(self, job: Job) -> None:
        """Enter a job; it is cancelled if somebody asked for that while it was on its way here."""
        job.cancelled = job.cancelled or job.task.id in self.cancelled
        self._by_id[job.task.id] = job
        lane = job.delivery.header.lane
        self._held[lane].add(job)
        if lane in self._paces:
            self._paces[lane].note_begin(len(job.delivery.data))

    def end(self, job: Job) -> None:
        """Note that the job's outcome is there, and only has to be written; tells the fetcher when that makes room."""
        self.ended_last = job
        lane = job.delivery.header.lane
        held = self._held[lane]
        if job in held:
            held.remove(job)
            self._ended.add(job)
            if lane in self._paces:
                self._paces[lane].note_end(not held)
            if len(held) == self._refill_at[lane]:
                self._on_room()

    def remove(self, job: Job) -> None:
        """Strike out a job whose outcome is written; tells the fetcher when that makes room."""
        if self._by_id.get(job.task.id) is job:
            del self._by_id[job.task.id]
        if job.task.id in self.cancelled:
            # Over, or flagged in the storage for its next claim: the id may be used again before the next notice.
            self.cancelled -= {job.task.id}
        if job in self._ended:
            self._ended.remove(job)
            # Bodies may wait for what its end has enqueued.
            if len(self._ended) == self._most_ended - 1 or self._lending:
                self._on_room()

    def clear(self) -> list[Job]:
        """Strike all out, and return them."""
        jobs = list(self)
        self._by_id.clear()
        for held in self._held.values():
            held.clear()
        self._ended.clear()
        self._on_room()
        return jobs

    def get(self, id: str) -> Job | None:
        """Return the job of this id, or None."""
        return self._by_id.get(id)

    def has_ended(self, id: str) -> bool:
        """Say whether the outcome of this id is there and waits to be written."""
        job = self._by_id.get(id)
        return job is not None and job in self._ended

    def ids(self) -> frozenset[str]:
        """Return the ids of all jobs."""
        return frozenset(self._by_id)

    def __iter__(self) -> Iterator[Job]:
        # From any thread. A job whose outcome came between two copies is in both.
        return iter(dict.fromkeys([*self.snapshot(), *_copied(self._ended)]))

    def snapshot(self) -> list[Job]:
        """List the jobs whose outcome is not there yet, from any thread."""
        return [job for held in self._held.values() for job in _copied(held)]

    def __len__(self) -> int:
        return sum(map(len, self._held.values())) + len(self._ended)


def _copied(jobs: set[Job]) -> list[Job]:
    """Copy a set that another thread may change meanwhile."""
    while True:
        try:
            return list(jobs)
        except RuntimeError:  # it was changed in the middle of that
            continue
