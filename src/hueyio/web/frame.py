"""What stands around each page: the queues, the pages, the states with their counts, and who is looking."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from hueyio.control.pause import read_pause
from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import COUNTED, Counts
from hueyio.tasks.states import TASK_STATES, TaskState
from hueyio.web.view import Source, View

__all__ = ["FAMILIES", "PAGES", "STATES", "StateLink", "count_of", "counted_to", "read_frame"]

FAMILIES: Final[dict[TaskState, str]] = {
    "ready": "calm",
    "scheduled": "calm",
    "waiting": "calm",
    "running": "run",
    "retrying": "care",
    "done": "well",
    "failed": "bad",
    "expired": "care",
    "cancelled": "calm",
    "lost": "bad",
    "undeclared": "care",
    "unreadable": "bad",
    "unknown": "care",
}
"""Of which kind a state is, as the stylesheet knows it: colour is for states, and never says anything alone."""

STATES: Final[tuple[TaskState, ...]] = tuple(state for state in TASK_STATES if state != "unknown")
"""The states of which there is a list."""

PAGES: Final = (
    ("failures", "Failures"),
    ("names", "Names"),
    ("workers", "Workers"),
    ("schedules", "Schedules"),
    ("limits", "Limits"),
    ("audit", "Audit"),
)


class StateLink(NamedTuple):
    """A state in the list of states. ``amount`` None: it is not counted, because that would take long."""

    state: TaskState
    family: str
    amount: int | None
    address: str


async def read_frame(view: View, sources: Sequence[Source]) -> dict[str, Any]:
    """Read what each page of a queue shows beside its own."""
    counts, paused = await asyncio.gather(view.session.counts(COUNTED), view.session.paused())
    return {
        "queues": [(it.name, view.at.other(it.name)) for it in sources],
        "pages": [(path, title, view.at.page(path)) for path, title in PAGES],
        "states": [StateLink(it, FAMILIES[it], count_of(counts, it), view.at.tasks(it)) for it in STATES],
        "counts": counts,
        "pause": read_pause(paused),
    }


def count_of(counts: Counts, state: TaskState) -> int | None:
    """Return how many tasks of a state there are, where the storage counts that."""
    match state:
        case "ready":
            return sum(counts.queued.values()) + counts.suspects
        case "scheduled":
            return counts.scheduled
        case "running":
            return counts.running
        case "waiting":
            return counts.expected
        case _:
            return None


def counted_to(count: int) -> str:
    """Return a count, which may be a lower bound."""
    return f"{COUNTED:,}+" if count > COUNTED else f"{count:,}"
