"""One Huey's work in one loop: claim a task, run it to its end, tell what came of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from hueyio.client.caller_threads import CallerThreads
from hueyio.consumer.driver import Driver
from hueyio.consumer.ticker import Ticker
from hueyio.core import DEFAULT_LEASE, Core
from hueyio.execution.executor import Executor
from hueyio.execution.outcome import Failed, Interrupted, Outcome, RetryAsked, Succeeded, TimedOut
from hueyio.messages.message import read_task
from hueyio.storage.contract import Session
from hueyio.storage.records import LANES, Found
from hueyio.tasks.states import TaskState, state_of_end
from hueyio.tasks.task import Task
from hueyio.testing.ran import Ran

__all__ = ["Hands", "Lost"]

_AT_ONCE: Final = 1000


class Lost:
    """Workers that were killed: their leases' ends, by owner. What they held goes back then."""

    def __init__(self) -> None:
        self.ends: dict[str, float] = {}

    def next_end(self) -> float | None:
        """Return when the first of the leases is over."""
        return min(self.ends.values(), default=None)

    def take_over(self, now: float) -> list[str]:
        """Return, and forget, whose lease is over."""
        over = [owner for owner, end in self.ends.items() if end <= now]
        for owner in over:
            del self.ends[owner]
        return over


class _Lease:
    """A lease for which nothing beats: in a test nobody else gives it up."""

    def __init__(self, session: Session) -> None:
        self.owner = f"test-{uuid4().hex[:12]}"
        self._session = session

    async def begin(self) -> None:
        """Register its owner."""
        await self._session.register(self.owner, json.dumps({"lease": DEFAULT_LEASE}).encode())

    async def end(self) -> None:
        """Give back what it holds."""
        await self._session.deregister(self.owner)


class Hands:
    """Runs tasks one by one, as a consumer does. Bodies of ``def`` tasks run in the thread of a blocking caller."""

    def __init__(self, core: Core, session: Session, lost: Lost) -> None:
        self._core = core
        self._session = session
        self._lost = lost
        self._refused: list[tuple[Task, Outcome]] = []
        executor = Executor(core, CallerThreads("hueyio-task", on_start=core.hooks.start_thread))
        self._driver = Driver(core, session, executor, lambda *it: self._refused.append(it), lambda: _Lease(session))
        self._ticker = Ticker(session, core)

    async def enqueue_due(self) -> None:
        """Enqueue what periodic tasks and stored schedules have due, and bring back what killed workers held."""
        self._ticker.reload()
        await self._ticker.step()
        owners = {it.owner: it.beat for it in await self._session.owners()}
        for owner in self._lost.take_over(self._core.now()):
            if owner in owners:  # else a consumer beside the test has taken over
                await self._session.reclaim(owner, owners[owner])
        while (await self._session.promote(self._core.now(), _AT_ONCE)).moved >= _AT_ONCE:
            pass

    async def next_due(self) -> float | None:
        """Return when something is due next, epoch seconds; None: never."""
        promoted = await self._session.promote(self._core.now(), 0)
        moments = [promoted.next_eta, self._ticker.next_tick(), self._lost.next_end()]
        return min((it for it in moments if it is not None), default=None)

    async def run_one(self) -> list[Ran]:
        """Run the next task; return how it ended, and how those did that could not be run on the way.

        Raises KeyboardInterrupt if the body was interrupted: by Ctrl-C, which is meant for the test.
        """
        task = await self._driver.dequeue()
        at = self._core.now()
        ended, self._refused = self._refused, []
        if task is not None and (outcome := await self._driver.run(task, None)) is not None:
            if isinstance(outcome, Interrupted):
                raise KeyboardInterrupt(outcome.cause)
            ended.append((task, outcome))
        return [await self._told(it, at, outcome) for it, outcome in ended]

    async def lose_worker(self) -> Task | None:
        """Have a worker take the next task, begin it, and be killed; return the task."""
        lease = _Lease(self._session)
        await lease.begin()
        for lane in LANES:
            for delivery in await self._session.claim({lane: 1}, lease.owner):
                await self._session.start([delivery.receipt], lease.owner)
                self._lost.ends[lease.owner] = self._core.now() + DEFAULT_LEASE
                return read_task(delivery.data, self._core.serializer, delivery.header.id)
        await lease.end()
        return None

    async def _told(self, task: Task, at: float, outcome: Outcome) -> Ran:
        (found,) = await self._session.locate([task.id])
        value = outcome.value if isinstance(outcome, Succeeded) else None
        error: Any = getattr(outcome, "error", None)
        return Ran(task.path, _moment(at), _state(found, outcome), value, error, task)


def _state(found: Found, outcome: Outcome) -> TaskState:
    if found.state in ("queued", "scheduled"):
        if isinstance(outcome, Failed | TimedOut | RetryAsked):
            return "retrying"
        return "ready" if found.state == "queued" else "scheduled"
    if found.kind is not None:
        return state_of_end(found.kind)
    return "done" if isinstance(outcome, Succeeded) else "failed"


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
