"""``hueyio bridge-huey``."""

from __future__ import annotations

import asyncio
import signal
from typing import Any, Final

from hueyio.cli.huey_queue import HUEY_QUEUE, HueyQueue
from hueyio.cli.options import command
from hueyio.cli.text import counted
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.migration.bridge import Bridge
from hueyio.migration.tally import Refusal
from hueyio.migration.transfer import Transfer

__all__ = ["bridge_huey"]

_ENDS: Final = (signal.SIGINT, signal.SIGTERM)


@command(
    ["bridge-huey redis://cache:6379/0 --from-queue shop -a app:huey", "bridge-huey huey.db -a app:huey"],
    *HUEY_QUEUE,
)
def bridge_huey(asked: Asked, **given: Any) -> int:
    """Move what comes into a queue of Huey's here, until it is told to stop.

    It is for the time in which some programs enqueue with Huey still: its tasks are run by hueyio's workers, a moment
    later. FROM is what `import-huey` takes. It may be killed at any time, and several may run beside each other and
    beside Huey's consumer. What cannot be moved stays in Huey's queue, and is told of once. Ctrl-C and SIGTERM end it
    with 0.
    """
    queue = HueyQueue(**given)
    return visit(asked, lambda at: _bridge(at, queue))


async def _bridge(at: Visit, queue: HueyQueue) -> int:
    reading = queue.reading()
    async with queue.opened(at) as source:
        stopped = asyncio.Event()
        transfer = Transfer(at.core, at.session, source, reading, is_stopped=stopped.is_set)

        def refused(path: str, refusal: Refusal, reason: str) -> None:
            at.output.say(f"{path} stays in Huey's queue, {refusal}: {reason}")

        loop = asyncio.get_running_loop()
        for number in _ENDS:
            loop.add_signal_handler(number, stopped.set)
        try:
            at.output.say(f"moving what comes from {source} to {at.where}")
            await Bridge(transfer, stopped, refused).run()
        finally:
            for number in _ENDS:
                loop.remove_signal_handler(number)
        moved = transfer.tally.tasks
        at.output.done(f"{counted(moved, 'task')} moved.", queue=at.huey.name, moved=moved, left=transfer.tally.refused)
    return 0
