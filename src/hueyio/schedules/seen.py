"""All schedules as commands and pages show them: those in the storage, and the periodic tasks of the code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from hueyio.core import Core
from hueyio.messages.tick_token import tick_of
from hueyio.schedules.switches import REMOVED, Outline, outline, tick_key
from hueyio.storage.contract import Session
from hueyio.tasks.declared import TaskSpec
from hueyio.times.timetable import Timetable, make_timetable

__all__ = ["SeenSchedule", "see_schedules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenSchedule:
    """One schedule; no call is read. Times are in UTC; None: not known, or never."""

    name: str
    task: str | None
    rule: str
    source: Literal["storage", "code"]
    next_run: datetime | None
    last_run: datetime | None
    paused: bool = False
    catch_up: bool = False
    """Whether the last time that was missed while no worker ran is made up."""
    timetable: Timetable | None = None
    """When it is due; None: it cannot be read."""


async def see_schedules(core: Core, session: Session, most: int, now: float, *, with_code: bool) -> list[SeenSchedule]:
    """List so many that are stored and, ``with_code``, the periodic tasks that are declared here."""
    stored = [outline(name, data) for name, data in await session.scan_keys("schedules", most) if data != REMOVED]
    declared = [spec for spec in core.registry if spec.timetable is not None] if with_code else []
    ticks = await session.peek("ticks", [*(tick_key(it.name) for it in stored), *(it.path for it in declared)])
    last = [tick_of(token) for token in ticks]
    found = [_stored(it, tick, now, utc=core.utc) for it, tick in zip(stored, last[: len(stored)], strict=True)]
    found += [_declared(it, tick, now) for it, tick in zip(declared, last[len(stored) :], strict=True)]
    return sorted(found, key=lambda it: (it.source, it.name))


def _stored(it: Outline, last: float | None, now: float, *, utc: bool) -> SeenSchedule:
    timetable = None if it.times is None else make_timetable(it.times, utc=utc)
    return SeenSchedule(
        name=it.name,
        task=it.task,
        rule="cannot be read" if it.times is None else str(it.times),
        source="storage",
        next_run=None if timetable is None or it.paused else _moment(timetable.next(now)),
        last_run=_moment(last),
        paused=it.paused,
        catch_up=it.catch_up,
        timetable=timetable,
    )


def _declared(spec: TaskSpec, last: float | None, now: float) -> SeenSchedule:
    assert spec.timetable is not None
    return SeenSchedule(
        name=spec.path,
        task=spec.path,
        rule=str(spec.timetable),
        source="code",
        next_run=_moment(spec.timetable.next(now)),
        last_run=_moment(last),
        catch_up=spec.catch_up,
        timetable=spec.timetable,
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
