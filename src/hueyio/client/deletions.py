"""Delete results from the storage after their readers have them.

Theory of operation. A deletion that is awaited by its reader destroys the value of a reader who is cancelled meanwhile.
So a reader only says what it has got, as its last step, and goes on. The first that is said is written in the next turn
of the loop; what follows within ``_REST`` seconds goes together, so that who reads one result after the other does not
pay for a write of each. Whoever looks for such an id before that write has ended has it written at once and waits for
it, so that nobody on this loop reads a value again; so does whoever enqueues it anew, whose result it would delete.

A loop that ends without ``close`` cancels the task that writes; it writes what is left then, if the storage still
answers. What could not be deleted expires with the results that nobody reads.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

from hueyio.core import Core
from hueyio.exceptions import HueyException
from hueyio.storage.contract import Session
from hueyio.storage.shared.background import make_task

__all__ = ["LAST_TIME", "Deletions", "delete_read", "deletions_of", "finish_deletions", "let_ids_go"]

logger = logging.getLogger(__name__)

_REST: Final = 0.002
"""Seconds from one write to the next. As long, another process may still read what was read here."""

_MOST_IN_A_WRITE: Final = 500

LAST_TIME: Final = 1.0
"""Seconds that deletions get when a session is closed: a storage that is away must hold up no stop."""

_LEFT_TIME: Final = 0.1
"""The same when a loop ends whose session nobody has closed."""


async def deletions_of(core: Core) -> Deletions:
    """Return those of the running loop's session."""
    return await core.beside_session(Deletions, Deletions)


def delete_read(core: Core, ids: Iterable[str]) -> asyncio.Task[None] | None:
    """Delete results, soon: their readers have them. Return what does; if the session is closed, nothing does."""
    deletions = core.peek_beside_session(Deletions)
    return None if deletions is None else deletions.add(ids)


async def let_ids_go(core: Core, ids: Sequence[str]) -> None:
    """Wait until nothing is about to be deleted under these ids: they begin a new life."""
    deletions = core.peek_beside_session(Deletions)
    if deletions is not None:
        await deletions.let_go(ids)


async def finish_deletions(core: Core, timeout: float | None = None) -> None:
    """Wait until all that was read in this loop is deleted, at most ``timeout`` seconds."""
    deletions = core.peek_beside_session(Deletions)
    if deletions is not None:
        await deletions.finish(timeout)


class Deletions:
    """What was read through one session and is to be deleted there; ``rest``: seconds from one write to the next."""

    def __init__(self, session: Session, rest: float = _REST) -> None:
        self.session: Final = session
        self._rest_time = rest
        self._loop = asyncio.get_running_loop()
        self._ids: dict[str, None] = {}
        """Those whose deletion has not begun, in order."""
        self._begun: dict[str, None] = {}
        """Those that are being deleted, in order."""
        self._sent = 0
        """How many of them are deleted, or on their way."""
        self._writing: asyncio.Task[None] | None = None
        self._rest_until = 0.0
        self._is_urgent = asyncio.Event()
        """Set when what is left shall be written without any rest."""

    def add(self, ids: Iterable[str]) -> asyncio.Task[None]:
        """Delete results soon; return what does."""
        self._ids.update(dict.fromkeys(ids))
        if len(self._ids) >= _MOST_IN_A_WRITE:
            self._is_urgent.set()
        if self._writing is None or self._writing.done():
            self._writing = make_task(self._write_all())
        return self._writing

    async def let_go(self, ids: Sequence[str]) -> None:
        """Wait until none of these is about to be deleted."""
        # Nearly always there are none at all: then nothing is asked of each.
        if (self._ids or self._begun) and any(map(self.has, ids)):
            await self.finish()

    def has(self, id: str) -> bool:
        """Say whether a result was read here and is not deleted yet."""
        return id in self._ids or id in self._begun

    async def finish(self, timeout: float | None = None) -> None:
        """Wait until all that was read is deleted, at most ``timeout`` seconds."""
        if self._writing is not None and not self._writing.done():
            self._is_urgent.set()
            await asyncio.wait([self._writing], timeout=timeout)

    async def _write_all(self) -> None:
        try:
            while self._ids:
                await self._rest()
                await self._write()
        except asyncio.CancelledError:
            await self._write_what_is_left()
            raise
        finally:
            self._begun = {}
            self._is_urgent.clear()

    async def _rest(self) -> None:
        rest = self._rest_until - self._loop.time()
        if rest > 0 and not self._is_urgent.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._is_urgent.wait()
        self._rest_until = self._loop.time() + self._rest_time

    async def _write(self) -> None:
        self._begun, self._ids, self._sent = self._ids, {}, 0
        ids = list(self._begun)
        while self._sent < len(ids):
            some = ids[self._sent : self._sent + _MOST_IN_A_WRITE]
            self._sent += len(some)
            try:
                await self.session.delete("results", some)
            except HueyException as error:  # nobody waits for this, and the values have readers
                logger.warning("%d results were read, but may stay until their time is over: %s", len(some), error)
        self._begun = {}

    async def _write_what_is_left(self) -> None:
        # What was sent when this was cancelled is carried through by the storage.
        left = [*list(self._begun)[self._sent :], *self._ids]
        self._ids = {}
        if left:
            # The session may have ended with the loop. Then their time ends them, and nothing is worth a word.
            with suppress(HueyException, TimeoutError):
                async with asyncio.timeout(_LEFT_TIME):
                    await self.session.delete("results", left)
