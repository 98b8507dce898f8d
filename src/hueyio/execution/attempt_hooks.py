"""The hooks, the middleware and the receivers of one attempt, run where its body runs, or in its context at least.

Middleware is left when the body has ended, before the outcome is written: an error of its end is one of the attempt,
and the slot is free again. The post-execute hooks come after the write. As far as context variables go they are inside
of the middleware all the same: these are set again as they were at the end of the body.

None of it may keep the slot for ever: what comes before the body takes of the time that the attempt has, and what comes
after it gets as much again, each part by itself.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from hueyio.exceptions import CancelExecution, TaskTimeout
from hueyio.execution.callers import Caller
from hueyio.execution.entered import Entered
from hueyio.execution.time_limit import RanOut, in_time
from hueyio.hooks import HookKind, Hooks
from hueyio.signals import Signals
from hueyio.storage.shared.background import is_cancelled
from hueyio.tasks.log_fields import log_about, log_fields
from hueyio.tasks.task import Task

__all__ = ["AttemptHooks"]

logger = logging.getLogger(__name__)


class AttemptHooks:
    """What goes with one attempt, run by its caller."""

    def __init__(
        self, hooks: Hooks, task: Task, caller: Caller, queue: str, signals: Signals, limit: float | None
    ) -> None:
        self.caller = caller
        self.body_began = False
        """Whether no pre-execute hook kept the body from being run."""
        self._hooks = hooks
        self._task = task
        self._queue = queue
        self._signals = signals
        self._entered = Entered(caller)
        self._hook: str | None = None
        self.middleware = hooks.around_attempt
        self.limit = limit
        """Seconds that all before the body gets, and each part that comes after it; None: no limit."""

    @property
    def has_after(self) -> bool:
        """Whether there is something to be run after the write."""
        return bool(self._hooks["post_execute"] or self._signals)

    async def tell(self, signal: str, task: Task, *args: Any) -> None:
        """Send a signal of this attempt, or of what its end enqueues, to the receivers."""
        try:
            await in_time(self.limit, self._signals.send(signal, task, *args, call=self.caller.call_receiver))
        except RanOut:
            name, fields = (self._task.path, self._task.id), log_fields(self._task, self._queue)
            text = "receivers of signal %s had not returned after %g s, task %s %s"
            log_about(logger, logging.ERROR, text, signal, self.limit, *name, fields=fields)

    @property
    def at(self) -> str | None:
        """What runs now in the place of the body, for the log; None: the body, or nothing."""
        return self._hook if self._entered.at is None else f"middleware {self._entered.at}"

    @property
    def ran_out(self) -> TaskTimeout | None:
        """What stands for a middleware that had not returned in time when it was left."""
        return self._entered.ran_out

    async def begin(self) -> bool:
        """Enter the middleware, and run the pre-execute hooks; False if one of these cancelled the attempt.

        Raises what the middleware raises.
        """
        for middleware in self.middleware:
            await self._entered.enter(middleware, self._task)
        return await self._before()

    async def leave(self, error: BaseException | None) -> BaseException | None:
        """Leave what was entered, with the error of what is inside; return the error that stands."""
        if not self.has_after:
            return await self._entered.leave(error, self.limit)
        inside = self.caller.look()
        error = await self._entered.leave(error, self.limit)
        self.caller.restore(inside)
        return error

    async def _before(self) -> bool:
        for name, hook in list(self._hooks["pre_execute"].items()):
            self._hook = f"pre_execute hook {name}"
            try:
                await self.caller.call_hook(hook, self._task)
            except CancelExecution:
                return False
            except asyncio.CancelledError as error:
                if is_cancelled():
                    raise
                self._log("pre_execute", name, error)
            except BaseException as error:
                self._log("pre_execute", name, error)
        self._hook = None
        self.body_began = True
        return True

    async def after(self, value: Any, raised: BaseException | None) -> None:
        """Run the post-execute hooks, and let the attempt's thread go."""
        try:
            for name, hook in list(self._hooks["post_execute"].items()):
                self._hook = f"post_execute hook {name}"
                try:
                    await in_time(self.limit, self.caller.call_hook(hook, self._task, value, raised))
                except RanOut:
                    self._log("post_execute", name, TaskTimeout(f"it had not returned after {self.limit:g} s"))
                except asyncio.CancelledError as error:
                    if is_cancelled():
                        raise
                    self._log("post_execute", name, error)
                except BaseException as error:
                    self._log("post_execute", name, error)
        finally:
            self._hook = None
            self.caller.close()

    def _log(self, kind: HookKind, name: str, error: BaseException) -> None:
        task, fields = (self._task.path, self._task.id), log_fields(self._task, self._queue)
        text = "%s hook %s failed, task %s %s"
        log_about(logger, logging.ERROR, text, kind, name, *task, fields=fields, error=error)
