"""The app of ``test_live.py``, in the words that hueyio had in 0.1.0: workers of both versions run it on one queue.

``call`` is what a program of one side does.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any, Final

import hueyio
from hueyio import TaskException, chord, crontab

__all__ = ["call", "expected", "huey"]

huey: hueyio.Huey = eval(os.environ["HUEYIO_TEST_HUEY"])

_MANY: Final = 10
_STAGES: Final = 10
"""More than newer versions keep in one message."""


def log(task: Any) -> None:
    """Say that a body runs, in the words of ``tests/workers/process.py``."""
    os.write(2, f"run: body {task.id} {task.attempt} {os.getpid()}\n".encode())


@huey.task(name="on_loop", context=True)
async def on_loop(number: int, task: Any = None) -> int:
    log(task)
    await asyncio.sleep(0.01)  # so that one worker cannot take all
    return number


@huey.task(name="in_thread", context=True)
def in_thread(number: int, task: Any = None) -> int:
    log(task)
    return number


@huey.task(name="in_process", run_in="process", context=True)
def in_process(number: int, task: Any = None) -> int:
    log(task)
    return number


@huey.task(name="flaky", retries=2, context=True)
async def flaky(task: Any = None) -> int:
    log(task)
    if task.attempt < 2:
        raise ValueError("not yet")
    return int(task.attempt)


@huey.task(name="fail", retries=1, context=True)
async def fail(task: Any = None) -> None:
    log(task)
    raise ValueError("never")


@huey.task(name="join", context=True)
async def join(*parts: str, task: Any = None) -> str:
    log(task)
    return "-".join(parts)


@huey.task(name="collect", context=True)
async def collect(values: list[str], task: Any = None) -> list[str]:
    log(task)
    return values


@huey.task(name="hold", context=True)
async def hold(task: Any = None) -> None:
    log(task)
    await asyncio.Event().wait()


@huey.periodic_task(crontab(second="*"), name="tick")
async def tick() -> None: ...


async def _enqueue(by: str) -> None:
    """Enqueue calls of each kind."""
    for number in range(_MANY):
        await on_loop.options(id=f"{by}-loop-{number}")(number)
        await in_thread.options(id=f"{by}-thread-{number}")(number)
    await in_process.options(id=f"{by}-process")(7)
    await flaky.options(id=f"{by}-flaky")()
    await fail.options(id=f"{by}-fail")()
    await huey.enqueue(join.s("a", id=f"{by}-pipe-1").then(join.s("b", id=f"{by}-pipe-2")))
    long = join.s("0", id=f"{by}-long-0")
    for at in range(1, _STAGES):
        long.then(join, str(at), id=f"{by}-long-{at}")
    await huey.enqueue(long)
    members = [join.s(str(number), id=f"{by}-member-{number}") for number in range(3)]
    await huey.enqueue(chord(members, collect.s(id=f"{by}-chord")))
    await on_loop.options(id=f"{by}-later", delay=0.2)(8)


def expected(by: str) -> dict[str, Any]:
    """Return what each of these calls comes to."""
    return {
        **{f"{by}-{lane}-{number}": number for lane in ("loop", "thread") for number in range(_MANY)},
        **{f"{by}-member-{number}": str(number) for number in range(3)},
        f"{by}-process": 7,
        f"{by}-flaky": 2,
        f"{by}-fail": "ValueError('never')",
        **{f"{by}-long-{at}": "-".join(map(str, range(at, -1, -1))) for at in range(_STAGES)},
        f"{by}-pipe-1": "a",
        f"{by}-pipe-2": "b-a",
        f"{by}-chord": ["0", "1", "2"],
        f"{by}-later": 8,
    }


async def _read_all(by: str) -> dict[str, Any]:
    """Wait for all of them; return what they came to."""
    return {id: await _read(id) for id in expected(by)}


async def _read(id: str) -> Any:
    try:
        return await huey.result_of(id).get(blocking=True, timeout=60)
    except TaskException as error:
        return error.metadata["error"]


async def call(by: str) -> None:
    """Enqueue the calls, and print what each of them came to."""
    async with huey:
        await _enqueue(by)
        print(json.dumps(await _read_all(by)))
