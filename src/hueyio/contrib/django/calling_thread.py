"""In tests, and in immediate mode: the database is used in the thread that waits for the task, in its transaction.

A ``TestCase`` has one connection, in one thread, and a transaction around it that is never committed. Theory of
operation. There are two kinds of test, and two kinds of body:

* A test without a loop waits in a blocking call. A ``def`` body runs in its thread anyway (see ``CallerThreads``). A
  coroutine runs on the loop of blocking calls, and does what it does with the database by asgiref's ``sync_to_async``:
  while it runs, asgiref's executor is that thread.
* An async test runs on a loop that Django has made for it, by ``async_to_sync``, while the test's own thread runs what
  ``sync_to_async`` hands over. So a coroutine has that thread anyway, and a ``def`` body is handed over too.

A worker has neither: nobody waits there, and its loop is no such one. It is asked for each time, by one look.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

from asgiref.sync import AsyncToSync, SyncToAsync, ThreadSensitiveContext, sync_to_async

from hueyio.loops.caller import Caller, current_caller
from hueyio.loops.serving import run_on_loop, served_loop
from hueyio.storage.shared.background import make_task
from hueyio.tasks.declared import is_async
from hueyio.tasks.signature import signature_of

__all__ = ["in_calling_thread"]


def in_calling_thread(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a body that uses the database in the thread that waits for it, if there is one."""
    run = _around_async(function) if is_async(function) else _around_sync(function)
    functools.update_wrapper(run, function)
    run.__signature__ = signature_of(function).replace()  # type: ignore[attr-defined]  # arguments are checked by it
    return run


def _around_async(function: Callable[..., Any]) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> Any:
        caller = current_caller()
        if caller is None:
            return await function(*args, **kwargs)
        with _asgiref_using(_CallersThread(caller)):
            return await function(*args, **kwargs)

    return run


def _around_sync(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        loops = AsyncToSync.loop_thread_executors
        if loops and served_loop() in loops:
            return run_on_loop(sync_to_async(function)(*args, **kwargs))
        return function(*args, **kwargs)

    return run


@contextmanager
def _asgiref_using(executor: Executor) -> Iterator[None]:
    """Have ``sync_to_async`` use an executor, in this context alone.

    ``ThreadSensitiveContext(executor=...)`` says the same, from asgiref 3.12 on.
    """
    context = ThreadSensitiveContext()
    SyncToAsync.context_to_thread_executor[context] = executor
    token = SyncToAsync.thread_sensitive_context.set(context)
    hidden = getattr(AsyncToSync.executors, "current", None)  # it would go first, and its thread waits here
    AsyncToSync.executors.current = None
    try:
        yield
    finally:
        AsyncToSync.executors.current = hidden
        SyncToAsync.thread_sensitive_context.reset(token)


class _CallersThread(Executor):
    """The thread of a blocking call; used on the loop that it waits for."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a function run in the thread."""
        future: Future[Any] = Future()
        make_task(self._run(future, functools.partial(fn, *args, **kwargs)))
        return future

    async def _run(self, future: Future[Any], function: Callable[[], Any]) -> None:
        try:
            future.set_result(await self._caller.run(_as_before, function))
        except BaseException as error:  # whatever it is, it belongs to whoever waits for the future
            future.set_exception(error)


def _as_before(function: Callable[[], Any]) -> Any:
    """Call a function of asgiref's, which leaves a note in its thread that this works for the loop."""
    before = getattr(SyncToAsync.threadlocal, "main_event_loop", None)
    try:
        return function()
    finally:
        SyncToAsync.threadlocal.main_event_loop = before
