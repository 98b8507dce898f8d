"""Run a task's body where it belongs, and say how it ended."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import math
import time
from typing import Any

from hueyio.concurrency import ThreadPool, run_in_copy
from hueyio.exceptions import CancelExecution, RateLimitExceeded, RetryTask, Snooze, TaskLockedException, TaskTimeout
from hueyio.execution.outcome import (
    CancelAsked,
    Failed,
    Interrupted,
    Locked,
    Outcome,
    RateLimited,
    RetryAsked,
    Snoozed,
    Succeeded,
    TimedOut,
)
from hueyio.spec import TaskSpec
from hueyio.task import Task

__all__ = ["Executor"]


class Executor:
    """Bodies on the loop, or in threads."""

    def __init__(self) -> None:
        self.threads = ThreadPool("hueyio-task")

    async def run(self, spec: TaskSpec, task: Task) -> Outcome:
        """Run one attempt; whatever the body raises becomes an outcome.

        Only a cancellation of the running asyncio task itself comes out as CancelledError: it is for the caller
        to say what it meant. A CancelledError that the body brought about by itself is its failure.
        """
        args, kwargs = spec.arguments(task)
        try:
            if task.timeout is None and task.deadline_resolved is None:
                if spec.is_async:  # one coroutine less on the way of nearly all tasks
                    return Succeeded(await run_in_copy(spec.func(*args, **kwargs)))
                return Succeeded(await self._call(spec, args, kwargs))
            return await self._run_with_deadline(spec, task, args, kwargs)
        except asyncio.CancelledError as error:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            return Failed(error)
        except RetryTask as error:
            return RetryAsked(error)
        except CancelExecution as error:
            return CancelAsked(error)
        except Snooze as error:
            return Snoozed(error)
        except TaskLockedException as error:
            return Locked(error)
        except RateLimitExceeded as error:
            return RateLimited(error)
        except KeyboardInterrupt:
            return Interrupted(by_itself=True)
        except BaseException as error:  # SystemExit too: a task must not end its consumer
            return Failed(error)

    async def _run_with_deadline(
        self, spec: TaskSpec, task: Task, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Outcome:
        limit, told = _limit_of(task, time.time())
        if limit <= 0:
            return TimedOut(TaskTimeout(f"task {task.name} {told}"))
        task.begin_run(limit)
        deadline = asyncio.timeout(limit)
        try:
            async with deadline:
                return Succeeded(await self._call(spec, args, kwargs))
        except TimeoutError as error:
            # A body may raise TimeoutError for reasons of its own.
            if not deadline.expired():
                return Failed(error)
            ran_out = TaskTimeout(f"task {task.name} {told}")
            ran_out.__cause__ = error
            return TimedOut(ran_out)

    async def _call(self, spec: TaskSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if spec.is_async:
            return await run_in_copy(spec.func(*args, **kwargs))
        if spec.lane == "loop":
            value = contextvars.copy_context().run(_call_with, spec.func, args, kwargs)
        else:
            value = await self.threads.run(_call_with, spec.func, args, kwargs)
        # A decorator may hide that the function is a coroutine function; what it returned still has to be run.
        return await run_in_copy(value) if inspect.iscoroutine(value) else value


def _limit_of(task: Task, now: float) -> tuple[float, str]:
    """Return how many seconds this attempt gets, and what to say when they are over."""
    timeout = math.inf if task.timeout is None else task.timeout
    if task.deadline_resolved is not None and (left := task.deadline_resolved.timestamp() - now) < timeout:
        return left, f"did not end before its deadline, {task.deadline_resolved.isoformat(timespec='seconds')}"
    return timeout, f"ran longer than {timeout:g} s"


def _call_with(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return func(*args, **kwargs)
