"""Run a task's body where it belongs, and say how it ended."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from hueyio.concurrency import ThreadPool, run_in_copy
from hueyio.exceptions import CancelExecution, RetryTask, TaskTimeout
from hueyio.execution.outcome import CancelAsked, Failed, Outcome, RetryAsked, Succeeded, TimedOut
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
            if task.timeout is None:
                if spec.lane == "loop":  # one coroutine less on the way of nearly all tasks
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
        except BaseException as error:  # SystemExit and KeyboardInterrupt too: a task must not end its consumer
            return Failed(error)

    async def _run_with_deadline(
        self, spec: TaskSpec, task: Task, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Outcome:
        deadline = asyncio.timeout(task.timeout)
        try:
            async with deadline:
                return Succeeded(await self._call(spec, args, kwargs))
        except TimeoutError as error:
            # A body may raise TimeoutError for reasons of its own.
            if not deadline.expired():
                return Failed(error)
            ran_out = TaskTimeout(f"task {task.name} ran longer than {task.timeout:g} s")
            ran_out.__cause__ = error
            return TimedOut(ran_out)

    async def _call(self, spec: TaskSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if spec.lane == "loop":
            return await run_in_copy(spec.func(*args, **kwargs))
        value = await self.threads.run(_call_with, spec.func, args, kwargs)
        # A decorator may hide that the function is a coroutine function; what it returned still has to be run.
        return await run_in_copy(value) if inspect.iscoroutine(value) else value


def _call_with(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return func(*args, **kwargs)
