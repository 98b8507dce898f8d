"""Schedules that are kept in the storage, for code that blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hueyio.handles.blocking import Blocking
from hueyio.handles.sync_result import to_sync
from hueyio.handles.sync_task import SyncTask
from hueyio.handles.wrapper import TaskWrapper
from hueyio.schedules.stored import ScheduleInfo, Schedules
from hueyio.tasks.task import Task
from hueyio.times.crontab import crontab

__all__ = ["SyncSchedules"]


class SyncSchedules(Blocking):
    """Schedules that are kept in the storage, for code that blocks; see ``Schedules``."""

    __slots__ = ()

    _wrapped: Schedules

    @property
    def aio(self) -> Schedules:
        """The same for coroutines."""
        return self._wrapped

    # --- made from ``Schedules`` by `python -m tests.support.facade`; what is above is by hand

    def add(
        self,
        name: str,
        task: TaskWrapper[..., Any] | SyncTask[..., Any] | Task,
        times: crontab | str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        catch_up: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Call a task whenever ``times`` says so: a crontab, or a line such as ``*/5 * * * *``.

        See ``Schedules.add``.
        """
        self._wait(self._wrapped.add(name, task, times, args, kwargs, catch_up=catch_up, headers=headers))

    def remove(self, name: str) -> bool:
        """Forget a schedule; False if there is none of that name. What it enqueued before stays."""
        answer: bool = self._wait(self._wrapped.remove(name))
        return answer

    def pause(self, name: str) -> bool:
        """Let a schedule rest until ``resume``; False if there is none of that name."""
        answer: bool = self._wait(self._wrapped.pause(name))
        return answer

    def resume(self, name: str) -> bool:
        """Go on with a paused schedule, from now on; False if there is none of that name."""
        answer: bool = self._wait(self._wrapped.resume(name))
        return answer

    def run_now(self, name: str) -> Any:
        """Enqueue the schedule's call at once, beside its times; return what ``huey.enqueue`` does.

        See ``Schedules.run_now``.
        """
        answer: Any = to_sync(self._wait(self._wrapped.run_now(name)))
        return answer

    def list(self) -> list[ScheduleInfo]:
        """List all schedules, by name, with their next and last times."""
        answer: list[ScheduleInfo] = self._wait(self._wrapped.list())
        return answer
