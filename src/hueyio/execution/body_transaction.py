"""A transaction of the body's own, in which its task ends: ``task.transaction()``.

Theory of operation. To leave the block concludes the task as if its body had returned ``result``, and has the storage
write that end and commit, in one step with what the body wrote: whatever dies before the commit leaves nothing, and
after it the task is over. The job remembers the end, so that the runner writes none when the body returns: signals and
hooks come then, in their usual order. The storage's part is never cancelled in the middle; whoever is cancelled
meanwhile gets the cancellation when it is known whether the commit took place.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from hueyio.core import Core
from hueyio.exceptions import HueyException, LeaseLost, TransactionTooLong
from hueyio.execution.block import Block
from hueyio.execution.end import End
from hueyio.execution.finish import ACCEPTED, conclude_well
from hueyio.execution.job import Job
from hueyio.execution.outcome import ASKED
from hueyio.execution.recorder import Recorder, Settled
from hueyio.loops.carry_through import carry_through
from hueyio.storage.contract import BlockingCompletion, Completing, Completion
from hueyio.storage.records import Answer, HistoryBatch

__all__ = ["BlockingBodyTransaction", "BodyTransaction"]


class BodyTransaction:
    """For a coroutine on the consumer's loop; ``seconds`` is how long it may be open."""

    def __init__(self, core: Core, job: Job, storage: Completing, seconds: float) -> None:
        self.result: Any = None
        self._core = core
        self._job = job
        self._completion: Completion = storage.completion(job.delivery.receipt, seconds)
        self._block: Block

    async def __aenter__(self) -> Any:
        self._block = _enter(self._job, Block(self._completion.abandon))
        try:
            return await carry_through(self._completion.begin())
        except BaseException:
            await carry_through(self._leave())
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await carry_through(self._commit())
            return
        try:
            await carry_through(self._leave())
        except TransactionTooLong as too_long:
            if _is_for_hueyio(error):
                return
            raise too_long from error

    async def _commit(self) -> None:
        try:
            end, history = _conclude(self._core, self._job, self.result)
            answer = await self._completion.finish(end.settlement, history)
            _take(self._job, self._block, end, answer)
        finally:
            await self._leave()

    async def _leave(self) -> None:
        self._block.roll_back = None
        await self._completion.abandon()


class BlockingBodyTransaction:
    """For a function in a thread; otherwise the same."""

    def __init__(self, core: Core, job: Job, storage: Completing, seconds: float) -> None:
        self.result: Any = None
        self._core = core
        self._job = job
        self._completion: BlockingCompletion = storage.blocking_completion(job.delivery.receipt, seconds)
        self._block: Block

    def __enter__(self) -> Any:
        self._block = _enter(self._job, Block(self._completion.abandon))
        try:
            return self._completion.begin()
        except BaseException:
            self._leave()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._commit()
            return
        try:
            self._leave()
        except TransactionTooLong as too_long:
            if _is_for_hueyio(error):
                return
            raise too_long from error

    def _commit(self) -> None:
        try:
            end, history = _conclude(self._core, self._job, self.result)
            answer = self._completion.finish(end.settlement, history)
            _take(self._job, self._block, end, answer)
        finally:
            self._leave()

    def _leave(self) -> None:
        self._block.roll_back = None
        self._completion.abandon()


def _enter(job: Job, block: Block) -> Block:
    """Let the job know of its block; raises HueyException if it has one already that counts."""
    before = job.block
    if before is not None and (before.is_open or before.end is not None):
        what = "is open" if before.is_open else "has ended it"
        raise HueyException(f"task {job.task.path} {job.task.id} has one transaction, and that {what}: use one block")
    job.block = block
    return block


def _conclude(core: Core, job: Job, result: Any) -> tuple[End, HistoryBatch | None]:
    """Return the good end of a body that goes on for now, and what the history gets of it."""
    job.ended_at = time.monotonic()
    try:
        end = conclude_well(core, job, result)
        # A recorder for each: the consumer's belongs to the loop, and so many commits of one task there never are.
        return end, Recorder(core).record([Settled(job, end.settlement)], job.delivery.receipt.owner)
    finally:
        job.ended_at = 0.0


def _take(job: Job, block: Block, end: End, answer: Answer) -> None:
    if answer not in ACCEPTED:
        raise LeaseLost(
            f"task {job.task.path} {job.task.id} is not this consumer's any more, because its lease was lost or the "
            "queue cleared: its transaction was rolled back"
        )
    block.note_written(end, answer)


def _is_for_hueyio(error: BaseException) -> bool:
    """Say whether an exception says what shall become of the task, or that it is cancelled: it must come through."""
    return not isinstance(error, Exception) or isinstance(error, ASKED)
