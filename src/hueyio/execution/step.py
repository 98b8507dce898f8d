"""End one job now: what a consumer does, with a settler that writes at once.

For whoever drives tasks by hand, and for immediate mode.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from hueyio.core import DEFAULT_LEASE, Core
from hueyio.execution.end import End
from hueyio.execution.executor import Executor
from hueyio.execution.job import Job
from hueyio.execution.outcome import Outcome
from hueyio.execution.run_context import RunContext
from hueyio.execution.runner import Runner
from hueyio.loops.carry_through import carry_through
from hueyio.storage.records import Answer, Settlement
from hueyio.storage.shared.background import make_task

__all__ = ["Step"]


class Step:
    """One job, until its settlement is answered. ``settle`` writes it, ``start`` that its body is about to run."""

    def __init__(
        self,
        core: Core,
        executor: Executor,
        run_context: RunContext,
        settle: Callable[[Job, Settlement], Awaitable[Answer]],
        start: Callable[[Job], Awaitable[bool]],
    ) -> None:
        self._settle = settle
        self._start = start
        self._stopping = False
        self._writing: list[asyncio.Future[Answer]] = []
        self._job: Job | None = None
        self._runner = _Recording(core, executor, self, lambda: self._stopping, run_context, find=lambda _: self._job)

    @property
    def ended(self) -> End | None:
        """How the job ended, when it has."""
        return self._runner.ended

    async def run(self, job: Job, *, interrupt: bool) -> Answer | None:
        """Run a job in an asyncio task of its own; return the answer to its last settlement.

        A caller that is cancelled ends the body: with ``interrupt`` the task goes back, else it is cancelled. The end
        is written before the cancellation is raised, also when more of them come.
        """
        self._job = job
        slot = make_task(self._serve(job), name="hueyio-step")
        try:
            await asyncio.shield(slot)
        except asyncio.CancelledError:
            self._stopping = interrupt
            job.cancelled = job.cancelled or not interrupt
            slot.cancel()
            await carry_through(self._outlast(slot), slot.cancel)
            raise
        return await carry_through(self._answer())

    async def end(self, job: Job, outcome: Outcome) -> Answer | None:
        """End a job that must not be run; return the answer to its settlement."""
        self._runner.end(job, outcome)
        return await carry_through(self._answer())

    def put(self, job: Job, settlement: Settlement) -> None:
        """Have a settlement written."""
        self.submit(job, settlement)

    def submit(self, job: Job, settlement: Settlement) -> asyncio.Future[Answer]:
        """Write a settlement, whatever becomes of whoever waits for it."""
        # What is noted here, nothing looks up before it ends.
        writing = asyncio.ensure_future(self._settle(job, settlement))
        self._writing.append(writing)
        return asyncio.shield(writing)

    def note_written(self, job: Job, settlement: Settlement, answer: Answer) -> asyncio.Future[Answer]:
        """Take what is written already."""
        written: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        written.set_result(answer)
        self._writing.append(written)
        return written

    async def start(self, job: Job) -> bool:
        """Write that the body is about to run."""
        return await self._start(job)

    async def _outlast(self, slot: asyncio.Task[None]) -> None:
        await asyncio.wait([slot])
        await self._answer()

    async def _answer(self) -> Answer | None:
        """Wait for what is not written yet; return what became of the last."""
        await self._runner.wait_told(DEFAULT_LEASE)
        answer: Answer | None = None
        for writing in self._writing:
            answer = await writing
        return answer

    async def _serve(self, job: Job) -> None:
        slot = asyncio.current_task()
        assert slot is not None
        await self._runner.run(job, slot)


class _Recording(Runner):
    """A runner that remembers how the last job ended."""

    ended: End | None = None

    def rescue(self, job: Job, error: BaseException) -> None:
        """Leave it to whoever waits for the step: he gives the task back, or buries it."""
        raise error

    def _settlement_of(self, job: Job, outcome: Outcome) -> Settlement:
        return self._conclude(job, outcome).settlement  # the short way does not say how it ended

    def _conclude(self, job: Job, outcome: Outcome) -> End:
        self.ended = self._end_of(job, outcome)
        return self.ended
