"""Write calls to the storage: alone, many at once, as a chord, or inside the application's own transaction.

What comes back are ids, not handles: whoever holds a handle makes it of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from hueyio.client.around_enqueue import Written, is_surrounded, write_with_headers
from hueyio.client.chord_plan import ChordPlan
from hueyio.client.deletions import let_ids_go
from hueyio.client.early_workers import fit_workers
from hueyio.client.prepare import prepare, prepare_again, prepare_whole
from hueyio.control.replace import replace
from hueyio.core import Core
from hueyio.exceptions import ConfigurationError, TaskNotUnique
from hueyio.execution.lending import note_enqueued
from hueyio.messages.entry import enqueue_signal
from hueyio.messages.member_result import write_absence
from hueyio.storage.contract import Session, Transactional
from hueyio.storage.records import Enqueued, Entry, Latch
from hueyio.tasks.task import Task
from hueyio.tasks.unique import check_unique

if TYPE_CHECKING:
    from hueyio.client.immediate import Immediate

__all__ = ["Producer"]


class Producer:
    """The way of all calls of one Huey. ``immediate`` runs them where immediate mode is on."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._immediate: Immediate | None = None

    @property
    def immediate(self) -> Immediate:
        """What runs calls at once; made, and imported, for the first that is to: it has a queue in memory."""
        if self._immediate is None:
            self._immediate = cast("Immediate", import_module("hueyio.client.immediate").Immediate(self.core))
        return self._immediate

    async def shut_down(self) -> None:
        """End what ran calls at once, if anything did."""
        if self._immediate is not None:
            await self._immediate.shut_down()

    async def send(self, task: Task, entry: Entry, old: str | None = None) -> str | None:
        """Write a prepared task; return the id of the one that counts instead, if its unique key was held by one.

        ``old``: take the place of this very task where it holds the key.
        """
        if is_surrounded(self.core):
            write = partial(self._write_one, task, old)
            entries, (holder,) = await write_with_headers(self.core, [task], [entry], write)
        else:
            entries, (holder,) = await self._write_one(task, old, [entry])
        if holder is None:
            await self._go_on([task], entries)
        return holder

    async def send_instead(self, task: Task, old: str) -> str | None:
        """Enqueue a task that is the same call as ``old``; return what ``send`` does.

        Where both have one unique key it takes the place of ``old``; TaskNotUnique if that runs already.
        """
        if task.unique is None:  # a task that was read back from the queue
            declared = self.core.registry.find(task.path).options
            task.unique = check_unique(declared.unique, declared.unique_key)
        return await self.send(task, prepare(self.core, task), old)

    async def send_in(self, connection: Any, task: Task, entry: Entry) -> str | None:
        """Write a prepared task as part of a transaction; return what ``send`` does."""
        if self.core.immediate:
            return await self.send(task, entry)
        storage = self.core.storage
        if not isinstance(storage, Transactional):
            raise ConfigurationError(
                f"{self.core.kind} keeps its tasks where your transactions do not reach; "
                "SqliteHuey and PostgresHuey have enqueue_in"
            )
        write = partial(self._write_in, storage, connection, task)
        if is_surrounded(self.core):
            return (await write_with_headers(self.core, [task], [entry], write)).holders[0]
        return (await write([entry])).holders[0]

    async def send_many(self, tasks: Sequence[Task], entries: Sequence[Entry]) -> list[str | None]:
        """Write prepared tasks in one step; return for each what ``send`` does.

        What could be enqueued is, before one of them raises.
        """
        if not entries:
            return []
        write = partial(self._write_many, tasks)
        if is_surrounded(self.core):
            entries, holders = await write_with_headers(self.core, tasks, entries, write)
        else:
            entries, holders = await write(entries)
        if not any(holders):
            await self._go_on(tasks, entries)
            return holders
        added = [at for at, holder in enumerate(holders) if holder is None]
        await self._go_on([tasks[at] for at in added], [entries[at] for at in added])
        for task, holder in zip(tasks, holders, strict=True):
            if holder is not None and task.unique.mode == "raise":
                raise TaskNotUnique(task.path, holder)
        return holders

    async def send_chord(self, planned: ChordPlan) -> None:
        """Write a chord, with all chords inside, in one step."""
        callbacks = [latch.callback for latch in planned.latches]
        tasks = [*planned.members, *callbacks]
        prepared: Sequence[Entry] = [prepare(self.core, task) for task in tasks]
        write = partial(self._write_chord, planned, tasks)
        if is_surrounded(self.core):
            prepared, _ = await write_with_headers(self.core, tasks, prepared, write)
        else:
            prepared, _ = await write(prepared)
        at_once = [at for at, latch in enumerate(planned.latches) if latch.size == 0]
        size = len(planned.members)
        fired = [planned.latches[at].callback for at in at_once]
        await self._go_on([*planned.members, *fired], [*prepared[:size], *(prepared[size + at] for at in at_once)])

    async def _write_one(self, task: Task, old: str | None, entries: Sequence[Entry]) -> Written:
        session = await self.core.session()
        if task.counted is not None:
            entries = await self._count([task], entries, session)
        if entries[0].stages:
            entries = await fit_workers(self.core, session, [task], entries)
        await let_ids_go(self.core, [task.id])
        (enqueued,) = await session.enqueue(entries)
        if enqueued.holder is None:
            return Written(entries, [None])
        return Written(entries, [await self._meet(session, task, entries[0], enqueued.holder, old)])

    async def _write_in(self, storage: Transactional, connection: Any, task: Task, entries: Sequence[Entry]) -> Written:
        if entries[0].stages:  # nobody can be asked here which workers there are
            entries = [prepare_whole(self.core, task)]
        (enqueued,) = await storage.enqueue_in(connection, entries)
        if enqueued.holder is not None and task.unique.mode != "skip":
            # Nothing can be replaced inside a transaction of the application's.
            raise TaskNotUnique(task.path, enqueued.holder)
        return Written(entries, [enqueued.holder])

    async def _write_many(self, tasks: Sequence[Task], entries: Sequence[Entry]) -> Written:
        session = await self.core.session()
        if any(task.counted is not None for task in tasks):
            entries = await self._count(tasks, entries, session)
        entries = await fit_workers(self.core, session, tasks, entries)
        await let_ids_go(self.core, [task.id for task in tasks])
        enqueued = await session.enqueue(entries)
        if all(it.holder is None for it in enqueued):
            return Written(entries, [None] * len(entries))
        return Written(entries, await self._meet_many(session, tasks, entries, enqueued))

    async def _write_chord(self, planned: ChordPlan, tasks: Sequence[Task], prepared: Sequence[Entry]) -> Written:
        session = await self.core.session()
        prepared = await self._count(tasks, prepared, session)
        prepared = await fit_workers(self.core, session, tasks, prepared)
        entries = prepared[: len(planned.members)]
        sizes = [latch.size for latch in planned.latches]
        latches = [
            Latch(size, entry, write_absence(self.core.serializer, entry.header.id))
            for size, entry in zip(sizes, prepared[len(entries) :], strict=True)
        ]
        await let_ids_go(self.core, [*(entry.header.id for entry in entries), planned.callback.id])
        await session.enqueue(entries, latches)
        note_enqueued(latch.callback.id for latch in planned.latches)
        return Written(prepared, [None] * len(prepared))

    async def _count(self, tasks: Sequence[Task], entries: Sequence[Entry], session: Session) -> Sequence[Entry]:
        """Return the entries by the storage's clock: more may be known of it than when they were encoded."""
        clock = self.core.clock
        if not clock.is_fresh and any(task.counted is not None for task in tasks):
            await session.time()
        return [
            entry if task.counted is None or task.counted.ahead == clock.ahead else prepare_again(self.core, task)
            for task, entry in zip(tasks, entries, strict=True)
        ]

    async def _meet(self, session: Session, task: Task, entry: Entry, holder: str, old: str | None) -> str | None:
        """Do what the call wants where ``holder`` has its unique key; return the id of the task that counts instead."""
        if holder == old:
            holder_that_runs = await replace(self.core, session, entry, holder)
            if holder_that_runs is not None:
                raise TaskNotUnique(task.path, holder_that_runs)
            return None
        if task.unique.mode == "raise":
            raise TaskNotUnique(task.path, holder)
        return await replace(self.core, session, entry, holder) if task.unique.mode == "replace" else holder

    async def _meet_many(
        self, session: Session, tasks: Sequence[Task], entries: Sequence[Entry], enqueued: Sequence[Enqueued]
    ) -> list[str | None]:
        """Do for each call what it wants, but for raising; return for each the id of the task that counts instead."""
        holders = [it.holder for it in enqueued]
        for at, (task, holder) in enumerate(zip(tasks, holders, strict=True)):
            if holder is not None and task.unique.mode != "raise":
                holders[at] = await self._meet(session, task, entries[at], holder, None)
        return holders

    async def _go_on(self, tasks: Sequence[Task], entries: Sequence[Entry]) -> None:
        """Tell of what was enqueued, and run it in immediate mode."""
        note_enqueued(id for entry in entries for id in _ids_of(entry))
        if self.core.immediate:
            await self.immediate.run(tasks, lambda: self._tell_enqueued(tasks, entries))
        elif self.core.signals:
            await self._tell_enqueued(tasks, entries)

    async def _tell_enqueued(self, tasks: Sequence[Task], entries: Sequence[Entry]) -> None:
        for task, entry in zip(tasks, entries, strict=True):
            await self.core.signals.send(enqueue_signal(entry), task)


def _ids_of(entry: Entry) -> list[str]:
    """List the ids of a call and of all stages that follow it."""
    later = [stage.id for stage in entry.stages] if entry.stages else entry.header.expects
    return [entry.header.id, *later]
