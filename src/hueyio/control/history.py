"""The history, as users see it: tasks that have ended, and the attempts of one."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Final

from hueyio.exceptions import HueyException
from hueyio.messages.past_run import PastAttempt, PastRun, read_attempt, read_runs
from hueyio.named_tuple import NamedTuple
from hueyio.storage.contract import Session
from hueyio.storage.records import Cursor, EndKind, Found, HistoryEntry, Wanted
from hueyio.tasks.ids import made_at
from hueyio.times.moments import moment

__all__ = [
    "Attempt",
    "EndedTask",
    "HistoryPage",
    "Part",
    "PastTask",
    "ended_task",
    "find_ended",
    "read_attempts",
    "read_history",
    "read_part",
    "recall",
]

_LOOKED_AT: Final = 20_000
"""At how many tasks a search looks before it says that it has not seen all."""

_PLACE: Final = re.compile(r"(\d+) ([-\d]+(?: [-\d]+)?)")

_STEP: Final = 1000
"""Tasks that are read in one step."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedTask:
    """A task that has ended, as the history remembers it."""

    id: str
    name: str
    """Its path; empty if its message could not be read."""
    kind: EndKind
    """How it ended; ``revoked`` is told apart from ``cancelled``."""
    attempts: int
    """How many attempts were begun that count: 1 if it was never retried, 0 if its body was not begun."""
    enqueued_at: datetime | None
    """When it was enqueued; None if its id does not say so, because it is the caller's own."""
    started_at: datetime | None
    """When its last attempt began; None if that did not."""
    ended_at: datetime
    worker: str
    """The consumer that ended it, as ``huey.consumers()`` names it."""
    error: str
    """The first line of the error, or why it was not run; empty if it ended well."""
    arguments: str | None
    """The arguments in short form; None unless the Huey has ``history_args``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt that failed or was cut short, or the last one after such ones.

    ``number`` counts from 1; attempts that were cut short are repeated under the same number. ``error`` is its first
    line, ``traceback`` is cut in the middle; both are empty if it ended well.
    """

    number: int
    started_at: datetime
    ended_at: datetime
    worker: str
    error: str
    traceback: str

    @property
    def duration(self) -> timedelta:
        """How long it took."""
        return self.ended_at - self.started_at


class HistoryPage(NamedTuple):
    """A part of the history. ``next`` is what to ask for the following part with; None: this was the last.

    ``complete`` is False if fewer than were asked for were found because the search stopped after looking at many.
    """

    items: list[EndedTask]
    next: Cursor | None = None
    complete: bool = True


class PastTask(NamedTuple):
    """A row of the history. ``place`` is what to read those behind it with."""

    id: str
    run: PastRun
    worker: str
    written_at: float
    """By the storage's clock: its entries are in this order."""
    place: Cursor


class Part(NamedTuple):
    """What one step gave: rows, the latest first, and with what to read on; None: these were the last."""

    rows: list[PastTask]
    next: Cursor | None
    looked: int
    """At how many tasks it has looked; some cannot be read."""


class _Place(NamedTuple):
    """Where a part begins: at an entry of the storage (None: the latest), behind so many of its rows."""

    entry: Cursor | None = None
    row: int = 0


async def read_history(session: Session, limit: int, after: Cursor | None, wanted: Wanted) -> HistoryPage:
    """List as many as are asked for, if there are as many, the latest first."""
    found: list[EndedTask] = []
    looked = 0
    while len(found) < limit:
        part = await read_part(session, limit - len(found), after)
        looked += part.looked
        for row in part.rows:
            if _is_wanted(row.run, wanted):
                found.append(ended_task(row))
                if len(found) == limit:
                    return HistoryPage(found, row.place)
        after = part.next
        if after is None:
            return HistoryPage(found)
        if looked >= _LOOKED_AT:
            return HistoryPage(found, after, complete=False)
    return HistoryPage(found, after)


