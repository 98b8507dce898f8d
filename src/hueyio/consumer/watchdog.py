"""Notice that the loop is blocked while it still is, and name the task that blocks it.

Theory of operation. A thread asks the loop to answer, ``interval`` seconds after its last answer. One that does not
come within ``warn_after`` seconds means that something keeps the loop from running: the thread reads the stack of the
loop's thread, and asks who knows which task that is. Answers tell the loop's lag. A whole process that stood still
(suspended, stopped) shows by the thread's own wait having taken too long, and is no blocked loop.

One thread serves a loop, however many consumers run there: ``watch_loop`` joins the one that there is. It acts first
and talks afterwards, through ``side_log``: a log handler may wait for ever, with its lock held by the loop's thread.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from types import FrameType
from typing import Any, Final
from weakref import WeakKeyDictionary

from hueyio.consumer.side_log import side_log
from hueyio.execution.job import Job
from hueyio.named_tuple import NamedTuple

__all__ = ["Block", "Lag", "LoopWatch", "Watchdog", "watch_loop"]

logger = logging.getLogger(__name__)

_STOOD_STILL: Final = 1.0
"""Seconds by which a wait of the thread itself may be late before it says that the process stood still."""

_LAST_WORDS: Final = 2.0
"""Seconds that the log gets to take what is said before something ends."""

_OURS: Final = frozenset({"asyncio", "hueyio", "uvloop"})
"""Packages whose frames say nothing about who blocks the loop."""


class Lag(NamedTuple):
    """How late the loop answers, in seconds: the last time, and for how long it has owed an answer now."""

    last: float
    silent_for: float


class Block(NamedTuple):
    """A time for which the loop was blocked: by what, for how long, and how long ago that was noticed, in seconds."""

    by: str
    seconds: float
    ago: float


class LoopWatch:
    """One consumer's part: which task is it, and what to do when the loop stays blocked for too long.

    ``job_of`` says whose body an asyncio task runs, None if it is none of this consumer's. ``too_long`` is called in
    the watchdog's thread after ``max_block`` seconds (None: never), once for each time that the loop is blocked;
    ``when_told`` after it, when the log has it all or takes nothing. Neither waits for a lock that others may hold.
    """

    def __init__(
        self,
        job_of: Callable[[asyncio.Task[Any]], Job | None],
        warn_after: float,
        max_block: float | None,
        too_long: Callable[[], None],
        when_told: Callable[[], None] = lambda: None,
    ) -> None:
        self.job_of = job_of
        self.warn_after = warn_after
        self.max_block = max_block
        self.too_long = too_long
        self.when_told = when_told


class Watchdog:
    """The thread that watches one loop. Made by ``watch_loop``."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._loop_thread = threading.get_ident()
        self._watches: tuple[LoopWatch, ...] = ()
        self._stop = threading.Event()
        self._answered = threading.Event()
        self._lag = 0.0
        self._asked_at: float | None = None
        self.blocks = 0
        """How often the loop was found blocked."""
        self._last_block: Block | None = None
        """Its ``ago`` is the monotonic time at which it was noticed."""
        self._thread: threading.Thread | None = None
        self._ended = asyncio.Event()

    def add(self, one: LoopWatch) -> None:
        """Watch for one more; the first starts the thread."""
        self._watches = (*self._watches, one)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="hueyio-watchdog", daemon=True)
            self._thread.start()

    def remove(self, one: LoopWatch) -> None:
        """Watch for one less; the last ends the thread, soon: ``wait_ended`` waits for that."""
        self._watches = tuple(known for known in self._watches if known is not one)
        if not self._watches:
            self._stop.set()
            self._answered.set()
            _dogs.pop(self._loop, None)

    async def wait_ended(self, timeout: float) -> bool:
        """Wait until the thread has logged its last line, unless it still watches for others; False: it has not.

        It may be held up by a log that takes nothing.
        """
        if self._watches:
            return True
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), timeout)
        return self._ended.is_set()

    def lag(self) -> Lag:
        """Return how late the loop answers; may be called from any thread."""
        asked_at = self._asked_at
        return Lag(self._lag, 0.0 if asked_at is None else time.monotonic() - asked_at)

    def last_block(self) -> Block | None:
        """Return how the loop was blocked the last time; may be called from any thread."""
        last = self._last_block
        return None if last is None else last._replace(ago=time.monotonic() - last.ago)

    def _run(self) -> None:
        try:
            self._watch_loop()
            side_log.flush(_LAST_WORDS)
        finally:
            with suppress(RuntimeError):  # the loop has ended, and nobody waits there
                self._loop.call_soon_threadsafe(self._ended.set)

    def _watch_loop(self) -> None:
        while not self._stop.wait(self._warn_after() / 2):
            self._answered.clear()
            if self._stop.is_set():
                return  # set since: nobody answers any more
            self._asked_at = asked_at = time.monotonic()
            try:
                self._loop.call_soon_threadsafe(self._answer, asked_at)
            except RuntimeError:
                return  # the loop has ended
            if not self._wait_for_answer(self._warn_after()):
                self._watch_blocked(asked_at)

    def _warn_after(self) -> float:
        return min((one.warn_after for one in self._watches), default=1.0)

    def _answer(self, asked_at: float) -> None:
        self._lag = time.monotonic() - asked_at
        self._asked_at = None
        self._answered.set()

    def _wait_for_answer(self, seconds: float) -> bool:
        """Wait for the loop, for so long of this process's own time."""
        while True:
            began = time.monotonic()
            if self._answered.wait(seconds):
                return True
            if time.monotonic() - began < seconds + _STOOD_STILL:
                return False

    def _watch_blocked(self, asked_at: float) -> None:
        """Say who blocks the loop, and wait until it moves again, or for too long."""
        self.blocks += 1
        who, stack = self._look()
        blocked = time.monotonic() - asked_at
        text = "the loop has been blocked for %.1f s by %s:\n%s"
        side_log.say(logger, logging.WARNING, text, blocked, who.name, stack, extra=who.fields)
        told: set[LoopWatch] = set()
        while not self._answered.is_set() and not self._stop.is_set():
            blocked = time.monotonic() - asked_at
            for one in self._watches:
                if one.max_block is not None and blocked >= one.max_block and one not in told:
                    told.add(one)
                    self._end_block(one, blocked, who)
            limits = [one.max_block for one in self._watches if one.max_block is not None and one not in told]
            self._wait_for_answer(min([limit - blocked for limit in limits if limit > blocked], default=5.0))
        blocked = time.monotonic() - asked_at
        self._last_block = Block(who.name, blocked, asked_at)
        text = "the loop moves again after %.1f s; it was blocked by %s"
        side_log.say(logger, logging.WARNING, text, blocked, who.name, extra=who.fields)

    def _end_block(self, one: LoopWatch, blocked: float, who: _Who) -> None:
        """Act for a consumer whose loop stays blocked, then say so."""
        one.too_long()
        text = "the loop has been blocked for %.0f s by %s: %s"
        side_log.say(logger, logging.CRITICAL, text, blocked, who.name, _Stacks(), extra=who.fields)
        side_log.flush(_LAST_WORDS)
        one.when_told()

    def _look(self) -> tuple[_Who, _Stack | str]:
        """Return what runs on the loop, and its stack."""
        task = asyncio.current_task(self._loop)
        frame = sys._current_frames().get(self._loop_thread)
        stack = "" if frame is None else _stack_of_user(frame)
        if task is None:
            return _Who("a callback", {}), stack
        for one in self._watches:
            job = one.job_of(task)
            if job is not None:
                return _Who(f"task {job.task.path} {job.task.id}", job.log_fields()), stack
        return _Who(f"the asyncio task {task.get_name()!r}", {}), stack


