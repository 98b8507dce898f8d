"""A backend of Django's task framework: ``"BACKEND": "hueyio.contrib.django.backend.HueyBackend"`` in ``TASKS``.

Each task of Django's is declared on the queues of ``HUEYIO`` under its own path when it is made, so that workers, which
import the modules ``tasks``, know it, and commands and the dashboard show it by its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.core import checks

from hueyio.app import Huey
from hueyio.contrib.django.calls import HEADER, Call
from hueyio.contrib.django.declared import declare, task_of
from hueyio.contrib.django.framework import (
    BaseTaskBackend,
    InvalidTask,
    TaskResultDoesNotExist,
    normalize_json,
    task_enqueued,
)
from hueyio.contrib.django.off_loop import off_loop
from hueyio.contrib.django.queues import all_hueys, get_huey
from hueyio.contrib.django.results import result_of_call, result_of_details
from hueyio.contrib.django.settings import DEFAULT, SettingsError
from hueyio.control.task_details import TaskDetails, describe_task
from hueyio.core import core_of
from hueyio.exceptions import ConfigurationError
from hueyio.loops.portal import block_on
from hueyio.storage.file import FileStorage
from hueyio.tasks.declared import TaskOptions
from hueyio.tasks.ids import made_at
from hueyio.tasks.task import Task

__all__ = ["HueyBackend"]

_QUEUE: Final = "HUEY"
"""The option that says on which queue of HUEYIO all tasks are; the others are those of calls."""

_PASSED_ON: Final = (
    *("retries", "retry_delay", "retry_backoff", "retry_max_delay", "retry_jitter"),
    *("timeout", "expires", "deadline"),
)


class HueyBackend(BaseTaskBackend):
    """Keeps the tasks of Django's framework in the queues of ``HUEYIO``."""

    supports_defer = True
    supports_async_task = True

    @property
    def supports_get_result(self) -> bool:
        """Whether results can be read: where they are stored."""
        return all(core_of(it).rules.results and it.storage.capabilities.keeps for it in self._hueys())

    @property
    def supports_priority(self) -> bool:
        """Whether there is a queue in which priorities count."""
        return any(map(_has_priorities, self._hueys()))

    def validate_task(self, task: Any) -> None:
        """Check a task, and declare it."""
        super().validate_task(task)
        huey = self._huey_of(task.queue_name)
        if task.priority and not _has_priorities(huey):
            raise InvalidTask(f"{huey!r} has no such priorities; PriorityRedisHuey and SqliteHuey have")
        declare(task, type(self))

    @off_loop("enqueue() would stop the event loop; here use `await task.aenqueue(...)`")
    def enqueue(self, task: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Enqueue a call, and wait until it is written. Raises SynchronousOnlyOperation on a running loop."""
        huey, call, result = self._prepare(task, args, kwargs)
        if huey.immediate:  # it runs before the call returns
            task_enqueued.send(type(self), task_result=result)
            huey.sync.enqueue(call)
            return self.get_result(call.id) if self.supports_get_result else result
        huey.sync.enqueue(call)
        task_enqueued.send(type(self), task_result=result)
        return result

    async def aenqueue(self, task: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Enqueue a call, on the running loop."""
        huey, call, result = self._prepare(task, args, kwargs)
        if huey.immediate:
            await task_enqueued.asend(type(self), task_result=result)
            await huey.enqueue(call)
            return await self.aget_result(call.id) if self.supports_get_result else result
        await huey.enqueue(call)
        await task_enqueued.asend(type(self), task_result=result)
        return result

    @off_loop("this would stop the event loop; here use `await task.aget_result(...)` or `await result.arefresh()`")
    def get_result(self, result_id: str) -> Any:
        """Return what is known of a call; raises TaskResultDoesNotExist."""
        return block_on(self.aget_result(result_id))

    async def aget_result(self, result_id: str) -> Any:
        """Return what is known of a call, on the running loop; raises TaskResultDoesNotExist."""
        for huey in self._hueys():
            result = result_of_details(await _describe(huey, result_id), task_of)
            if result is not None:
                return result
        raise TaskResultDoesNotExist(result_id)

    def check(self, **kwargs: Any) -> Iterable[Any]:
        """Say what is wrong with the options."""
        try:
            self._hueys()
            self._passed_on()
        except ConfigurationError as error:
            return [checks.Error(f"TASKS[{self.alias!r}]: {error}", id="hueyio.E002")]
        return []

    def _prepare(self, task: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Huey, Task, Any]:
        self.validate_task(task)
        given = Call.of(task)
        call = Task(
            task.module_path,
            tuple(normalize_json(args)),
            normalize_json(kwargs),
            priority=task.priority or None,
            eta=task.run_after,
            headers={HEADER: given.to_header()},
            **self._passed_on(),
        )
        return self._huey_of(task.queue_name), call, result_of_call(task, call, made_at(call.id))

    def _passed_on(self) -> dict[str, Any]:
        """Return the options that each call carries. Raises ConfigurationError."""
        given = {key: value for key, value in self.options.items() if key != _QUEUE}
        if unknown := sorted(set(given) - set(_PASSED_ON)):
            raise SettingsError(f"OPTIONS knows {', '.join((_QUEUE, *_PASSED_ON))}, not {', '.join(unknown)}")
        TaskOptions(**given)  # it checks them
        return given

    def _huey_of(self, queue_name: str) -> Huey:
        """Return the queue of HUEYIO for one of Django's: that of the options, of its name, or the usual one."""
        if _QUEUE in self.options:
            return get_huey(self.options[_QUEUE])
        return all_hueys().get(queue_name) or get_huey(DEFAULT)

    def _hueys(self) -> list[Huey]:
        """Return all in which a result may be; any name is a queue's where the settings name none."""
        names = self.queues or {DEFAULT, *all_hueys()}
        return list(dict.fromkeys(self._huey_of(name) for name in sorted(names)))


def _has_priorities(huey: Huey) -> bool:
    """Say whether those of Django count there: not in the lists of ``RedisHuey``, nor below 0, as in ``FileHuey``."""
    return huey.storage.capabilities.priorities and not isinstance(huey.storage, FileStorage)


async def _describe(huey: Huey, id: str) -> TaskDetails:
    core = core_of(huey)
    return await describe_task(await core.session(), id, core.serializer)
