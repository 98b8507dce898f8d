"""``hueyio show``."""

from __future__ import annotations

from typing import Any, Final

import click

from hueyio.cli.options import FULL, command
from hueyio.cli.sealed import SealedSerializer
from hueyio.cli.seen import Seen, SeenState, find_id, look
from hueyio.cli.text import Id, made_at
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.exceptions import ConfigurationError, SerializationError
from hueyio.handles.status import status_of
from hueyio.messages.glance import glance_at_path
from hueyio.messages.message import read_task
from hueyio.messages.stored_result import Ending, Error, Returned, read_ending
from hueyio.serializer import Serializer
from hueyio.storage.records import Found

__all__ = ["show"]

_LISTED: Final[dict[str, SeenState]] = {
    "queued": "ready",
    "scheduled": "scheduled",
    "running": "running",
    "dead": "dead",
}
_SCANNED: Final = 1000


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
    ending = _read_ending(at, found) if with_args else None
    facts = {
        "id": Id(found.id),
        "state": _state(found, ending, at.core.serializer if with_args else SealedSerializer()),
        "name": None if found.data is None else glance_at_path(found.data, found.id),
        "made": made_at(found.id),
        **await _whereabouts(at, found),
    }
    if with_args:
        facts.update(_carried(at, found), **_told(ending))
    at.output.print_facts(facts)
    return 0


def _state(found: Found, ending: Ending | None, serializer: Serializer) -> str:
    """Return the status; of a task whose result alone is left, and is not read here, only that it has ended."""
    if found.state == "stored" and found.kind is None and ending is None:
        return "ended"
    return status_of(found, ending, serializer)


async def _whereabouts(at: Visit, found: Found) -> dict[str, Any]:
    """Return what the header says, where the task is among the first of its state."""
    facts: dict[str, Any] = {"cancelled": True} if found.cancelled else {}
    if found.kind == "revoked":
        facts["reason"] = "it was revoked"
    if found.state not in _LISTED:
        return facts
    sight = await look(at.session, _LISTED[found.state], _SCANNED)
    task = next((it for it in sight.tasks if it.id == found.id), None)
    return facts if task is None else {**facts, **_header(task)}


def _header(task: Seen) -> dict[str, Any]:
    header = task.header
    return {
        "lane": header.lane,
        "priority": header.priority or None,
        "due": task.due,
        "worker": task.worker,
        "started": True if task.started else None,
        "delivery": task.deliveries,
        "buried": task.buried,
        "reason": task.reason,
        "unique key": header.unique_key,
        "chord": header.latch,
        "then": list(header.expects),
        "put off": header.defers or None,
    }


def _carried(at: Visit, found: Found) -> dict[str, Any]:
    """Read the message, as the application does when it runs it."""
    if found.data is None or found.state not in _LISTED:
        return {}
    try:
        task = read_task(found.data, at.core.serializer, found.id)
    except SerializationError as error:
        return {"unreadable": str(error)}
    return {
        "args": [repr(it) for it in task.args],
        "kwargs": {key: repr(value) for key, value in task.kwargs.items()} or None,
        "attempt": task.attempt + 1,
        "retries left": task.retries,
        "expires": task.expires_resolved,
    }


def _read_ending(at: Visit, found: Found) -> Ending | None:
    if found.data is None or found.state != "stored":
        return None
    try:
        return read_ending(found.data, at.core.serializer.within("result", found.id))
    except SerializationError:
        return None  # how it ended is remembered beside what it left


def _told(ending: Ending | None) -> dict[str, Any]:
    match ending:
        case Returned(value):
            return {"result": repr(value)}
        case Error(metadata):
            return {"error": str(metadata.get("error")), "traceback": str(metadata.get("traceback"))}
        case _:
            return {}
