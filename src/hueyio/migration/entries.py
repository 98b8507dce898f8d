"""From Tasks that were read from Huey's queue to entries of ours. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from hueyio.client.chord_plan import plan
from hueyio.client.prepare import prepare
from hueyio.core import Core
from hueyio.exceptions import HueyException
from hueyio.messages.entry import make_entry
from hueyio.messages.member_result import write_absence
from hueyio.migration.chords import FoundChord
from hueyio.migration.reading import Reading, tasks_of
from hueyio.migration.tally import Refusal
from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import Entry, Latch
from hueyio.tasks.canvas import chord
from hueyio.tasks.task import Task, seconds_from

__all__ = ["TOKEN_TTL", "Refused", "chord_entries", "entry_of", "with_token"]

TOKEN_TTL: Final = 86400.0
"""Seconds for which hueyio remembers that a message was added: within them an import that was killed goes on."""


class Refused(HueyException):
    """A task that cannot be moved, and so stays in Huey's queue."""

    def __init__(self, refusal: Refusal, reason: str) -> None:
        super().__init__(reason)
        self.refusal: Refusal = refusal


class ChordEntries(NamedTuple):
    """A chord as it is enqueued: its members, in the order of ``FoundChord.all_members``."""

    tasks: list[Task]
    entries: list[Entry]
    latches: list[Latch]
    callbacks: list[Task]


def entry_of(core: Core, task: Task, expiry: datetime | None) -> Entry:
    """Encode a task that expires at ``expiry``, whatever its own ``expires`` would say now; raises Refused."""
    _insist_on_declared(core, task)
    return _counted(core, task, _prepare(core, task), expiry)


def with_token(entry: Entry, token: str) -> Entry:
    """Return the entry that is added once only."""
    return entry._replace(header=entry.header._replace(once_token=token, once_ttl=TOKEN_TTL))


def chord_entries(core: Core, reading: Reading, found: FoundChord[Any]) -> ChordEntries:
    """Encode a chord with all chords inside; raises Refused."""
    try:
        planned = plan(_chord_of(reading, found))
    except ValueError as error:
        raise Refused("unfit", str(error)) from error
    callbacks = [latch.callback for latch in planned.latches]
    for task in (*planned.members, *callbacks):
        _insist_on_declared(core, task)
    now = datetime.fromtimestamp(core.now(), UTC)
    entries = [
        _counted(core, task, _prepare(core, task), reading.expiry(it.message, now))
        for task, it in zip(planned.members, found.all_members(), strict=True)
    ]
    latches = [
        Latch(latch.size, _prepare(core, latch.callback), write_absence(core.serializer, latch.callback.id))
        for latch in planned.latches
    ]
    return ChordEntries(planned.members, entries, latches, callbacks)


def _chord_of(reading: Reading, found: FoundChord[Any]) -> chord:
    members: Sequence[Task | chord] = [
        _chord_of(reading, it) if isinstance(it, FoundChord) else reading.to_task(it.message) for it in found.members
    ]
    return chord(members, reading.to_task(found.callback))


def _insist_on_declared(core: Core, task: Task) -> None:
    for it in tasks_of(task):
        if core.registry.get(it.path) is None:
            behind = "" if it is task else f", which follows {task.path},"
            raise Refused("undeclared", f"{it.path}{behind} is not declared in the app")


def _counted(core: Core, task: Task, entry: Entry, expiry: datetime | None) -> Entry:
    if expiry is None or task.expires is None or isinstance(task.expires, datetime):
        return entry
    enqueued_at = expiry.timestamp() - seconds_from(task.expires, "expires")
    spec = core.registry.find(task.path)
    counted = make_entry(task, spec, core.serializer, enqueued_at, cut_from=core.cut_from)
    return counted._replace(header=entry.header)


def _prepare(core: Core, task: Task) -> Entry:
    try:
        return prepare(core, task)
    except (HueyException, NotImplementedError, ValueError, TypeError) as error:
        raise Refused("unfit", str(error)) from error
