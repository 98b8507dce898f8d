"""Immediate mode: run tasks where they are enqueued, as a consumer would.

Theory of operation. What is enqueued goes into a queue in memory; who enqueued it claims it, and nothing else, under
one lease of the session, and ends it through the same pipeline as a consumer. So unique calls, revocations, chords,
limits and hooks are the same code. Arguments are encoded as a check and then passed by reference: the message of a
task that is known here is not decoded, unless the serializer has types. A retry without delay, the next stage of a
pipeline and the callback of a chord run in the same loop. What is due later goes to the schedule and stays there.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from secrets import token_hex
from typing import Final, Literal

from hueyio.client.caller_threads import CallerThreads
from hueyio.client.live_bench import LiveBench
from hueyio.client.under_way import UnderWay
from hueyio.core import DEFAULT_LEASE, Core
from hueyio.exceptions import HueyException
from hueyio.execution.end import End
from hueyio.execution.executor import Executor
from hueyio.execution.intake import Intake
from hueyio.execution.job import Job
from hueyio.execution.outcome import (
    CancelAsked,
    Cancelled,
    Failed,
    Interrupted,
    Locked,
    Outcome,
    RateLimited,
    TimedOut,
)
from hueyio.execution.recorder import Recorder, Settled
from hueyio.execution.run_context import RunContext
from hueyio.execution.run_log import tell_untaken
from hueyio.execution.step import Step
from hueyio.loops.carry_through import carry_through
from hueyio.storage.contract import Session
from hueyio.storage.memory.session import MemorySession
from hueyio.storage.memory.state import MemoryState
from hueyio.storage.records import DEAD_LIMIT, KEEP_ENDED, Answer, Bury, Delivery, Finish, Notices, Settlement
from hueyio.storage.shared.background import make_task
from hueyio.tasks.task import Task

__all__ = ["Immediate"]

_OVER: Final = ("stored", "dead", "ended", "unknown")

_LATER: Final = "nothing runs what is due later; read_schedule(), dequeue() and execute() drive it by hand"
_BEHIND: Final = "it cannot end before the body that waits for it has ended"

_IN_LIFE_HOOK: Final[ContextVar[bool]] = ContextVar("hueyio_in_life_hook", default=False)
"""Whether this is a hook of the start or the end: what it enqueues must not wait for the hooks."""


class Immediate:
    """Runs what one Huey enqueues, in the coroutine that enqueues it."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._executor = Executor(core, CallerThreads("hueyio-task", on_start=core.hooks.start_thread))
        self._state = MemoryState(core.now, DEAD_LIMIT, KEEP_ENDED)
        """The queue where the live storage is used."""
        self._under_way = UnderWay()

    def before(self, session: Session) -> Session:
        """Return the session to be used instead: one whose queue is in memory. Memory's own is one."""
        if isinstance(session, MemorySession) and self._core.storage.capabilities.keeps:
            return session
        return LiveBench(self._state, session)

    async def run(self, tasks: Sequence[Task], tell_enqueued: Callable[[], Awaitable[None]]) -> None:
        """Tell of these tasks, which are enqueued, and run them and all that follows them; not what is due later.

        Their errors are in their results; with ``raise_errors`` the first of them is raised when all have ended.
        KeyboardInterrupt is raised at once: somebody has pressed Ctrl-C, and means this program.
        """
        bench = await self._bench()
        await bench.begin()
        with self._under_way.one_more():
            error = await self._run_all(bench, tasks, tell_enqueued)
        if error is not None and self._core.raise_errors:
            raise error

    async def wait(self, id: str) -> None:
        """Wait until a task is over, as far as that is known here.

        Raises HueyException where nothing will ever end it, because no other process sees it.
        """
        bench = await self._bench()
        while True:
            with self._under_way.next_end() as ended:
                (found,) = await bench.session.locate([id])
                if found.state in _OVER:
                    return
                if found.state != "scheduled" and self._under_way.has_others():
                    await ended
                    continue
            if await bench.is_seen_elsewhere(id):
                return
            why = _BEHIND if found.state in ("queued", "running") else _LATER
            raise HueyException(f"task {id} is {found.state} and would be awaited for ever: in immediate mode {why}")

    async def shut_down(self) -> None:
        """Run the hooks of the end, if those of the start have run in this loop's session."""
        bench = self._core.peek_beside_session(_Bench)
        if bench is not None:
            await bench.shut_down()

    async def _bench(self) -> _Bench:
        return await self._core.beside_session(_Bench, lambda session: _Bench(self._core, session))

    async def _run_all(
        self, bench: _Bench, tasks: Sequence[Task], tell_enqueued: Callable[[], Awaitable[None]]
    ) -> BaseException | None:
        known: dict[str, Task | None] = {task.id: task for task in tasks}
        waiting = deque(task.id for task in sorted(tasks, key=lambda task: -(task.priority or 0)))
        first_error: BaseException | None = None
        try:
            if self._core.signals:
                await tell_enqueued()
            if not bench.is_ready:
                await bench.start_up()
            while waiting:
                for delivery in await bench.claim(waiting.popleft()):
                    end, answer = await self._run_one(bench, delivery, known.get(delivery.header.id))
                    self._under_way.tell_end()
                    if isinstance(end.outcome, Interrupted):
                        raise KeyboardInterrupt(end.outcome.cause)
                    following = _following(end, answer)
                    known.update(following)
                    waiting.extend(following)
                    first_error = first_error or _final_error(end)
        except BaseException:
            await carry_through(self._cancel(bench, waiting))
            raise
        return first_error

    async def _run_one(self, bench: _Bench, delivery: Delivery, task: Task | None) -> tuple[End, Answer | None]:
        if self._core.serializer.types is not None:
            task = None  # types make of it what a worker would get
        job, objection = bench.intake.decode(delivery) if task is None else bench.intake.accept(delivery, task)
        bench.jobs[delivery.header.id] = job
        try:
            while True:
                step = self._step(bench)
                try:
                    answer = await _take(bench, step, job, objection)
                    if step.ended is None:
                        raise HueyException(f"task {job.task.path} {job.task.id} could not be ended")
                except BaseException as error:
                    await carry_through(self._abandon(bench, step, job, error))
                    raise
                if answer != "untaken":
                    return step.ended, answer
                tell_untaken(job)
                # The revocation that was to stop it was used up by another task: decide anew.
        finally:
            del bench.jobs[delivery.header.id]

    async def _abandon(self, bench: _Bench, step: Step, job: Job, error: BaseException) -> None:
        """End what nobody will run any more: what a job's end has enqueued, and itself if it has no end."""
        if step.ended is None and isinstance(error, asyncio.CancelledError):
            await step.end(job, Cancelled())
        if step.ended is None:
            await bench.bury(job, error)
        else:
            await self._cancel(bench, deque(_following(step.ended, "fired")))

    async def _cancel(self, bench: _Bench, ids: deque[str]) -> None:
        """End what nobody will run any more, and what is enqueued by that."""
        while ids:
            for delivery in await bench.claim(ids.popleft()):
                job, _ = bench.intake.decode(delivery)
                step = self._step(bench)
                answer = await step.end(job, Cancelled())
                assert step.ended is not None
                ids.extend(_following(step.ended, answer))

    def _step(self, bench: _Bench) -> Step:
        return Step(self._core, self._executor, bench.run_context, bench.settle, bench.start)


