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
from hueyio.execution.conclusion import conclude, error_seen
from hueyio.execution.effects import Effects
from hueyio.execution.executor import Executor
from hueyio.execution.hooks import Attendants, Hooks
from hueyio.execution.outcome import Expired, Failed, Interrupted, Outcome, RetryAsked, Revoked, Succeeded
from hueyio.execution.policy import WITHOUT_RESULTS, Rules
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
    def hooks(self) -> Hooks: ...

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
        self._executor = Executor(app.hooks)

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
        attendants: Attendants | None = None
        outcome = await self._objection(session, task, now)
        if outcome is None:
            await self._app.signals.send(SIGNAL_EXECUTING, task)
            spec = self._app.registry.find(task.name)
            around = SITE.set(Site(asyncio.get_running_loop(), self._app.storage, _LEASE)), RECEIPT.set(None)
            try:
                attendants = self._executor.attend(spec, task)
                outcome = await self._executor.run(spec, task, attendants)
            except BaseException:
                if attendants is not None:
                    attendants.caller.close()
                raise
            finally:
                SITE.reset(around[0])
                RECEIPT.reset(around[1])
        try:
            return await self._end(session, task, outcome, attendants)
        finally:
            if attendants is not None:
                attendants.caller.close()

    async def _end(
        self, session: Session, task: Task, outcome: Outcome, attendants: Attendants | None
    ) -> tuple[Task, ...]:
        """Write what follows from the outcome and tell of it; return what is to be run next."""
        outcome, effects, data = conclude(task, outcome, self._app.now(), self._rules_of(task), self._encode)
        error = (outcome.error,) if isinstance(outcome, Failed | RetryAsked) else ()
        for signal in effects.before:
            await self._app.signals.send(signal, task, *error)
        await self._apply(session, task, effects, data)
        if attendants is not None and attendants.body_began and not isinstance(outcome, Interrupted):
            value = outcome.value if isinstance(outcome, Succeeded) else None
            await attendants.after(value, error_seen(task, outcome))
        for signal in effects.after:
            await self._app.signals.send(signal, task)
        return effects.enqueue

    async def _objection(self, session: Session, task: Task, now: float) -> Outcome | None:
        keys = (instance_key(task.id), class_key(task.name))
        picked = pick_revocation(keys, tuple(await session.peek("revocations", keys)), now)
        if picked is not None:
            return Revoked(picked[0] if picked[1].once else None)
        if task.expires_resolved is not None and task.expires_resolved.timestamp() < now:
            return Expired()
        return None

    def _rules_of(self, task: Task) -> Rules:
        spec = self._app.registry.get(task.name)
        return self._app.rules if spec is None or spec.timetable is None else WITHOUT_RESULTS

    def _encode(self, effects: Effects) -> bytes | None:
        for follow_up in effects.enqueue:
            make_entry(follow_up, self._app.registry, self._app.serializer, self._app.now())
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
