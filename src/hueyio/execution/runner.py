"""What is done with a job: ask once more, run, conclude, have the settlement written.

Theory of operation. A job is run in a slot, an asyncio task that serves one job after another; a consumer has many,
and whoever drives tasks by hand makes one for each. Whoever cancels the slot means the job or the slot:
``job.cancelled`` and ``job.lost`` say that it was the job, ``is_stopping`` that it was the slot. A cancellation that
none of them explains is the body's own doing. The runner writes nothing itself: the settler does, in its own time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from hueyio.core import Core
from hueyio.exceptions import HueyException
from hueyio.execution.after_block import outcome_after
from hueyio.execution.attempt_hooks import AttemptHooks
from hueyio.execution.end import End
from hueyio.execution.executor import Executor
from hueyio.execution.finish import conclude, finish
from hueyio.execution.job import Job
from hueyio.execution.outcome import Cancelled, Failed, Interrupted, Outcome, WorkerLost
from hueyio.execution.plain_finish import finish_plainly
from hueyio.execution.reporter import Reporter
from hueyio.execution.run_context import RUN_CONTEXT, RunContext
from hueyio.execution.run_log import run_logger, tell_end, tell_start
from hueyio.signals import SIGNAL_EXECUTING
from hueyio.storage.records import Answer, Bury, Release, Settlement
from hueyio.storage.shared.background import make_task
from hueyio.tasks.log_fields import log_about

__all__ = ["Runner", "Settling"]

logger = logging.getLogger(__name__)


def _none() -> None:
    """Stand in for what only a consumer knows."""


class Settling(Protocol):
    """Who writes what came of the jobs."""

    def put(self, job: Job, settlement: Settlement) -> None:
        """Have a settlement written; nobody waits for the answer."""
        ...

    def submit(self, job: Job, settlement: Settlement) -> asyncio.Future[Answer]:
        """Have a settlement written; the future gets the answer, and cancelling it changes nothing."""
        ...

    def note_written(self, job: Job, settlement: Settlement, answer: Answer) -> asyncio.Future[Answer]:
        """Take a settlement that a transaction of the body's own has written; the future has its answer."""
        ...

    async def start(self, job: Job) -> bool:
        """Write that a body is about to run; False if the job is not ours any more."""
        ...


