"""Processes that run tasks: started when needed, ended when idle, replaced when they die.

Theory of operation. A task has a process for itself while it runs; short ones may wait there behind it (see
``execution.process_lane``). Each process is served by a thread that waits for it, so
that a pool belongs to no loop, and that what is pickled or read back does not block one. How many there are at the same
time is for the caller to bound, as it is with threads. One more thread, while there are idle processes, ends those that
have been idle for too long, the least recently used first.
"""

from __future__ import annotations

import asyncio
import logging
import math
import sys
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from hueyio.core import DEFAULT_LEASE
from hueyio.execution.context import running
from hueyio.execution.lending import PLACE
from hueyio.execution.pool.crossing import pack_task
from hueyio.execution.pool.line import Call, Report, Welcome
from hueyio.execution.pool.process import NotBegun, NotStarted, PoolProcess
from hueyio.execution.run_context import RUN_CONTEXT
from hueyio.loops.threads import ThreadPool
from hueyio.tasks.declared import TaskSpec
from hueyio.tasks.log_fields import log_about, log_fields
from hueyio.tasks.progress import make_progress
from hueyio.tasks.task import Task

__all__ = ["PoolWorker", "ProcessPool", "call_of", "reporting"]

logger = logging.getLogger(__name__)

_IDLE_TIME: Final = 60.0
"""Seconds after which a process without work is ended."""

_PATIENCE: Final = 15.0
"""Seconds for which a process is tried to be started that does not come up: hueyio may be upgraded just now, or no file
descriptor be left."""

_FIRST_REST: Final = 0.1
_LONGEST_REST: Final = 2.0

_STOP_TIME: Final = 10.0
"""Seconds that an idle process gets for its shutdown hooks."""


class ProcessPool:
    """The processes of one Huey, found by its name in what is imported there.

    ``home`` is the module to import beside the task's own, if any. A process that has run ``max_calls`` tasks is
    replaced; None: never.
    """

    def __init__(
        self, huey: str, home: str | None, *, max_calls: int | None = None, idle_time: float = _IDLE_TIME
    ) -> None:
        self._huey = huey
        self._home = home
        self._max_calls = max_calls
        self._idle_time = idle_time
        self.threads = ThreadPool("hueyio-process")
        """Those that wait for the processes."""
        self._lock = threading.Condition()
        self._all: set[PoolProcess] = set()
        self._idle: deque[PoolProcess] = deque()
        self._sweeping = False
        self._closed = False

    def __len__(self) -> int:
        return len(self._all)

    @asynccontextmanager
    async def worker(self, spec: TaskSpec) -> AsyncIterator[PoolWorker]:
        """Have a process for one task, ready to run it; raises ProcessLost if none can be started."""
        worker = PoolWorker(self.take_idle() or await self._start(spec), spec, self.threads, self._replace)
        try:
            yield worker
        finally:
            self.give_back(worker.process)

    async def close(self, seconds: float = _STOP_TIME) -> None:
        """End all processes: the idle ones by themselves within so many seconds, what runs still is killed."""
        with self._lock:
            self._closed = True
            idle = list(self._idle)
            self._idle.clear()
            self._lock.notify_all()
        try:
            await asyncio.gather(*(self.threads.run(self._end, process, seconds) for process in idle))
        finally:
            for process in list(self._all):
                process.kill()

    def calls_left(self, process: PoolProcess) -> float:
        """Return how many more calls a process may run."""
        return math.inf if self._max_calls is None else self._max_calls - process.calls

    def take_idle(self) -> PoolProcess | None:
        """Take a process that has nothing to do, if there is one; it must be given back."""
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.is_alive:
                    return process
                process.reap()
                self._all.discard(process)
        return None

    async def _start(self, spec: TaskSpec) -> PoolProcess:
        """Start one; what may be over soon is waited out, because it is no fault of the task."""
        until = time.monotonic() + _PATIENCE
        rest = _FIRST_REST
        while True:
            try:
                return await self._start_once(spec)
            except NotStarted as error:
                if time.monotonic() + rest > until or self._closed:
                    raise
                if rest == _FIRST_REST:
                    logger.warning("%s; trying again for %g s", error, _PATIENCE)
            await asyncio.sleep(rest)
            rest = min(2 * rest, _LONGEST_REST)

    async def _start_once(self, spec: TaskSpec) -> PoolProcess:
        process = PoolProcess()
        self._all.add(process)
        try:
            await self.threads.run(process.start, self._welcome(spec))
        except BaseException:
            process.kill()
            self._all.discard(process)
            raise
        return process

    async def _replace(self, ended: PoolProcess, spec: TaskSpec) -> PoolProcess:
        """Start another in the worker of one that ended while it was idle."""
        self._all.discard(ended)
        return await self._start(spec)

    def give_back(self, process: PoolProcess) -> None:
        """Have a process that has nothing to do any more, or that is over."""
        used_up = self._max_calls is not None and process.calls >= self._max_calls
        with self._lock:
            if not process.is_alive:
                self._all.discard(process)
                return
            if not (used_up or self._closed):
                process.idle_since = time.monotonic()
                self._idle.append(process)
                if not self._sweeping:
                    self._sweeping = True
                    threading.Thread(target=self._sweep, name="hueyio-process-sweep", daemon=True).start()
                return
        threading.Thread(target=self._end, args=(process, _STOP_TIME), daemon=True).start()

    def _sweep(self) -> None:
        """End what has been idle for too long, as long as anything is idle."""
        while (process := self._wait_for_idle_too_long()) is not None:
            self._end(process, _STOP_TIME)

    def _wait_for_idle_too_long(self) -> PoolProcess | None:
        with self._lock:
            while self._idle:
                left = self._idle[0].idle_since + self._idle_time - time.monotonic()
                if left <= 0:
                    return self._idle.popleft()
                self._lock.wait(left)
            self._sweeping = False
            return None

    def _end(self, process: PoolProcess, seconds: float) -> None:
        process.stop(seconds)
        self._all.discard(process)

    def _welcome(self, spec: TaskSpec) -> Welcome:
        module = spec.module
        return Welcome(
            sys_path=list(sys.path),
            argv=list(sys.argv),
            main=_find_main() if module == "__main__" else {},
            modules=tuple(dict.fromkeys(name for name in (self._home, module) if name and name != "__main__")),
            huey=self._huey,
            task=spec.path,
            levels=_levels(),
        )


