"""What can be said of one task without its application: a row of a list, made of what the storage has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hueyio.control.history import EndedTask
from hueyio.control.workers import NO_WORKERS, Workers
from hueyio.messages.glance import glance_at_path, glance_at_progress
from hueyio.storage.records import DeadLetter, Header, Lane, Listed
from hueyio.tasks.ids import made_at
from hueyio.tasks.progress import Progress
from hueyio.tasks.states import TaskState, state_of_end, waiting_state
from hueyio.times.moments import moment_or_none

__all__ = ["TaskInfo", "info_of_ended", "info_of_letter", "info_of_listed"]

_REVOKED: Final = "it was revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskInfo:
    """One task, as a list shows it. What is not known, or makes no sense in its state, is None or empty."""

    id: str
    state: TaskState
    name: str | None = None
    """Its path. None: its message is in a format of the application's own, damaged, or not written yet."""
    lane: Lane | None = None
    priority: float = 0.0
    made: datetime | None = None
    """When its call was made: the time is in the ids that hueyio makes."""
    due: datetime | None = None
    """Not to be run before that."""
    attempt: int | None = None
    """Which attempt runs or comes next, from 1; of one that ended, which was the last."""
    delivery: int | None = None
    """How often it was handed to a worker with this one, while it runs."""
    started: bool = False
    """Whether its body began, where that is written: ``at_most_once``."""
    is_cancelled: bool = False
    """Whether somebody asked for its cancellation."""
    worker: str | None = None
    """The host and the process that run it, or that ended it."""
    consumer: str | None = None
    """The id of the consumer that runs it, or that ended it."""
    since: datetime | None = None
    """When its body began. While it runs, to the second, and known of those that have run longest, if their workers
    tell it; of one that ended, when its last attempt began."""
    progress: Progress | None = None
    """What its body reported last."""
    error: str | None = None
    """Why it ended so."""
    ended: datetime | None = None
    unique_key: str | None = None
    chord: str | None = None
    """The id of the callback for which it is a member of a chord."""
    then: tuple[str, ...] = ()
    """The ids that follow it: the later stages of its pipeline. A list names of a long one the next stage alone."""
    waits_for: tuple[str, ...] = ()
    """The ids of the tasks before it, while it waits; its own, if it waits for the members of its chord.

    In a long pipeline it is the stage before it, which may wait itself.
    """
    put_off: int = 0
    """How often workers put it off for later."""
    undeclared_since: datetime | None = None
    """When a worker first saw it without knowing its name, or how to call it."""

    @property
    def duration(self) -> timedelta | None:
        """How long its last attempt took, if it has ended and that is remembered."""
        return None if self.ended is None or self.since is None else self.ended - self.since


def info_of_listed(listed: Listed, workers: Workers) -> TaskInfo:
    """Return what a list says of a live task."""
    header = listed.header
    if header is None:
        state: TaskState = "waiting" if listed.state == "waiting" else "unreadable"
        return TaskInfo(
            id=listed.id,
            state=state,
            made=made_at(listed.id),
            consumer=listed.owner,
            worker=_worker(listed.owner, workers),
            waits_for=listed.namers,
        )
    return TaskInfo(
        id=listed.id,
        state=_live_state(listed, header),
        name=glance_at_path(listed.head, listed.id),
        lane=header.lane,
        priority=header.priority,
        made=made_at(listed.id),
        due=moment_or_none(header.eta),
        attempt=header.attempt + 1,
        delivery=listed.deliveries + 1 if listed.state == "running" else None,
        started=listed.started,
        is_cancelled=listed.cancelled,
        worker=_worker(listed.owner, workers),
        consumer=listed.owner,
        since=workers.since.get(listed.id),
        progress=None if listed.progress is None else glance_at_progress(listed.progress),
        unique_key=header.unique_key,
        chord=header.latch,
        then=header.expects,
        waits_for=listed.namers,
        put_off=header.defers,
        undeclared_since=moment_or_none(header.first_seen),
    )


def info_of_letter(letter: DeadLetter) -> TaskInfo:
    """Return what a list says of a task that ended without success."""
    header = letter.header
    return TaskInfo(
        id=header.id,
        state=state_of_end(letter.kind or "lost"),
        name=letter.name or glance_at_path(letter.data, header.id),
        lane=header.lane,
        priority=header.priority,
        made=made_at(header.id),
        attempt=header.attempt + 1,
        error=letter.reason,
        ended=moment_or_none(letter.buried_at),
        unique_key=header.unique_key,
        chord=header.latch,
        then=header.expects,
        put_off=header.defers,
        undeclared_since=moment_or_none(header.first_seen),
    )


def info_of_ended(ended: EndedTask) -> TaskInfo:
    """Return what a list says of a task of which only the history knows."""
    return TaskInfo(
        id=ended.id,
        state=state_of_end(ended.kind),
        name=ended.name or None,
        made=ended.enqueued_at,
        attempt=ended.attempts or None,
        worker=_worker(ended.worker, NO_WORKERS),
        consumer=ended.worker,
        since=ended.started_at,
        error=ended.error or (_REVOKED if ended.kind == "revoked" else None),
        ended=ended.ended_at,
    )


def _live_state(listed: Listed, header: Header) -> TaskState:
    match listed.state:
        case "ready" | "scheduled":
            return waiting_state(listed.state == "scheduled", header.attempt)
        case _:
            return listed.state


def _worker(owner: str | None, workers: Workers) -> str | None:
    return None if owner is None else workers.name_of(owner)
