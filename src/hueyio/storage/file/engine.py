"""The running part of one session: a thread that has a copy of the state and the files, and answers the loop.

Operations wait in ``_calls``. The loop nudges the thread once per turn, so that what one turn asked for goes together:
one lock, one record, one sync; what comes meanwhile makes up the next group. Questions alone need no lock. Whoever
waits for a change stands in ``_waits`` and is shown the copy after each change of it; others' changes are heard of by
the doorbell, and found by a slow look while anybody waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Any, Final, Generic, TypeVar

from hueyio.exceptions import SessionClosed
from hueyio.named_tuple import NamedTuple
from hueyio.storage.file.errors import explain, is_full
from hueyio.storage.file.lock import FolderLock
from hueyio.storage.file.options import FileOptions
from hueyio.storage.file.replica import News, Question, Replica, Step
from hueyio.storage.file.state import FileState
from hueyio.storage.operations import Durability
from hueyio.storage.records import Over
from hueyio.storage.shared.answers import Refused, fulfil, reject, resolve
from hueyio.storage.shared.doorbell import Doorbell
from hueyio.storage.shared.passing import split_questions
from hueyio.storage.shared.private_files import make_folders
from hueyio.storage.shared.threaded import Engine, release_forgotten, start_for_session, tell
from hueyio.storage.shared.waiters import Exchange, Waiters

__all__ = ["FileEngine"]

T = TypeVar("T")

_SLOW_LOOK: Final = 0.025
_MOST_CALLS: Final = 1_000
"""In one record; bounds how long others wait for the lock."""


class _Call(NamedTuple):
    step: Step | Question
    durability: Durability
    done: Callable[[Any], None]
    future: asyncio.Future[Any] | None = None
    """What somebody awaits, until he is cancelled."""


class _Wait(Generic[T]):
    """Somebody who waits until ``answer`` makes something of the state."""

    def __init__(self, loop: asyncio.AbstractEventLoop, answer: Callable[[FileState], T | None]) -> None:
        self.answer = answer
        self.future: asyncio.Future[T | None] = loop.create_future()
        self.is_late = False

    def begun(self, answer: Any) -> None:
        if isinstance(answer, Refused):
            reject(self.future, answer.error)


class FileEngine(Engine):
    """Made by ``start``, on the loop that it belongs to."""

    @classmethod
    async def start(cls, options: FileOptions) -> FileEngine:
        """Make or open the folder. Raises StorageUnavailable or ConfigurationError."""
        release_forgotten()
        engine = cls(options)
        try:
            await engine._opened
        except BaseException:
            engine.release()
            raise
        return engine

    def __init__(self, options: FileOptions) -> None:
        super().__init__()
        self._options = options
        self._client = secrets.token_hex(8)
        self._calls: deque[_Call] = deque()
        self._waits: set[_Wait[Any]] = set()
        self._is_starting = False
        self._is_stopped = False
        self._is_registered = False
        self._replica = Replica(options, self._client)
        self._lock = FolderLock(options.lock, options.timeout, options.mode)
        self._doorbell = Doorbell(os.path.realpath(options.journal), self._client, options.mode)
        self._doorbell.prepare()
        self._opened: asyncio.Future[None] = self.loop.create_future()
        self._ended: Callable[[], object] = lambda: None
        self._error: BaseException | None = None
        self.waiters = Waiters(self._exchange)
        self._thread = start_for_session(self._run, "hueyio-file")
        self._enter()

    # On the loop.

    def write(self, durability: Durability, name: str, *args: Any) -> Awaitable[Any]:
        """Take a step; await its answer."""
        return self._ask(Step(name, args), durability)

    def read(self, question: Question) -> Awaitable[Any]:
        """Ask the state; await the answer."""
        return self._ask(question, Durability.READ)

    async def wait(self, answer: Callable[[FileState], T | None], timeout: float | None = None) -> T | None:
        """Return what ``answer`` makes of the state as soon as that is not None; after the time-out, None."""
        wait = _Wait(self.loop, answer)
        timer = None if timeout is None else self.loop.call_later(timeout, self._expire, wait)
        self._doorbell.listen("work")
        self._send(_Call(lambda state: self._waits.add(wait), Durability.READ, wait.begun))
        try:
            return await wait.future
        finally:
            if timer is not None:
                timer.cancel()
            if wait.future.cancelled():
                self._send(_Call(lambda state: self._waits.discard(wait), Durability.READ, _ignore))

    def show(self) -> None:
        """Have all who wait look once more."""
        if self._waits:
            self._send(_Call(_ignore, Durability.READ, _ignore))

    def join(self, timeout: float) -> None:
        """Wait a little for the end of the thread."""
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    def _ask(self, step: Step | Question, durability: Durability) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self.loop.create_future()
        self._send(_Call(step, durability, partial(fulfil, future), future))
        return future

    def _exchange(self, asked: Exchange) -> None:
        if asked.wanted:
            self._is_registered = True
            self._doorbell.listen("mail")
        step = Step("exchange", (self._client, tuple(asked.wanted), tuple(asked.unwanted), tuple(asked.patient)))
        self._send(_Call(step, Durability.VOLATILE, asked.answered))

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
        self.waiters.tell(mail)
        for call, answer in answered:
            call.done(answer)

    def _end_waits(self, error: BaseException) -> None:
        self.waiters.close(error)

    def _let_go(self, error: BaseException | None, ended: Callable[[], object]) -> None:
        if self._is_registered:
            self._calls.append(_Call(Step("forget", ([self._client],)), Durability.VOLATILE, _ignore))
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
                    self._doorbell.wait(_SLOW_LOOK if self._waits or self.waiters.is_awaited else None)
                self._turn()
        finally:
            self._finish()

    def _open(self) -> None:
        try:
            make_folders(self._options.folder, self._options.mode)
            with self._lock.held():
                self._replica.prepare()
        except Exception as error:
            tell(self.loop, reject, self._opened, explain(error, self._options))
        else:
            tell(self.loop, resolve, self._opened, None)

    def _turn(self) -> None:
        calls = self._take()
        try:
            answers, changed, news = self._perform(calls)
        except Exception as error:
            self._fail(calls, explain(error, self._options), waits=not calls)
            return
        if news.told or news.work:
            self._ring(news)
        if news.unregistered:
            tell(self.loop, self.waiters.ask_again, news.unregistered)
        if calls or news.mail:
            tell(self.loop, self._receive, news.mail, list(zip(calls, answers, strict=True)))
        if changed or calls:
            self._show()

    def _take(self) -> list[_Call]:
        taken: list[_Call] = []
        while self._calls and len(taken) < _MOST_CALLS:
            taken.append(self._calls.popleft())
        return taken

    def _perform(self, calls: list[_Call]) -> tuple[list[Any], bool, News]:
        """Answer the calls (more may come while the lock is waited for); say whether the state is another, and news."""
        try:
            return self._attempt(calls)
        except FileNotFoundError:  # the folder was deleted; nothing was written yet
            make_folders(self._options.folder, self._options.mode)
            return self._write(calls)

    def _attempt(self, calls: list[_Call]) -> tuple[list[Any], bool, News]:
        if all(call.durability is Durability.READ for call in calls):
            changed = self._replica.catch_up()
            answers = self._replica.answer([call.step for call in calls])
            self._replica.hush()
            return answers, changed, self._replica.news()
        return self._write(calls)

    def _write(self, calls: list[_Call]) -> tuple[list[Any], bool, News]:
        with self._lock.held(lambda: self._let_questions_pass(calls)):
            # Before it is found out whether the journal is still there: what is sent after that may be sent to another.
            calls += self._take()
            self._replica.prepare()
            self._replica.hush()
            answers = self._write_down([call.step for call in calls])
        if any(call.durability is Durability.DURABLE for call in calls):
            self._replica.sync()
        return answers, True, self._replica.news()

    def _let_questions_pass(self, calls: list[_Call]) -> None:
        """Answer what waits behind a write, while others hold the lock."""
        calls += self._take()
        passing, staying = split_questions(calls)
        if not passing:
            return
        try:
            self._replica.catch_up()
            answers = self._replica.answer([call.step for call in passing])
        except Exception:  # they stay where they are, and fail or wait with the others
            return
        calls[:] = staying
        tell(self.loop, self._receive, [], list(zip(passing, answers, strict=True)))

    def _write_down(self, steps: list[Step | Question]) -> list[Any]:
        """Take steps. If there is no room for all: make some, and then let each that does not fit fail alone."""
        try:
            return self._replica.write(steps)
        except OSError as error:
            if not is_full(error):
                raise
        with contextlib.suppress(OSError):
            self._replica.make_room()
        return [answer for step in steps for answer in self._write_alone(step)]

    def _write_alone(self, step: Step | Question) -> list[Any]:
        self._replica.prepare()
        try:
            return self._replica.write([step])
        except OSError as error:
            self._replica.prepare()  # what was not written is forgotten
            return [Refused(explain(error, self._options))]

    def _ring(self, news: News) -> None:
        dead = self._doorbell.ring(news.work, news.told)
        if dead:
            self._calls.append(_Call(Step("forget", (dead,)), Durability.VOLATILE, _ignore))

    def _show(self) -> None:
        for wait in list(self._waits):
            answer = wait.answer(self._replica.state)
            if answer is not None or wait.is_late:
                self._waits.discard(wait)
                tell(self.loop, resolve, wait.future, answer)

    def _fail(self, calls: Sequence[_Call], error: BaseException, *, waits: bool) -> None:
        if waits:
            failed, self._waits = self._waits, set()
            for wait in failed:
                tell(self.loop, reject, wait.future, error)
            tell(self.loop, self.waiters.fail, error)
        tell(self.loop, self._receive, [], [(call, Refused(error)) for call in calls])

    def _finish(self) -> None:
        error = self._error or SessionClosed(f"this session of folder {self._options.root} is closed")
        self._fail(self._take(), error, waits=True)
        self._replica.close()
        self._doorbell.close()
        self._ended()


def _ignore(answer: Any) -> None:
    pass
