"""Programs that use a Huey and end, for ``test_exit``.

``python exit_program.py measure KIND WHERE`` says how long each way to end takes. ``python exit_program.py late WHEN
LANE KIND WHERE`` makes a call at the very end and says what came of it; the exit function of WHEN ``before`` is
registered before hueyio is imported, so that it is called after everything that hueyio registers.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from itertools import product
from typing import Any, Final

open_loop: Final = asyncio.new_event_loop()
"""A loop that nobody closes."""


class Late:
    """A call at the very end. Keeps what it needs: a module's names are None by then."""

    def __init__(self, lane: str) -> None:
        self._call = {"sync": self._block, "async": self._run, "loop": self._run_again}[lane]
        self._asyncio_run = asyncio.run
        self._loop = open_loop
        self._say = os.write
        self.huey: Any = None

    def __call__(self) -> None:
        try:
            self._call()
            outcome = "works"
        except Exception as error:
            outcome = f"raises {type(error).__name__}"
        self._say(1, outcome.encode() + b"\n")

    def _block(self) -> None:
        self.huey.sync.put("late", 1)

    def _run(self) -> None:
        self._await(self._asyncio_run)

    def _run_again(self) -> None:
        self._await(self._loop.run_until_complete)

    def _await(self, run: Callable[[Any], Any]) -> None:
        call = self.huey.put("late", 1)
        try:
            run(call)
        finally:
            call.close()  # where the loop itself was refused


class AtDeletion:
    """Makes the call when the interpreter takes the module apart."""

    def __init__(self, call: Late) -> None:
        self.call = call

    def __del__(self) -> None:
        self.call()


said_at_end: list[int] = []
"""Where the last exit function says when it is called."""


def say_time() -> None:
    for end in said_at_end:
        os.write(end, f"{time.monotonic()}\n".encode())


atexit.register(say_time)
early: Late | None = None
if sys.argv[1:3] == ["late", "before"]:
    early = Late(sys.argv[3])
    atexit.register(early)

import hueyio  # noqa: E402 - that is the point

MAKERS: Final[dict[str, Callable[[str], hueyio.Huey]]] = {
    "file": lambda where: hueyio.FileHuey("exit", path=where),
    "memory": lambda where: hueyio.MemoryHuey("exit"),
    "sqlite": lambda where: hueyio.SqliteHuey("exit", filename=where),
}

waits_of_loops: Final[list[asyncio.Task[Any]]] = []


def use(huey: hueyio.Huey, task: Any, lane: str, closed: bool, waiting: bool) -> None:
    """Enqueue a task that nobody runs; wait for it, and close, if told so."""
    if lane != "sync":
        run = asyncio.run if lane == "async" else open_loop.run_until_complete
        run(use_on_loop(huey, task, closed, waiting))
        return
    result = task.sync()
    if waiting:
        threading.Thread(target=wait_quietly, args=(result,), daemon=True).start()
        huey.sync.count()
    if closed:
        huey.sync.close()


def wait_quietly(result: Any) -> None:
    try:
        result.get(blocking=True)
    except BaseException:  # cancelled, as any wait at the end
        return


async def use_on_loop(huey: hueyio.Huey, task: Any, closed: bool, waiting: bool) -> None:
    result = await task()
    if waiting:
        waits = asyncio.create_task(result.get(blocking=True))
        waits.add_done_callback(lambda done: done.cancelled() or done.exception())
        waits_of_loops.append(waits)
        await huey.count()
    if closed:
        await huey.close()


def call_until_refused(huey: hueyio.Huey) -> None:
    try:
        while True:
            huey.sync.put("late", 1)
    except BaseException:  # refused, or cancelled with its loop
        return


def measure(huey: hueyio.Huey, task: Any) -> str | None:
    """Run each combination in a process of its own and say how long each took to end; None in such a process."""
    took = {}
    for lane, closed, waiting, forked in product(("sync", "async"), (True, False), (True, False), (True, False)):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            if forked:
                use(huey, task, lane, False, False)
                if grandchild := os.fork():
                    os.waitpid(grandchild, 0)
            use(huey, task, lane, closed, waiting)
            said_at_end.append(writing)
            atexit.register(say_time)
            return None
        os.close(writing)
        os.waitpid(child, 0)
        with os.fdopen(reading) as said:
            times = sorted(map(float, said.read().split()))
        name = f"{lane}, {'closed' if closed else 'open'}{', waiting' * waiting}{', forked' * forked}"
        took[name] = round(max(after - before for before, after in zip(times[::2], times[1::2], strict=True)), 3)
    return json.dumps(took)


if __name__ == "__main__":
    kind, where = sys.argv[-2:]
    huey = hueyio.RedisHuey("exit", url=where) if kind not in MAKERS else MAKERS[kind](where)
    task = huey.task(name="never")(lambda: None)
    if sys.argv[1] == "measure":
        if said := measure(huey, task):
            print(said)
    else:
        use(huey, task, sys.argv[3], False, False)
        late = early or Late(sys.argv[3])
        late.huey = huey
        if sys.argv[2] == "after":
            atexit.register(late)
        elif sys.argv[2] == "thread":
            threading.Thread(target=call_until_refused, args=(huey,), daemon=True).start()
        elif sys.argv[2] == "del":
            deleted_at_the_end = AtDeletion(late)
