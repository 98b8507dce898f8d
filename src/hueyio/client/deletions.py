"""Delete results from the storage after their readers have them.

Theory of operation. A deletion that is awaited by its reader destroys the value of a reader who is cancelled meanwhile.
So a reader only says what it has got, as its last step, and goes on. What is said in one turn of the loop is one write.
Whoever looks for such an id before that write has ended waits for it, so that nobody on this loop reads a value again;
so does whoever enqueues it anew, whose result it would delete.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from hueyio.core import Core
from hueyio.exceptions import HueyException
from hueyio.storage.contract import Session
from hueyio.storage.shared.background import make_task

__all__ = ["LAST_TIME", "Deletions", "delete_read", "deletions_of", "finish_deletions", "let_ids_go"]

logger = logging.getLogger(__name__)

_MOST_IN_A_WRITE: Final = 500

LAST_TIME: Final = 1.0
"""Seconds that deletions get when a session is closed: a storage that is away must hold up no stop."""


async def deletions_of(core: Core) -> Deletions:
    """Return those of the running loop's session."""
    return await core.beside_session(Deletions, Deletions)


def delete_read(core: Core, id: str) -> asyncio.Task[None] | None:
    """Delete a result, soon: its reader has it. Return what does; if the session is closed, its time ends it."""
    deletions = core.peek_beside_session(Deletions)
    return None if deletions is None else deletions.add(id)


async def let_ids_go(core: Core, ids: Sequence[str]) -> None:
    """Wait until nothing is about to be deleted under these ids: they begin a new life."""
    deletions = core.peek_beside_session(Deletions)
    if deletions is not None and any(map(deletions.has, ids)):
        await deletions.finish()


async def finish_deletions(core: Core, timeout: float | None = None) -> None:
    """Wait until all that was read in this loop is deleted, at most ``timeout`` seconds."""
    deletions = core.peek_beside_session(Deletions)
    if deletions is not None:
        await deletions.finish(timeout)


class Deletions:
    """What was read through one session and is to be deleted there."""

    def __init__(self, session: Session) -> None:
        self.session: Final = session
        self._ids: dict[str, None] = {}
        """Those whose deletion has not begun, in order."""
        self._begun: dict[str, None] = {}
        """Those that are being deleted."""
        self._writing: asyncio.Task[None] | None = None

    def add(self, id: str) -> asyncio.Task[None]:
        """Delete a result soon; return what does."""
        self._ids[id] = None
        if self._writing is None or self._writing.done():
            self._writing = make_task(self._write_all())
        return self._writing

    def has(self, id: str) -> bool:
        """Say whether a result was read here and is not deleted yet."""
        return id in self._ids or id in self._begun

    async def finish(self, timeout: float | None = None) -> None:
        """Wait until all that was read is deleted, at most ``timeout`` seconds."""
        if self._writing is not None and not self._writing.done():
            await asyncio.wait([self._writing], timeout=timeout)

    async def _write_all(self) -> None:
        while self._ids:
            self._begun = dict.fromkeys(list(self._ids)[:_MOST_IN_A_WRITE])
            for id in self._begun:
                del self._ids[id]
            try:
                await self.session.delete("results", list(self._begun))
            except HueyException as error:  # nobody waits for this, and the values have readers
                logger.warning(
                    "%d results were read, but may stay until their time is over: %s", len(self._begun), error
                )
            finally:
                self._begun = {}
