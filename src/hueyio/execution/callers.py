"""Where the code of one attempt runs: on the loop, or all of it in one thread.

A caller is made for one attempt that has hooks around it. The body of an attempt without any goes to the loop or to
a thread directly (see ``executor``), which costs less.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from contextvars import Context
from typing import Any, Protocol

from hueyio.loops.ordered import OrderedThread
from hueyio.loops.threads import ThreadPool, run_in
from hueyio.tasks.declared import TaskSpec

__all__ = ["Caller", "LoopCaller", "ThreadCaller"]


logger = logging.getLogger(__name__)


class Caller(Protocol):
    """The place of one attempt. ``close`` when its last hook has run."""

    async def call_body(self, spec: TaskSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the function of the task; return what it returns, raise what it raises."""
        ...

    async def call_hook(self, hook: Callable[..., Any], *args: Any) -> None:
        """Run a hook, sync or async; raise what it raises."""
        ...

    def close(self) -> None:
        """Let go of what the attempt held."""
        ...


class LoopCaller:
    """The body on the loop; sync hooks one after another in ``thread``, async ones on the loop, all in one context."""

    def __init__(self, context: Context, thread: OrderedThread) -> None:
        self._context = context
        self._thread = thread

    async def call_body(self, spec: TaskSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the body here."""
        value = self._context.run(lambda: spec.func(*args, **kwargs))
        return await run_in(self._context, value) if inspect.iscoroutine(value) else value

    async def call_hook(self, hook: Callable[..., Any], *args: Any) -> None:
        """Run a hook: a sync one in a copy of the context, because a thread that is left behind would keep it."""
        if inspect.iscoroutinefunction(hook):
            await run_in(self._context, hook(*args))
            return
        answer = await self._thread.run_in(self._context.copy(), hook, *args)
        if inspect.iscoroutine(answer):
            await run_in(self._context, answer)

    def close(self) -> None:
        """Do nothing: nothing is held."""


class ThreadCaller:
    """Body and sync hooks in one thread and one context; async hooks on the loop, in a copy of it."""

    def __init__(self, context: Context, threads: ThreadPool) -> None:
        self._thread = threads.borrow(context)

    async def call_body(self, spec: TaskSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the body in the thread."""
        value = await self._thread.call(lambda: spec.func(*args, **kwargs))
        # A decorator may hide that the function is a coroutine function; what it returned still has to be run.
        return await self._on_loop(value) if inspect.iscoroutine(value) else value

    async def call_hook(self, hook: Callable[..., Any], *args: Any) -> None:
        """Run a hook; where the body was left behind, a sync one is run at the end of that and not waited for."""
        if inspect.iscoroutinefunction(hook):
            await self._on_loop(hook(*args))
            return
        if self._thread.is_left_behind:
            self._thread.begin(_run_logged, hook, *args)
            return
        answer = await self._thread.call(hook, *args)
        if inspect.iscoroutine(answer):
            await self._on_loop(answer)

    def close(self) -> None:
        """Give the thread back."""
        self._thread.give_back()

    async def _on_loop(self, coroutine: Any) -> Any:
        context = self._thread.context if not self._thread.is_left_behind else Context()
        return await run_in(context.copy(), coroutine)


def _run_logged(hook: Callable[..., Any], *args: Any) -> None:
    try:
        hook(*args)
    except BaseException:  # nobody waits for it any more
        logger.exception("hook %r failed in a thread that was left behind", hook)
