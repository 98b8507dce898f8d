"""Where the code of one attempt runs: on the loop, or all of it in one thread.

A caller is made for one attempt that has hooks around it. The body of an attempt without any goes to the loop or to
a thread directly (see ``executor``), which costs less.

Theory of operation. One ``Context`` object serves the whole attempt, in whichever thread a part of it runs: each part
sees the variables that those before it have set, and a token of one is good in the others. The parts run one after
another, so that the context is free when the next one enters it. Only a thread that was left behind, at a time-out or a
cancellation, may still be in it; what follows goes on in a copy.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Protocol

from hueyio.loops.contexts import carry_over
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

    async def call_receiver(self, receiver: Callable[..., Any], *args: Any) -> None:
        """Run a receiver of a signal of this attempt, sync or async; raise what it raises."""
        ...

    async def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Await what an async context manager does."""
        ...

    async def call(self, func: Callable[..., Any], *args: Any) -> Any:
        """Call what a sync context manager does, where the body runs."""
        ...

    def look(self) -> Context:
        """Return a copy of the attempt's context."""
        ...

    def restore(self, context: Context) -> None:
        """Set the variables again as they are in such a copy."""
        ...

    def close(self) -> None:
        """Let go of what the attempt held."""
        ...


class LoopCaller:
    """The body on the loop; sync hooks one after another in ``thread``, async ones on the loop, all in one context.

    So are receivers.
    """

    def __init__(self, context: Context, thread: OrderedThread) -> None:
        self._context = context
        self._thread = thread

    async def call_body(self, spec: TaskSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the body here."""
        value = self._context.run(lambda: spec.func(*args, **kwargs))
        return await run_in(self._context, value) if inspect.iscoroutine(value) else value

    async def call_hook(self, hook: Callable[..., Any], *args: Any) -> None:
        """Run a hook."""
        try:
            await self._thread.call_in(self._context, hook, *args)
        except asyncio.CancelledError:
            if not inspect.iscoroutinefunction(hook):  # the thread may still be in the context
                self._context = self._context.copy()
            raise

    async def call_receiver(self, receiver: Callable[..., Any], *args: Any) -> None:
        """Run a receiver."""
        await self.call_hook(receiver, *args)

    async def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Await it in the context."""
        return await run_in(self._context, coroutine)

    async def call(self, func: Callable[..., Any], *args: Any) -> Any:
        """Call it on the loop: changing to a thread would cost more than most tasks do."""
        return self._context.run(func, *args)

    def look(self) -> Context:
        """Return a copy of the context."""
        return self._context.copy()

    def restore(self, context: Context) -> None:
        """Set the variables again as they are in a copy."""
        self._context.run(carry_over, context)

    def close(self) -> None:
        """Do nothing: nothing is held."""


class ThreadCaller:
    """Body and sync hooks in one thread; async hooks on the loop, and sync receivers in ``ordered``, in one context."""

    def __init__(self, context: Context, threads: ThreadPool, ordered: OrderedThread) -> None:
        self._thread = threads.borrow(context)
        self._ordered = ordered

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

    async def call_receiver(self, receiver: Callable[..., Any], *args: Any) -> None:
        """Run a receiver: a sync one in the thread of all receivers, so that none overtakes another."""
        try:
            await self._ordered.call_in(self._free_context(), receiver, *args)
        except asyncio.CancelledError:
            if not inspect.iscoroutinefunction(receiver):  # the thread may still be in the context
                self._thread.context = self._thread.context.copy()
            raise

    async def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Await it on the loop."""
        return await self._on_loop(coroutine)

    async def call(self, func: Callable[..., Any], *args: Any) -> Any:
        """Call it in the thread; where the body was left behind, at the end of that, and nobody waits for it."""
        if self._thread.is_left_behind:
            self._thread.begin(_run_logged, func, *args)
            return None
        return await self._thread.call(func, *args)

    def look(self) -> Context:
        """Return a copy of the context."""
        return self._thread.context.copy()

    def restore(self, context: Context) -> None:
        """Set the variables again as they are in a copy, unless a thread is still at work with them."""
        if not self._thread.is_left_behind:
            self._thread.context.run(carry_over, context)

    def close(self) -> None:
        """Give the thread back."""
        self._thread.give_back()

    async def _on_loop(self, coroutine: Any) -> Any:
        return await run_in(self._free_context(), coroutine)

    def _free_context(self) -> Context:
        """Return the attempt's context, or a copy while a thread that was left behind may be in it."""
        context = self._thread.context
        return context.copy() if self._thread.is_left_behind else context


def _run_logged(hook: Callable[..., Any], *args: Any) -> None:
    try:
        hook(*args)
    except BaseException:  # nobody waits for it any more
        logger.exception("hook %r failed in a thread that was left behind", hook)
