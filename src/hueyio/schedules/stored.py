"""Schedules that are kept in the storage, and the handle that changes them.

A schedule is data: a name, the fields of a crontab, and the message of the call that it makes. Consumers read all of
them at their start and after each write, of which they hear by a notice.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from hueyio.client.prepare import prepare
from hueyio.client.producer import Producer
from hueyio.exceptions import ConfigurationError, HueyException, SerializationError
from hueyio.handles.result import handle_on
from hueyio.handles.sync_task import SyncTask
from hueyio.handles.telling import telling
from hueyio.handles.wrapper import TaskWrapper
from hueyio.messages.message import read_task, write_task
from hueyio.messages.tick_token import tick_of
from hueyio.schedules.switches import REMOVED, remove_schedule, set_paused, tick_key
from hueyio.schedules.ticks import DueTicks
from hueyio.serializer import Serializer
from hueyio.storage.texts import check_text
from hueyio.tasks.given import check_switches, items_of
from hueyio.tasks.headers import check_headers
from hueyio.tasks.task import Task
from hueyio.times.crontab import crontab
from hueyio.times.timetable import make_timetable, zone_of

__all__ = ["ScheduleInfo", "Schedules", "StoredSchedule", "read_schedules"]

logger = logging.getLogger(__name__)

_LATEST: Final = 253402300799.0
"""The end of the year 9999, in epoch seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleInfo:
    """One schedule as ``list`` shows it. Times are aware, in the schedule's zone; None: not known, or never."""

    name: str
    task: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    times: crontab
    catch_up: bool
    paused: bool
    next_run: datetime | None
    last_run: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSchedule:
    """One schedule as the storage has it. ``since`` is from when its ticks count, in epoch seconds."""

    name: str
    times: crontab
    task: Task
    catch_up: bool = False
    paused: bool = False
    since: float = 0.0

    @property
    def key(self) -> str:
        """Where its last tick is noted."""
        return tick_key(self.name)

    def to_bytes(self, serializer: Serializer) -> bytes:
        """Encode it."""
        fields = {
            "times": self.times.to_dict(),
            "task": base64.b64encode(write_task(self.task, serializer.within("schedule", self.name))).decode(),
            "catch_up": self.catch_up,
            "paused": self.paused,
            "since": self.since,
        }
        return json.dumps(fields).encode()

    @classmethod
    def from_bytes(cls, name: str, data: bytes, serializer: Serializer) -> StoredSchedule:
        """Decode it; raises SerializationError."""
        try:
            fields = json.loads(data)
            times = crontab.from_dict(fields.pop("times"))
            task = read_task(base64.b64decode(fields.pop("task")), serializer.within("schedule", name))
            read = cls(name=name, times=times, task=task, **fields)
            _check_kinds(read)
        except SerializationError:
            raise
        except Exception as error:  # whoever can write to the storage can write anything; the others go on
            raise SerializationError(f"schedule {name!r} cannot be read: {type(error).__name__}: {error}") from error
        return read

    def call(self) -> Task:
        """Return a fresh call: the same task under new ids."""
        return _renewed(self.task)

    def to_plan(self, last: float | None, *, utc: bool) -> DueTicks:
        """Return what a consumer follows; ``last`` is its last tick."""
        looked = max(self.since, last or 0.0)
        return DueTicks(self.key, make_timetable(self.times, utc=utc), self.call, looked=looked, catch_up=self.catch_up)


def read_schedules(rows: Iterable[tuple[str, bytes]], serializer: Serializer) -> list[StoredSchedule]:
    """Decode the rows of the area ``schedules``, by name; what cannot be read is logged and left out."""
    found = []
    for name, data in sorted(rows):
        if data == REMOVED:
            continue
        try:
            found.append(StoredSchedule.from_bytes(name, data, serializer))
        except SerializationError as error:
            logger.error("%s", error)
    return found


