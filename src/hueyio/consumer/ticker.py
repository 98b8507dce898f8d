"""Fire the ticks of periodic tasks and of stored schedules, exactly when they are due.

No consumer leads. Each follows all plans by its own clock and enqueues what is due, in one write; the once token of a
tick lets the first of them through, and the same step notes the tick as the last of its series. From that note a
consumer that starts learns where to go on: what it has no note of counts from now, so that nothing ever fires merely
because a consumer started.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from hueyio.client.around_enqueue import write_inside
from hueyio.client.prepare import prepare
from hueyio.consumer.service import Service
from hueyio.core import Core
from hueyio.exceptions import StorageUnavailable
from hueyio.messages.tick_token import tick_of
from hueyio.named_tuple import NamedTuple
from hueyio.schedules.stored import StoredSchedule, read_schedules
from hueyio.schedules.ticks import DueTicks, call_of
from hueyio.signals import SIGNAL_ENQUEUED
from hueyio.storage.contract import Session
from hueyio.storage.records import Enqueued, Entry
from hueyio.storage.shared.background import make_task
from hueyio.tasks.declared import TaskSpec
from hueyio.tasks.log_fields import log_about, log_fields
from hueyio.tasks.task import Task

__all__ = ["Ticker"]

logger = logging.getLogger(__name__)

_LONGEST_REST: Final = 1.0
"""Seconds: bounds what a clock that jumps can delay, and when a task that was just declared is seen. Costs no I/O."""

_LONGEST_MIDDLEWARE: Final = 10.0
"""Seconds that each middleware gets around the enqueue of what is due, to be entered and to be left: other calls become
due meanwhile."""


class _Firing(NamedTuple):
    plan: DueTicks
    tick: float
    task: Task
    entry: Entry


class Ticker(Service):
    """Owns the plans: one for each declared periodic task, in the order of declaration, and for each schedule."""

    def __init__(self, session: Session, core: Core) -> None:
        super().__init__()
        self._session = session
        self._core = core
        self._declared: dict[TaskSpec, DueTicks] = {}
        self._stored: list[DueTicks] = []
        self._is_stale = True
        self._telling: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Step until stopped; leave no receiver of a signal behind."""
        try:
            await super().run()
        finally:
            for telling in self._telling:
                telling.cancel()

    def reload(self) -> None:
        """Read the stored schedules again: one of them was written."""
        self._is_stale = True
        self.wake()

    async def step(self) -> float:
        """Fire what is due; rest until the next tick."""
        await self._learn()
        now = self._core.now()
        plans = [*self._declared.values(), *self._stored]
        firings = [firing for plan in plans if (firing := self._look(plan, now)) is not None]
        if firings:
            await self._fire(firings)
        for plan in plans:
            plan.looked = now
        return self._rest(plans)

    def next_tick(self) -> float | None:
        """Return the next time at which one of them may be due, epoch seconds; None: never."""
        plans = [*self._declared.values(), *self._stored]
        return min((tick for plan in plans if (tick := plan.next(plan.looked)) is not None), default=None)

    def _rest(self, plans: list[DueTicks]) -> float:
        now = self._core.now()
        nexts = [tick for plan in plans if (tick := plan.next(plan.looked)) is not None]
        return min(max(min(nexts, default=now + _LONGEST_REST) - now, 0.0), _LONGEST_REST)

    async def _learn(self) -> None:
        """Keep the plans true to what is declared and stored."""
        specs = [spec for spec in self._core.registry if spec.timetable is not None]
        if specs != list(self._declared):
            fresh = [spec for spec in specs if spec not in self._declared]
            ticks = await self._last_ticks([spec.path for spec in fresh])
            plans = {spec: self._plan_of(spec, tick) for spec, tick in zip(fresh, ticks, strict=True)}
            self._declared = {spec: self._declared.get(spec) or plans[spec] for spec in specs}
        if self._is_stale:
            self._is_stale = False
            try:
                await self._load()
            except BaseException:
                self._is_stale = True
                raise

    async def _load(self) -> None:
        rows = await self._session.scan_keys("schedules")
        schedules = [it for it in read_schedules(rows, self._core.serializer) if self._is_followed(it)]
        ticks = await self._last_ticks([it.key for it in schedules])
        utc = self._core.utc
        self._stored = [it.to_plan(tick, utc=utc) for it, tick in zip(schedules, ticks, strict=True)]

    def _is_followed(self, schedule: StoredSchedule) -> bool:
        if schedule.paused:
            return False
        if self._core.registry.get(schedule.task.path) is None:
            logger.warning("schedule %s: no task named %r here", schedule.name, schedule.task.path)
            return False
        return True

    def _plan_of(self, spec: TaskSpec, last: float | None) -> DueTicks:
        assert spec.timetable is not None
        looked = self._core.now() if last is None else last
        return DueTicks(spec.path, spec.timetable, lambda: call_of(spec), looked=looked, catch_up=spec.catch_up)

    async def _last_ticks(self, keys: list[str]) -> list[float | None]:
        if not keys:
            return []
        return [tick_of(token) for token in await self._session.peek("ticks", keys)]

    def _look(self, plan: DueTicks, now: float) -> _Firing | None:
        """Return what a plan has due. What its own code raises costs only this tick of it."""
        try:
            tick = plan.due(now)
            return (
                None if tick is None else _Firing(plan, tick, *plan.entry(tick, lambda task: prepare(self._core, task)))
            )
        except Exception:
            logger.exception("periodic %s cannot be enqueued", plan.key)
            return None

    async def _fire(self, firings: list[_Firing]) -> None:
        try:
            placed = await self._write(firings)
        except StorageUnavailable:
            raise  # nothing is decided: tried again, as long as it is not too late
        except Exception:  # of the storage, or of middleware of the user's
            if len(firings) == 1:
                logger.exception("periodic %s cannot be enqueued", firings[0].plan.key)
                return
            for firing in firings:  # one of them cannot be enqueued: the others must not pay for it
                await self._fire([firing])
            return
        for firing, place in zip(firings, placed, strict=True):
            if place.verdict == "added":
                fields = log_fields(firing.task, self._core.name)
                text = "periodic %s: tick %.0f is task %s"
                log_about(logger, logging.DEBUG, text, firing.plan.key, firing.tick, firing.task.id, fields=fields)
                self._tell(firing.task)

    async def _write(self, firings: list[_Firing]) -> list[Enqueued]:
        """Write what is due, with the middleware around it."""
        if not self._core.hooks.around_enqueue:
            return list(await self._session.enqueue([it.entry for it in firings]))
        tasks = [it.task for it in firings]

        async def write() -> list[Enqueued]:
            entries = [it.entry._replace(data=prepare(self._core, it.task).data) for it in firings]
            return list(await self._session.enqueue(entries))

        def ids_of(placed: list[Enqueued]) -> list[str | None]:
            verdicts = zip(tasks, placed, strict=True)
            return [task.id if it.verdict == "added" else it.holder for task, it in verdicts]

        return await write_inside(self._core, tasks, write, ids_of, _LONGEST_MIDDLEWARE)

    def _tell(self, task: Task) -> None:
        """Call the receivers beside the loop of steps: a slow one must not hold up the next tick."""
        if self._core.signals:
            telling = make_task(self._core.signals.send(SIGNAL_ENQUEUED, task))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)