class Runner:
    """Runs jobs, and ends those that must not run.

    ``watch`` looks at a job some time after the seconds that it is given, when its body should have ended by then;
    ``crash`` says what brought about a stop that nobody asked for. With ``log_runs`` good ends are logged at INFO.
    ``find`` returns the job of an id, while that is held here.
    """

    def __init__(
        self,
        core: Core,
        executor: Executor,
        settler: Settling,
        is_stopping: Callable[[], bool],
        run_context: RunContext,
        watch: Callable[[Job, float], asyncio.TimerHandle] | None = None,
        crash: Callable[[], str | None] = _none,
        log_runs: bool = False,
        find: Callable[[str], Job | None] = lambda _: None,
    ) -> None:
        self._core = core
        self._success_level = logging.INFO if log_runs else logging.DEBUG
        self._reporter = Reporter(core, find, run_context.lease)
        self._run_context = run_context
        self._executor = executor
        self._settler = settler
        self._is_stopping = is_stopping
        self._watch = watch
        self._crash = crash
        self._telling: set[asyncio.Task[None]] = set()
        self.outcomes: Counter[str] = Counter()
        """How jobs ended, by the names of the outcomes."""

    async def run(self, job: Job, slot: asyncio.Task[None]) -> None:
        """Run the job's body in this slot and have its outcome written; returns when the slot is free again."""
        self.enter_slot()
        listened = bool(self._core.signals)
        hooks: AttemptHooks | None = None
        # A prefetched job has grown stale while it waited.
        objection = job.objection(self._core.now())
        surrounded = listened or self._executor.hooks.surround_tasks
        if objection is None and listened and (hooks := self._executor.hooks_around(job.spec, job.task)) is not None:
            await hooks.tell(SIGNAL_EXECUTING, job.task)
            if job.lost:
                return
            objection = job.objection(self._core.now())
        if objection is None and job.spec.options.at_most_once:
            if not await self._write_start(job) or job.lost:
                return
            objection = job.objection(self._core.now())
        if objection is not None:
            await self._finish(job, objection, hooks)
            return
        self.equip(job)
        if hooks is None and surrounded:
            hooks = self._executor.hooks_around(job.spec, job.task)
        if job.delivery.receipt.deliveries or run_logger.isEnabledFor(logging.DEBUG):
            tell_start(job)
        job.started_at = time.monotonic()
        job.slot = slot
        limit = None if job.spec.lane == "process" else job.task.timeout  # a process is killed: it cannot ignore that
        if hooks is not None and limit is not None:
            limit *= 1 + len(hooks.middleware)  # each has as long again to be left
        watch = None if limit is None or self._watch is None else self._watch(job, limit)
        try:
            if hooks is None:
                outcome = await self._executor.run(job.spec, job.task)
            else:
                job.hooks = hooks
                outcome = await self._executor.run_inside(job.spec, job.task, hooks)
        except asyncio.CancelledError as error:
            outcome = self._meaning_of(job, error, hooks)
        finally:
            if watch is not None:
                watch.cancel()
        job.slot = None
        if hooks is not None and not hooks.has_after:  # the slot need not wait for the write
            hooks.caller.close()
            job.hooks = hooks = None
        if slot.cancelling():
            try:
                await self.shed_cancellation(slot)
            except asyncio.CancelledError:
                self.end(job, outcome, hooks)
                raise
        if listened or hooks is not None:
            await self._finish(job, outcome, hooks)
        else:
            self.end(job, outcome)

    async def run_rest(self, job: Job, slot: asyncio.Task[None], rest: Awaitable[Any]) -> None:
        """Await in this slot what a body in a thread returned, and have the outcome of the job written."""
        job.slot = slot
        try:
            outcome = await self._executor.run_rest(job.spec, job.task, rest)
        except asyncio.CancelledError as error:
            outcome = self._meaning_of(job, error)
        job.slot = None
        self.end(job, outcome)
        await self.shed_cancellation(slot)

    def enter_slot(self) -> None:
        """Let the running slot know for whom it runs jobs."""
        # Once in the life of a slot: setting costs ten times as much as looking.
        if RUN_CONTEXT.get() is not self._run_context:
            RUN_CONTEXT.set(self._run_context)

    def equip(self, job: Job) -> None:
        """Give a task what its body may ask for."""
        job.task.reporter = self._reporter
        job.task.receipt = job.delivery.receipt

    @property
    def is_stopping(self) -> bool:
        """Whether slots are cancelled because the consumer stops."""
        return self._is_stopping()

    async def shed_cancellation(self, slot: asyncio.Task[None]) -> None:
        """Take back what was meant for a job that is over, or left behind by its body: it must not reach the next one.

        Raises CancelledError if it means the slot.
        """
        while slot.cancelling() and not self._is_stopping():
            try:
                await asyncio.sleep(0)  # before 3.13 uncancel() leaves a cancellation that was not delivered yet
            except asyncio.CancelledError:
                if self._is_stopping():
                    raise
            slot.uncancel()

    def cut_off(self, job: Job) -> None:
        """End a job whose body was left behind in its thread, because its slot was cancelled."""
        if not (job.cancelled or job.lost):
            self.end(job, _interrupted(job, self._crash()))
        else:
            self.end(job, Cancelled())

    def _meaning_of(self, job: Job, error: asyncio.CancelledError, hooks: AttemptHooks | None = None) -> Outcome:
        """Say what a cancellation of the slot means for its job; raises it again if it means the slot."""
        if not (job.cancelled or job.lost) and self._is_stopping():
            # Recorded, and raised again: the slot must end.
            job.slot = None
            self.end(job, _interrupted(job, self._crash()), hooks)
            raise error
        return Cancelled() if job.cancelled else Failed(error)

    def end(self, job: Job, outcome: Outcome, hooks: AttemptHooks | None = None) -> None:
        """Have the outcome of a job written without waiting for it."""
        if job.lost:
            if hooks is not None:
                hooks.caller.close()
            return
        unstarted = isinstance(outcome, Interrupted) and not job.started
        if hooks is not None or (self._core.signals and not unstarted):
            self._spawn(self._finish_safely(job, outcome, hooks))
            return
        try:
            self._put(job, self._settlement_of(job, outcome))
        except Exception as error:  # of whatever kind it is, the job must have an end
            self.rescue(job, error)

    def rescue(self, job: Job, error: BaseException) -> None:
        """End a job that an error of ours, or of the user's serializer, kept from its end: the last resort.

        It goes back, which counts; when its deliveries are used up, it is a dead letter without a stored error.
        """
        job.slot = None
        name, fields = (job.task.path, job.task.id), job.log_fields()
        log_about(logger, logging.ERROR, "task %s %s could not be ended", *name, fields=fields, error=error)
        if job.lost or job.handed_over:
            return
        receipt = job.delivery.receipt
        if receipt.deliveries + 1 < job.delivery.header.max_deliveries:
            self._put(job, Release(receipt, counted=True))
            return
        reason = f"it could not be ended: {type(error).__name__}: {error}"
        self._put(job, Bury(receipt, reason, also=job.delivery.header.expects))

    def give_back(self, job: Job) -> None:
        """Have a job that was not begun go back to the front of its lane, as if it had not been claimed."""
        if not job.lost:
            self._put(job, Release(job.delivery.receipt))

    async def wait_told(self, timeout: float) -> int:
        """Wait until the receivers of what ended without a slot have been called; return how many ignore the end."""
        if self._telling:
            await asyncio.wait(self._telling, timeout=timeout)
        for telling in self._telling:
            telling.cancel()
        if self._telling:
            await asyncio.wait(self._telling, timeout=timeout)
        return len(self._telling)

    async def _write_start(self, job: Job) -> bool:
        """Write that the body is about to run, so that it never runs again; False if that did not go through."""
        try:
            if await self._settler.start(job):
                return True
        except HueyException as error:
            name, fields = (job.task.path, job.task.id), job.log_fields()
            text = "task %s %s: its start could not be written: %s"
            log_about(logger, logging.WARNING, text, *name, error, fields=fields)
        self.end(job, Interrupted())
        return False

    def _spawn(self, telling: Coroutine[Any, Any, None]) -> None:
        task = make_task(telling)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def _put(self, job: Job, settlement: Settlement) -> None:
        job.handed_over = True
        if job.block is not None and job.block.end is not None:
            self._settler.note_written(job, job.block.end.settlement, job.block.answer)
        else:
            self._settler.put(job, settlement)

    def _submit(self, job: Job, settlement: Settlement) -> asyncio.Future[Answer]:
        job.handed_over = True
        if job.block is not None and job.block.end is not None:
            return self._settler.note_written(job, job.block.end.settlement, job.block.answer)
        return self._settler.submit(job, settlement)

    async def _finish_safely(self, job: Job, outcome: Outcome, hooks: AttemptHooks | None) -> None:
        """Finish in a task of its own, in which nobody sees an error."""
        try:
            await self._finish(job, outcome, hooks)
        except Exception as error:  # of whatever kind it is, the job must have an end
            self.rescue(job, error)

    async def _finish(self, job: Job, outcome: Outcome, hooks: AttemptHooks | None = None) -> None:
        try:
            if not job.lost:
                end = self._conclude(job, outcome)
                await finish(self._core, job, end, hooks, lambda settlement: self._submit(job, settlement))
        finally:
            job.hooks = None  # a slot knows its last job until the next one begins
            if hooks is not None:
                hooks.caller.close()

    def _settlement_of(self, job: Job, outcome: Outcome) -> Settlement:
        """Say what is written of an end that nobody is told of."""
        plain = None if job.block is not None else finish_plainly(self._core, job, outcome, self._success_level)
        if plain is None:
            return self._conclude(job, outcome).settlement
        self.outcomes["Succeeded"] += 1
        return plain

    def _conclude(self, job: Job, outcome: Outcome) -> End:
        end = self._end_of(job, outcome)
        self.outcomes[type(end.outcome).__name__] += 1
        return end

    def _end_of(self, job: Job, outcome: Outcome) -> End:
        outcome = outcome_after(job, outcome, self._spawn)
        if job.block is None or job.block.end is None:
            return conclude(self._core, job, outcome, self._success_level)
        end = job.block.end
        job.ended_at = job.ended_at or time.monotonic()
        if run_logger.isEnabledFor(self._success_level):
            tell_end(job, end.outcome, end.effects, self._core.now(), self._success_level)
        return end


def _interrupted(job: Job, cause: str | None) -> Outcome:
    """Say how a run ends that the stop cut short: one that must not be repeated is lost."""
    if job.spec.options.at_most_once:
        return WorkerLost(job.delivery.receipt.deliveries, started=True)
    return Interrupted(cause)
