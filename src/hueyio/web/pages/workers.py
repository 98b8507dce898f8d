"""Who runs what, and since when?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from hueyio.control.consumers import ConsumerInfo, read_consumers
from hueyio.control.listing import list_tasks
from hueyio.control.task_info import TaskInfo
from hueyio.storage.records import LANES
from hueyio.web.filters import ListFilter
from hueyio.web.portion import portion_of
from hueyio.web.view import Page, View

__all__ = ["read"]

_LOOKED_AT: Final = 1000
_PATIENCE: Final = 0.2
_PER_PAGE: Final = 15
_ROWS: Final = 50
"""Tasks on a page: with many workers each shows fewer, those that run longest."""

_FEWEST_ROWS: Final = 3
_MOST_ROWS: Final = 10


async def read(view: View) -> Page:
    """Read the page."""
    owners, page = await asyncio.gather(
        view.session.owners(),
        list_tasks(view.session, ListFilter().wish(("running",), view.now), _LOOKED_AT, patience=_PATIENCE),
    )
    consumers = sorted(read_consumers(owners), key=lambda it: (it.started, it.host, it.pid))
    some = portion_of(view, consumers, _PER_PAGE)
    versions = sorted({it.version or "before 0.2.0" for it in consumers})
    silent = sum(_state_of(it)[1] == "silent" for it in consumers)
    return Page(
        "workers.html",
        "Workers",
        {
            "workers": some,
            "rows": [_row(view, it, page.tasks, _ROWS // len(some.items)) for it in some.items],
            "silent": silent,
            "versions": versions if len(versions) > 1 else [],
            "used": sum(sum(it.used.values()) for it in consumers),
            "slots": sum(sum(it.slots.values()) for it in consumers),
        },
    )


def _row(view: View, worker: ConsumerInfo, running: Sequence[TaskInfo], room: int) -> dict[str, Any]:
    room = min(max(room, _FEWEST_ROWS), _MOST_ROWS)
    tasks = [it for it in running if it.consumer == worker.id]
    tasks.sort(key=lambda it: (it.since is None, it.since or view.now))
    family, state = _state_of(worker)
    name = f"{worker.host}:{worker.pid}"
    return {
        "worker": worker,
        "name": name,
        "family": family,
        "state": state,
        "lanes": [(lane, worker.used.get(lane, 0), worker.slots.get(lane, 0)) for lane in LANES],
        "tasks": tasks[:room],
        "more": max(worker.running - room, 0),
        "list": view.at.tasks("running", {"worker": name}),
    }


def _state_of(worker: ConsumerInfo) -> tuple[str, str]:
    """Return the family and the word of a worker's state."""
    if worker.is_silent:
        return "bad", "silent"
    return ("care", "stopping") if worker.stopping else ("run", "running")
