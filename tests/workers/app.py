"""The app that worker processes of the tests run. Where its tasks are is in the environment.

Each run of a task writes a line ``run: phase id attempt pid`` to stderr, beside the log, so that a test can wait
for it.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import resource
import signal
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from typing import Any

import hueyio
from hueyio.storage.sqlite import SqliteStorage

if clock_ahead := float(os.environ.get("HUEYIO_TEST_CLOCK_AHEAD", "0")):
    # The clock of this worker's host is wrong.
    right_time = time.time
    time.time = lambda: right_time() + clock_ahead

huey: hueyio.Huey = eval(os.environ["HUEYIO_TEST_HUEY"])


def log(phase: str, task: Any) -> None:
    os.write(2, f"run: {phase} {task.id} {task.attempt} {os.getpid()}\n".encode())


@huey.task
async def add(a: int, b: int) -> int:
    return a + b


@huey.task
def where() -> int:
    return os.getpid()


@huey.task(context=True)
async def sleep(seconds: float, value: int = 0, task: Any = None) -> int:
    log("start", task)
    await asyncio.sleep(seconds)
    log("end", task)
    return value


@huey.task(context=True)
def block(seconds: float, value: int = 0, task: Any = None) -> int:
    log("start", task)
    time.sleep(seconds)
    log("end", task)
    return value


@huey.task(context=True, unique="skip", unique_key=lambda seconds, key: key)
async def only(seconds: float, key: str, task: Any = None) -> str:
    """One for each key at a time."""
    log("start", task)
    await asyncio.sleep(seconds)
    log("end", task)
    return str(task.id)


@huey.task(context=True, retry_delay=0.05)
@huey.limit("pool", 1)
@huey.lock_task("one", retry=True)
async def hold_all(seconds: float, task: Any = None) -> int:
    """Hold a lock and the only place of a semaphore."""
    log("start", task)
    await asyncio.sleep(seconds)
    log("end", task)
    return os.getpid()


@huey.task(context=True)
async def block_loop(seconds: float, task: Any = None) -> int:
    """Keep the loop from running."""
    log("start", task)
    time.sleep(seconds)  # noqa: ASYNC251 - blocking the loop is the point
    log("end", task)
    return 1


@huey.task(context=True)
async def wait_in_thread(seconds: float, task: Any = None) -> None:
    """Wait for a thread that nobody can stop."""
    log("start", task)
    await asyncio.to_thread(time.sleep, seconds)


@huey.task
def leave_behind(seconds: float) -> int:
    """Start a program that leaves another one running, and return its exit code."""
    done = subprocess.run(["sh", "-c", f"sleep {seconds} & exit 3"], stdout=subprocess.DEVNULL, check=False)
    return done.returncode


@huey.task(context=True)
async def exit_process(task: Any = None) -> None:
    log("start", task)
    await asyncio.sleep(0.1)  # so that what is held beside it has started too
    os._exit(23)


class _Interrupting:
    """A value that cannot even be pickled in peace."""

    def __reduce__(self) -> Any:
        raise KeyboardInterrupt


async def _exit_in_subtask() -> None:
    async def leave() -> None:
        raise SystemExit(3)

    await asyncio.gather(leave())


async def _interrupt_in_subtask() -> None:
    async def interrupt() -> None:
        raise KeyboardInterrupt

    await asyncio.gather(interrupt())


def _cancel_all() -> None:
    for task in asyncio.all_tasks():
        task.cancel()


def _cancel_others() -> None:
    for task in asyncio.all_tasks():
        if "settler" in task.get_name():
            task.cancel()


@huey.task(context=True)
async def poison(how: str, task: Any = None) -> Any:
    """Try to end the worker."""
    log("start", task)
    await asyncio.sleep(0.1)  # so that what is held beside it has started too
    match how:
        case "cancel all":
            _cancel_all()
            await asyncio.sleep(3600)
        case "cancel all and return":
            _cancel_all()
        case "cancel the settler":
            _cancel_others()
            await asyncio.sleep(3600)
        case "stop the loop":
            asyncio.get_running_loop().stop()
            await asyncio.sleep(3600)
        case "stop the loop and return":
            asyncio.get_running_loop().stop()
        case "interrupt":
            raise KeyboardInterrupt
        case "interrupt in a subtask":
            await _interrupt_in_subtask()
        case "exit in a subtask":
            await _exit_in_subtask()
        case "interrupt in pickling":
            return _Interrupting()
        case "exit":
            os._exit(23)
        case "segfault":
            ctypes.string_at(0)
        case "out of memory":
            os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does
        case _:
            raise ValueError(how)
    return None


@huey.task(context=True)
def poison_in_thread(how: str, task: Any = None) -> Any:
    """Try the same from a thread."""
    log("start", task)
    time.sleep(0.1)
    match how:
        case "interrupt":
            raise KeyboardInterrupt
        case "interrupt in pickling":
            return _Interrupting()
        case _:
            raise ValueError(how)


@huey.task(context=True, run_in="process")
def poison_in_process(how: str, task: Any = None) -> None:
    """Try it from a pool process."""
    log("start", task)
    raise KeyboardInterrupt


@huey.task(context=True)
async def stop_self(seconds: float, task: Any = None) -> int:
    """Stop the whole process until somebody continues it, then end normally."""
    log("start", task)
    if isinstance(huey.storage, SqliteStorage):
        # Not while another thread writes: the file would stay locked for everybody.
        with closing(sqlite3.connect(huey.storage._options.path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
    os.kill(os.getpid(), signal.SIGSTOP)
    await asyncio.sleep(seconds)
    log("end", task)
    return os.getpid()


@huey.task(context=True, retries=1)
async def fail_and_die(marker: str, task: Any = None) -> None:
    """Fail; at the last attempt the first worker is killed before that is written."""
    log("start", task)
    if task.attempt == 1 and _is_first(marker):
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGKILL)
    raise ValueError("no")


@huey.task(context=True)
async def fail_until(marker: str, task: Any = None) -> str:
    """Fail until there is such a file."""
    log("start", task)
    await asyncio.sleep(0.05)
    log("end", task)
    if not _is_there(marker):
        raise ValueError("not mended")
    return str(task.id)


def _is_first(marker: str) -> bool:
    """Make a file; say whether it was not there."""
    with suppress(FileExistsError), open(marker, "x"):
        return True
    return False


def _is_there(marker: str) -> bool:
    return os.path.exists(marker)


@huey.task(context=True)
async def stuck(task: Any = None) -> None:
    """Ignore every cancellation."""
    log("start", task)
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue


@huey.task(context=True, max_deliveries=10_000)
async def member(number: int, seconds: float, task: Any = None) -> int:
    await asyncio.sleep(seconds)
    return number


@huey.task(context=True, max_deliveries=10_000)
async def gather(values: list[int], task: Any = None) -> list[int]:
    """Be the callback of a chord."""
    log("start", task)
    await asyncio.sleep(0)
    return values


@huey.task(run_in="process", context=True)
def compute(task: Any = None) -> None:
    """Keep a process busy for ever."""
    log("start", task)
    while True:
        pass


@huey.task(run_in="process", context=True)
def compute_for(seconds: float, task: Any = None) -> int:
    log("start", task)
    time.sleep(seconds)
    log("end", task)
    return os.getpid()


@huey.task(context=True)
async def use_up_descriptors(seconds: float, task: Any = None) -> int:
    """Leave this process no file descriptor for a while; return how many were free."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    log("start", task)
    try:
        with suppress(OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        await asyncio.sleep(seconds)
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    log("end", task)
    return len(taken)


@huey.task(retries=1, retry_delay=0.05)
async def fail_once(key: str) -> str:
    """Fail, and succeed when it is tried again."""
    if await huey.put_if_empty(key, "failed"):
        raise ValueError(key)
    return key


@huey.task
def total(values: list[int]) -> int:
    return sum(values)


if "HUEYIO_TEST_TICKS" in os.environ:

    @huey.periodic_task(hueyio.crontab(second="*"), context=True)
    async def tick(task: Any = None) -> None:
        log("tick", task)


@huey.task(context=True, max_deliveries=1)
def hold_interpreter(seconds: float, task: Any = None) -> int:
    """Make one call into C that keeps the interpreter lock."""
    log("start", task)
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))
    return os.getpid()


@huey.task(context=True)
def leave_child(seconds: float, task: Any = None) -> int:
    """Fork a process that outlives the worker; it has copies of all that is open here."""
    child = os.fork()
    if child == 0:
        time.sleep(seconds)
        os._exit(0)
    log("start", task)
    return child


@huey.task(context=True)
async def hold_log(seconds: float, task: Any = None) -> int:
    """Keep the locks of all log handlers, and the loop from running, in the first worker that gets this."""
    log("start", task)
    if task.receipt.deliveries == 0:
        for handler in logging.getLogger().handlers:
            handler.acquire()
        time.sleep(seconds)  # noqa: ASYNC251 - blocking the loop is the point
    return os.getpid()


@huey.task(context=True)
def hold_log_in_thread(task: Any = None) -> None:
    """Keep the locks of all log handlers for ever; the loop still runs, until it logs."""
    log("start", task)
    for handler in logging.getLogger().handlers:
        handler.acquire()
    time.sleep(3600)


if "HUEYIO_TEST_HANGING_HOOK" in os.environ:

    @huey.on_shutdown()
    def hang() -> None:
        time.sleep(30)
