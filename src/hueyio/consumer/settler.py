"""Write what came of the jobs, a batch at a time.

Theory of operation. Slots hand settlements over and go on; one coroutine writes whatever has come together since
the last write. A write is never cancelled: it is repeated, with the same number and the same content, until the
storage has answered, so that a lost reply changes nothing twice. A job leaves the ledger when its answer is
there. ``pending`` and the batch under way are owned by this coroutine; ``put`` only appends.

A storage that is full has changed nothing, and may yet take what is smaller. So a batch that is too much for it is
halved, behind all that waits, and a settlement that does not fit even alone is set aside: it is tried again now and
then, by itself, and the others go on.

An error says by itself neither that nothing was written nor whose it is. So a write is first repeated as it is, a few
times. Then the storage is asked what is still held, and to write something that changes nothing: if that works while
the batch does not, the batch is to blame, and is written one by one. What fails even alone is handed to
``on_refused``, at once where the storage refused it in so many words.

The history of a batch is made with its number. While there is too little room, outcomes are written without it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from hueyio.consumer.joint_claim import JointClaim
from hueyio.consumer.ledger import Ledger
from hueyio.consumer.service import Service
from hueyio.consumer.tally import Tally
from hueyio.exceptions import (
    ConfigurationError,
    HueyException,
    SerializationError,
    SessionClosed,
    StorageError,
    StorageFull,
    StorageUnavailable,
)
from hueyio.execution.job import Job
from hueyio.execution.recorder import Recorder
from hueyio.named_tuple import NamedTuple
from hueyio.storage.contract import Consuming, Producing
from hueyio.storage.records import Answer, Finish, HistoryBatch, Receipt, Release, Settlement, State
from hueyio.storage.shared.background import make_task
from hueyio.storage.shared.batching import Batcher
from hueyio.tasks.log_fields import log_about

__all__ = ["Settler"]

logger = logging.getLogger(__name__)

_MOST_IN_A_BATCH: Final = 500

_LOOK_FOR_ROOM: Final = 1.0
"""Seconds after which what the storage has no room for is tried again."""


_TRIES: Final = 3
"""How often a batch is written as it is before it is asked whether the storage or the batch is to blame."""

_WHERE: Final[dict[State, str]] = {
    "queued": "it is in the queue again",
    "scheduled": "it is in the schedule",
    "running": "it is held by a consumer",
    "expected": "it is to be enqueued again",
    "stored": "it has ended",
    "dead": "it has ended",
    "ended": "it has ended",
    "unknown": "the storage knows nothing of it any more",
}
"""What is said of a task that somebody else has, or nobody."""


class _Session(Consuming, Producing, Protocol):
    """What is asked of a session."""


def _nothing() -> None:
    """Stand in for what is claimed when a settlement brings work."""


class _Item(NamedTuple):
    job: Job
    settlement: Settlement
    answer: asyncio.Future[Answer] | None
    was_blamed: bool = False
    """It failed by itself while the storage worked."""


class Settler(Service):
    """Owns the settlements that are not written yet, and their numbers."""

    def __init__(
        self,
        session: _Session,
        ledger: Ledger,
        owner: Callable[[], str],
        on_untaken: Callable[[Job], None],
        on_refused: Callable[[Job, Exception], None],
        monotonic: Callable[[], float] = time.monotonic,
        tally: Tally | None = None,
        recorder: Recorder | None = None,
        on_follow_up: Callable[[], JointClaim | None] = _nothing,
    ) -> None:
        super().__init__()
        self._session = session
        self._ledger = ledger
        self._owner = owner
        self._on_untaken = on_untaken
        self._on_refused = on_refused
        self._monotonic = monotonic
        self._tally = tally
        """Counts what was written; None: nobody does."""
        self._recorder = recorder
        self._on_follow_up = on_follow_up
        """Called when a batch is about to be written that makes a task ready; says what is claimed with it."""
        self._brings_work = False
        self._pending: list[_Item] = []
        self._batch: list[_Item] = []
        self._history: HistoryBatch | None = None
        """What the batch under way leaves in the history."""
        self._failures = 0
        """How often the batch under way could not be written."""
        self._singly = 0
        """How many settlements of a refused batch are still to be written one by one."""
        self._most = _MOST_IN_A_BATCH
        """How many are written at once: less after the storage was full."""
        self._aside: deque[_Item] = deque()
        """What does not fit into the storage even alone."""
        self._aside_until = 0.0
        self._lacks_room = False
        """It was said that there is no room, and something still waits for it."""
        self._number = 0
        self._numbered_for = ""
        self._arrival: asyncio.Future[None] | None = None
        self._starts: Batcher[Receipt, bool] = Batcher(self._write_starts, _MOST_IN_A_BATCH, self._spawn)
        self._starting: set[asyncio.Task[None]] = set()
        self._drained = asyncio.Event()
        self._drained.set()

    def put(self, job: Job, settlement: Settlement) -> None:
        """Have a settlement written soon."""
        self._append(_Item(job, settlement, None))

    def submit(self, job: Job, settlement: Settlement) -> asyncio.Future[Answer]:
        """Have a settlement written soon; the future gets the answer."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._append(_Item(job, settlement, answer))
        return answer

    def note_written(self, job: Job, settlement: Settlement, answer: Answer) -> asyncio.Future[Answer]:
        """Take a settlement that a transaction of the body's own has written, as one that was answered just now."""
        job.ended_at = job.ended_at or self._monotonic()
        self._ledger.end(job)
        item = _Item(job, settlement, asyncio.get_running_loop().create_future())
        self._take_answer(item, answer)
        if self._tally is not None:
            self._tally.count([item], [answer])
        assert item.answer is not None
        return item.answer

    async def start(self, job: Job) -> bool:
        """Write that a body is about to run, with all others that ask for it in this turn; False: it is not ours."""
        (accepted,) = await self._starts.submit([job.delivery.receipt])
        return accepted

    async def wait_drained(self, timeout: float) -> int:
        """Wait until all is written; return how many settlements are left after ``timeout`` seconds."""
        try:
            await asyncio.wait_for(self._drained.wait(), timeout)
        except TimeoutError:
            return len(self._pending) + len(self._batch) + len(self._aside)
        return 0

    def discard(self) -> None:
        """Drop what is not written: its lease is gone, the storage would refuse it."""
        dropped = [*self._pending, *self._batch, *self._aside]
        self._pending, self._batch = [], []
        self._aside.clear()
        _answer_stale(dropped)
        self._drained.set()
        self.wake()

    async def step(self) -> float:
        """Write one batch, or wait for one."""
        joint: JointClaim | None = None
        if not self._batch:
            self._batch = self._next_batch()
            if not self._batch:
                await self._wait_for_more()
                return 0
            self._number, self._history = self._next_number(), None
            self._history = self._record(self._batch)
            if self._brings_work:
                self._brings_work = False
                joint = self._on_follow_up()
        try:
            await self._write(self._batch, joint)
        finally:
            if joint is not None:
                await joint.end()
        return 0

    def _record(self, batch: list[_Item]) -> HistoryBatch | None:
        if self._recorder is None or self._lacks_room or self._most < _MOST_IN_A_BATCH:
            return None
        return self._recorder.record(batch, self._owner())

    def _next_batch(self) -> list[_Item]:
        if self._aside and self._monotonic() >= self._aside_until:
            return [self._aside.popleft()]
        size = 1 if self._singly else self._most
        self._singly = max(self._singly - 1, 0)
        batch, self._pending = self._pending[:size], self._pending[size:]
        return batch

    async def _wait_for_more(self) -> None:
        if not self._aside:
            self._drained.set()
        self._arrival = asyncio.get_running_loop().create_future()
        longest = max(self._aside_until - self._monotonic(), 0.0) if self._aside else None
        await self.interruptible(_wait_for(self._arrival, longest))
        self._arrival = None

    async def _write_starts(self, receipts: list[Receipt]) -> list[bool]:
        return await self._session.start(receipts, self._owner())

    def _spawn(self, writing: Coroutine[Any, Any, None]) -> None:
        task = make_task(writing)
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    def _next_number(self) -> int:
        """Numbers rise by one for each batch of an owner, from 1."""
        if self._numbered_for != self._owner():
            self._numbered_for = self._owner()
            return 1
        return self._number + 1

    async def _settle(self, batch: list[_Item], joint: JointClaim | None) -> list[Answer]:
        settlements = [item.settlement for item in batch]
        if joint is None:
            return await self._session.settle(settlements, self._owner(), self._number, self._history)
        answers, deliveries = await self._session.settle_and_claim(
            settlements, self._owner(), self._number, self._history, joint.room
        )
        joint.answer(deliveries)
        return answers

    async def _write(self, batch: list[_Item], joint: JointClaim | None) -> None:
        try:
            answers = await self._settle(batch, joint)
        except StorageFull as error:
            self._make_smaller(batch, error)
            return
        except (SessionClosed, ConfigurationError):  # of the storage, not of a settlement
            raise
        except Exception as error:  # whatever it is, it must not stop all the others
            if batch is not self._batch:
                return  # discarded meanwhile
            if not await self._is_to_blame(batch, error):
                raise
            if batch is self._batch:
                self._split(batch, error)
            return
        if batch is not self._batch:
            return  # discarded meanwhile
        self._batch, self._failures = [], 0
        self._most = min(2 * self._most, _MOST_IN_A_BATCH)
        self._lacks_room = self._lacks_room and bool(self._aside)
        for item, answer in zip(batch, answers, strict=True):
            self._take_answer(item, answer)
        if self._tally is not None:
            self._tally.count(batch, answers)
        if "stale" in answers:
            await self._tell_of_stale([it.job for it, answer in zip(batch, answers, strict=True) if answer == "stale"])

    def _take_answer(self, item: _Item, answer: Answer) -> None:
        self._ledger.remove(item.job)
        if item.answer is not None and not item.answer.done():
            item.answer.set_result(answer)
        if answer == "untaken":
            self._on_untaken(item.job)

    async def _tell_of_stale(self, jobs: list[Job]) -> None:
        """Say what was refused, and where these tasks are: that a lease has gone does not say that others have them."""
        try:
            places = [_WHERE[found.state] for found in await self._session.locate([job.task.id for job in jobs])]
        except HueyException as error:
            places = [f"where it is cannot be asked now: {error}"] * len(jobs)
        for job, place in zip(jobs, places, strict=True):
            name, fields = (job.task.path, job.task.id), job.log_fields()
            text = "task %s %s: its lease had gone, what came of it here is dropped; %s"
            log_about(logger, logging.WARNING, text, *name, place, fields=fields)

    def _make_smaller(self, batch: list[_Item], error: StorageFull) -> None:
        """Let others go first, and try again with less; nothing of the batch was written."""
        if batch is not self._batch:
            return  # discarded meanwhile
        self._batch = []
        if len(batch) > 1:
            self._most = len(batch) // 2
            self._pending += batch
            return
        if not self._lacks_room:
            self._lacks_room = True
            job = batch[0].job
            name, fields = (job.task.path, job.task.id), job.log_fields()
            text = "task %s %s: no room for its outcome, trying again: %s"
            log_about(logger, logging.WARNING, text, *name, error, fields=fields)
        self._aside += batch
        self._aside_until = self._monotonic() + _LOOK_FOR_ROOM

    async def _is_to_blame(self, batch: list[_Item], error: Exception) -> bool:
        """Say whether a batch fails because of what is in it; raises what the storage raises when it is asked."""
        if isinstance(error, SerializationError):
            return True
        self._failures += 1
        refused = isinstance(error, StorageError) and not isinstance(error, StorageUnavailable)
        if not refused and self._failures % _TRIES:
            return False
        held = {it.receipt for it in await self._session.held(self._owner())}
        if batch is not self._batch or not any(item.settlement.receipt in held for item in batch):
            return False  # it was written, and only the answer is missing: the same number gives that
        self._number = self._next_number()
        try:
            await self._session.settle([Release(Receipt("", "", 0))], self._owner(), self._number)
        finally:  # it is used up, also where the storage is to blame after all
            self._number = self._next_number()
        return True

    def _split(self, batch: list[_Item], error: Exception) -> None:
        """Write a batch that is to blame one by one, to find what the storage cannot take."""
        self._batch, self._failures = [], 0
        if len(batch) > 1:
            logger.warning("%d outcomes cannot be written together: %s; writing them one by one", len(batch), error)
            self._singly = len(batch)
            self._pending = batch + self._pending
            return
        (item,) = batch
        if isinstance(error, StorageUnavailable) and not item.was_blamed:
            # Once more, by itself: a connection that breaks now and then is not its fault.
            self._aside.append(item._replace(was_blamed=True))
            self._aside_until = self._monotonic() + _LOOK_FOR_ROOM
            return
        self._ledger.remove(item.job)
        _answer_stale(batch)
        self._on_refused(item.job, error)

    def _append(self, item: _Item) -> None:
        self._pending.append(item)
        item.job.ended_at = item.job.ended_at or self._monotonic()
        self._ledger.end(item.job)
        settlement = item.settlement
        if isinstance(settlement, Finish) and settlement.follow_ups and not self._brings_work:
            self._brings_work = any(entry.header.eta is None for entry in settlement.follow_ups)
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)
        self._drained.clear()


def _answer_stale(items: list[_Item]) -> None:
    """Tell whoever waits that these were not written."""
    for item in items:
        if item.answer is not None and not item.answer.done():
            item.answer.set_result("stale")


async def _wait_for(arrival: asyncio.Future[None], longest: float | None) -> None:
    if longest is None:
        await arrival
    else:
        await asyncio.wait([arrival], timeout=longest)