@telling("huey.sync.schedules()")
class Schedules:
    """Recurring calls that are added and changed while consumers run, and that outlive them; see ``Huey.schedules``.

    Every running consumer follows a change at once. Names are the user's; the last write of a name wins.
    """

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._core = producer.core

    async def add(
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

        ``task`` is a declared task, called with ``args`` and ``kwargs``, or a Task (``add.s(1, 2)``, a pipeline too).
        ``catch_up`` makes up the last time that was missed while no consumer ran. ``headers`` go with each call. A
        schedule of the same name is replaced; where nothing differs, nothing changes. Raises ConfigurationError, or
        TaskArgumentError if the arguments do not fit or a header is wrong.

        Example::

            await huey.schedules().add("sum", add, "*/5 * * * *", args=(1, 2))
            print([it.name for it in await huey.schedules().list()])  # ['sum']
        """
        _check_name(name)
        check_switches({"catch_up": catch_up})
        read = _times_from(times)
        call = _with_headers(_call_from(task, args, kwargs), headers)
        prepare(self._core, call)
        wanted = StoredSchedule(name=name, times=read, task=call, catch_up=catch_up)
        before = await self._find(name)
        if before is not None and self._says_the_same(before, wanted):
            return
        await self._write(replace(wanted, since=self._core.now()))

    async def remove(self, name: str) -> bool:
        """Forget a schedule; False if there is none of that name. What it enqueued before stays."""
        _check_name(name)
        return await remove_schedule(await self._core.session(), name)

    async def pause(self, name: str) -> bool:
        """Let a schedule rest until ``resume``; False if there is none of that name."""
        _check_name(name)
        return await set_paused(await self._core.session(), name, True, self._core.now())

    async def resume(self, name: str) -> bool:
        """Go on with a paused schedule, from now on; False if there is none of that name."""
        _check_name(name)
        return await set_paused(await self._core.session(), name, False, self._core.now())

    async def run_now(self, name: str) -> Any:
        """Enqueue the schedule's call at once, beside its times; return what ``huey.enqueue`` does.

        Raises KeyError if there is no schedule of that name.
        """
        _check_name(name)
        found = await self._find(name)
        if found is None:
            raise KeyError(f"no schedule named {name!r}")
        call = found.call()
        holder = await self._producer.send(call, prepare(self._core, call))
        return handle_on(self._producer, call, holder)

    async def list(self) -> list[ScheduleInfo]:
        """List all schedules, by name, with their next and last times."""
        session = await self._core.session()
        found = read_schedules(await session.scan_keys("schedules"), self._core.serializer)
        ticks = await session.peek("ticks", [it.key for it in found])
        return [self._info(it, tick_of(token)) for it, token in zip(found, ticks, strict=True)]

    def _info(self, found: StoredSchedule, last: float | None) -> ScheduleInfo:
        times = found.times.in_zone(zone_of(self._core.utc))
        now = datetime.fromtimestamp(self._core.now(), UTC)
        return ScheduleInfo(
            name=found.name,
            task=found.task.path,
            args=found.task.args,
            kwargs=found.task.kwargs,
            times=found.times,
            catch_up=found.catch_up,
            paused=found.paused,
            next_run=None if found.paused else times.next_after(now),
            last_run=None if last is None else datetime.fromtimestamp(last, times.zone),
        )

    async def _find(self, name: str) -> StoredSchedule | None:
        session = await self._core.session()
        (data,) = await session.peek("schedules", [name])
        return None if not data else StoredSchedule.from_bytes(name, data, self._core.serializer)

    async def _write(self, schedule: StoredSchedule) -> None:
        session = await self._core.session()
        await session.put("schedules", {schedule.name: schedule.to_bytes(self._core.serializer)})

    def _says_the_same(self, before: StoredSchedule, wanted: StoredSchedule) -> bool:
        task = before.task
        call = wanted.task
        if before.paused or task.on_complete is not None or call.on_complete is not None or call.on_error is not None:
            return False
        alike = replace(wanted, task=call.replaced(id=task.id), since=before.since)
        return alike.to_bytes(self._core.serializer) == before.to_bytes(self._core.serializer)


def _check_kinds(schedule: StoredSchedule) -> None:
    if type(schedule.catch_up) is not bool or type(schedule.paused) is not bool:
        raise TypeError("a switch is neither true nor false")
    since = schedule.since
    if type(since) not in (int, float) or not 0 <= since <= _LATEST:
        raise TypeError(f"since is {since!r:.100}")


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"a schedule's name must be a text that is not empty, not {name!r}")
    check_text("the schedule", name)


def _times_from(times: object) -> crontab:
    if isinstance(times, str):
        return crontab.parse(times)
    if isinstance(times, crontab):
        return times
    raise ConfigurationError(
        f"a schedule is kept as data: its times are a crontab, or a line such as '*/5 * * * *', not {times!r}"
    )


def _call_from(task: object, args: Sequence[Any], kwargs: Mapping[str, Any] | None) -> Task:
    given = items_of(args, "args of a schedule are a tuple of arguments", ConfigurationError)
    if kwargs is not None and not isinstance(kwargs, Mapping):
        raise ConfigurationError(f"kwargs of a schedule are a dict of arguments, not {kwargs!r}")
    if isinstance(task, (TaskWrapper, SyncTask)):
        return task.s(*given, **(kwargs or {}))
    if not isinstance(task, Task):
        raise ConfigurationError(f"a schedule calls a declared task, or a Task such as add.s(1, 2), not {task!r}")
    if given or kwargs:
        raise HueyException(f"{task!r} has its arguments already; give args and kwargs with a declared task only")
    if task.eta is not None:
        raise ConfigurationError(f"{task!r} has an eta; a scheduled call starts when its schedule says so")
    return task


def _with_headers(call: Task, headers: Mapping[str, str] | None) -> Task:
    """Return the call with these headers over its own."""
    given = None if headers is None else check_headers(headers, call.path)
    return call if given is None else call.replaced(_headers={**call.headers, **given})


def _renewed(task: Task) -> Task:
    following: Task | None = None
    for stage in reversed([*task.stages()]):
        following = stage.replaced(
            id=Task(stage.path).id,
            on_complete=following,
            on_error=None if stage.on_error is None else _renewed(stage.on_error),
        )
    assert following is not None
    return following
