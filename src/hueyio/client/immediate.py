"""Immediate mode: run a task where it is enqueued, through the same executor and policy, without queue and slots.

Arguments are serialised as a check and then passed by reference. A retry without delay and the next stage of a
pipeline run in a loop here; what is due later goes to the schedule and stays there. Results are written one after
another: nobody else can be consuming them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, Protocol

from hueyio.client.chord_plan import PlannedLatch
from hueyio.execution.effects import Effects
from hueyio.execution.executor import Executor
from hueyio.execution.finish import conclude, error_seen
from hueyio.execution.hooks import AttemptHooks, Hooks
from hueyio.execution.outcome import Expired, Failed, Interrupted, Outcome, RetryAsked, Revoked, Succeeded
from hueyio.execution.policy import WITHOUT_RESULTS, Rules
from hueyio.execution.run_context import RUN_CONTEXT, RunContext
from hueyio.messages.entry import enqueue_signal, make_entry
from hueyio.messages.member_result import MemberResult, value_of
from hueyio.messages.revocation import class_key, instance_key, pick_revocation
from hueyio.messages.stored_result import write_ending
from hueyio.serializer import Serializer
from hueyio.signals import SIGNAL_EXECUTING, Signals
from hueyio.storage.contract import Session, Storage
from hueyio.tasks.registry import Registry
from hueyio.tasks.task import Task

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


class _Reports:
    """What the members of a chord have reported, by position."""

    def __init__(self, latch: PlannedLatch) -> None:
        self.latch = latch
        self.values: dict[int, Any] = {}

    def callback(self) -> Task:
        """Return the callback with the values."""
        return self.latch.callback.replaced(values=[self.values[at] for at in range(self.latch.size)])


class ImmediateRunner:
    """Runs tasks in the coroutine that enqueues them."""

    def __init__(self, app: _App) -> None:
        self._app = app
        self._executor = Executor(app.hooks)
        self._latches: dict[str, _Reports] = {}

    async def run(self, task: Task) -> None:
        """Run the task and all that follows it at once; its failure is in its result, never raised here."""
        waiting = deque([task])
        while waiting:
            waiting.extend(await self._run_one(waiting.popleft()))

    async def run_chord(self, members: Sequence[Task], latches: Sequence[PlannedLatch]) -> None:
        """Run the members of a chord and of all chords inside, and the callbacks.

        A chord with a member that is put off stays incomplete, as what is put off is not run here.
        """
        self._latches.update({latch.callback.id: _Reports(latch) for latch in latches})
        for latch in latches:
            if latch.size == 0:
                await self.run(self._latches.pop(latch.callback.id).callback())
        for member in members:
            await self.run(member)

    async def _run_one(self, task: Task) -> tuple[Task, ...]:
        session = await self._app.session()
        now = self._app.now()
        # Encoded also where nothing is written: what a consumer could not read must not work here.
        entry = make_entry(task, self._app.registry, self._app.serializer, now)
        if entry.header.eta is not None:
            await session.enqueue([entry])
        await self._app.signals.send(enqueue_signal(entry), task)
        if entry.header.eta is not None:
            return ()
        hooks: AttemptHooks | None = None
        outcome = await self._objection(session, task, now)
        if outcome is None:
            await self._app.signals.send(SIGNAL_EXECUTING, task)
            spec = self._app.registry.find(task.name)
            around = RUN_CONTEXT.set(RunContext(asyncio.get_running_loop(), self._app.storage, _LEASE))
            try:
                hooks = self._executor.hooks_around(spec, task)
                outcome = await self._executor.run(spec, task, hooks)
            except BaseException:
                if hooks is not None:
                    hooks.caller.close()
                raise
            finally:
                RUN_CONTEXT.reset(around)
        try:
            return await self._end(session, task, outcome, hooks)
        finally:
            if hooks is not None:
                hooks.caller.close()

    async def _end(
        self, session: Session, task: Task, outcome: Outcome, hooks: AttemptHooks | None
    ) -> tuple[Task, ...]:
        """Write what follows from the outcome and tell of it; return what is to be run next."""
        outcome, effects, data = conclude(task, outcome, self._app.now(), self._rules_of(task), self._encode)
        error = (outcome.error,) if isinstance(outcome, Failed | RetryAsked) else ()
        for signal in effects.before:
            await self._app.signals.send(signal, task, *error)
        await self._apply(session, task, effects, data)
        if hooks is not None and hooks.body_began and not isinstance(outcome, Interrupted):
            value = outcome.value if isinstance(outcome, Succeeded) else None
            await hooks.after(value, error_seen(task, outcome))
        for signal in effects.after:
            await self._app.signals.send(signal, task)
        return (*effects.enqueue, *self._report(task, effects.member_result))

    def _report(self, task: Task, report: MemberResult | None) -> tuple[Task, ...]:
        """MemberResult to the chord that the task is a member of; return the callback when that was the last."""
        reports = None if task.chord is None or report is None else self._latches.get(task.chord.latch)
        if reports is None or task.chord is None or report is None:
            return ()
        reports.values.setdefault(task.chord.position, value_of(report))
        if len(reports.values) < reports.latch.size:
            return ()
        return (self._latches.pop(task.chord.latch).callback(),)

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
