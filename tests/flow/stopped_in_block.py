"""A worker that is stopped, and not killed, in the middle of its task's transaction.

``python -m tests.flow.stopped_in_block TARGET NAME``: runs the one task of the queue, and prints what its block raised.
There is no test in here.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from hueyio import HueyException, Task
from tests.support.own_rows import home_at, insert


async def main(target: str, name: str) -> None:
    huey = home_at(target, name).huey()

    async def write(task: Task) -> None:
        try:
            async with task.transaction() as connection:
                await insert(connection, "stopped")
                os.kill(os.getpid(), signal.SIGSTOP)
        except HueyException as error:
            print(type(error).__name__, flush=True)
        os._exit(0)

    write.__module__ = "app"
    huey.task(context=True)(write)
    async with huey.create_consumer(lease=1.0):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
