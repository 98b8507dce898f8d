"""``hueyio show``."""

from __future__ import annotations

from typing import Any

import click

from hueyio.cli.options import FULL, command
from hueyio.cli.seen import find_id
from hueyio.cli.text import Id
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.control.task_details import TaskDetails, describe_task
from hueyio.exceptions import ConfigurationError, SerializationError
from hueyio.messages.stored_result import Error, Returned, read_ending
from hueyio.storage.records import Found

__all__ = ["show"]


@command(
    ["show 0c1d2f7be813 -a app:huey", "show 0c1d2f7be813 -a app:huey --args"],
    click.argument("id"),
    click.option("--args", "with_args", is_flag=True, help="its arguments, and its result or error; needs the app"),
    FULL,
)
def show(asked: Asked, id: str, with_args: bool) -> int:
    """Show what is known of one task.

    ID is the whole id, or a start or an end of it of at least 4 characters, as `hueyio ls` shows them.
    """
    return visit(asked, lambda at: _show(at, id, with_args))


async def _show(at: Visit, part: str, with_args: bool) -> int:
    if with_args and not at.has_app:
        raise ConfigurationError("--args needs the app, which knows how its arguments are written: say -a")
    found = await find_id(at.session, part)
    task = await describe_task(at.session, found.id, at.core.serializer if with_args else None)
    facts = {"id": Id(task.id), "state": task.state, "name": task.name, "made": task.made, **_known(task)}
    if with_args:
        facts.update(_carried(task, found), **_left(at, found))
    at.output.print_facts(facts)
    return 0


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
        "error": task.error,
        "unique key": task.unique_key,
        "chord": task.chord,
        "then": list(task.then),
        "waits for": [id for id in task.waits_for if id != task.id],
        "put off": task.put_off or None,
    }


def _carried(task: TaskDetails, found: Found) -> dict[str, Any]:
    """Return what its message says to the application."""
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
