"""``hueyio workers``."""

from __future__ import annotations

from typing import Any

from hueyio.cli.options import FULL, command
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.control.consumers import ConsumerInfo, read_consumers

__all__ = ["workers"]


@command(["workers -a app:huey", "workers --file app.db --json"], FULL)
def workers(asked: Asked) -> int:
    """List the workers that are alive.

    HELD counts what each has, begun or not; HEARD says when it gave its last sign of life. One that died is listed
    until the others give it up, when its lease is over.
    """
    return visit(asked, _list)


async def _list(at: Visit) -> int:
    found = read_consumers(await at.session.owners())
    rows = [_row(it) for it in sorted(found, key=lambda it: (it.started, it.host, it.pid))]
    columns = ("worker", "started", "loop", "thread", "process", "held", "heard", "version")
    at.output.print_list("workers", columns, rows, queue=at.huey.name)
    if not rows and not at.output.as_json:
        at.output.say(f"no worker is alive on {at.where}")
    return 0


def _row(worker: ConsumerInfo) -> dict[str, Any]:
    return {
        "id": worker.id,
        "worker": f"{worker.host}:{worker.pid}",
        "started": worker.started,
        **{lane: worker.slots.get(lane) for lane in ("loop", "thread", "process")},
        "held": worker.running,
        "heard": f"{worker.silence:.1f} s",
        "silence": worker.silence,
        "lease": worker.lease,
        "version": worker.version,
    }
