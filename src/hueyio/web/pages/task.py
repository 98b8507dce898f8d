"""What happened to one task?"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from hueyio.client.deletions import finish_deletions
from hueyio.control.audit import AuditEntry, read_audit
from hueyio.control.history import Attempt
from hueyio.control.task_details import TaskDetails, describe_task
from hueyio.tasks.states import ENDED_STATES, LIVE_STATES
from hueyio.tasks.task import Task
from hueyio.web.filters import read_number
from hueyio.web.frame import FAMILIES
from hueyio.web.redaction import FAILED, Redaction
from hueyio.web.refusal import Refusal
from hueyio.web.settings import Redact
from hueyio.web.shown import MOST_SHOWN, split_error
from hueyio.web.view import Page, View
from hueyio.wording import counted

__all__ = ["arguments_of", "read", "result_of"]

logger = logging.getLogger(__name__)

_MOST_RELATED: Final = 12
_ROW: Final = 80
"""Characters around each argument on the page."""

_MOST_ENTRIES: Final = 20
_MOST_TEXT: Final = 4 * MOST_SHOWN
"""Characters of all arguments together, about which nobody reads on."""

_AUDIT_LOOKED_AT: Final = 200


async def read(view: View) -> Page:
    """Read the page."""
    core = view.source.core
    await finish_deletions(core)
    serializer = core.serializer if view.shows_arguments else None
    task, audit = await asyncio.gather(
        describe_task(view.session, view.part, serializer), read_audit(view.session, _AUDIT_LOOKED_AT)
    )
    if task.state == "unknown":
        raise Refusal(404, f"No task {view.part} is known: it never was, or ended longer ago than is remembered.")
    task = view.redaction.details(task)
    shown = _attempt_to_show(task.timeline, read_number(view.query, "attempt"))
    return Page(
        "task.html",
        task.name or "A task",
        {
            "task": task,
            "family": FAMILIES[task.state],
            "error": split_error(task.error or ""),
            "attempts": [(it, *split_error(it.error)) for it in task.timeline],
            "bars": _bars(task.timeline),
            "shown": shown,
            "may_see_traceback": view.may_see_tracebacks,
            "frames": [] if shown is None else _frames(shown.traceback or ""),
            "before": await _related(view, [it for it in task.waits_for if it != task.id]),
            "after": await _related(view, [*task.then, *([task.chord] if task.chord else [])]),
            "arguments": _some(arguments_of(task.task, view.settings.redact, task.id)),
            "headers": _some(headers_of(task, view.redaction)),
            "hides_arguments": serializer is None,
            "result": result_of(task, view),
            "hides_result": view.redaction.hides_texts,
            "remembered": task.arguments if view.shows_remembered_arguments else None,
            "audit": _about(audit, task.id)[:_MOST_ENTRIES],
            "is_live": task.state in LIVE_STATES,
            "is_kept": task.state in ENDED_STATES and _is_letter(task),
        },
    )


def _is_letter(task: TaskDetails) -> bool:
    """Say whether its message is kept: what is known from a tombstone or the history alone cannot run again."""
    return task.lane is not None and not task.is_revoked


def _attempt_to_show(attempts: Sequence[Attempt], number: int | None) -> Attempt | None:
    """Return the attempt that is asked for, by its place from 1; the last one if none is."""
    if not attempts:
        return None
    if number is None:
        return attempts[-1]
    if not 1 <= number <= len(attempts):
        raise Refusal(404, f"There are {len(attempts)} attempts.")
    return attempts[number - 1]


def _bars(attempts: Sequence[Attempt]) -> list[tuple[str, str]]:
    """Return where each attempt begins on the axis of all, and how long it is there: in hundredths of its length."""
    if not attempts:
        return []
    first = attempts[0].started_at
    whole = max((attempts[-1].ended_at - first).total_seconds(), 0.001)

    def share(moment: datetime) -> float:
        return min(max((moment - first).total_seconds() / whole * 100, 0.0), 100.0)

    return [(f"{share(it.started_at):.2f}", f"{share(it.ended_at) - share(it.started_at):.2f}") for it in attempts]


def _frames(traceback: str) -> list[tuple[str, str]]:
    """Return the lines of a traceback with their kind: head, own code, or error. Frames of hueyio are folded."""
    found: list[tuple[str, str]] = []
    folded = 0
    is_ours = False
    for line in traceback.strip("\n").splitlines():
        if line.startswith("  File "):
            is_ours = "/hueyio/" in line and "/hueyio/demo/" not in line
            folded += is_ours
        is_inside = line.startswith("  ")
        if is_ours and is_inside:
            continue
        if folded:
            found.append(("f", f"  {counted(folded, 'frame')} of hueyio"))
            folded = 0
        kind = "own" if is_inside else "f" if line.startswith("Traceback") or not line else "e"
        found.append((kind, line))
    return found


async def _related(view: View, ids: Sequence[str]) -> list[dict[str, Any]]:
    some = ids[:_MOST_RELATED]
    found = await asyncio.gather(*(describe_task(view.session, id, None) for id in some))
    return [{"task": it, "family": FAMILIES[it.state], "address": view.at.task(it.id)} for it in found]


def arguments_of(task: Task | None, redact: Redact | None, id: str) -> list[tuple[str, str]] | str | None:
    """Return the arguments of a call as texts with their names, or why there are none; None: they are not read."""
    if task is None:
        return None
    args, kwargs = task.args, dict(task.kwargs)
    try:
        if redact is not None:
            shown_args, shown_kwargs = redact(task.path, args, kwargs)
            args, kwargs = tuple(shown_args), dict(shown_kwargs)
        named = [*((str(at), it) for at, it in enumerate(args)), *((str(key), it) for key, it in kwargs.items())]
        return [(key, repr(it)) for key, it in named]
    except Exception:  # the hook is the application's, and so is each __repr__: what fails must show nothing
        logger.exception("the arguments of task %s are hidden: they cannot be shown", id)
        return FAILED


def result_of(task: TaskDetails, view: View) -> str | None:
    """Return the value of a task as a text; None: it is not there, or not to be shown.

    A hook that says what may be shown of arguments knows nothing of results: then none is.
    """
    if task.returned is None or view.redaction.hides_texts:
        return None
    try:
        return view.redaction.text(task.name, repr(task.returned.value))
    except Exception:  # each __repr__ is the application's
        logger.exception("the result of task %s is hidden: it cannot be shown", task.id)
        return "hidden: it cannot be shown"


def _some(named: Sequence[tuple[str, str]] | str | None) -> Sequence[tuple[str, str]] | str | None:
    """Leave out what would make a page large, and say how many."""
    if named is None or isinstance(named, str):
        return named
    room, shown = _MOST_TEXT, list[tuple[str, str]]()
    for key, value in named:
        if room > 0:
            shown.append((key, value))
            room -= min(len(value), MOST_SHOWN) + _ROW
    left = len(named) - len(shown)
    return [*shown, ("…", f"and {left:,} more")] if left else shown


def headers_of(task: TaskDetails, redaction: Redaction) -> list[tuple[str, str]]:
    """Return the headers of a task whose message was read, and what may be seen of their values."""
    headers = {} if task.task is None else task.task.headers
    return [(key, redaction.text(task.name, value)) for key, value in headers.items()]


def _about(audit: Sequence[AuditEntry], id: str) -> list[AuditEntry]:
    """Find what was done to one task. An entry about several names the first ones, and how many follow."""
    return [it for it in audit if id in it.target.removeprefix("id ").partition(" and ")[0].split(", ")]
