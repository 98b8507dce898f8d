"""What is due of one periodic task, and the entry that fires a tick once for the whole fleet. Pure."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from hueyio.messages.tick_token import tick_token
from hueyio.storage.records import Entry
from hueyio.tasks.declared import TaskOptions, TaskSpec
from hueyio.tasks.task import Task
from hueyio.times.timetable import Timetable

__all__ = ["DueTicks", "call_of", "make_tick_entry"]

logger = logging.getLogger(__name__)

_DAY: Final = 86400.0

_MOST_LATENESS: Final = 60.0

_OF_A_CALL: Final = tuple(name for name in TaskOptions.__dataclass_fields__ if hasattr(Task, name))
"""What a declaration says for every call."""

_CLOCK_WENT_BACK: Final = 60.0
"""Seconds by which a clock must be behind what was decided before it is believed."""


class DueTicks:
    """One periodic task of one consumer. ``looked`` is up to when its ticks are decided, in epoch seconds.

    A tick that other consumers fire as well does no harm: its once token lets one of them through.
    """

    def __init__(
        self, key: str, times: Timetable, make_task: Callable[[], Task], *, looked: float, catch_up: bool = False
    ) -> None:
        self.key = key
        self.looked = looked
        self._times = times
        self._make_task = make_task
        self._catch_up = catch_up

    def due(self, now: float) -> float | None:
        """Return the tick that must fire at ``now``: the last one, unless it is too late for it."""
        if now < self.looked - _CLOCK_WENT_BACK:
            self.looked = now
        after = self.looked if self._catch_up else max(self.looked, now - _MOST_LATENESS - 1)
        tick = self._times.latest(after, now)
        if tick is None or self._catch_up or now - tick <= self._times.lateness(tick):
            return tick
        logger.warning("periodic %s: its time of %.0f s ago was missed", self.key, now - tick)
        return None

    def next(self, now: float) -> float | None:
        """Return the next time at which something may be due."""
        return self._times.next(max(self.looked, now))

    def entry(self, tick: float, prepare: Callable[[Task], Entry]) -> tuple[Task, Entry]:
        """Return a fresh call of the task and the entry that fires this tick."""
        task = self._make_task()
        return task, make_tick_entry(prepare(task), self.key, tick, self._times.lateness(tick))


def make_tick_entry(entry: Entry, key: str, tick: float, lateness: float) -> Entry:
    """Return the entry that is added once for this tick, and that notes it as the last one of its series."""
    header = entry.header._replace(once_token=tick_token(key, tick), once_ttl=lateness + _DAY, once_key=key)
    return entry._replace(header=header)


def call_of(spec: TaskSpec) -> Task:
    """Return a fresh call of a declared task, without arguments."""
    return Task(spec.path, **{name: getattr(spec.options, name) for name in _OF_A_CALL})
