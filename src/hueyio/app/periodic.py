"""Periodic tasks and schedules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from hueyio.app.declaring import Declaring
from hueyio.exceptions import ConfigurationError, TaskArgumentError
from hueyio.handles.decorators import TaskDecorator
from hueyio.handles.wrapper import TaskWrapper
from hueyio.schedules.stored import Schedules
from hueyio.schedules.ticks import call_of
from hueyio.tasks.task import Expires, Task
from hueyio.times.crontab import crontab
from hueyio.times.timetable import make_timetable

__all__ = ["Periodic"]


class Periodic(Declaring):
    """Tasks that consumers enqueue by themselves."""

    def periodic_task(
        self,
        validate_datetime: crontab | Callable[[datetime], bool],
        *,
        catch_up: bool = False,
        retries: int = 0,
        retry_delay: float = 0,
        retry_backoff: float = 0,
        priority: float | None = None,
        context: bool = False,
        name: str | None = None,
        expires: Expires | None = None,
        timeout: float | None = None,
        **settings: Any,
    ) -> TaskDecorator:
        """Declare a task that is enqueued whenever it is due, once however many consumers run.

        ``validate_datetime`` is a crontab, or a function that is asked each minute with a naive datetime (UTC; local
        time with ``utc=False``). A time that no consumer saw within a minute (or within the task's period, where that
        is shorter) is missed; ``catch_up`` makes up the last one that was. Results are never stored. The other options
        are those of ``task``. Raises ConfigurationError if the function needs arguments.
        """
        timetable = make_timetable(validate_datetime, utc=self.utc)
        options = {
            "retries": retries,
            "retry_delay": retry_delay,
            "retry_backoff": retry_backoff,
            "priority": priority,
            "context": context,
            "name": name,
            "expires": expires,
            "timeout": timeout,
            **settings,
        }

        def declare(function: Callable[..., Any]) -> TaskWrapper[..., Any]:
            wrapper = self._declare(function, options)
            try:
                wrapper.spec.check_call((), {})
            except TaskArgumentError as error:
                wrapper.unregister()
                raise ConfigurationError(f"a periodic task is called without arguments: {error}") from None
            wrapper.spec.timetable = timetable
            wrapper.spec.catch_up = catch_up
            return wrapper

        return TaskDecorator(declare)

    def read_periodic(self, timestamp: datetime) -> list[Task]:
        """Return a fresh call of each declared periodic task that is due at this moment, in order of declaration."""
        return [call_of(spec) for spec in self.registry if spec.timetable and spec.timetable.fits(timestamp)]

    def schedules(self) -> Schedules:
        """Return the handle on recurring calls that are kept in the storage."""
        return Schedules(self)
