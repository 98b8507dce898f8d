"""Looks at the file in a thread of its own: when asked, when the doorbell is heard, and slowly while anybody waits.

An order (its number, and the owners to look for) says that somebody waits; without one the thread rests. The slow
look is there because an application may commit without a ring. It is one ``PRAGMA data_version`` unless somebody
committed, and the loop hears only of what it does not know: so an idle consumer wakes one thread, forty times a
second and half as often when there was no news for five seconds, and its loop never. Waking the thread is what that
costs; the look itself takes 5 us.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Final

from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import Bell, EndKind, Over
from hueyio.storage.shared.doorbell import Doorbell
from hueyio.storage.shared.threaded import tell
from hueyio.storage.sqlite.engine.file import SqliteFile
from hueyio.storage.sqlite.engine.opening import open_reader
from hueyio.storage.sqlite.engine.place import Place
from hueyio.storage.sqlite.engine.thread import SqliteThread
from hueyio.storage.sqlite.engine.transaction import BELLS
from hueyio.storage.sqlite.errors import explained, insist
from hueyio.storage.sqlite.options import SqliteOptions
from hueyio.storage.sqlite.statements import statements

__all__ = ["EPOCH", "Order", "PollThread", "View"]

_SLOW_LOOK: Final = 0.025
_CALM_LOOK: Final = 0.05
_LOOKS_TO_CALM: Final = 200
EPOCH: Final = 2**48
"""What a file's numbers of rings are more than those of the file that stood at the path before."""

_SQL = statements("poll_thread.sql")


class Order(NamedTuple):
    """What to look for. A new number asks for a look that began after it was given."""

    number: int
    owners: frozenset[str]
    followed: frozenset[str] = frozenset()


class View(NamedTuple):
    """What one look saw, for which order."""

    order: Order
    counts: dict[Bell, int]
    revocations: int
    flagged: dict[str, frozenset[str]]
    mail: list[tuple[int, Over]]
    paused: bool
    progress: dict[str, bytes | None]
    """Of those followed ids that are not over; None where nothing was reported."""


class PollThread:
    """``look``, ``rest`` and ``close`` belong to the loop, everything private from ``_poll`` on to the thread."""

    def __init__(
        self,
        options: SqliteOptions,
        place: Place,
        client: str,
        doorbell: Doorbell,
        saw: Callable[[View], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._options = options
        self._place = place
        self._client = client
        self._doorbell = doorbell
        self._saw = saw
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._file = SqliteFile(lambda: open_reader(options), options.target, place)
        self._thread = SqliteThread("hueyio-sqlite-poll")
        self._order: Order | None = None
        self._is_polling = False
        self._seen: tuple[sqlite3.Connection, int] | None = None
        self._done = 0
        self._last: View | None = None
        self._looks_without_news = 0

    def look(self, order: Order) -> None:
        """Look now and go on looking."""
        self._order = order
        self._start()
        self._doorbell.nudge()

    def rest(self) -> None:
        """Look no more; the thread finds out by itself."""
        self._order = None

    def close(self, closed: Callable[[], None]) -> None:
        """End the thread, if there is one, and call back there."""
        self._order = None
        self._doorbell.nudge()
        self._thread.stop(self._file.close, closed)

    def join(self, timeout: float) -> None:
        """Wait for the end of the thread."""
        self._thread.join(timeout)

    def _start(self) -> None:
        if not self._is_polling:
            self._thread.post(self._poll)
            self._is_polling = True

    def _stopped(self) -> None:
        self._is_polling = False
        if self._order is not None:
            self._start()

    def _poll(self) -> None:
        while self._order is not None:
            self._doorbell.wait(_CALM_LOOK if self._looks_without_news >= _LOOKS_TO_CALM else _SLOW_LOOK)
            order = self._order
            if order is not None:
                self._look(order)
        tell(self._loop, self._stopped)

    def _look(self, order: Order) -> None:
        self._looks_without_news += 1
        if order.number == self._done and self._is_quiet():
            return
        try:
            view = explained(lambda: insist(lambda: self._ask(order), self._options.timeout), self._options)
        except Exception as error:
            tell(self._loop, self._failed, error)
        else:
            self._done = order.number
            if self._last is None or view[1:] != self._last[1:]:  # a heartbeat commits too, and is no news
                self._looks_without_news = 0
            self._last = view
            tell(self._loop, self._saw, view)

    def _is_quiet(self) -> bool:
        """Whether nothing was committed since the last look."""
        try:
            with self._file as connection:
                return self._seen == _version(connection)
        except (sqlite3.Error, OSError):
            return False  # the look itself will say what it is

    def _ask(self, order: Order) -> View:
        with self._file as connection:
            # The version first: what is committed between it and the rest is seen twice rather than never.
            seen = _version(connection)
            queue = self._place.queue
            *counts, revocations, paused = connection.execute(_SQL["counters"], (queue,)).fetchone()
            flagged = {owner: self._flagged(connection, owner) for owner in order.owners}
            rows = connection.execute(_SQL["mail"], (queue, self._client)).fetchall()
            self._seen = seen
            mail = [(number, _read_mail(*row)) for number, *row in rows]
            progress = self._progress(connection, order.followed)
            # Two files may have counted the same; whoever waits must hear of the new one's.
            offset = self._place.epoch * EPOCH
            counted: dict[Bell, int] = {bell: count + offset for bell, count in zip(BELLS, counts, strict=True)}
            return View(order, counted, revocations, flagged, mail, bool(paused), progress)

    def _progress(self, connection: sqlite3.Connection, ids: frozenset[str]) -> dict[str, bytes | None]:
        found: dict[str, bytes | None] = {}
        for id in ids:
            row = connection.execute(_SQL["progress"], (self._place.queue, id) * 2).fetchone()
            if row is not None:
                found[id] = row[0]
        return found

    def _flagged(self, connection: sqlite3.Connection, owner: str) -> frozenset[str]:
        return frozenset(id for (id,) in connection.execute(_SQL["flagged"], (self._place.queue, owner)).fetchall())


def _read_mail(id: str, data: bytes | None, shared: int, kind: EndKind | None) -> Over:
    # Workers of hueyio 0.1 say no kind; without a value theirs were nearly all done.
    return Over(id, data, bool(shared), "done" if kind is None and data is None else kind)


def _version(connection: sqlite3.Connection) -> tuple[sqlite3.Connection, int]:
    """Return a pair that changes when anybody else commits; versions of two connections cannot be compared."""
    (version,) = connection.execute("PRAGMA data_version").fetchone()
    return connection, version
