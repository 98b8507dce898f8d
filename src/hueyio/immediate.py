"""Immediate mode: run a task where it is enqueued, through the same executor and policy, without queue and slots.

Arguments are serialised as a check and then passed by reference. A retry without delay and the next stage of a
pipeline run in a loop here; what is due later goes to the schedule and stays there. Results are written one after
another: nobody else can be consuming them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Final, Protocol

from hueyio.endings import write_ending
from hueyio.entries import make_entry
from hueyio.exceptions import SerializationError, TaskArgumentError
from hueyio.execution.effects import Effects
from hueyio.execution.executor import Executor
from hueyio.execution.outcome import Expired, Failed, Outcome, RetryAsked, Revoked
from hueyio.execution.policy import WITHOUT_RESULTS, Rules, decide
from hueyio.execution.site import RECEIPT, SITE, Site
from hueyio.registry import Registry
from hueyio.revocation import class_key, instance_key, pick_revocation
from hueyio.serializer import Serializer
from hueyio.signals import SIGNAL_ENQUEUED, SIGNAL_EXECUTING, SIGNAL_SCHEDULED, Signals
from hueyio.storage.contract import Session, Storage
from hueyio.task import Task

__all__ = ["ImmediateRunner"]

logger = logging.getLogger(__name__)


_LEASE: Final = 15.0


class _App(Protocol):
    """What running at once needs of its Huey."""

    @property
    def registry(self) -> Registry: ...

    @property
    def serializer(self) -> Serializer: ...

    @property
    def signals(self) -> Signals: ...

    @property
    def rules(self) -> Rules: ...

    @property
    def result_ttl(self) -> float | None: ...

    @property
    def storage(self) -> Storage: ...

    async def session(self) -> Session: ...

    def now(self) -> float: ...


class ImmediateRunner:
    """Runs tasks in the coroutine that enqueues them."""

    def __init__(self, app: _App) -> None:
        self._app = app
        self._executor = Executor()

    async def run(self, task: Task) -> None:
        """Run the task and all that follows it at once; its failure is in its result, never raised here."""
        waiting = deque([task])
        while waiting:
            waiting.extend(await self._run_one(waiting.popleft()))

    async def _run_one(self, task: Task) -> tuple[Task, ...]:
        session = await self._app.session()
        now = self._app.now()
        # Encoded also where nothing is written: what a consumer could not read must not work here.
        entry = make_entry(task, self._app.registry, self._app.serializer, now)
        if entry.header.eta is not None:
            await session.enqueue([entry])
            await self._app.signals.send(SIGNAL_SCHEDULED, task)
            return ()
        await self._app.signals.send(SIGNAL_ENQUEUED, task)
        outcome = await self._objection(session, task, now)
        if outcome is None:
            await self._app.signals.send(SIGNAL_EXECUTING, task)
            outcome = await self._execute(task)
        effects, data = self._decide(task, outcome)
        error = (outcome.error,) if isinstance(outcome, Failed | RetryAsked) else ()
        for signal in effects.before:
            await self._app.signals.send(signal, task, *error)
        await self._apply(session, task, effects, data)
        for signal in effects.after:
            await self._app.signals.send(signal, task)
        return effects.enqueue

    async def _execute(self, task: Task) -> Outcome:
        around = SITE.set(Site(asyncio.get_running_loop(), self._app.storage, _LEASE)), RECEIPT.set(None)
        try:
            return await self._executor.run(self._app.registry.find(task.name), task)
        finally:
            SITE.reset(around[0])
            RECEIPT.reset(around[1])

    async def _objection(self, session: Session, task: Task, now: float) -> Outcome | None:
        keys = (instance_key(task.id), class_key(task.name))
        picked = pick_revocation(keys, tuple(await session.peek("revocations", keys)), now)
        if picked is not None:
            return Revoked(picked[0] if picked[1].once else None)
        if task.expires_resolved is not None and task.expires_resolved.timestamp() < now:
            return Expired()
        return None

    def _decide(self, task: Task, outcome: Outcome) -> tuple[Effects, bytes | None]:
        effects = decide(task, outcome, self._app.now(), self._rules_of(task))
        if isinstance(outcome, Failed):
            logger.error("task %s %s failed", task.name, task.id, exc_info=outcome.error)
        try:
            for follow_up in effects.enqueue:
                make_entry(follow_up, self._app.registry, self._app.serializer, self._app.now())
            return effects, self._encode(effects)
        except (SerializationError, TaskArgumentError) as error:
            failed = Failed(SerializationError(f"what task {task.name} returned: {error}"))
            effects = decide(task, failed, self._app.now(), self._rules_of(task))
            return effects, self._encode(effects)

    def _rules_of(self, task: Task) -> Rules:
        spec = self._app.registry.get(task.name)
        return self._app.rules if spec is None or spec.timetable is None else WITHOUT_RESULTS

    def _encode(self, effects: Effects) -> bytes | None:
        return None if effects.ending is None else write_ending(effects.ending, self._app.serializer)

    async def _apply(self, session: Session, task: Task, effects: Effects, data: bytes | None) -> None:
        if data is not None:
            results = dict.fromkeys((task.id, *effects.downstream), data)
            await session.put("results", results, self._app.result_ttl)
        else:
            await session.delete("results", [task.id])
        keys = [key for area, key in effects.deletes if area == "revocations"]
        if effects.take is not None:
            keys.append(effects.take[1])
        if keys:
            await session.delete("revocations", keys)
