"""All that is known of one task: what a list says of it, what its message tells the application, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Final

from hueyio.control.history import Attempt, EndedTask, find_ended, read_attempts
from hueyio.control.task_info import TaskInfo, info_of_ended, info_of_letter, info_of_listed
from hueyio.control.workers import NO_WORKERS, Workers, read_workers
from hueyio.exceptions import SerializationError
from hueyio.messages.glance import glance_at_end
from hueyio.messages.message import read_task
from hueyio.messages.stored_result import Error, Returned, read_ending
from hueyio.serializer import Serializer
from hueyio.storage.contract import Session
from hueyio.storage.records import Described, Found, Listed
from hueyio.tasks.ids import made_at
from hueyio.tasks.states import LIVE_STATES, TaskState, state_of_end, waiting_state
from hueyio.tasks.task import Task

__all__ = ["TaskDetails", "describe_task"]

_TOLD_BY_HISTORY: Final = ("name", "attempt", "worker", "consumer", "since", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDetails(TaskInfo):
    """One task, with what only a look at it alone can tell."""

    task: Task | None = None
    """As its message has it: its arguments, retries and headers. None if nobody reads the message here, or cannot."""
    attempts: int | None = None
    """How many attempts a live one has in all, if its message can be read."""
    expires: datetime | None = None
    deadline: datetime | None = None
    """No retry after that."""
    members: int | None = None
    """How many members the chord has whose callback it is, or of which it is one, until the callback is over."""
    members_ended: int | None = None
    """How many of them left a result so far."""
    is_revoked: bool = False
    """Whether it ended because it was revoked."""
    timeline: tuple[Attempt, ...] = ()
    """What is remembered of its attempts, the latest last; that which runs now is none of them."""
    returned: Returned | None = None
    """Its value, as long as it is stored, if results are read here. Whoever awaits it finds it as before."""
    arguments: str | None = None
    """Those of its last run in short form; None unless its Huey has ``history_args``."""


async def describe_task(session: Session, id: str, serializer: Serializer | None) -> TaskDetails:
    """Say all that is known of an id. Its message and result are read with ``serializer``; without one, not at all."""
    (described,) = await session.describe([id])
    details = _details(described, read_workers(await session.owners()) if _is_running(described.listed) else NO_WORKERS)
    chord = id if details.state == "waiting" else details.chord
    if chord is not None:
        details = _with_members(details, (await session.collect([chord]))[0])
    (attempts,) = await read_attempts(session, [id])
    details = replace(details, timeline=tuple(attempts))
    if details.state not in LIVE_STATES:
        details = _with_end(details, await find_ended(session, id))
    return details if serializer is None else _read(details, described.found, serializer)


def _is_running(listed: Listed | None) -> bool:
    return listed is not None and listed.owner is not None


def _details(described: Described, workers: Workers) -> TaskDetails:
    found, listed, letter = described
    if listed is not None:
        info = info_of_listed(listed, workers)
    elif letter is not None:
        info = replace(info_of_letter(letter), state=_end_of(found))
    else:
        info = TaskInfo(id=found.id, state=_end_of(found), made=made_at(found.id))
    return TaskDetails(**{it.name: getattr(info, it.name) for it in fields(info)}, is_revoked=found.kind == "revoked")


def _end_of(found: Found) -> TaskState:
    """Return the state of what is not alive: by its tombstone, else by what is left of it."""
    if found.kind is not None:
        return state_of_end(found.kind)
    match found.state:
        case "stored":
            return state_of_end(glance_at_end(found.data or b"") or "done")
        case "dead":
            return "lost"  # a letter that does not say how is of 0.1.0, which buried few others
        case _:
            return "unknown"


def _with_members(details: TaskDetails, results: tuple[bytes | None, ...] | None) -> TaskDetails:
    if results is None:
        return details
    ended = sum(it is not None for it in results)
    return replace(details, members=len(results), members_ended=ended)


def _with_end(details: TaskDetails, end: EndedTask | None) -> TaskDetails:
    """Add what the history says; nothing, where it speaks of an earlier end than the storage does."""
    if end is None or details.state not in ("unknown", state_of_end(end.kind)):
        return details
    told = info_of_ended(end)
    known = {name: getattr(details, name) for name in _TOLD_BY_HISTORY}
    missing = {name: getattr(told, name) for name, value in known.items() if value is None}
    return replace(
        details,
        state=told.state,
        ended=told.ended,
        is_revoked=end.kind == "revoked",
        timeline=_with_last(details.timeline, end),
        arguments=end.arguments,
        **missing,
    )


def _with_last(timeline: tuple[Attempt, ...], end: EndedTask) -> tuple[Attempt, ...]:
    """Add the last attempt, which is remembered apart only where one has failed."""
    is_good = end.kind == "done"
    if end.started_at is None or any(it.number == end.attempts and (not it.error) == is_good for it in timeline):
        return timeline
    last = Attempt(
        number=end.attempts,
        started_at=end.started_at,
        ended_at=end.ended_at,
        worker=end.worker,
        error=end.error,
        traceback="",
    )
    return (*timeline, last)


def _read(details: TaskDetails, found: Found, serializer: Serializer) -> TaskDetails:
    """Add what the message or the result says; one that cannot be read says nothing."""
    if found.data is None:
        return details
    try:
        if found.state == "stored":
            return _with_result(details, found.data, serializer)
        return _with_message(details, found, read_task(found.data, serializer, found.id))
    except SerializationError:
        return details


def _with_result(details: TaskDetails, data: bytes, serializer: Serializer) -> TaskDetails:
    ending = read_ending(data, serializer.within("result", details.id))
    if isinstance(ending, Error):
        return replace(details, error=str(ending.metadata.get("error")))
    return replace(details, returned=ending)


def _with_message(details: TaskDetails, found: Found, task: Task) -> TaskDetails:
    details = replace(
        details, task=task, name=task.path, expires=task.expires_resolved, deadline=task.deadline_resolved
    )
    if found.state == "dead":
        return details  # its message counts the attempts of the next run
    attempts = task.attempt + 1 + task.retries
    if found.state == "running":
        return replace(details, attempt=task.attempt + 1, attempts=attempts)
    # The header of a retry that 0.1.0 wrote does not count.
    state = waiting_state(found.state == "scheduled", task.attempt)
    return replace(details, state=state, attempt=task.attempt + 1, attempts=attempts)
