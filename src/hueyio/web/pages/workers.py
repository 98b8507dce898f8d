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
from hueyio.web.view import Page, View

__all__ = ["read"]

_LOOKED_AT: Final = 1000
_PATIENCE: Final = 0.2
_MOST_ROWS: Final = 10


async def read(view: View) -> Page:
    """Read the page."""
    owners, page = await asyncio.gather(
        view.session.owners(),
        list_tasks(view.session, ListFilter().wish(("running",), view.now), _LOOKED_AT, patience=_PATIENCE),
    )
    consumers = sorted(read_consumers(owners), key=lambda it: (it.started, it.host, it.pid))
    versions = sorted({it.version or "before 0.2.0" for it in consumers})
    silent = sum(_state_of(it)[1] == "silent" for it in consumers)
    return Page(
        "workers.html",
        "Workers",
        {
            "workers": [_row(view, it, page.tasks) for it in consumers],
            "silent": silent,
            "versions": versions if len(versions) > 1 else [],
            "used": sum(sum(it.used.values()) for it in consumers),
            "slots": sum(sum(it.slots.values()) for it in consumers),
            "waiting": None,
        },
    )


def _row(view: View, worker: ConsumerInfo, running: Sequence[TaskInfo]) -> dict[str, Any]:
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
        "tasks": tasks[:_MOST_ROWS],
        "more": max(worker.running - _MOST_ROWS, 0),
        "list": view.at.tasks("running", {"worker": name}),
    }


def _state_of(worker: ConsumerInfo) -> tuple[str, str]:
    """Return the family and the word of a worker's state."""
    if worker.is_silent:
        return "bad", "silent"
    return ("care", "stopping") if worker.stopping else ("run", "running")
