"""Which tasks are in a state?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from hueyio.control.listing import list_tasks
from hueyio.control.task_info import TaskInfo
from hueyio.exceptions import HueyException
from hueyio.tasks.states import ENDED_STATES, TaskState
from hueyio.web.filters import ListFilter, read_filter
from hueyio.web.frame import FAMILIES, STATES
from hueyio.web.refusal import Refusal
from hueyio.web.shown import split_error
from hueyio.web.view import Page, View

__all__ = ["MEANINGS", "PER_PAGE", "list_state", "read", "state_of"]

PER_PAGE: Final = 50
_MOST_FACETS: Final = 6

MEANINGS: Final[dict[TaskState, str]] = {
    "ready": "wait for a slot",
    "scheduled": "wait for their time",
    "waiting": "wait for the tasks before them",
    "running": "have been begun by a worker",
    "retrying": "have failed before, and are tried again",
    "done": "ended well, as far as they are remembered",
    "failed": "failed in their last attempt, and are kept",
    "expired": "were out of time before they began",
    "cancelled": "were ended by somebody",
    "lost": "took their workers down with them",
    "undeclared": "were known to no worker",
    "unreadable": "cannot be read",
}


async def read(view: View) -> Page:
    """Read the page."""
    state = state_of(view.part)
    which = read_filter(view.query)
    tasks, after = await list_state(view, state, which)
    is_ended = state in ENDED_STATES or state == "done"
    return Page(
        "tasks.html",
        state.capitalize(),
        {
            "state": state,
            "family": FAMILIES[state],
            "meaning": MEANINGS[state],
            "tasks": tasks,
            "filter": which,
            "is_ended": is_ended,
            "is_kept": state in ENDED_STATES,
            "has_error": state in ENDED_STATES,
            "facets": _facets(view, state, which, tasks),
            "next": None if after is None else view.at.tasks(state, which.to_query(after=after)),
            "first": view.at.tasks(state, which.to_query()) if view.query.get("after") else None,
            "bare": view.at.tasks(state),
            "can_select": (state in ENDED_STATES and (view.may("retry") or view.may("delete")))
            or (not is_ended and view.may("cancel")),
        },
    )


def state_of(part: str) -> TaskState:
    """Return the state that an address names; raises Refusal."""
    for state in STATES:
        if state == part:
            return state
    raise Refusal(404, f"There is no such list; there are {', '.join(STATES)}.")


async def list_state(view: View, state: TaskState, which: ListFilter) -> tuple[list[TaskInfo], str | None]:
    """List a page of a state, from the place that the address names; return where it goes on."""
    after = view.query.get("after") or None
    try:
        page = await list_tasks(view.session, which.wish((state,), view.now, view.redaction), PER_PAGE, after)
    except HueyException as error:
        raise Refusal(400, f"{error}.") from None
    return [view.redaction.task(it) for it in page.tasks], page.next


def _facets(view: View, state: TaskState, which: ListFilter, tasks: Sequence[TaskInfo]) -> list[dict[str, Any]]:
    """Return what the tasks of this page have in common, as links that filter by it."""
    if state in ENDED_STATES:
        field, values = "error", [split_error(it.error)[0] for it in tasks]
    else:
        field, values = "name", [it.name or "" for it in tasks]
    common = [(value, count) for value, count in Counter(values).most_common(_MOST_FACETS) if value]
    if len(common) < 2 and not getattr(which, field):
        return []
    return [
        {"text": value, "count": count, "address": view.at.tasks(state, which.to_query(**{field: value}))}
        for value, count in common
    ]
