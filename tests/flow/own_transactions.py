"""A worker whose tasks write a row and end in one transaction, and which dies at every step of that.

``python -m tests.flow.own_transactions TARGET NAME SEED``: runs all tasks of the queue, in processes that are forked
from this one before it has a loop or a connection, and killed. There is no test in here.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from random import Random
from typing import Any, Final

from hueyio import Huey, Task
from hueyio.core import core_of
from tests.support.own_rows import Home, home_at, insert

STEPS: Final = ("before", "begun", "written", "enqueued", "left", "ended", "any moment", "never")
_MOST_DEATHS: Final = 2
"""For each task: with one more it would be buried."""
_LONGEST: Final = 0.02
"""Seconds within which a process dies that does so at any moment; a task takes about as long."""

deaths: Final[dict[str, Death]] = {}


def main(home: Home, seed: int) -> None:
    while True:
        pid = os.fork()
        if not pid:
            os._exit(asyncio.run(work(home, Random(f"{seed} {os.getpid()}"))))
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code == 0:
            return
        assert code == -signal.SIGKILL


def declare(huey: Huey) -> tuple[Any, Any]:
    """Make the tasks; in a coroutine, and in a thread."""

    async def note(text: str) -> str:
        return text

    async def in_coroutine(task: Task) -> None:
        die = deaths[task.id]
        die("before")
        async with (tx := task.transaction()) as connection:
            die("begun")
            await insert(connection, task.id)
            die("written")
            await noting.options(id=f"note-{task.id}").enqueue_in(connection, task.id)
            die("enqueued")
            tx.result = task.id
        die("left")

    def in_thread(task: Task) -> None:
        die = deaths[task.id]
        die("before")
        with (tx := task.sync.transaction()) as connection:
            die("begun")
            insert(connection, task.id)
            die("written")
            noting.options(id=f"note-{task.id}").sync.enqueue_in(connection, task.id)
            die("enqueued")
            tx.result = task.id
        die("left")

    for function in (note, in_coroutine, in_thread):
        function.__module__ = "app"  # and not __main__: the test must know them by the same names
    noting = huey.task(note)
    return huey.task(context=True)(in_coroutine), huey.task(context=True)(in_thread)


class Death:
    """Kills this process at the step of a delivery that it was made for, at most twice for each task."""

    def __init__(self, task: Task, chance: Random) -> None:
        deaths = task.receipt.deliveries
        may_die = task.id.isdigit() and deaths < _MOST_DEATHS
        self._step = STEPS[(int(task.id) + deaths) % len(STEPS)] if may_die else "never"
        self._killer = threading.Timer(chance.uniform(0, _LONGEST), os.kill, (os.getpid(), signal.SIGKILL))
        if self._step == "any moment":
            self._killer.start()

    def __call__(self, step: str) -> None:
        if step == self._step:
            os.kill(os.getpid(), signal.SIGKILL)

    def is_over(self) -> None:
        """Let those live that come after it."""
        self._killer.cancel()


async def work(home: Home, chance: Random) -> int:
    """Take over what a process held that died, and run what there is, one after another."""
    huey = home.huey()
    declare(huey)
    session = await core_of(huey).session()
    for owner in await session.owners():
        await session.reclaim(owner.owner, owner.beat)
    while (task := await huey.dequeue()) is not None:
        deaths[task.id] = die = Death(task, chance)
        await huey.execute(task)
        die("ended")
        die.is_over()
    await huey.close()
    return 0


if __name__ == "__main__":
    main(home_at(sys.argv[1], sys.argv[2]), int(sys.argv[3]))
