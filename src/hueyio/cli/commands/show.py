"""``hueyio show``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import click

from hueyio.cli.failures import NothingFound
from hueyio.cli.options import FULL, command
from hueyio.cli.output import Output
from hueyio.cli.seen import find_id
from hueyio.cli.text import Id, span
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.control.history import Attempt
from hueyio.control.task_details import TaskDetails, describe_task
from hueyio.control.workers import NO_WORKERS
from hueyio.exceptions import ConfigurationError, SerializationError
from hueyio.messages.stored_result import Error, Returned, read_ending
from hueyio.storage.records import Found

__all__ = ["show"]

_COLUMNS: Final = ("#", "start", "after", "ran", "worker", "ended with")
_NOTHING: Final = timedelta(0)  # clocks of two hosts differ


@command(
    [
        "show 0c1d2f7be813 -a app:huey",
        "show 0c1d2f7be813 -a app:huey --args",
        "show 0c1d2f7be813 --file app.db --attempt 2",
    ],
    click.argument("id"),
    click.option("--args", "with_args", is_flag=True, help="its arguments, and its result or error; needs the app"),
    click.option("--attempt", type=click.IntRange(min=1), metavar="N", help="the traceback of this attempt"),
    FULL,
)
def show(asked: Asked, id: str, with_args: bool, attempt: int | None) -> int:
    """Show what is known of one task, and its attempts.

    ID is the whole id, or a start or an end of it of at least 4 characters, as `hueyio ls` shows them. AFTER says how
    long after the call was made, or after the end of the attempt before, each one began. Below is the traceback of the
    last attempt that has one; it is cut in the middle. In a pipe each attempt is a line, and `--attempt` adds the
    traceback.
    """
    return visit(asked, lambda at: _show(at, id, with_args, attempt))


async def _show(at: Visit, part: str, with_args: bool, attempt: int | None) -> int:
    if with_args and not at.has_app:
        raise ConfigurationError("--args needs the app, which knows how its arguments are written: say -a")
    found = await find_id(at.session, part)
    task = await describe_task(at.session, found.id, at.core.serializer if with_args else None)
    facts = {"id": Id(task.id), "state": task.state, "name": task.name, "made": task.made, **_known(task)}
    if with_args:
        facts.update(_carried(task, found), **_left(at, found))
    if at.output.as_json:
        at.output.print_facts({**facts, "timeline": [_attempt(it) for it in task.timeline]})
        return 0
    at.output.print_facts(facts)
    _print_timeline(at.output, task)
    _print_traceback(at.output, task.timeline, attempt)
    return 0


def _print_timeline(output: Output, task: TaskDetails) -> None:
    if not task.timeline:
        return
    befores = [task.made, *(it.ended_at for it in task.timeline)]
    rows = [_row(it, before) for it, before in zip(task.timeline, befores, strict=False)]
    if output.is_piped:
        output.print_list("", ("timeline", *_COLUMNS), [{"timeline": "timeline", **row} for row in rows])
    else:
        output.line("")
        output.print_list("", _COLUMNS, rows)


def _row(attempt: Attempt, before: datetime | None) -> dict[str, Any]:
    return {
        "#": attempt.number,
        "start": attempt.started_at,
        "after": None if before is None else span(max(attempt.started_at - before, _NOTHING)),
        "ran": span(attempt.duration),
        "worker": NO_WORKERS.name_of(attempt.worker),
        "ended with": attempt.error or "success",
    }


def _print_traceback(output: Output, timeline: Sequence[Attempt], number: int | None) -> None:
    """Print the traceback that is asked for; on a terminal, unasked, the last one."""
    asked = [it for it in timeline if number in (None, it.number)]
    if number is not None and not asked:
        raise NothingFound(f"nothing is remembered of an attempt {number}")
    tracebacks = [it.traceback for it in asked if it.traceback]
    if tracebacks and (number is not None or not output.is_piped):
        output.line("")
        for line in tracebacks[-1].splitlines():
            output.line(line)


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "started": attempt.started_at,
        "ended": attempt.ended_at,
        "duration": attempt.duration.total_seconds(),
        "worker": NO_WORKERS.name_of(attempt.worker),
        "consumer": attempt.worker,
        "error": attempt.error or None,
        "traceback": attempt.traceback or None,
    }


def _known(task: TaskDetails) -> dict[str, Any]:
    """Return what the storage knows of it."""
    facts: dict[str, Any] = {"cancelled": True} if task.is_cancelled else {}
    if task.is_revoked:
        facts["reason"] = "it was revoked"
    if task.progress is not None:
        facts["progress"] = f"{task.progress.fraction:.0%} {task.progress.message}".strip()
    if task.members is not None:
        facts["members"] = f"{task.members_ended} of {task.members} ended"
    return {
        **facts,
        "lane": task.lane,
        "priority": task.priority or None,
        "due": task.due,
        "attempt": task.attempt,
        "worker": task.worker,
        "since": task.since,
        "started": True if task.started else None,
        "delivery": task.delivery,
        "ended": task.ended,
        "ran": span(task.duration),
        "error": task.error,
        "unique key": task.unique_key,
        "chord": task.chord,
        "then": list(task.then),
        "waits for": [id for id in task.waits_for if id != task.id],
        "put off": task.put_off or None,
    }


def _carried(task: TaskDetails, found: Found) -> dict[str, Any]:
    """Return what its message says to the application."""
    if task.task is None and task.arguments is not None:
        return {"arguments": task.arguments}
    if task.task is None:
        is_message = found.state in ("queued", "scheduled", "running", "dead")
        return {"unreadable": "its message cannot be read by this app"} if is_message else {}
    return {
        "args": [repr(it) for it in task.task.args],
        "kwargs": {key: repr(value) for key, value in task.task.kwargs.items()} or None,
        "retries left": task.task.retries,
        "attempts": task.attempts,
        "expires": task.expires,
        "deadline": task.deadline,
        "headers": dict(task.task.headers) or None,
    }


def _left(at: Visit, found: Found) -> dict[str, Any]:
    """Read its result, as whoever awaits it does."""
    if found.data is None or found.state != "stored":
        return {}
    try:
        ending = read_ending(found.data, at.core.serializer.within("result", found.id))
    except SerializationError:
        return {}  # how it ended is remembered beside what it left
    match ending:
        case Returned(value):
            return {"result": repr(value)}
        case Error(metadata):
            return {"error": str(metadata.get("error")), "traceback": str(metadata.get("traceback"))}
