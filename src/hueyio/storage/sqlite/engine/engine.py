"""The running parts of one session, how they are tied together, and how they end.

    loop                  writer's thread, or the loop    poll thread
    session ── operation ────► Writer ── commit ─┐
    Waits ◄──── own mail ────────┘               ├──────► nudge ─┐
       ▲ └───── order ───────────────────────────│───────────────┤
       └─────── view ◄───────────────────────────│────────── PollThread ◄── other sessions' and processes' rings
                                                 └──────► rings to other sessions and processes

and a ``Reader`` with a thread of its own for questions that may take long.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from hueyio.exceptions import StorageUnavailable
from hueyio.storage.records import Over
from hueyio.storage.shared.answers import Refused
from hueyio.storage.shared.doorbell import Doorbell
from hueyio.storage.shared.threaded import Engine, release_forgotten, tell
from hueyio.storage.shared.waiters import Exchange, Waiters
from hueyio.storage.sqlite.engine.calls import TOO_MUCH
from hueyio.storage.sqlite.engine.file import SqliteFile
from hueyio.storage.sqlite.engine.opening import open_writer
from hueyio.storage.sqlite.engine.place import Place
from hueyio.storage.sqlite.engine.reader import Reader
from hueyio.storage.sqlite.engine.registrations import ask_again, forget_clients, register, take_back
from hueyio.storage.sqlite.engine.thread import SqliteThread
from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.engine.waits import Waits
from hueyio.storage.sqlite.engine.writer import Writer
from hueyio.storage.sqlite.errors import explained
from hueyio.storage.sqlite.options import SqliteOptions

__all__ = ["SqliteEngine"]


class SqliteEngine(Engine):
    """Made by ``start``, on the loop that it belongs to."""

    @classmethod
    async def start(cls, options: SqliteOptions) -> SqliteEngine:
        """Open the file in a thread of its own. Raises StorageUnavailable or ConfigurationError."""
        release_forgotten()
        place = Place(options)
        file = SqliteFile(lambda: open_writer(options), options.target, place)
        thread = SqliteThread("hueyio-sqlite-writer")
        try:
            await thread.run(lambda: explained(lambda: place.open(file), options, at_start=True))
        except BaseException:
            thread.stop(file.close)
            raise
        return cls(options, file, thread, place)

    def __init__(self, options: SqliteOptions, file: SqliteFile, thread: SqliteThread, place: Place) -> None:
        super().__init__()
        client = secrets.token_hex(8)
        self._client = client
        self._is_registered = False
        self._doorbell = Doorbell(place.path, client, options.mode)
        self.waiters = Waiters(self._exchange)
        self.waits = Waits(options, place, client, self._doorbell, self.waiters)
        self.reader = Reader(options, place, client)
        self.writer = Writer(options, file, thread, place, client, self._publish, self.waits.receive)
        place.on_renewed = lambda: tell(self.loop, self._renew)
        self._enter()

    def join(self, timeout: float) -> None:
        """Wait a little for the end of each thread."""
        for part in (self.waits.poll_thread, self.reader, self.writer):
            part.join(timeout)

    def _end_waits(self, error: BaseException) -> None:
        self.waits.fail(error)
        self.waiters.close(error)

    def _let_go(self, error: BaseException | None, ended: Callable[[], object]) -> None:
        if self._is_registered:
            self.writer.leave(lambda tx: forget_clients(tx, [self._client]))

        def last() -> None:
            self._doorbell.close()
            ended()

        # One after the other: the doorbell may go when the poll thread has ended, and rings when the writer has.
        self.waits.poll_thread.close(lambda: self.reader.close(lambda: self.writer.close(last)))

    def _exchange(self, asked: Exchange) -> None:
        if asked.wanted:
            try:
                self._listen()
            except StorageUnavailable as error:  # no thread can be started any more, and nobody would hear of an end
                asked.answered(Refused(error))
                return

        def exchange(tx: Transaction) -> list[tuple[int, Over]]:
            over = (ask_again if asked.again else register)(tx, asked.wanted, asked.patient)
            take_back(tx, asked.unwanted)
            return over

        effort = TOO_MUCH if asked.again else len(asked.wanted) + len(asked.unwanted)
        self.writer.send(exchange, asked.answered, effort)

    def _listen(self) -> None:
        is_first = not self._is_registered
        self._is_registered = True
        self._doorbell.listen("mail")
        self.waits.go_on_looking(is_urgent=is_first)

    def _renew(self) -> None:
        """Ask anew for all that is awaited: another file stands at the path, and knows nothing of it."""
        self._doorbell.renew()
        self.waiters.ask_again()

    def _publish(self, transaction: Transaction) -> None:
        """Ring others after a commit; called where it was made."""
        work = bool(transaction.rung - transaction.emptied) or transaction.noticed
        if work or transaction.told:
            # This session's own bell is among those that are nudged.
            dead = self._doorbell.ring(work, transaction.told)
            if dead:
                self.writer.leave(lambda tx: forget_clients(tx, dead))