_dogs: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, Watchdog]] = WeakKeyDictionary()


def watch_loop(one: LoopWatch) -> Watchdog:
    """Watch the running loop."""
    loop = asyncio.get_running_loop()
    dog = _dogs.get(loop)
    if dog is None:
        dog = _dogs[loop] = Watchdog(loop)
    dog.add(one)
    return dog


class _Who(NamedTuple):
    """Who blocks the loop, and the fields of a line about that."""

    name: str
    fields: Mapping[str, object]


class _Stack:
    """Where a thread was, as text when it is logged: reading the lines of source may take long, or for ever."""

    def __init__(self, frames: Iterable[FrameType]) -> None:
        self._places = [(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name, None) for frame in frames]

    def __str__(self) -> str:
        summary = traceback.StackSummary.from_list(reversed(self._places))
        return "".join(summary.format()).rstrip()


class _Stacks:
    """Those of all threads."""

    def __init__(self) -> None:
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        frames = sys._current_frames().items()
        self._stacks = [(names.get(ident, str(ident)), _Stack(_frames(frame))) for ident, frame in frames]

    def __str__(self) -> str:
        return "\n".join(f"thread {name}:\n{stack}" for name, stack in self._stacks)


def _frames(frame: FrameType) -> list[FrameType]:
    """List the frames of a thread, the innermost first."""
    return [each for each, _ in traceback.walk_stack(frame)]


def _stack_of_user(frame: FrameType) -> _Stack:
    """Return the stack from where it leaves the loop and hueyio: what is left is the user's."""
    frames = _frames(frame)
    return _Stack(list(itertools.takewhile(_is_theirs, frames)) or frames)


def _is_theirs(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] not in _OURS
