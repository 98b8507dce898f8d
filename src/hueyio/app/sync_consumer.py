"""A consumer for code that blocks: in a thread with a loop of its own, so that its tasks hold up no blocking call."""

from __future__ import annotations

import asyncio
import atexit
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self
from weakref import WeakSet

from hueyio.consumer.options import ConsumerOptions
from hueyio.exceptions import HueyException
from hueyio.handles.blocking import Blocking
from hueyio.loops.portal import block_here, require_no_loop
from hueyio.storage.shared.threaded import start_daemon
from hueyio.tasks.task import Task

if TYPE_CHECKING:
    from hueyio.consumer import Consumer
    from hueyio.consumer.statistics import RunningTask, Statistics
    from hueyio.consumer.tally import TaskTally

__all__ = ["SyncConsumer"]

_END_TIME: Final = 2.0
"""Seconds that a consumer which nobody stopped gets at exit to give back what it holds."""


class SyncConsumer(Blocking):
    """Runs the tasks of one Huey in a thread of its own, beside a program that blocks; see ``Consumer``.

    ``with huey.create_consumer():`` embeds it, ``run()`` runs it in this thread until ``stop``. One that is not stopped
    ends with the program: it cancels what runs, and gives it back. One consumer is used once.
    """

    __slots__ = ("__weakref__", "_close", "_ended", "_is_given_up", "_loop", "_task")

    _wrapped: Consumer

    def __init__(self, consumer: Consumer, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Make one; ``close`` closes what belongs to its loop."""
        super().__init__(consumer)
        self._close = close
        self._ended: Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._is_given_up = False

    @property
    def aio(self) -> Consumer:
        """The consumer for coroutines."""
        return self._wrapped

    @property
    def options(self) -> ConsumerOptions:
        """How it was made."""
        return self._wrapped.options

    def start(self) -> None:
        """Begin to consume; returns when the consumer is registered. Raises what keeps it from starting."""
        ended = self._begin("Consumer.start")
        started: Future[None] = Future()
        self._is_given_up = False
        try:
            self._start_thread(started, ended)
            started.result()
        except BaseException:  # Ctrl-C among them: nobody will hold this consumer
            self._give_up(started)
            raise

    def stop(self, graceful: bool = True) -> None:
        """Ask it to stop: running tasks may finish first, or, if not graceful, are cancelled and go back."""
        if self._loop is None:
            self._wrapped.stop(graceful)
            return
        with suppress(RuntimeError):  # it has stopped, and its loop is closed
            self._loop.call_soon_threadsafe(self._wrapped.stop, graceful)

    def wait_stopped(self) -> None:
        """Wait until it has stopped; raises what made it crash."""
        require_no_loop("Consumer.wait_stopped")
        if self._ended is not None:
            self._ended.result()

    def run(self, *, handle_signals: bool = False) -> None:
        """Consume in this thread until ``stop``; Ctrl-C stops it gracefully, then KeyboardInterrupt is raised.

        With ``handle_signals``, which needs the main thread, SIGINT and SIGTERM stop it gracefully, a second one, and
        SIGQUIT, at once.
        """
        ended = self._begin("Consumer.run")
        try:
            block_here(self._run(handle_signals))
        except BaseException as error:  # raised here, and where another thread waits for the end
            ended.set_exception(error)
            raise
        else:
            ended.set_result(None)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.wait_stopped()

    def _leave_to_parent(self) -> None:
        """Have ended, as far as a forked child is concerned: the thread is its parent's."""
        self._loop = None
        self._ended = Future()
        self._ended.set_result(None)

    def _begin(self, called: str) -> Future[None]:
        """Note that it is used, once; return what tells of its end."""
        require_no_loop(called)
        if self._ended is not None:
            raise HueyException("this consumer was started already; create another one")
        self._ended = Future()
        return self._ended

    def _start_thread(self, started: Future[None], ended: Future[None]) -> None:
        _left.add(self)
        try:
            start_daemon(self._serve, "hueyio-consumer", started, ended)
        except RuntimeError as error:
            _left.discard(self)
            self._ended = None
            raise HueyException(f"a consumer cannot start: {error}") from error

    def _serve(self, started: Future[None], ended: Future[None]) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._consume(started))
        except BaseException as error:  # raised where somebody waits for the start, or for the end
            if not started.done():
                started.set_exception(error)
            ended.set_exception(error)
        else:
            ended.set_result(None)

    def _give_up(self, started: Future[None]) -> None:
        # Noted before the look at the loop: the thread looks at this after it has set that.
        self._is_given_up = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended, and its loop is closed
                self._loop.call_soon_threadsafe(self._end_start, started)

    def _end_start(self, started: Future[None]) -> None:
        """Cancel the start; stop at once what has started meanwhile."""
        assert self._task is not None
        if started.done():
            self._wrapped.stop(graceful=False)
        else:
            self._task.cancel()

    async def _consume(self, started: Future[None]) -> None:
        self._task = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        if self._is_given_up:
            return
        try:
            await self._wrapped.start()
            started.set_result(None)
            await self._wrapped.wait_stopped()
        except asyncio.CancelledError:
            if not self._is_given_up:  # else this is how it was asked to end
                raise
        finally:
            await self._close()

    async def _run(self, handle_signals: bool) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            await self._wrapped.run(handle_signals=handle_signals)
        finally:
            await self._close()

    # --- made from ``Consumer`` by `python -m tests.support.facade`; what is above is by hand

    def statistics(self) -> Statistics:
        """Tell how it is now; may be called from any thread."""
        answer: Statistics = self._wrapped.statistics()
        return answer

    def running_tasks(self) -> list[RunningTask]:
        """List the tasks whose bodies run now, the longest first; may be called from any thread."""
        answer: list[RunningTask] = self._wrapped.running_tasks()
        return answer

    def task_tallies(self) -> list[TaskTally]:
        """List what was counted of the tasks that ended here, by name; may be called from any thread."""
        answer: list[TaskTally] = self._wrapped.task_tallies()
        return answer

    @property
    def owner(self) -> str:
        """The id under which it holds tasks; empty before it has begun, and another after it lost its lease."""
        answer: str = self._wrapped.owner
        return answer

    def tasks_in_flight(self) -> list[Task]:
        """List the tasks whose bodies run now."""
        answer: list[Task] = self._wrapped.tasks_in_flight()
        return answer

    def unfinished_tasks(self) -> list[Task]:
        """List the tasks whose bodies were begun and whose outcome is not written yet, those that run now first."""
        answer: list[Task] = self._wrapped.unfinished_tasks()
        return answer

    @property
    def is_stop_asked(self) -> bool:
        """Whether somebody asked it to stop."""
        answer: bool = self._wrapped.is_stop_asked
        return answer


def _end_left() -> None:
    """Stop the consumers that nobody stopped."""
    ends = [(it, it._ended) for it in _left if it._ended is not None and not it._ended.done()]
    for consumer, _ in ends:
        consumer.stop(graceful=False)
    wait([ended for _, ended in ends], _END_TIME)


def _in_child() -> None:
    for consumer in _left:
        consumer._leave_to_parent()
    _left.clear()


_left: Final[WeakSet[SyncConsumer]] = WeakSet()
os.register_at_fork(after_in_child=_in_child)
atexit.register(_end_left)  # before the threads of the storage, which registered first: Python goes backwards
