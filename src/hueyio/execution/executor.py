"""Run a task's body where it belongs, and say how it ended."""

from __future__ import annotations

import asyncio
import inspect
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any

from hueyio.core import Core
from hueyio.exceptions import CancelExecution, RateLimitExceeded, RetryTask, Snooze, TaskLockedException, TaskTimeout
from hueyio.execution.attempt_hooks import AttemptHooks
from hueyio.execution.callers import LoopCaller, ThreadCaller
from hueyio.execution.context import context_of
from hueyio.execution.outcome import (
    CancelAsked,
    Cancelled,
    Failed,
    Interrupted,
    Locked,
    Misfit,
    Outcome,
    RateLimited,
    RetryAsked,
    Snoozed,
    Succeeded,
    TimedOut,
    error_seen,
)
from hueyio.execution.pool import ProcessPool
from hueyio.hooks import is_cancelled
from hueyio.loops.threads import ThreadPool, run_in
from hueyio.tasks.declared import TaskSpec
from hueyio.tasks.log_fields import log_fields
from hueyio.tasks.task import Task

__all__ = ["Executor"]

logger = logging.getLogger(__name__)


class Executor:
    """Bodies on the loop, or in threads, with the hooks of one Huey around them."""

    def __init__(
        self,
        core: Core,
        threads: ThreadPool | None = None,
        pool: ProcessPool | None = None,
        *,
        mixed_deploys: bool = False,
    ) -> None:
        self._core = core
        self.hooks = core.hooks
        self._mixed_deploys = mixed_deploys
        """Whether a call may come from another version of the app, so that arguments that do not fit are no failure."""
        self.pool = pool
        """Where bodies of the process lane run; None: in threads, as in immediate mode."""
        self.threads = ThreadPool("hueyio-task", on_start=core.hooks.start_thread) if threads is None else threads

    def hooks_around(self, spec: TaskSpec, task: Task) -> AttemptHooks | None:
        """Return what goes with an attempt from its pre- to its post-execute hooks; None if there are no hooks."""
        if not self.hooks.surround_tasks:
            return None
        context = context_of(task)
        if spec.lane == "loop" or self._has_process(spec):
            return AttemptHooks(self.hooks, task, LoopCaller(context, self.hooks.thread), self._core.name)
        return AttemptHooks(self.hooks, task, ThreadCaller(context, self.threads), self._core.name)

    async def run(self, spec: TaskSpec, task: Task, hooks: AttemptHooks | None = None) -> Outcome:
        """Run one attempt; whatever the body raises becomes an outcome.

        Only a cancellation of the running asyncio task itself comes out as CancelledError: it is for the caller
        to say what it meant. A CancelledError that the body brought about by itself is its failure. The post-execute
        hooks are the caller's to run, after the settlement.
        """
        if hooks is not None and not await hooks.before():
            return Cancelled()
        try:
            if spec.lane == "process" and self.pool is not None:
                # Its time begins when the process is there: starting one may take longer than the task.
                async with self.pool.worker(spec) as worker:
                    return await self._run_limited(spec, task, lambda: worker.call(task))
            args, kwargs = spec.arguments(task)
            if task.timeout is None and task.deadline_resolved is None:
                if spec.is_async and hooks is None:  # one coroutine less on the way of nearly all tasks
                    return Succeeded(await _run_async(spec, task, args, kwargs))
                return Succeeded(await self._call(spec, task, args, kwargs, hooks))
            return await self._run_limited(spec, task, lambda: self._call(spec, task, args, kwargs, hooks))
        except asyncio.CancelledError as error:
            if is_cancelled():
                raise
            return Failed(error)
        except BaseException as error:  # SystemExit too: a task must not end its consumer
            return self._way_of(spec, task, error)

    async def run_inside(self, spec: TaskSpec, task: Task, hooks: AttemptHooks) -> Outcome:
        """Run one attempt with the middleware around it; otherwise as ``run``.

        What middleware raises before the attempt, or after one that ended well, is the attempt's error.
        """
        if not hooks.middleware:
            return await self.run(spec, task, hooks)
        outcome: Outcome | None = None
        raised: BaseException | None
        try:
            await hooks.enter()
            outcome = await self.run(spec, task, hooks)
            raised = error_seen(task, outcome)
        except BaseException as error:  # a value for the middleware that was entered; then it is raised, or an outcome
            raised = error
        stands = await hooks.leave(raised)
        if outcome is not None and stands is raised:
            return outcome
        assert stands is not None
        if isinstance(stands, asyncio.CancelledError) and is_cancelled():
            raise stands
        return self._way_of(spec, task, stands)

    def _way_of(self, spec: TaskSpec, task: Task, error: BaseException) -> Outcome:
        """Say which outcome an error is."""
        match error:
            case RetryTask():
                return RetryAsked(error)
            case CancelExecution():
                return CancelAsked(error)
            case Snooze():
                return Snoozed(error)
            case TaskLockedException():
                return Locked(error)
            case RateLimitExceeded():
                return RateLimited(error)
            case KeyboardInterrupt():
                return Interrupted("raised KeyboardInterrupt")
            case TypeError() if self._is_misfit(spec, task, error):
                return Misfit(error)
            case _:
                return Failed(error)

    def _is_misfit(self, spec: TaskSpec, task: Task, error: TypeError) -> bool:
        return self._mixed_deploys and spec.refuses(task, error)

    def _has_process(self, spec: TaskSpec) -> bool:
        return self.pool is not None and spec.lane == "process"

    async def _run_limited(self, spec: TaskSpec, task: Task, call: Callable[[], Awaitable[Any]]) -> Outcome:
        """Run a body within the time that it has; raises what it raises but TimeoutError."""
        if task.timeout is None and task.deadline_resolved is None:
            return Succeeded(await call())
        limit, told = _limit_of(task, self._core.now())
        if limit <= 0:
            return TimedOut(TaskTimeout(f"task {task.path} {told}"))
        task.begin_run(limit)
        deadline = asyncio.timeout(limit)
        try:
            async with deadline:
                return Succeeded(await call())
        except TimeoutError as error:
            # A body may raise TimeoutError for reasons of its own.
            if not deadline.expired():
                return Failed(error)
            if self.threads.abandoned and spec.lane != "loop" and not self._has_process(spec):
                name, fields = (task.path, task.id), log_fields(task, self._core.name)
                count = len(self.threads.abandoned)
                logger.warning("task %s %s: its thread is left behind, one of %d now", *name, count, extra=fields)
            ran_out = TaskTimeout(f"task {task.path} {told}")
            ran_out.__cause__ = error
            return TimedOut(ran_out)

    async def _call(
        self,
        spec: TaskSpec,
        task: Task,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        hooks: AttemptHooks | None,
    ) -> Any:
        if hooks is not None:
            return await hooks.caller.call_body(spec, args, kwargs)
        if spec.is_async:
            return await _run_async(spec, task, args, kwargs)
        if spec.lane == "loop":
            return await LoopCaller(context_of(task), self.hooks.thread).call_body(spec, args, kwargs)
        context = context_of(task)
        value = await self.threads.run_in(context, _call_with, spec.func, args, kwargs)
        # A decorator may hide that the function is a coroutine function; what it returned still has to be run.
        return await run_in(context, value) if inspect.iscoroutine(value) else value


def _run_async(spec: TaskSpec, task: Task, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Awaitable[Any]:
    """Run a coroutine function in a context of its own."""
    context = context_of(task)
    return run_in(context, context.run(spec.func, *args, **kwargs))


def _limit_of(task: Task, now: float) -> tuple[float, str]:
    """Return how many seconds this attempt gets, and what to say when they are over."""
    timeout = math.inf if task.timeout is None else task.timeout
    if task.deadline_resolved is not None and (left := task.deadline_resolved.timestamp() - now) < timeout:
        return left, f"did not end before its deadline, {task.deadline_resolved.isoformat(timespec='seconds')}"
    return timeout, f"ran longer than {timeout:g} s"


def _call_with(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return func(*args, **kwargs)
