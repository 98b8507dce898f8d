"""An app whose task has dependencies and runs in a process; the tests and the pool processes import it alike."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import hueyio
from hueyio.contrib.depends import Depends, inject

huey: hueyio.Huey = eval(os.environ.get("HUEYIO_TEST_HUEY", "hueyio.MemoryHuey('depending')"))
log: list[str] = []


def in_the_process() -> Iterator[str]:
    log.append("sync")
    yield "sync"
    log.append("sync closed")


async def on_the_loop(before: str = Depends(in_the_process)) -> AsyncIterator[str]:
    log.append("async")
    yield f"{before}, async"
    log.append("async closed")


@huey.task(run_in="process")
@inject
def work(n: int, text: str = Depends(on_the_loop)) -> str:
    log.append("body")
    return f"{n} of {text}"


@huey.task(run_in="process")
def seen() -> list[str]:
    return log
