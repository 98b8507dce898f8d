"""Immediate mode: run tasks where they are enqueued, as a consumer would.

Theory of operation. What is enqueued goes into a queue in memory; who enqueued it claims it, and nothing else, under
one lease of the session, and ends it through the same pipeline as a consumer. So unique calls, revocations, chords,
limits and hooks are the same code. Arguments are encoded as a check and then passed by reference: the message of a
task that is known here is not decoded. A retry without delay, the next stage of a pipeline and the callback of a chord
run in the same loop. What is due later goes to the schedule and stays there.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from collections.abc import Sequence
from typing import Final
from uuid import uuid4

from hueyio.client.caller_threads import CallerThreads
from hueyio.client.live_bench import LiveBench
from hueyio.core import DEFAULT_LEASE, Core
from hueyio.exceptions import HueyException
from hueyio.execution.executor import Executor
from hueyio.execution.finish import End
from hueyio.execution.intake import Intake
from hueyio.execution.job import Job
from hueyio.execution.outcome import CancelAsked, Failed, Locked, Outcome, RateLimited, TimedOut
from hueyio.execution.run_context import RunContext
from hueyio.execution.step import Step
from hueyio.storage.contract import Session
from hueyio.storage.memory.session import MemorySession
from hueyio.storage.memory.state import MemoryState
from hueyio.storage.records import DEAD_LIMIT, Answer, Bury, Delivery, Finish, Settlement
from hueyio.tasks.task import Task

__all__ = ["Immediate"]

_OVER: Final = ("stored", "dead", "gone")


class Immediate:
    """Runs what one Huey enqueues, in the coroutine that enqueues it."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._executor = Executor(core.hooks, CallerThreads("hueyio-task"))
        self._state = MemoryState(core.now, DEAD_LIMIT)
        """The queue where the live storage is used."""

    async def session(self) -> Session:
        """Return the session whose queue is in memory."""
        return (await self._bench()).session

    async def run(self, tasks: Sequence[Task]) -> None:
        """Run these tasks, which are enqueued, and all that follows them; not what is due later.

        Their errors are in their results; with ``raise_errors`` the first of them is raised when all have ended.
        """
        bench = await self._bench()
        bench.under_way += 1
        try:
            await bench.start_up()
            error = await self._run_all(bench, tasks)
        finally:
            bench.under_way -= 1
            bench.tell_ended()
        if error is not None and self._core.raise_errors:
            raise error

    async def wait(self, id: str) -> None:
        """Wait until a task is over, as far as that is known here.

        Raises HueyException where nothing will ever end it, because no other process sees it.
        """
        bench = await self._bench()
        while True:
            ended = bench.ended
            (found,) = await bench.session.locate([id])
            if found.state in _OVER:
                return
            if found.state == "scheduled" or not bench.under_way:
                if self._core.storage.capabilities.across_processes:
                    return
                raise HueyException(
                    f"task {id} is {found.state} and would be awaited for ever: in immediate mode nothing runs what is "
                    "due later; read_schedule(), dequeue() and execute() drive it by hand"
                )
            await ended.wait()

    async def shut_down(self) -> None:
        """Run the hooks of the end, if those of the start have run in this loop's session."""
        bench = self._core.peek_beside_session(_Bench)
        if bench is not None and bench.has_started:
            bench.has_started = False
            await self._core.hooks.run_life("on_shutdown")

    async def _bench(self) -> _Bench:
        return await self._core.beside_session(_Bench, self._make_bench)

    def _make_bench(self, session: Session) -> _Bench:
        if not isinstance(session, MemorySession) or not self._core.storage.capabilities.keeps:
            session = LiveBench(self._state, session)
        return _Bench(self._core, session)

    async def _run_all(self, bench: _Bench, tasks: Sequence[Task]) -> BaseException | None:
        known: dict[str, Task | None] = {task.id: task for task in tasks}
        waiting = deque(known)
        first_error: BaseException | None = None
        while waiting:
            for delivery in await bench.claim(waiting.popleft()):
                end, answer = await self._run_one(bench, delivery, known.get(delivery.header.id))
                following = _following(end, answer)
                known.update(following)
                waiting.extend(following)
                first_error = first_error or _final_error(end)
        return first_error

    async def _run_one(self, bench: _Bench, delivery: Delivery, task: Task | None) -> tuple[End, Answer | None]:
        job, objection = bench.intake.decode(delivery) if task is None else bench.intake.accept(delivery, task)
        while True:
            step = Step(self._core, self._executor, bench.run_context, bench.settle, bench.start)
            answer = await _take(bench, step, job, objection)
            assert step.ended is not None
            if answer != "untaken":
                return step.ended, answer
            # The revocation that was to stop it was used up by another task: decide anew.


async def _take(bench: _Bench, step: Step, job: Job, objection: Outcome | None) -> Answer | None:
    objection = objection or (await bench.intake.collect([job])).get(job)
    if objection is not None:
        return await step.end(job, objection)
    await bench.intake.look_up([job])
    return await step.run(job, interrupt=False)


class _Bench:
    """The lease of one session under which tasks run at once. Nothing beats for it: memory gives nobody up."""

    def __init__(self, core: Core, session: MemorySession) -> None:
        self.session = session
        self.intake = Intake(core, session)
        is_leased = not isinstance(session, LiveBench)
        self.run_context = RunContext(asyncio.get_running_loop(), core.storage, DEFAULT_LEASE, is_leased)
        self.under_way = 0
        """How many calls run their tasks now."""
        self.ended = asyncio.Event()
        """Set, and replaced, whenever one of them has ended."""
        self.has_started = False
        self._core = core
        self._owner = f"immediate-{os.getpid()}-{uuid4().hex[:12]}"
        self._number = 0

    async def start_up(self) -> None:
        """Begin the lease, and run the hooks of the start, once."""
        if not self.has_started:
            self.has_started = True  # before the hooks, which may enqueue tasks
            await self.session.register(self._owner, json.dumps({"lease": DEFAULT_LEASE}).encode())
            await self._core.hooks.run_life("on_startup")

    def tell_ended(self) -> None:
        """Let those who wait look again."""
        ended, self.ended = self.ended, asyncio.Event()
        ended.set()

    async def claim(self, id: str) -> list[Delivery]:
        """Take a task, if it is queued."""
        return await self.session.claim_ids([id], self._owner)

    async def settle(self, settlement: Settlement) -> Answer:
        """Write a settlement."""
        self._number += 1
        (answer,) = await self.session.settle([settlement], self._owner, self._number)
        return answer

    async def start(self, job: Job) -> bool:
        """Write that a body is about to run."""
        (accepted,) = await self.session.start([job.delivery.receipt], self._owner)
        return accepted


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