async def _take(bench: _Bench, step: Step, job: Job, objection: Outcome | None) -> Answer | None:
    objection = objection or (await bench.intake.collect([job])).get(job)
    if objection is not None:
        return await step.end(job, objection)
    await bench.intake.look_up([job])
    return await step.run(job, interrupt=False)


class _Bench:
    """The lease of one session under which tasks run at once. Nothing beats for it: memory gives nobody up."""

    def __init__(self, core: Core, session: Session) -> None:
        self.session = session
        self.intake = Intake(core, session)
        is_leased = isinstance(session, MemorySession)
        self.run_context = RunContext(asyncio.get_running_loop(), core.storage, DEFAULT_LEASE, is_leased, core.name)
        here = session.here if isinstance(session, LiveBench) else session
        assert isinstance(here, MemorySession)
        self._here = here
        self._core = core
        self._owner = f"immediate-{os.getpid()}-{token_hex(6)}"
        self._number = 0
        self._recorder = Recorder(core)
        self.jobs: dict[str, Job] = {}
        """What runs now, for others to cancel it."""
        self.is_ready = False
        """Whether the hooks of the start have run."""
        self._is_registered = False
        self._starting: asyncio.Task[None] | None = None
        """Runs the hooks of the start; done when they have ended."""

    async def begin(self) -> None:
        """Begin the lease, once."""
        if not self._is_registered:
            self._is_registered = True
            await self._here.register(self._owner, json.dumps({"lease": DEFAULT_LEASE}).encode())
            self._here.call_at_notice(self._owner, self._hear)

    async def start_up(self) -> None:
        """Run the hooks of the start, once; no task begins before they have ended but those that they enqueue."""
        if _IN_LIFE_HOOK.get():
            return
        if self._starting is None:
            self._starting = make_task(self._run_hooks("on_startup"))
        await asyncio.shield(self._starting)
        self.is_ready = True

    async def shut_down(self) -> None:
        """Run the hooks of the end, if those of the start have run, and end the lease."""
        if self._starting is not None:
            await asyncio.shield(self._starting)
            self._starting, self.is_ready = None, False
            await make_task(self._run_hooks("on_shutdown"))
        if self._is_registered:
            self._is_registered = False
            await self._here.deregister(self._owner)

    async def claim(self, id: str) -> list[Delivery]:
        """Take a task, if it is queued."""
        return await self._here.claim_ids([id], self._owner)

    async def settle(self, job: Job, settlement: Settlement) -> Answer:
        """Write a settlement."""
        self._number += 1
        history = self._recorder.record([Settled(job, settlement)], self._owner)
        (answer,) = await self.session.settle([settlement], self._owner, self._number, history)
        return answer

    async def bury(self, job: Job, error: BaseException) -> None:
        """End a job that something kept from its end: nobody else would."""
        header, reason = job.delivery.header, f"it could not be ended: {type(error).__name__}: {error}"
        await self.settle(job, Bury(job.delivery.receipt, reason, also=header.expects))

    async def start(self, job: Job) -> bool:
        """Write that a body is about to run."""
        (accepted,) = await self._here.start([job.delivery.receipt], self._owner)
        return accepted

    async def is_seen_elsewhere(self, id: str) -> bool:
        """Say whether other processes see this task, and may end it."""
        if not isinstance(self.session, LiveBench) or not self._core.storage.capabilities.across_processes:
            return False
        (found,) = await self._here.locate([id])
        return found.state in ("ended", "unknown")

    async def _run_hooks(self, kind: Literal["on_startup", "on_shutdown"]) -> None:
        _IN_LIFE_HOOK.set(True)
        await self._core.hooks.run_life(kind)

    def _hear(self, notices: Notices) -> None:
        for id in notices.cancelled:
            job = self.jobs.get(id)
            if job is None or job.cancelled:
                continue
            job.cancelled = True
            if job.slot is not None:
                job.task.cancel_run()
                job.slot.cancel()


def _following(end: End, answer: Answer | None) -> dict[str, Task | None]:
    """Return what an end has enqueued, by its ids; None for a task that is only known by its message."""
    following: dict[str, Task | None] = {}
    if isinstance(end.settlement, Finish | Bury):
        following.update((task.id, task) for task in end.effects.enqueue)
        if answer == "fired" and end.settlement.latch is not None:
            following[end.settlement.latch.key] = None
    return following


def _final_error(end: End) -> BaseException | None:
    """Return what a body raised that will not run again."""
    if isinstance(end.settlement, Finish) and any(
        entry.header.id == end.settlement.receipt.id for entry in end.settlement.follow_ups
    ):
        return None
    match end.outcome:
        case Failed(error) | TimedOut(error):
            return error
        case CancelAsked() | Locked() | RateLimited():
            return end.outcome.error
        case _:
            return None
