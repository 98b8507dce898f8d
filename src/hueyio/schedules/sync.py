"""Schedules that are kept in the storage, for code that blocks."""

from __future__ import annotations

from hueyio.handles.blocking import blocking
from hueyio.schedules.stored import Schedules

__all__ = ["SyncSchedules"]


class SyncSchedules:
    """Schedules that are kept in the storage, for code that blocks; see ``Schedules``."""

    def __init__(self, schedules: Schedules) -> None:
        self._wrapped = schedules

    add = blocking(Schedules.add)
    remove = blocking(Schedules.remove)
    pause = blocking(Schedules.pause)
    resume = blocking(Schedules.resume)
    run_now = blocking(Schedules.run_now)
    list = blocking(Schedules.list)