class PoolWorker:
    """A process that is there for one task."""

    def __init__(
        self,
        process: PoolProcess,
        spec: TaskSpec,
        threads: ThreadPool,
        replace: Callable[[PoolProcess, TaskSpec], Awaitable[PoolProcess]],
    ) -> None:
        self.process = process
        self._spec = spec
        self._threads = threads
        self._replace = replace

    async def call(self, task: Task) -> Any:
        """Run the body there; return what it returns, raise what it raises.

        When this is cancelled the process is killed, with what the body started.
        """
        try:
            value, error = await self._call(task)
        except asyncio.CancelledError:
            self.process.kill()
            raise
        if error is not None:
            raise error
        return value

    async def _call(self, task: Task) -> tuple[Any, BaseException | None]:
        try:
            return await self._threads.run(self._call_once, task)
        except NotBegun:  # something killed it while nothing ran there: no run of this task
            self.process = await self._replace(self.process, self._spec)
            return await self._threads.run(self._call_once, task)

    def _call_once(self, task: Task) -> tuple[Any, BaseException | None]:
        running.set(task)  # of this call's context alone
        return self.process.call(call_of(self._spec, task), reporting(task))


def call_of(spec: TaskSpec, task: Task) -> Call:
    """Return a task as a call of a process, in the context of its slot; raises SerializationError."""
    context = RUN_CONTEXT.get()
    lease = DEFAULT_LEASE if context is None else context.lease
    data, lends_slot = pack_task(task), PLACE.get() is not None
    return Call(spec.module, spec.path, data, task.time_remaining, task.receipt, lease, lends_slot)


def reporting(task: Task) -> Callable[[Report], bool]:
    """Return what keeps the progress of a task in a process."""

    def report(told: Report) -> bool:
        if task.reporter is None:
            return False
        try:
            return task.reporter.report_blocking(task.receipt, make_progress(told.fraction, told.message))
        except Exception as error:  # the storage; a body that reports does not depend on it
            context = RUN_CONTEXT.get()
            name, fields = (task.path, task.id), log_fields(task, None if context is None else context.queue)
            text = "the progress of task %s %s could not be kept"
            log_about(logger, logging.ERROR, text, *name, fields=fields, error=error)
            return False

    return report


def _find_main() -> Mapping[str, str]:
    """Say where ``__main__`` comes from, in the words of ``multiprocessing.spawn.prepare``."""
    main = sys.modules["__main__"]
    # What the process sends back of it has this name.
    sys.modules.setdefault("__mp_main__", main)
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return {"init_main_from_name": spec.name}
    return {"init_main_from_path": str(main.__file__)}


def _levels() -> dict[str, int]:
    loggers = {name: it for name, it in logging.root.manager.loggerDict.items() if isinstance(it, logging.Logger)}
    set_levels = {name: it.level for name, it in loggers.items() if it.level != logging.NOTSET}
    return {**set_levels, "": logging.root.level}
