"""``hueyio workers``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hueyio.cli.options import FULL, command
from hueyio.cli.text import tell_pause
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.control.consumers import ConsumerInfo, read_consumers
from hueyio.control.pause import read_pause

__all__ = ["workers"]


@command(["workers -a app:huey", "workers --file app.db --json"], FULL)
def workers(asked: Asked) -> int:
    """List the workers that are alive.

    BUSY says how many of its slots have a task that runs, HELD counts what it has, begun or not; LAG says how late its
    loop answers, HEARD when it gave its last sign of life. One that died is listed until the others give it up, when
    its lease is over. With --json, the tasks that have run longest are there too.
    """
    return visit(asked, _list)


async def _list(at: Visit) -> int:
    found = read_consumers(await at.session.owners())
    rows = [_row(it) for it in sorted(found, key=lambda it: (it.started, it.host, it.pid))]
    columns = ("worker", "started", "loop", "thread", "process", "busy", "held", "lag", "heard", "version")
    pause = read_pause(await at.session.paused())
    paused = None if pause is None else {"by": pause.by, "at": pause.at}
    at.output.print_list("workers", columns, rows, queue=at.huey.name, paused=paused)
    if pause is not None and not at.output.as_json:
        at.output.say(f"{tell_pause(at.huey.name, pause.by, pause.at, at.output.now)}.")
    if not rows and not at.output.as_json:
        at.output.say(f"no worker is alive on {at.where}")
    return 0


def _row(worker: ConsumerInfo) -> dict[str, Any]:
    return {
        "id": worker.id,
        "worker": f"{worker.host}:{worker.pid}",
        "started": worker.started,
        **{lane: worker.slots.get(lane) for lane in ("loop", "thread", "process")},
        "busy": f"{sum(worker.used.values())}/{sum(worker.slots.values())}",
        "used": dict(worker.used),
        "held": worker.running,
        "lag": worker.lag,
        "memory": worker.memory,
        "stopping": worker.stopping,
        "periodic": worker.periodic,
        "blocks": worker.blocks,
        "last_block": None if worker.last_block is None else asdict(worker.last_block),
        "longest": [asdict(it) for it in worker.longest],
        "heard": f"{worker.silence:.1f} s",
        "silence": worker.silence,
        "lease": worker.lease,
        "version": worker.version,
    }