async def read_part(session: Session, limit: int, after: Cursor | None) -> Part:
    """Read about so many rows in one step of the storage."""
    place = _read_place(after)
    page = await session.history(min(max(limit, 100), _STEP), place.entry)
    if page.items and place.entry is not None and page.items[0].place[1] != place.entry[1]:
        place = _Place()  # the entry is gone in which the last part ended
    found: list[PastTask] = []
    looked = 0
    for entry in page.items:
        worker, rows = _rows_of(entry)
        looked += len(rows)
        for number, (id, run) in enumerate(rows[place.row :], place.row + 1):
            if id is not None:
                found.append(PastTask(id, run, worker, entry.place[0], _write_place(_Place(entry.place, number))))
        place = _Place()
    return Part(found, None if page.next is None else _write_place(_Place(page.next)), looked)


async def find_ended(session: Session, id: str) -> EndedTask | None:
    """Return what the history says of the last end of a task."""
    entry = await session.find_ended(id)
    if entry is None:
        return None
    worker, rows = _rows_of(entry)
    return next(
        (ended_task(PastTask(id, run, worker, entry.place[0], entry.place)) for its, run in rows if its == id), None
    )


async def recall(session: Session, found: Found) -> Found:
    """Return where an id is: one of which nothing else is known has ended, if the history says so."""
    end = await find_ended(session, found.id) if found.state == "unknown" else None
    return found if end is None else found._replace(state="ended", kind=end.kind)


async def read_attempts(session: Session, ids: Sequence[str]) -> list[list[Attempt]]:
    """Return what is remembered of the attempts of each task, the latest last."""
    found = await session.attempts(ids)
    read = [[_read_attempt(id, data) for data in remembered] for id, remembered in zip(ids, found, strict=True)]
    return [[it for it in attempts if it is not None] for attempts in read]


def _rows_of(entry: HistoryEntry) -> tuple[str, list[tuple[str | None, PastRun]]]:
    """Return who wrote an entry, and its tasks, the latest first; no id for what its storage refused."""
    try:
        worker, runs = read_runs(entry.data)
    except ValueError as error:
        logger.warning("an entry of the history of %s tasks is left out, it cannot be read: %s", len(entry.ids), error)
        return "", []
    rows = list(zip(entry.ids, runs, strict=False))  # no runs if a later hueyio wrote it
    return worker, rows[::-1]


def ended_task(row: PastTask) -> EndedTask:
    """Return a row as users see it."""
    run = row.run
    return EndedTask(
        id=row.id,
        name=run.name,
        kind=run.kind,
        attempts=run.attempts,
        enqueued_at=made_at(row.id),
        started_at=None if run.duration is None else moment(run.ended_at - run.duration),
        ended_at=moment(run.ended_at),
        worker=row.worker,
        error=run.error,
        arguments=run.arguments,
    )


def _read_attempt(id: str, data: bytes) -> Attempt | None:
    try:
        attempt = read_attempt(data)
    except ValueError as error:
        logger.warning("an attempt of task %s is left out, it cannot be read: %s", id, error)
        return None
    return None if attempt is None else _attempt(attempt)


def _attempt(attempt: PastAttempt) -> Attempt:
    return Attempt(
        number=attempt.number,
        started_at=moment(attempt.started_at),
        ended_at=moment(attempt.ended_at),
        worker=attempt.worker,
        error=attempt.error,
        traceback=attempt.traceback,
    )


def _is_wanted(run: PastRun, wanted: Wanted) -> bool:
    return (
        (not wanted.kinds or run.kind in wanted.kinds)
        and (wanted.name is None or fnmatchcase(run.name, wanted.name))
        and (wanted.text is None or wanted.text in run.error)
        and (wanted.since is None or run.ended_at >= wanted.since)
        and (wanted.until is None or run.ended_at < wanted.until)
    )


def _read_place(after: Cursor | None) -> _Place:
    if after is None:
        return _Place()
    match after:
        case (int() | float() as at, str(place)) if found := _PLACE.fullmatch(place):
            return _Place((at, found[2]), int(found[1]))
        case _:
            raise HueyException(f"after must be what a page of the history has as its next, not {after!r}")


def _write_place(place: _Place) -> Cursor:
    assert place.entry is not None
    return place.entry[0], f"{place.row} {place.entry[1]}"
