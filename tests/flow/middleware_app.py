"""An app with middleware whose tasks run in every lane; the tests and the pool processes import it alike."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

import hueyio
from hueyio import Enqueue, Task, current_task

huey: hueyio.Huey = eval(os.environ.get("HUEYIO_TEST_HUEY", "hueyio.MemoryHuey('middleware')"))

TRACE: ContextVar[str] = ContextVar("trace", default="none")
THREAD: ContextVar[str] = ContextVar("thread", default="none")

logger = logging.getLogger("middleware_app")


class _Trace(logging.Filter):
    """Gives each line of the app the trace that it belongs to."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "trace"):  # one from a process has it
            record.trace = TRACE.get()
        return True


logger.addFilter(_Trace())


@huey.around_enqueue
@contextmanager
def stamp(calls: Enqueue) -> Iterator[None]:
    for task in calls.tasks:
        task.headers.setdefault("trace", TRACE.get())
    yield


@huey.around_attempt
@asynccontextmanager
async def trace(task: Task) -> AsyncIterator[None]:
    if task.headers.get("refuse") == str(os.getpid() != int(os.environ["HUEYIO_TEST_PID"])):
        raise ValueError(f"refused in {os.getpid()}")
    token = TRACE.set(task.headers["trace"])
    try:
        yield
    except KeyError:
        logger.warning("%s raised KeyError", task.name)
    finally:
        TRACE.reset(token)


@huey.around_attempt
@contextmanager
def thread(task: Task) -> Iterator[None]:
    THREAD.set(f"{TRACE.get()} in {threading.current_thread().name}")
    yield


@huey.task
async def on_loop() -> str:
    logger.warning("said on the way")
    return TRACE.get()


@huey.task
def in_thread() -> str:
    logger.warning("said on the way")
    return TRACE.get()


@huey.task(run_in="process")
def in_process() -> str:
    logger.warning("said on the way")
    return TRACE.get()


@huey.task(run_in="process")
def thread_in_process() -> tuple[str, int]:
    return THREAD.get(), os.getpid()


@huey.task(run_in="process")
def fail() -> None:
    raise KeyError("no")


@huey.task(run_in="process")
def ask_child() -> dict[str, str]:
    """Enqueue a call from a pool process; return its headers."""
    child = on_loop.options(delay=1000).s()
    huey.sync.enqueue(child)
    return {**child.headers, "own": str(current_task().headers)}
