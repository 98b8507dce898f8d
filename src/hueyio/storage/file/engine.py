"""The running part of one session: a thread that has a copy of the state and the files, and answers the loop.

Operations wait in ``_calls``. The loop nudges the thread once per turn, so that what one turn asked for goes together:
one lock, one record, one sync; what comes meanwhile makes up the next group. Questions alone need no lock. Whoever
waits for a change stands in ``_waits`` and is shown the copy after each change of it; others' changes are heard of by
the doorbell, and found by a slow look while anybody waits.

Every engine that was not closed stands in ``_open``; one whose loop is closed without having closed it is let go when
the next one opens, and all of them at exit, so that a forgotten session keeps no thread, no socket and no file for
ever, and prints nothing.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import secrets
import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from enum import IntEnum
from typing import Any, Final, Generic, NamedTuple, TypeVar

from hueyio.exceptions import SessionClosed
from hueyio.storage.file.errors import explain
from hueyio.storage.file.lock import FolderLock
from hueyio.storage.file.options import FileOptions
from hueyio.storage.file.replica import News, Question, Refused, Replica, Step
from hueyio.storage.file.state import FileState
from hueyio.storage.records import Over
from hueyio.storage.shared.doorbell import Doorbell
from hueyio.storage.shared.waiters import Exchange, Outcomes

__all__ = ["FileEngine", "Need"]

T = TypeVar("T")

_SLOW_LOOK: Final = 0.025
_JOIN_TIMEOUT: Final = 2.0
_MOST_CALLS: Final = 1_000
"""In one record; bounds how long others wait for the lock."""

_open: set[FileEngine] = set()
_open_lock = threading.Lock()


class Need(IntEnum):
    """What an operation needs. What loses nothing by a power failure is volatile: it is written, not synced."""

    READ = 0
    VOLATILE = 1
    DURABLE = 2


class _Call(NamedTuple):
    step: Step | Question
    need: Need
    done: Callable[[Any], None]


class _Wait(Generic[T]):
    """Somebody who waits until ``answer`` makes something of the state."""

    def __init__(self, loop: asyncio.AbstractEventLoop, answer: Callable[[FileState], T | None]) -> None:
        self.answer = answer
        self.future: asyncio.Future[T | None] = loop.create_future()
        self.is_late = False

    def begun(self, answer: Any) -> None:
        if isinstance(answer, Refused):
            self.fail(answer.error)

    def end(self, answer: T | None) -> None:
        if not self.future.done():
            self.future.set_result(answer)

    def fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class FileEngine:
    """Made by ``start``, on the loop that it belongs to."""

    @classmethod
    async def start(cls, options: FileOptions) -> FileEngine:
        """Make or open the folder. Raises StorageUnavailable or ConfigurationError."""
        _release_forgotten()
        engine = cls(options)
        try:
            await engine._opened
        except BaseException:
            engine.release()
            raise
        return engine

    def __init__(self, options: FileOptions) -> None:
        self.loop = asyncio.get_running_loop()
        self._options = options
        self._client = secrets.token_hex(8)
        self._calls: deque[_Call] = deque()
        self._waits: set[_Wait[Any]] = set()
        self._is_starting = False
        self._is_stopped = False
        self._is_registered = False
        self._replica = Replica(options, self._client)
        self._lock = FolderLock(options.lock, options.timeout)
        self._doorbell = Doorbell(os.path.realpath(options.journal), self._client)
        self._doorbell.prepare()
        self._opened: asyncio.Future[None] = self.loop.create_future()
        self._ended: Callable[[], object] = lambda: None
        self._error: BaseException | None = None
        self.outcomes = Outcomes(self._exchange)
        with _open_lock:
            _open.add(self)
        self._thread = threading.Thread(target=self._run, name="hueyio-file", daemon=True)
        self._thread.start()

    # On the loop.

    async def write(self, need: Need, name: str, *args: Any) -> Any:
        """Take a step and return its answer."""
        return await self._ask(Step(name, args), need)

    async def read(self, question: Callable[[FileState], T]) -> T:
        """Ask the state."""
        answer: T = await self._ask(question, Need.READ)
        return answer

    async def wait(self, answer: Callable[[FileState], T | None], timeout: float | None = None) -> T | None:
        """Return what ``answer`` makes of the state as soon as that is not None; after the time-out, None."""
        wait = _Wait(self.loop, answer)
        timer = None if timeout is None else self.loop.call_later(timeout, self._expire, wait)
        self._doorbell.listen("work")
        self._send(_Call(lambda state: self._waits.add(wait), Need.READ, wait.begun))
        try:
            return await wait.future
        finally:
            if timer is not None:
                timer.cancel()
            if wait.future.cancelled():
                self._send(_Call(lambda state: self._waits.discard(wait), Need.READ, _ignore))

    def show(self) -> None:
        """Have all who wait look once more."""
        if self._waits:
            self._send(_Call(_ignore, Need.READ, _ignore))

    async def close(self, error: BaseException) -> None:
        """End all waits with this error; carry through what was sent, and let go of everything."""
        ended: asyncio.Future[None] = self.loop.create_future()
        self.outcomes.close(error)
        self._let_go(error, lambda: _tell(self.loop, _resolve, ended))
        await ended

    def release(self) -> None:
        """Let go of everything without a loop."""
        with contextlib.suppress(RuntimeError, OSError):
            self._let_go(None, lambda: None)

    def join(self) -> None:
        """Wait a little for the end of the thread."""
        if threading.current_thread() is not self._thread:
            self._thread.join(_JOIN_TIMEOUT)

    async def _ask(self, step: Step | Question, need: Need) -> Any:
        future: asyncio.Future[Any] = self.loop.create_future()

        def done(answer: Any) -> None:
            if future.done():
                return
            if isinstance(answer, Refused):
                future.set_exception(answer.error)
            else:
                future.set_result(answer)

        self._send(_Call(step, need, done))
        return await future

    def _exchange(self, asked: Exchange) -> None:
        def answered(answer: Any) -> None:
            if isinstance(answer, Refused):
                asked.failed(answer.error)
            else:
                asked.done(answer)

        if asked.wanted:
            self._is_registered = True
            self._doorbell.listen("mail")
        step = Step("exchange", (self._client, tuple(asked.wanted), tuple(asked.unwanted)))
        self._send(_Call(step, Need.VOLATILE, answered))

    def _send(self, call: _Call) -> None:
        self._calls.append(call)
        if not self._is_starting:
            self._is_starting = True
            self.loop.call_soon(self._nudge)

    def _nudge(self) -> None:
        self._is_starting = False
        self._doorbell.nudge()

    def _expire(self, wait: _Wait[Any]) -> None:
        """Let it end after one more look."""
        wait.is_late = True
        self.show()

    def _receive(self, mail: Sequence[tuple[int, Over]], answered: Collection[tuple[_Call, Any]]) -> None:
        self.outcomes.tell(mail)
        for call, answer in answered:
            call.done(answer)

    def _let_go(self, error: BaseException | None, ended: Callable[[], object]) -> None:
        with _open_lock:
            _open.discard(self)
        if self._is_registered:
            self._calls.append(_Call(Step("forget", ([self._client],)), Need.VOLATILE, _ignore))
        self._error = error
        self._ended = ended
        self._is_stopped = True
        self._doorbell.nudge()

    # In the thread.

    def _run(self) -> None:
        try:
            self._open()
            while not self._is_stopped or self._calls:
                if not self._calls:
                    self._doorbell.wait(_SLOW_LOOK if self._waits or self.outcomes.is_awaited else None)
                self._turn()
        finally:
            self._finish()

    def _open(self) -> None:
        try:
            os.makedirs(self._options.folder, exist_ok=True)
            with self._lock.held():
                self._replica.prepare()
        except Exception as error:
            _tell(self.loop, _reject, self._opened, explain(error, self._options))
        else:
            _tell(self.loop, _resolve, self._opened)

    def _turn(self) -> None:
        calls = self._take()
        try:
            answers, changed, news = self._perform(calls)
        except Exception as error:
            self._fail(calls, explain(error, self._options), waits=not calls)
            return
        if news.told or news.work:
            self._ring(news)
        if calls or news.mail:
            _tell(self.loop, self._receive, news.mail, list(zip(calls, answers, strict=True)))
        if changed or calls:
            self._show()

    def _take(self) -> list[_Call]:
        taken: list[_Call] = []
        while self._calls and len(taken) < _MOST_CALLS:
            taken.append(self._calls.popleft())
        return taken

    def _perform(self, calls: list[_Call]) -> tuple[list[Any], bool, News]:
        """Answer the calls (more may come while the lock is waited for); say whether the state is another, and news."""
        if all(call.need is Need.READ for call in calls):
            changed = self._replica.catch_up()
            answers = self._replica.answer([call.step for call in calls])
            self._replica.hush()
            return answers, changed, self._replica.news()
        with self._lock.held():
            self._replica.prepare()
            self._replica.hush()
            calls += self._take()
            answers = self._replica.write([call.step for call in calls])
        if any(call.need is Need.DURABLE for call in calls):
            self._replica.sync()
        return answers, True, self._replica.news()

    def _ring(self, news: News) -> None:
        dead = self._doorbell.ring(news.work, news.told)
        if dead:
            self._calls.append(_Call(Step("forget", (dead,)), Need.VOLATILE, _ignore))

    def _show(self) -> None:
        for wait in list(self._waits):
            answer = wait.answer(self._replica.state)
            if answer is not None or wait.is_late:
                self._waits.discard(wait)
                _tell(self.loop, wait.end, answer)

    def _fail(self, calls: Sequence[_Call], error: BaseException, *, waits: bool) -> None:
        if waits:
            failed, self._waits = self._waits, set()
            for wait in failed:
                _tell(self.loop, wait.fail, error)
            _tell(self.loop, self.outcomes.fail, error)
        _tell(self.loop, self._receive, [], [(call, Refused(error)) for call in calls])

    def _finish(self) -> None:
        error = self._error or SessionClosed(f"this session of folder {self._options.root} is closed")
        self._fail(self._take(), error, waits=True)
        self._replica.close()
        self._doorbell.close()
        self._ended()


def _ignore(answer: Any) -> None:
    pass


def _tell(loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *args: Any) -> None:
    """Call back on the loop, unless it is closed."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(callback, *args)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _reject(future: asyncio.Future[None], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


def _release_forgotten() -> None:
    with _open_lock:
        forgotten = [engine for engine in _open if engine.loop.is_closed()]
    for engine in forgotten:
        engine.release()


def _release_all() -> None:
    with _open_lock:
        left = list(_open)
    for engine in left:
        engine.release()
    for engine in left:
        engine.join()


def _in_child() -> None:
    """Leave the parent's engines to the parent."""
    global _open_lock
    _open_lock = threading.Lock()
    _open.clear()


atexit.register(_release_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
