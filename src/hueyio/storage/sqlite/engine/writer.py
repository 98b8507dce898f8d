"""Group commit: all operations of a session that change or must see its own changes, in one thread, in order.

Operations wait in ``_calls``. The loop starts the thread once per turn, so that what one turn asked for goes together;
while a commit is on its way to the disk more of them gather, and what is there when it ends is the next transaction.
So the cost of a durable commit is shared by whoever waits, and one operation alone does not wait for company.

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

``_calls`` is shared by loop and thread, and a deque's ends are safe for that; ``_running`` belongs to the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from hueyio.exceptions import HueyException
from hueyio.storage.operations import Durability
from hueyio.storage.shared.answers import Refused, fulfil
from hueyio.storage.shared.passing import split_questions
from hueyio.storage.shared.threaded import tell
from hueyio.storage.sqlite.engine import tombstones
from hueyio.storage.sqlite.engine.file import SqliteFile
from hueyio.storage.sqlite.engine.log_watch import LogWatch
from hueyio.storage.sqlite.engine.place import Place
from hueyio.storage.sqlite.engine.room import Room
from hueyio.storage.sqlite.engine.thread import SqliteThread
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.errors import explain, insist, is_busy, is_full
from hueyio.storage.sqlite.options import SqliteOptions

__all__ = ["Writer"]

T = TypeVar("T")

_Operation: TypeAlias = Callable[[Transaction], T]

_MOST_CALLS: Final = 1_000
"""In one transaction; bounds how long others wait for the write lock."""


class _Call(NamedTuple):
    operation: _Operation[Any]
    durability: Durability
    done: Callable[[Any], object]
    future: asyncio.Future[Any] | None = None
    """What somebody awaits, until he is cancelled."""


class _Exchanged(Exception):
    """What was sent after the file was exchanged is for the one that is there now."""


def _ignore(answer: object) -> None:
    pass


class _Commit(NamedTuple):
    calls: list[_Call]
    answers: list[Any]
    transaction: Transaction | None


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
        """``publish`` is called in the thread after each commit, ``deliver`` on the loop before it is answered."""
        self._options = options
        self._file = file
        self._thread = thread
        self._place = place
        self._client = client
        self._publish = publish
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._calls: deque[_Call] = deque()
        self._running = False
        self._starting = False
        self._room = Room()
        self._log_watch = LogWatch(lambda: place.path)
        self._synced: tuple[sqlite3.Connection, Durability] | None = None

    def run(self, operation: _Operation[T], durability: Durability) -> asyncio.Future[T]:
        """Carry an operation through; the future gets its answer."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._send(_Call(operation, durability, partial(fulfil, future), future))
        return future

    def send(self, operation: _Operation[T], done: Callable[[T | Refused], object] = _ignore) -> None:
        """Carry a volatile operation through without waiting; call back on the loop."""
        self._send(_Call(operation, Durability.VOLATILE, done))

    def leave(self, operation: _Operation[None]) -> None:
        """Carry a volatile operation through with whatever comes next; may be called in the thread."""
        self._calls.append(_Call(operation, Durability.VOLATILE, _ignore))

    def close(self, closed: Callable[[], None]) -> None:
        """Carry through what was sent, close the connection, end the thread, call back (in the thread)."""
        self._running = True  # nothing starts any more
        self._thread.stop(self._drain, self._file.close, closed)

    def join(self, timeout: float) -> None:
        """Wait for the end of the thread."""
        self._thread.join(timeout)

    # On the loop.

    def _send(self, call: _Call) -> None:
        self._calls.append(call)
        if not self._running and not self._starting:
            self._starting = True
            self._loop.call_soon(self._start)

    def _start(self) -> None:
        self._starting = False
        if self._calls and not self._running:
            self._running = True
            self._thread.post(self._drain)

    def _receive(self, commit: _Commit, last: bool) -> None:
        if commit.transaction is not None:
            self._deliver(commit.transaction)
        for call, answer in zip(commit.calls, commit.answers, strict=True):
            call.done(answer)
        if last and not self._thread.is_stopped:
            self._running = False
            self._start()

    # In the thread.

    def _drain(self) -> None:
        """Commit until nothing waits. The last answer also tells the loop that it may start the thread again."""
        last = not self._calls
        while not last:
            if self._log_watch.pause and not self._thread.is_stopped:
                time.sleep(self._log_watch.pause)
            *commits, final = self._perform(self._take(_MOST_CALLS))
            for commit in commits:
                self._answer(commit, False)
            last = not self._calls
            self._answer(final, last)

    def _answer(self, commit: _Commit, last: bool) -> None:
        # Others first: they have further to go.
        if commit.transaction is not None:
            self._publish(commit.transaction)
        tell(self._loop, self._receive, commit, last)

    def _take(self, most: int, durability: Durability = Durability.DURABLE) -> list[_Call]:
        """Take calls from the front that need no more than this."""
        taken: list[_Call] = []
        while self._calls and len(taken) < most and self._calls[0].durability <= durability:
            taken.append(self._calls.popleft())
        return taken

    def _perform(self, batch: list[_Call], open_to_more: bool = True) -> list[_Commit]:
        try:
            return [self._insist(batch, open_to_more)]
        except Exception as error:
            if len(batch) == 1 or is_busy(error):
                refused = Refused(self._in_our_words(error))
                return [_Commit(batch, [refused] * len(batch), None)]
        return [commit for call in batch for commit in self._perform([call], False)]

    def _insist(self, batch: list[_Call], open_to_more: bool) -> _Commit:
        try:
            return insist(lambda: self._attempt_or_let_pass(batch, open_to_more), self._options.timeout)
        except sqlite3.Error as error:
            if not is_full(error) or not open_to_more:  # each call for itself: room was made for all of them
                raise
        with self._file as connection:
            self._room.make(connection)
        return insist(lambda: self._attempt_or_let_pass(batch, open_to_more), self._options.timeout)

    def _attempt_or_let_pass(self, batch: list[_Call], open_to_more: bool) -> _Commit:
        try:
            return self._attempt(batch, open_to_more)
        except sqlite3.OperationalError as error:
            if open_to_more and is_busy(error):
                self._let_questions_pass(batch)
            raise

    def _let_questions_pass(self, batch: list[_Call]) -> None:
        """Answer what waits behind a write that a lock holds up."""
        batch += self._take(_MOST_CALLS - len(batch))
        passing, staying = split_questions(batch)
        if not passing or not staying:
            return
        try:
            commit = self._attempt(passing, False)
        except Exception:  # they stay where they are, and fail or wait with the others
            return
        batch[:] = staying
        self._answer(commit, False)

    def _attempt(self, batch: list[_Call], open_to_more: bool) -> _Commit:
        while True:
            with contextlib.suppress(_Exchanged):
                return self._attempt_here(batch, open_to_more)

    def _attempt_here(self, batch: list[_Call], open_to_more: bool) -> _Commit:
        """Raises _Exchanged if another file came to stand at the path before the last call was taken."""
        durability = max(call.durability for call in batch)
        with self._file as connection:
            self._set_synchronous(connection, durability)
            if self._log_watch.is_tight:
                self._room.watch(connection)
            connection.execute("BEGIN IMMEDIATE" if durability else "BEGIN")
            try:
                if open_to_more:
                    batch += self._take(_MOST_CALLS - len(batch), durability)
                if self._place.is_left():
                    raise _Exchanged
                commit = self._transact(connection, batch)
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            if self._options.journal_mode == "wal":
                self._log_watch.look(connection)
            return commit

    def _transact(self, connection: sqlite3.Connection, batch: list[_Call]) -> _Commit:
        options = self._options
        letters = options.dead_limit, options.keep_ended, options.keep_failed, options.failed_ttl, options.failed_bytes
        bounds = *letters, options.keep_history, options.history_ttl
        transaction = Transaction(connection, self._place.queue, self._client, options.clock(), *bounds)
        answers = [_run(call.operation, transaction) for call in batch]
        tombstones.write(transaction)
        transaction.finish()
        connection.execute("COMMIT")
        return _Commit(batch, answers, transaction)

    def _set_synchronous(self, connection: sqlite3.Connection, durability: Durability) -> None:
        """Sync the log for a durable transaction only. Other journals need the sync to stay whole."""
        options, wanted = self._options, (connection, durability)
        if options.fsync and options.journal_mode == "wal" and durability and self._synced != wanted:
            connection.execute(f"PRAGMA synchronous = {'FULL' if durability is Durability.DURABLE else 'NORMAL'}")
            self._synced = wanted

    def _in_our_words(self, error: Exception) -> BaseException:
        return explain(error, self._options) if isinstance(error, sqlite3.Error) else error


def _run(operation: _Operation[Any], transaction: Transaction) -> Any:
    try:
        return operation(transaction)
    except HueyException as error:
        return Refused(error)
