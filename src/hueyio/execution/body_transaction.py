"""A transaction of the body's own, in which its task ends: ``task.transaction()``.

Theory of operation. To leave the block concludes the task as if its body had returned ``result``, and has the storage
write that end and commit, in one step with what the body wrote: whatever dies before the commit leaves nothing, and
after it the task is over. The job remembers the end, so that the runner writes none when the body returns: signals and
hooks come then, in their usual order. The storage's part is never cancelled in the middle; whoever is cancelled
meanwhile gets the cancellation when it is known whether the commit took place.

The steps are the same in a coroutine and in a thread. For a thread they await what waits for nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
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
from hueyio.loops.at_once import run_at_once
from hueyio.loops.carry_through import carry_through
from hueyio.storage.contract import BlockingCompletion, Completing, Completion
from hueyio.storage.records import Answer, HistoryBatch, Settlement

__all__ = ["BlockingBodyTransaction", "BodyTransaction"]


class BodyTransaction:
    """For a coroutine on the consumer's loop; ``seconds`` is how long it may be open."""

    def __init__(self, core: Core, job: Job, storage: Completing, seconds: float) -> None:
        self.result: Any = None
        completion = storage.completion(job.delivery.receipt, seconds)
        self._steps = _Steps(core, job, completion, completion.abandon)

    async def __aenter__(self) -> Any:
        self._steps.enter()
        try:
            return await carry_through(self._steps.begin())
        except BaseException:
            await carry_through(self._steps.leave())
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await carry_through(self._steps.end(self.result, error))


class BlockingBodyTransaction:
    """For a function in a thread; otherwise the same."""

    def __init__(self, core: Core, job: Job, storage: Completing, seconds: float) -> None:
        self.result: Any = None
        completion = storage.blocking_completion(job.delivery.receipt, seconds)
        self._steps = _Steps(core, job, _Awaited(completion), completion.abandon)

    def __enter__(self) -> Any:
        self._steps.enter()
        try:
            return run_at_once(self._steps.begin())
        except BaseException:
            run_at_once(self._steps.leave())
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        run_at_once(self._steps.end(self.result, error))


class _Steps:
    """What both do; ``roll_back`` is for whoever ends the job of a body that has left its block open."""

    def __init__(
        self,
        core: Core,
        job: Job,
        completion: Completion,
        roll_back: Callable[[], Coroutine[Any, Any, None] | None],
    ) -> None:
        self._core = core
        self._job = job
        self._completion = completion
        self._roll_back = roll_back
        self._block: Block

    def enter(self) -> None:
        """Let the job know of its block; raises HueyException if it has one already that counts."""
        task, before = self._job.task, self._job.block
        if before is not None and (before.is_open or before.end is not None):
            what = "is open" if before.is_open else "has ended it"
            raise HueyException(f"task {task.path} {task.id} has one transaction, and that {what}: use one block")
        self._job.block = self._block = Block(self._roll_back)

    async def begin(self) -> Any:
        """Begin, and return the connection."""
        return await self._completion.begin()

    async def end(self, result: Any, error: BaseException | None) -> None:
        """Commit, unless an error left the block; then roll back."""
        if error is None:
            await self._commit(result)
            return
        try:
            await self.leave()
        except TransactionTooLong as too_long:
            if _is_for_hueyio(error):
                return
            raise too_long from error

    async def leave(self) -> None:
        """Roll back what is not committed."""
        self._block.roll_back = None
        await self._completion.abandon()

    async def _commit(self, result: Any) -> None:
        try:
            end, history = _conclude(self._core, self._job, result)
            answer = await self._completion.finish(end.settlement, history)
            _take(self._job, self._block, end, answer)
        finally:
            await self.leave()


class _Awaited:
    """A completion of a thread, for whoever awaits it."""

    def __init__(self, completion: BlockingCompletion) -> None:
        self._completion = completion

    async def begin(self) -> Any:
        return self._completion.begin()

    async def finish(self, settlement: Settlement, history: HistoryBatch | None = None) -> Answer:
        return self._completion.finish(settlement, history)

    async def abandon(self) -> None:
        self._completion.abandon()


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
