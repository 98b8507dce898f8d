"""Group commit: all operations of a session that change or must see its own changes, in order.

Operations wait in ``_calls``. The loop starts the thread once per turn, so that what one turn asked for goes together;
while a commit is on its way to the disk more of them gather, and what is there when it ends is the next transaction.
So the cost of a durable commit is shared by whoever waits, and one operation alone does not wait for company. While the
thread rests, what is short and needs no sync is carried out on the loop itself: ``shortcut`` says what. The least of
that is done while it is asked for: ``turn`` says for whom.

* Every transaction that writes is BEGIN IMMEDIATE. A lock of somebody else is waited for with ``insist``, outside the
  gate; operations that come meanwhile join the transaction when it begins.
* A refusal (LeaseLost) is decided before anything is written, so it needs no savepoint. Any other error
  rolls the whole transaction back, and then each operation runs in one of its own: the culprit fails alone. On a full
  disk some room is made first (see ``room``), and the transaction is tried again.
* What loses nothing by a power failure (a claim, a registration) is volatile: in WAL mode a transaction of such
  operations alone is not synced. The next durable one syncs it too, because the log is one sequence; and a process
  that is killed loses nothing in either case.
* An operation that was sent is carried through, whether or not anybody still awaits it.
* While a lock of somebody else holds up a write, questions that wait behind it are answered from what was committed:
  who asks while his write is under way cannot tell which of them came first. Only what nobody awaits any more, because
  its caller was cancelled, must be seen by the questions after it.

``_calls`` is shared by loop and thread, and a deque's ends are safe for that; ``_running`` belongs to the loop, and
while it is set, the thread alone takes calls.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from hueyio.storage.operations import Durability
from hueyio.storage.shared.answers import Refused, fulfil
from hueyio.storage.shared.passing import split_questions
from hueyio.storage.shared.threaded import tell
from hueyio.storage.sqlite.engine.calls import TOO_MUCH, Attempt, Call, Commit, Operation
from hueyio.storage.sqlite.engine.commits import Commits
from hueyio.storage.sqlite.engine.file import SqliteFile
from hueyio.storage.sqlite.engine.place import Place
from hueyio.storage.sqlite.engine.shortcut import Shortcut
from hueyio.storage.sqlite.engine.thread import SqliteThread
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.engine.turn import Turn
from hueyio.storage.sqlite.errors import explain, insist, is_busy, is_full
from hueyio.storage.sqlite.options import SqliteOptions

__all__ = ["Writer"]

T = TypeVar("T")

_MOST_CALLS: Final = 1_000
"""In one transaction; bounds how long others wait for the write lock."""

_LITTLE_EFFORT: Final = 4
"""Of what is carried out while it is asked for."""


def _ignore(answer: object) -> None:
    pass


def _raise(error: BaseException) -> None:
    raise error


class Writer:
    """The writing end of one session."""

    def __init__(
        self,
        options: SqliteOptions,
        file: SqliteFile,
        thread: SqliteThread,
        place: Place,
        client: str,
        publish: Callable[[Transaction], None],
        deliver: Callable[[Transaction], None],
    ) -> None:
        """``publish`` is called after each commit where it was made, ``deliver`` on the loop before it is answered."""
        self._options = options
        self._file = file
        self._thread = thread
        self._place = place
        self._publish = publish
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._calls: deque[Call] = deque()
        self._running = False
        self._starting = False
        self._commits = Commits(options, file, place, client)
        self._turn = Turn()
        self._shortcut = Shortcut(options, lambda: self._commits.sync_time)

    def run(self, operation: Operation[T], durability: Durability, effort: int = TOO_MUCH) -> asyncio.Future[T]:
        """Carry an operation through; the future gets its answer."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._send(Call(operation, durability, partial(fulfil, future), effort, future))
        return future

    def asks_effort(self, durability: Durability) -> bool:
        """Whether it matters how large an operation is."""
        return self._shortcut.is_free(durability)

    def send(
        self, operation: Operation[T], done: Callable[[T | Refused], object] = _ignore, effort: int = TOO_MUCH
    ) -> None:
        """Carry a volatile operation through without waiting; call back on the loop."""
        self._send(Call(operation, Durability.VOLATILE, done, effort))

    def leave(self, operation: Operation[None]) -> None:
        """Carry a volatile operation through with whatever comes next; may be called in the thread."""
        self._calls.append(Call(operation, Durability.VOLATILE, _ignore))

    def close(self, closed: Callable[[], None]) -> None:
        """Carry through what was sent, close the connection, end the thread, call back (in the thread)."""
        self._running = True  # nothing starts any more
        self._thread.stop(self._drain, self._file.close, closed)

    def join(self, timeout: float) -> None:
        """Wait for the end of the thread."""
        self._thread.join(timeout)

    # On the loop.

    def _send(self, call: Call) -> None:
        self._calls.append(call)
        if self._running or self._starting:
            return
        if len(self._calls) == 1 and call.effort <= _LITTLE_EFFORT and self._turn.take() and self._run_now():
            return
        self._starting = True
        self._loop.call_soon(self._start)

    def _run_now(self) -> bool:
        """Carry out what was just asked, before its caller waits; what a signal handler raises meanwhile is not his."""
        try:
            return self._run_here()
        except BaseException as error:
            self._loop.call_soon(_raise, error)
            return False

    def _start(self) -> None:
        self._starting = False
        if self._calls and not self._running and not self._run_here():
            self._running = True
            self._thread.post(self._drain)

    def _run_here(self) -> bool:
        """Carry out what waits, here and now; False if the thread has to."""
        begun = time.monotonic()
        if not self._shortcut.is_short(self._calls, begun):
            return False
        if self._commits.needs_thread(begun) and any(call.durability for call in self._calls):
            return False
        if not self._shortcut.is_calm(self._place.written_at()):
            return False
        attempt = Attempt(list(self._calls))
        try:
            self._calls.clear()
            self._commits.attempt_here(attempt)
        except BaseException:
            self._loop.call_soon(self._start)
            raise
        finally:
            self._end_attempt(attempt)
            self._shortcut.note(begun, time.monotonic())
        return attempt.commit is not None

    def _end_attempt(self, attempt: Attempt) -> None:
        if attempt.commit is not None:
            self._hand_out(attempt.commit)
        elif not self._calls or self._calls[0] is not attempt.calls[0]:
            self._calls.extendleft(reversed(attempt.calls))

    def _hand_out(self, commit: Commit) -> None:
        try:
            if commit.transaction is not None:
                self._publish(commit.transaction)
            self._answer_calls(commit)
        except BaseException:
            self._loop.call_soon(self._answer_calls, commit)  # who got his answer already takes no second one
            raise

    def _answer_calls(self, commit: Commit) -> None:
        transaction = commit.transaction
        if transaction is not None and (transaction.mail or transaction.answered):
            self._deliver(transaction)
        for call, answer in zip(commit.calls, commit.answers, strict=True):
            call.done(answer)

    def _receive(self, commit: Commit, last: bool) -> None:
        self._answer_calls(commit)
        if last and not self._thread.is_stopped:
            self._running = False
            self._start()

    # In the thread.

    def _drain(self) -> None:
        """Commit until nothing waits. The last answer also tells the loop that it may start the thread again."""
        last = not self._calls
        while not last:
            if self._commits.log_watch.pause and not self._thread.is_stopped:
                time.sleep(self._commits.log_watch.pause)
            *commits, final = self._perform(self._take(_MOST_CALLS))
            for commit in commits:
                self._answer(commit, False)
            last = not self._calls
            self._answer(final, last)

    def _answer(self, commit: Commit, last: bool) -> None:
        # Others first: they have further to go.
        if commit.transaction is not None:
            self._publish(commit.transaction)
        tell(self._loop, self._receive, commit, last)

    def _take(self, most: int, durability: Durability = Durability.DURABLE) -> list[Call]:
        """Take calls from the front that need no more than this."""
        taken: list[Call] = []
        while self._calls and len(taken) < most and self._calls[0].durability <= durability:
            taken.append(self._calls.popleft())
        return taken

    def _perform(self, batch: list[Call], open_to_more: bool = True) -> list[Commit]:
        try:
            return [self._insist(batch, open_to_more)]
        except Exception as error:
            if len(batch) == 1 or is_busy(error):
                refused = Refused(self._in_our_words(error))
                return [Commit(batch, [refused] * len(batch), None)]
        return [commit for call in batch for commit in self._perform([call], False)]

    def _insist(self, batch: list[Call], open_to_more: bool) -> Commit:
        try:
            return insist(lambda: self._attempt_or_let_pass(batch, open_to_more), self._options.timeout)
        except sqlite3.Error as error:
            if not is_full(error) or not open_to_more:  # each call for itself: room was made for all of them
                raise
        with self._file as connection:
            self._commits.room.make(connection)
        return insist(lambda: self._attempt_or_let_pass(batch, open_to_more), self._options.timeout)

    def _attempt_or_let_pass(self, batch: list[Call], open_to_more: bool) -> Commit:
        def take(durability: Durability) -> list[Call]:
            return self._take(_MOST_CALLS - len(batch), durability)

        try:
            return self._commits.attempt(batch, take if open_to_more else None)
        except sqlite3.OperationalError as error:
            if open_to_more and is_busy(error):
                self._let_questions_pass(batch)
            raise

    def _let_questions_pass(self, batch: list[Call]) -> None:
        """Answer what waits behind a write that a lock holds up."""
        batch += self._take(_MOST_CALLS - len(batch))
        passing, staying = split_questions(batch)
        if not passing or not staying:
            return
        try:
            commit = self._commits.attempt(passing, None)
        except Exception:  # they stay where they are, and fail or wait with the others
            return
        batch[:] = staying
        self._answer(commit, False)

    def _in_our_words(self, error: Exception) -> BaseException:
        return explain(error, self._options) if isinstance(error, sqlite3.Error) else error
