"""Enqueue calls, and give handles on their results."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, overload

from hueyio.app.revoking import Revoking
from hueyio.client.chord_plan import ChordPlan, plan
from hueyio.control.replace import replace
from hueyio.exceptions import ConfigurationError, HueyException, TaskNotUnique
from hueyio.handles.chord_result import ChordResult
from hueyio.handles.result import Result, ResultGroup
from hueyio.messages.entry import enqueue_signal, make_entry
from hueyio.messages.member_result import SKIPPED, write_member_result
from hueyio.storage.contract import Session, Transactional
from hueyio.storage.records import Enqueued, Entry, Latch
from hueyio.tasks.canvas import chord, group
from hueyio.tasks.declared import check_settings
from hueyio.tasks.task import Task
from hueyio.tasks.unique import check_unique

__all__ = ["Enqueueing"]


class Enqueueing(Revoking):
    """From a Task to the storage."""

    def prepare(self, task: Task) -> Entry:
        """Check a task and encode it, without I/O.

        Raises UnknownTaskError, TaskArgumentError, or NotImplementedError for a priority that the storage cannot
        keep.
        """
        if not isinstance(task, Task):
            raise HueyException(f"only a Task can be enqueued, such as add.s(1, 2), not {task!r}")
        arguments = task.args if task.values is None else (*task.args, task.values)
        self.registry.find(task.name).check_call(arguments, task.kwargs)
        self._check(task)
        stage = task.on_complete
        while stage is not None:
            self.registry.find(stage.name)
            self._check(stage)
            stage = stage.on_complete
        if task.deadline is not None:
            task.deadline_resolved = None  # a Task that is enqueued a second time counts anew
        entry = make_entry(task, self.registry, self.serializer, self.now())
        return entry if task.unique is None else self._with_unique_key(task, entry)

    def _with_unique_key(self, task: Task, entry: Entry) -> Entry:
        key = self.registry.find(task.name).unique_key(task, task.unique.key)
        return entry._replace(header=entry.header._replace(unique_key=key))

    async def send_instead(self, task: Task, old: str) -> Any:
        """Enqueue a task that is the same call as ``old``; return what ``send`` does.

        Where both have one unique key it takes the place of ``old``; TaskNotUnique if that runs already.
        """
        if task.unique is None:  # a task that was read back from the queue
            declared = self.registry.find(task.name).options
            task.unique = check_unique(declared.unique, declared.unique_key)
        return await self.send(task, self.prepare(task), old)

    async def send(self, task: Task, entry: Entry, old: str | None = None) -> Any:
        """Write a prepared task; return its Result (None without results), of a pipeline the ResultGroup."""
        if self._immediate:
            await self._runner.run(task)
        else:
            session = await self.session()
            (placed,) = await session.enqueue([entry])
            if placed.holder is not None:
                holder = await self._meet(session, task, entry, placed.holder, old)
                if holder is not None:
                    return self._handle_on_holder(task, holder)
            await self._tell_enqueued([task], [entry])
        return self._handle_on(task)

    async def _meet(
        self, session: Session, task: Task, entry: Entry, holder: str, old: str | None = None
    ) -> str | None:
        """Do what the call wants where ``holder`` has its unique key; return the id of the task that counts instead."""
        if holder == old:
            holder_that_runs = await replace(self, session, entry, holder)
            if holder_that_runs is not None:
                raise TaskNotUnique(task.name, holder_that_runs)
            return None
        if task.unique.mode == "raise":
            raise TaskNotUnique(task.name, holder)
        return await replace(self, session, entry, holder) if task.unique.mode == "replace" else holder

    def _handle_on_holder(self, task: Task, holder: str) -> Any:
        if not self.rules.results:
            return None
        result = Result[Any](self, holder)
        return result if task.on_complete is None else ResultGroup([result])

    @overload
    async def enqueue(self, task: Task) -> Any: ...

    @overload
    async def enqueue(self, task: group) -> ResultGroup[Any]: ...

    @overload
    async def enqueue(self, task: chord) -> ChordResult[Any]: ...

    async def enqueue(self, task: Task | group | chord) -> Any:
        """Enqueue a task; return its Result, of a pipeline the ResultGroup of all stages, None without results.

        A group or a chord is enqueued in one write, and gives a ResultGroup or a ChordResult.
        """
        if isinstance(task, group):
            made: ResultGroup[Any] | None = await self.enqueue_many(task)
            return self._handles_on([list(member.stages())[-1] for member in task]) if made is None else made
        if isinstance(task, chord):
            return await self._enqueue_chord(plan(task))
        return await self.send(task, self.prepare(task))

    def enqueue_in(self, connection: Any, task: Task) -> Coroutine[Any, Any, Any]:
        """Enqueue a task as part of the application's own transaction; return what ``enqueue`` does.

        ``connection`` is one of sqlite3 or aiosqlite to the file of this ``SqliteHuey``; nothing is committed here. The
        task is there as soon as the application commits, and never if it rolls back or dies. Raises at once what
        ``enqueue`` raises, and ConfigurationError for a storage that has no such transactions. In immediate mode the
        task runs at once. No ENQUEUED is sent: only the application knows when the task is.
        """
        return self.send_in(connection, task, self.prepare(task))

    async def send_in(self, connection: Any, task: Task, entry: Entry) -> Any:
        """Write a prepared task as part of a transaction; return what ``send`` does."""
        if self._immediate:
            await self._runner.run(task)
            return self._handle_on(task)
        storage = self.storage
        if not isinstance(storage, Transactional):
            raise ConfigurationError(
                f"{type(self).__name__} keeps its tasks where your transactions do not reach; SqliteHuey has enqueue_in"
            )
        (placed,) = await storage.enqueue_in(connection, [entry])
        if placed.holder is None:
            return self._handle_on(task)
        if task.unique.mode != "skip":  # nothing can be replaced inside a transaction of the application's
            raise TaskNotUnique(task.name, placed.holder)
        return self._handle_on_holder(task, placed.holder)

    def enqueue_many(self, tasks: Iterable[Task]) -> Coroutine[Any, Any, Any]:
        """Enqueue many tasks in one write; return their ResultGroup (for a pipeline the Result of its last stage).

        Raises at once what ``enqueue`` raises; nothing is enqueued then.
        """
        if not isinstance(tasks, Iterable) or isinstance(tasks, str):
            raise HueyException(f"enqueue_many takes an iterable of Tasks, not {tasks!r}")
        tasks = list(tasks)
        return self._send_many(tasks, [self.prepare(task) for task in tasks])

    async def _send_many(self, tasks: list[Task], entries: list[Entry]) -> Any:
        if self._immediate:
            for task in tasks:
                await self._runner.run(task)
        elif entries:
            session = await self.session()
            placed = await session.enqueue(entries)
            if any(it.holder is not None for it in placed):
                return await self._meet_many(session, tasks, entries, placed)
            await self._tell_enqueued(tasks, entries)
        if not self.rules.results:
            return None
        return ResultGroup([Result(self, list(task.stages())[-1]) for task in tasks])

    async def _meet_many(
        self, session: Session, tasks: list[Task], entries: list[Entry], placed: Sequence[Enqueued]
    ) -> Any:
        """Do for each call what it wants; what could be enqueued is, before one of them raises."""
        holders = [it.holder for it in placed]
        for at, (task, holder) in enumerate(zip(tasks, holders, strict=True)):
            if holder is not None and task.unique.mode != "raise":
                holders[at] = await self._meet(session, task, entries[at], holder)
        added = [at for at, holder in enumerate(holders) if holder is None]
        await self._tell_enqueued([tasks[at] for at in added], [entries[at] for at in added])
        for task, holder in zip(tasks, holders, strict=True):
            if holder is not None and task.unique.mode == "raise":
                raise TaskNotUnique(task.name, holder)
        if not self.rules.results:
            return None
        ends = [holder or list(task.stages())[-1] for task, holder in zip(tasks, holders, strict=True)]
        return ResultGroup([Result[Any](self, end) for end in ends])

    async def _enqueue_chord(self, planned: ChordPlan) -> ChordResult[Any]:
        entries = [self.prepare(member) for member in planned.members]
        absent = write_member_result(SKIPPED, self.serializer)
        latches = [Latch(latch.size, self.prepare(latch.callback), absent) for latch in planned.latches]
        if self._immediate:
            await self._runner.run_chord(planned.members, planned.latches)
        else:
            session = await self.session()
            await session.enqueue(entries, latches)
            fired = [latch.callback for latch in planned.latches if latch.size == 0]
            at_once = [latch.callback for latch in latches if latch.size == 0]
            await self._tell_enqueued([*planned.members, *fired], [*entries, *at_once])
        stages = list(planned.callback.stages())
        pipeline = None if len(stages) == 1 else self._handles_on(stages)
        callback = Result[Any](self, stages[0]) if pipeline is None else pipeline[0]
        return ChordResult(self._handles_on(planned.tails), callback, pipeline)

    def _handles_on(self, tasks: Sequence[Task]) -> ResultGroup[Any]:
        return ResultGroup([Result[Any](self, task) for task in tasks])

    def result_of(self, task_id: str) -> Result[Any]:
        """Return a handle on the result of a task whose id is known."""
        if not isinstance(task_id, str):
            raise HueyException(f"a task's id is a text, not {task_id!r}")
        return Result(self, task_id)

    async def result(
        self,
        id: str,
        blocking: bool = False,
        timeout: float | None = None,
        backoff: float = 1.15,
        max_delay: float = 1.0,
        revoke_on_timeout: bool = False,
        preserve: bool = False,
    ) -> Any:
        """Read the result of a task whose id is known; see ``Result.get``."""
        return await self.result_of(id).get(blocking, timeout, backoff, max_delay, revoke_on_timeout, preserve)

    def _check(self, stage: Task) -> None:
        if not isinstance(stage.id, str) or not stage.id:
            raise ConfigurationError(f"task {stage.name}: an id must be a text that is not empty, not {stage.id!r}")
        if (
            stage.priority is not None
            or stage.timeout is not None
            or stage.retries
            or stage.retry_delay
            or stage.retry_jitter
        ):
            check_settings(
                retries=stage.retries,
                retry_delay=stage.retry_delay,
                retry_backoff=stage.retry_backoff,
                retry_max_delay=stage.retry_max_delay,
                retry_jitter=stage.retry_jitter,
                timeout=stage.timeout,
                priority=stage.priority,
            )
        if stage.priority and not self.storage.capabilities.priorities:
            raise NotImplementedError(
                f"task {stage.name}: priority={stage.priority!r}, but {type(self).__name__} keeps a plain list; "
                "PriorityRedisHuey has priorities"
            )
        if stage.on_error is not None:
            self.registry.find(stage.on_error.name)
            self._check(stage.on_error)

    def _handle_on(self, task: Task) -> Any:
        if not self.rules.results:
            return None
        if task.on_complete is None:
            return Result[Any](self, task)
        return ResultGroup([Result[Any](self, stage) for stage in task.stages()])

    async def _tell_enqueued(self, tasks: Sequence[Task], entries: Sequence[Entry]) -> None:
        if not self.signals:
            return
        for task, entry in zip(tasks, entries, strict=True):
            await self.signals.send(enqueue_signal(entry), task)
