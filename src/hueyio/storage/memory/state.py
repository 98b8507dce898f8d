"""The state of one queue in memory, and the steps that every operation is made of.

Plain data without a lock, a loop or an await of its own: the sessions hold ``lock`` around each operation.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from hueyio.exceptions import LeaseLost
from hueyio.storage.memory.failed_tasks import FailedTasks
from hueyio.storage.memory.latches import LiveLatch
from hueyio.storage.memory.line import Line, LiveTask
from hueyio.storage.memory.past_runs import PastRuns
from hueyio.storage.memory.shelf import Shelf
from hueyio.storage.memory.slots import Slots
from hueyio.storage.memory.tombstones import Tombstones
from hueyio.storage.memory.waiters import Bells, Pokes, Waiters
from hueyio.storage.memory.waiting_stages import WaitingStage, following, keep
from hueyio.storage.records import (
    AREAS,
    FAILED_BYTES,
    FAILED_TTL,
    HISTORY_TTL,
    KEEP_FAILED,
    KEEP_HISTORY,
    LANES,
    MEMBER_RESULT_TTL,
    SHARED_RESULT_TTL,
    Answer,
    Area,
    DeadLetter,
    Delivery,
    EndKind,
    Enqueued,
    Entry,
    Header,
    Lane,
    Note,
    Pause,
    Stage,
)

__all__ = ["Lease", "MemoryState"]

logger = logging.getLogger(__name__)

_ADDED: Final = Enqueued("added")
_ALIVE: Final = Enqueued("alive")
_DONE: Final = Enqueued("done")


class Lease:
    """One owner: what it holds, and what it was told last."""

    __slots__ = ("answers", "beat", "counted", "held", "info", "number", "seen", "suspects")

    def __init__(self, info: bytes, seen: float) -> None:
        self.info = info
        self.seen = seen
        self.beat = 0
        self.held: dict[str, LiveTask] = {}
        self.suspects = 0
        self.number: int | None = None
        self.answers: list[Answer] = []
        self.counted = 0
        """The number of what it published last that had counts."""


class MemoryState:
    """Everything that one storage keeps."""

    def __init__(
        self,
        clock: Callable[[], float],
        dead_limit: int,
        keep_ended: int,
        keep_failed: int = KEEP_FAILED,
        failed_ttl: float = FAILED_TTL,
        failed_bytes: int = FAILED_BYTES,
        keep_history: int = KEEP_HISTORY,
        history_ttl: float = HISTORY_TTL,
    ) -> None:
        self.lock = threading.Lock()
        self.clock = clock
        self.dead_limit = dead_limit
        self.tasks: dict[str, LiveTask] = {}
        self.lanes: dict[Lane, Line] = {lane: Line() for lane in LANES}
        self.suspects = Line()
        self.schedule = Line()
        self.leases: dict[str, Lease] = {}
        self.unique: dict[str, str] = {}
        self.tokens = Shelf(clock)
        self.expected: dict[str, set[str]] = {}
        """By expected id the live tasks that named it, or the stage before it."""
        self.stages: dict[str, WaitingStage] = {}
        """The later stages of pipelines that stand here, by their ids, which are expected."""
        self.areas: dict[Area, Shelf] = {area: Shelf(clock) for area in AREAS}
        self.latches: dict[str, LiveLatch] = {}
        self.notes_members = True
        """Whether a latch is told which members left it a result."""
        self.dead: dict[str, DeadLetter] = {}
        self.dead_dropped = 0
        self.failed = FailedTasks(clock, keep_failed, failed_ttl, failed_bytes)
        self.tombstones = Tombstones(clock, keep_ended)
        self.slots = Slots(clock)
        self.past_runs = PastRuns(clock, keep_history, history_ttl)
        self.revocations = 0
        self.paused: Pause | None = None
        self.notes: list[Note] = []
        """The audit log, the latest last."""
        self.bells = Bells()
        self.waiters = Waiters()
        self.noticed: Pokes[str] = Pokes()
        self.followed: Pokes[str] = Pokes()

    # --- tasks on their way in

    def enqueue(self, entries: Sequence[Entry]) -> list[Enqueued]:
        """Add entries, in order."""
        return [self.add(*entry) for entry in entries]

    def add(self, header: Header, data: bytes, stages: Sequence[Stage] = (), *, asks_token: bool = True) -> Enqueued:
        """Add one entry; without ``asks_token`` one whose once token is its own."""
        id = header.id
        if id in self.tasks:
            return _ALIVE
        token = header.once_token if asks_token else None
        if token is not None and self.tokens.get(token) is not None:
            return _DONE
        unique = header.unique_key
        if unique is not None:
            holder = self.unique.setdefault(unique, id)
            if holder != id:
                return Enqueued("taken", holder)
        if token is not None:
            self.tokens.put(token, b"", header.once_ttl)
            if header.once_key is not None:
                self.areas["ticks"].put(header.once_key, token.encode(), None)
        task = self.tasks[id] = LiveTask(header, data)
        self.slots.entered[header.lane] += 1
        if self.expected:
            self.arrive(header)
        self.stand(task)
        if stages:
            keep(self, stages)
        return _ADDED

    def arrive(self, header: Header) -> None:
        """Let a task be expected no more; what came after another stage of its id will never run."""
        self.expected.pop(header.id, None)
        stage = self.stages.pop(header.id, None)
        if stage is not None and stage.then is not None and stage.then not in header.expects:
            self.unname(header.id, (stage.then,))

    def again(
        self, task: LiveTask, header: Header, data: bytes, stages: Sequence[Stage] = (), *, started: bool = False
    ) -> None:
        """Put a task that nobody holds back as new; its cancel flag and its unique key stay."""
        before = task.header
        task.header = header
        task.data = data
        task.deliveries = 0
        task.started = started
        self.stand(task)
        keep(self, stages)
        self.unname(header.id, (id for id in before.expects if id not in header.expects))

    def stand(self, task: LiveTask) -> None:
        """Let a new task stand behind all others, in its lane or in the schedule."""
        header = task.header
        if header.expects:
            self.expect(header, header.expects)
        if header.eta is None:
            lane = header.lane
            self.lanes[lane].push(task, -header.priority)
            self.bells.ring(lane)
            return
        first = self.schedule.first_rank()
        self.schedule.push(task, header.eta)
        if first is None or header.eta < first:
            self.bells.ring("schedule")

    def put_back(self, task: LiveTask) -> None:
        """Let a task that was held stand in front."""
        header = task.header
        line = self.suspects if task.is_suspect else self.lanes[header.lane]
        line.put_back(task, -header.priority)
        self.bells.ring(header.lane)

    def note_dropped(self, id: str) -> None:
        """Say that there was no room for a dead letter."""
        logger.warning("dead letter dropped, there is room for %d: %s", self.dead_limit, id, extra={"task_id": id})

    # --- leases

    def lease(self, owner: str) -> Lease:
        """Find a live lease; raises LeaseLost."""
        lease = self.leases.get(owner)
        if lease is None:
            raise LeaseLost(f"owner {owner!r} has no live lease: it was given up, or never registered")
        return lease

    def hold(self, task: LiveTask, owner: str, lease: Lease) -> None:
        """Put a task under a lease."""
        task.owner = owner
        lease.held[task.header.id] = task
        if task.deliveries and task.is_suspect:
            lease.suspects += 1
        if task.cancelled:
            self.noticed.poke(owner)

    def let_go(self, task: LiveTask, owner: str, lease: Lease) -> None:
        """Take a task from its owner, and ring for what that owner could not claim beside it."""
        task.owner = None
        task.progress = None
        del lease.held[task.header.id]
        if task.deliveries and task.is_suspect:
            lease.suspects -= 1
            for lane in LANES:
                self.bells.ring(lane)
        elif self.suspects and not lease.held:
            for suspect in self.suspects.in_order():
                self.bells.ring(suspect.header.lane)
        if task.cancelled:
            self.noticed.poke(owner)

    def deliver(self, tasks: Iterable[LiveTask], owner: str) -> list[Delivery]:
        """Describe tasks to the owner who holds them."""
        unrevoked = self.has_no_revocations()
        return [
            task.to_delivery(owner, unrevoked, following(self, task.header) if task.header.expects else None)
            for task in tasks
        ]

    def has_no_revocations(self) -> bool:
        """Say whether nothing at all is revoked."""
        return not self.areas["revocations"]

    # --- ends

    def forget(self, task: LiveTask, *, keeps_latch: bool = False) -> None:
        """Let a task that nobody holds be no task any more; ``keeps_latch``: its letter has what its members left."""
        header = task.header
        del self.tasks[header.id]
        unique = header.unique_key
        if unique is not None and self.unique.get(unique) == header.id:
            del self.unique[unique]
        if header.collects and not keeps_latch and (latch := self.latches.pop(header.id, None)) is not None:
            for member in latch.members:
                self.areas["results"].shorten(member, MEMBER_RESULT_TTL)
        if self.followed.waits:
            self.followed.poke(header.id)

    def drop_letters(self, letters: Iterable[DeadLetter]) -> None:
        """Drop what was kept for letters that are gone."""
        for letter in letters:
            id = letter.header.id
            if letter.header.collects and id not in self.tasks and id not in self.expected:
                self.latches.pop(id, None)

    def store(self, id: str, result: bytes | None, ttl: float | None) -> None:
        """Write a final result, or delete what was stored before."""
        results = self.areas["results"]
        if result is None:
            results.discard(id)
            return
        if self.waiters.is_shared(id):
            ttl = SHARED_RESULT_TTL if ttl is None else min(ttl, SHARED_RESULT_TTL)
        results.put(id, result, ttl)

    def unname(self, namer: str, ids: Iterable[str]) -> None:
        """Let a task expect ids no more; what nobody else expects will never run, nor will what comes after it."""
        pairs = [(namer, id) for id in ids]
        while pairs:
            namer, id = pairs.pop()
            namers = self.expected.get(id)
            if namers is None:
                continue
            namers.discard(namer)
            if not namers:
                del self.expected[id]
                stage = self.stages.pop(id, None)
                if stage is not None and stage.then is not None:
                    pairs.append((id, stage.then))
                self.end(id, "cancelled")

    def end(self, id: str, kind: EndKind) -> None:
        """Remember which way an id ended and tell its waiters, unless it lives on."""
        if self.followed.waits:
            self.followed.poke(id)
        if id in self.tasks or id in self.expected:
            return
        self.tombstones.put(id, kind)
        if self.waiters.is_awaited(id):
            self.waiters.tell(id, self.areas["results"].get(id), kind)

    def expect(self, header: Header, ids: Iterable[str]) -> None:
        """Let a task, or the latch that will enqueue it, expect ids."""
        for id in ids:
            if id not in self.tasks:
                self.expected.setdefault(id, set()).add(header.id)
