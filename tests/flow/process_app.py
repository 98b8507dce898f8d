"""An app whose tasks run in processes; the tests and the pool processes import it alike.

Where its tasks are is in the environment, so that every process finds the same.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio.from_thread

import hueyio
from hueyio import Snooze, Task, current_task

huey: hueyio.Huey = eval(os.environ.get("HUEYIO_TEST_HUEY", "hueyio.MemoryHuey('processes')"))

started_in: list[int] = []
hooks_ran_in: list[tuple[str, int]] = []


class Unpicklable(Exception):
    """Can be written and not be read."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


@huey.on_startup()
def note_start() -> None:
    started_in.append(os.getpid())


@huey.on_shutdown()
def note_end() -> None:
    if "HUEYIO_TEST_SHUTDOWN" in os.environ:
        with Path(os.environ["HUEYIO_TEST_SHUTDOWN"]).open("a") as told:
            told.write(f"{os.getpid()}\n")


@huey.task(run_in="process")
def pid() -> int:
    return os.getpid()


@huey.task(run_in="process")
def log_what_cannot_cross() -> str:
    extra = {"lock": threading.Lock(), "error": Unpicklable(1, 2), "plain": {"a": [1]}, "task": "own"}
    logging.getLogger("shop").warning("odd", extra=extra)
    return "logged"


@huey.task(run_in="process")
def threads_of_anyio() -> list[str]:
    async def thread() -> str:
        return threading.current_thread().name

    return [anyio.from_thread.run(thread), anyio.from_thread.run_sync(lambda: threading.current_thread().name)]


@huey.task(run_in="process")
def echo(value: Any) -> Any:
    return value


@huey.task(run_in="process")
def started() -> tuple[int, list[int]]:
    return os.getpid(), started_in


@huey.task(run_in="process")
def wait_for(go: str, began: str) -> int:
    """Tell that it began, and end when told to."""
    Path(began).write_text(str(os.getpid()))
    while not Path(go).exists():
        time.sleep(0.01)
    return os.getpid()


@huey.task(run_in="process")
def hang(began: str) -> None:
    """Have a process of one's own, and never end."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    partial = Path(f"{began}.part")
    partial.write_text(f"{os.getpid()} {child.pid}")
    partial.rename(began)
    time.sleep(1000)


@huey.task(run_in="process")
def die(how: str) -> None:
    if how == "exit":
        os._exit(3)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGSEGV)


@huey.task(run_in="process", retries=1)
def die_once(mark: str) -> str:
    if not Path(mark).exists():
        Path(mark).touch()
        os._exit(3)
    return "second"


@huey.task(run_in="process")
def leave_a_fork_behind(told: str) -> None:
    """Die, and leave a process that holds all that was open."""
    fork = os.fork()
    if fork == 0:
        time.sleep(1000)
        os._exit(0)
    Path(told).write_text(str(fork))
    os._exit(3)


@huey.task(run_in="process", context=True, settings={"color": "red"})
def look(number: int, task: Task) -> tuple[int, str, bool, str, bool]:
    return number, task.id, current_task() is task, task.color, task.time_remaining <= 60


@contextmanager
def opened() -> Iterator[int]:
    yield os.getpid()


@huey.context_task(opened, as_argument=True, run_in="process")
def enter(entered: int) -> bool:
    return entered == os.getpid()


@huey.task(context=True, run_in="process")
def transact(task: Task) -> None:
    task.sync.transaction()


@huey.task(run_in="process", context=True)
def report(task: Task, go: str) -> bool:
    """Report, and end when told to."""
    kept = task.progress_sync(0.5, "half")
    while not Path(go).exists():
        time.sleep(0.01)
    return kept


@huey.task(run_in="process")
@huey.lock_task("one")
def hold(go: str, began: str) -> int:
    return wait_for.call_local(go, began)


@huey.task
def add(a: int, b: int) -> int:
    return a + b


@huey.task(run_in="process")
def enqueue_another() -> int:
    return add.sync(1, 2).get(blocking=True, timeout=30) or 0


@huey.task(run_in="process")
def log(level: int) -> None:
    logging.getLogger("process_app").log(level, "said in %s", "the process")


@huey.task(run_in="process")
def fail(how: str) -> Any:
    match how:
        case "value":
            return lambda: None
        case "exception":
            raise Unpicklable(1, 2)
        case "exit":
            sys.exit(4)
        case _:
            raise KeyError(how)


@huey.task(run_in="process")
def snooze_once(mark: str) -> str:
    if not Path(mark).exists():
        Path(mark).touch()
        raise Snooze(0)
    return "rested"


@huey.task(run_in="process")
def interrupt() -> str:
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    return "still here"


@huey.task(run_in="process")
def leaf(x: int) -> int:
    return x


@huey.task(run_in="process")
def parent(x: int) -> int:
    values: list[int] = leaf.sync.map([x, x]).get(blocking=True)
    return sum(values)


@huey.task(run_in="process", timeout=1.0)
def patient_parent(x: int) -> None:
    leaf.sync.schedule((x,), delay=3600).get(blocking=True)
