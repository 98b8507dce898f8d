"""Run a task's body where it belongs, and say how it ended."""

from __future__ import annotations

import asyncio
import inspect
import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from hueyio.core import Core
from hueyio.exceptions import (
    CancelExecution,
    RateLimitExceeded,
    RetryTask,
    Snooze,
    StorageUnavailable,
    TaskCancelled,
    TaskLockedException,
    TaskTimeout,
)
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
from hueyio.execution.time_limit import RanOut, in_time
from hueyio.loops.threads import ThreadPool, run_in
from hueyio.storage.shared.background import is_cancelled
from hueyio.tasks.declared import TaskSpec
from hueyio.tasks.log_fields import log_about, log_fields
from hueyio.tasks.task import Task

__all__ = ["Executor"]

logger = logging.getLogger(__name__)

_LEAST_LIMIT: Final = 1.0
"""Seconds that what is around a body gets where the task's own time was over before it began."""


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
        """Return what goes with an attempt from its first to its last signal; None if nobody hooks in or listens."""
        core = self._core
        if not (self.hooks.surround_tasks or core.signals):
            return None
        context, ordered = context_of(task), self.hooks.thread
        is_on_loop = spec.lane == "loop" or self._has_process(spec)
        caller = LoopCaller(context, ordered) if is_on_loop else ThreadCaller(context, self.threads, ordered)
        return AttemptHooks(self.hooks, task, caller, core.name, core.signals, _limit_around(task, core.now()))

    async def run(self, spec: TaskSpec, task: Task, hooks: AttemptHooks | None = None, spent: float = 0.0) -> Outcome:
        """Run the body of an attempt that has taken ``spent`` seconds so far; whatever it raises becomes an outcome.

        Only a cancellation of the running asyncio task itself comes out as CancelledError: it is for the caller
        to say what it meant. A CancelledError that the body brought about by itself is its failure. The post-execute
        hooks are the caller's to run, after the settlement.
        """
        try:
            if spec.lane == "process" and self.pool is not None:
                # Its time begins when the process is there: starting one may take longer than the task.
                async with self.pool.worker(spec) as worker:
                    return await self._run_limited(spec, task, lambda: worker.call(task), spent)
            args, kwargs = spec.arguments(task)
            if task.timeout is None and task.deadline_resolved is None:
                if spec.is_async and hooks is None:  # one coroutine less on the way of nearly all tasks
                    return Succeeded(await _run_async(spec, task, args, kwargs))
                return Succeeded(await self._call(spec, task, args, kwargs, hooks))
            return await self._run_limited(spec, task, lambda: self._call(spec, task, args, kwargs, hooks), spent)
        except asyncio.CancelledError as error:
            if is_cancelled():
                raise
            return Failed(error)
        except BaseException as error:  # SystemExit too: a task must not end its consumer
            return self.outcome_of(spec, task, error)

    async def run_rest(self, spec: TaskSpec, task: Task, rest: Awaitable[Any]) -> Outcome:
        """Await what a body in a thread returned that is to be awaited; otherwise as ``run``."""
        try:
            return Succeeded(await rest)
        except asyncio.CancelledError as error:
            if is_cancelled():
                raise
            return Failed(error)
        except BaseException as error:  # as in ``run``
            return self.outcome_of(spec, task, error)

    async def run_inside(self, spec: TaskSpec, task: Task, hooks: AttemptHooks) -> Outcome:
        """Run one attempt with its hooks, and the middleware around it; otherwise as ``run``.

        What middleware raises before the attempt, or after one that ended well, is the attempt's error. The time that
        the task has is that of the hooks and the middleware before the body too; to leave this, it gets as much again.
        """
        _, told = _limit_of(task, self._core.now())
        if not hooks.middleware:
            return await self._run_hooked(spec, task, hooks, told)
        outcome: Outcome | None = None
        raised: BaseException | None
        try:
            outcome = await self._run_hooked(spec, task, hooks, told)
            raised = error_seen(task, outcome)
        except BaseException as error:  # a value for the middleware that was entered; then it is raised, or an outcome
            raised = error
        stands = await hooks.leave(raised)
        if outcome is not None and stands is raised:
            return outcome
        assert stands is not None
        if isinstance(stands, asyncio.CancelledError) and is_cancelled():
            raise stands
        if hooks.ran_out is not None and hooks.ran_out is stands:
            return TimedOut(stands)
        return self.outcome_of(spec, task, stands)

    async def _run_hooked(self, spec: TaskSpec, task: Task, hooks: AttemptHooks, told: str) -> Outcome:
        """Enter the middleware, run the pre-execute hooks, and the body in what is left of the time."""
        began = time.monotonic()
        try:
            if not await in_time(hooks.limit, hooks.begin()):
                return Cancelled()
        except RanOut:
            return TimedOut(TaskTimeout(f"task {task.path} {told}, before its body: {hooks.at} had not returned"))
        return await self.run(spec, task, hooks, time.monotonic() - began)

    def outcome_of(self, spec: TaskSpec, task: Task, error: BaseException) -> Outcome:
        """Say which outcome an error of the body is."""
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
            # A body that looked by itself, or a wait for the storage that did, before the loop could end it.
            case TaskCancelled() | StorageUnavailable() if task.is_cancelled:
                return Cancelled()
            case TaskTimeout() | StorageUnavailable() if task.is_timed_out:
                return TimedOut(error)
            case TypeError() if self._is_misfit(spec, task, error):
                return Misfit(error)
            case _:
                return Failed(error)

    def _is_misfit(self, spec: TaskSpec, task: Task, error: TypeError) -> bool:
        return self._mixed_deploys and spec.refuses(task, error)

    def _has_process(self, spec: TaskSpec) -> bool:
        return self.pool is not None and spec.lane == "process"

    async def _run_limited(
        self, spec: TaskSpec, task: Task, call: Callable[[], Awaitable[Any]], spent: float
    ) -> Outcome:
        """Run a body within the time that it has; raises what it raises but TimeoutError."""
        if task.timeout is None and task.deadline_resolved is None:
            return Succeeded(await call())
        limit, told = _limit_of(task, self._core.now(), spent)
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
                text = "task %s %s: its thread is left behind, one of %d now"
                log_about(logger, logging.WARNING, text, *name, len(self.threads.abandoned), fields=fields)
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


def _limit_of(task: Task, now: float, spent: float = 0.0) -> tuple[float, str]:
    """Return how many seconds this attempt gets, ``spent`` those that it had, and what to say when they are over."""
    timeout = math.inf if task.timeout is None else task.timeout
    left = timeout - spent
    if task.deadline_resolved is not None and (until := task.deadline_resolved.timestamp() - now) < left:
        return until, f"did not end before its deadline, {task.deadline_resolved.isoformat(timespec='seconds')}"
    return left, f"ran longer than {timeout:g} s"


def _limit_around(task: Task, now: float) -> float | None:
    """Return how many seconds each part gets that is around the body; None: the task has no limit."""
    limit, _ = _limit_of(task, now)
    return None if limit == math.inf else limit if limit > 0 else _LEAST_LIMIT


def _call_with(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return func(*args, **kwargs)
