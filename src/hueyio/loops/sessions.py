"""One storage session for each running loop, opened when it is first needed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import Context
from functools import partial
from typing import Any, Protocol, TypeVar, runtime_checkable
from weakref import WeakKeyDictionary

from hueyio.exceptions import StorageError
from hueyio.storage.contract import Session, Storage
from hueyio.storage.shared.background import make_task

__all__ = ["EndsFirst", "NestedSessions", "Sessions"]

P = TypeVar("P")


@runtime_checkable
class EndsFirst(Protocol):
    """What goes on by itself beside a session, and has to end before that is closed."""

    async def end_with_session(self) -> None:
        """End it, and wait until it has ended."""
        ...


class _Opened:
    """An open session, and what lives as long as it: at most one object of a kind."""

    __slots__ = ("beside", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.beside: dict[type[Any], Any] = {}


class Sessions:
    """Sessions by loop. Those of loops that ended are dropped with them, silently."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.refusal: str | None = None
        """Why there are none, if there must not be."""
        self._lock = threading.Lock()
        self._open: WeakKeyDictionary[asyncio.AbstractEventLoop, _Opened] = WeakKeyDictionary()
        self._opening: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[Session]] = WeakKeyDictionary()

    async def get(self) -> Session:
        """Return the running loop's session.

        Raises StorageUnavailable if it cannot be opened, StorageError if it must not be.
        """
        if self.refusal is not None:
            raise StorageError(self.refusal)
        loop = asyncio.get_running_loop()
        opened = self._open.get(loop)
        if opened is not None:
            return opened.session
        with self._lock:
            self._forget_ended()
            opening = self._opening.get(loop)
            if opening is None:
                # A task of its own: the caller who came first may be cancelled, the others still get it. In an empty
                # context, which what the session does in the background inherits: that of a body would be kept with it.
                opening = self._opening[loop] = make_task(self._connect(), context=Context())
                opening.add_done_callback(partial(self._note_opened, loop))
        return await asyncio.shield(opening)

    async def _connect(self) -> Session:
        return await self.storage.connect()

    def _note_opened(self, loop: asyncio.AbstractEventLoop, opening: asyncio.Task[Session]) -> None:
        """Keep what was opened, whether or not anybody waits for it still: else nobody could close it."""
        if self._opening.get(loop) is opening:
            del self._opening[loop]
        if not opening.cancelled() and opening.exception() is None:
            self._open[loop] = _Opened(opening.result())

    def _forget_ended(self) -> None:
        """Drop the sessions of closed loops: a session knows its loop, so that neither would go by itself."""
        for loop in [loop for loop in self._open if loop.is_closed()]:
            del self._open[loop]
        for loop in [loop for loop in self._opening if loop.is_closed()]:
            del self._opening[loop]

    async def close(self) -> None:
        """Close the running loop's session if there is one; the next use opens another."""
        loop = asyncio.get_running_loop()
        opening = self._opening.get(loop)
        if opening is not None:
            await asyncio.wait([opening])
        opened = self._open.get(loop)
        if opened is None:
            return
        for it in list(opened.beside.values()):
            if isinstance(it, EndsFirst):
                await it.end_with_session()
        if self._open.pop(loop, None) is opened:  # else another call was faster
            await opened.session.close()

    async def beside(self, kind: type[P], make: Callable[[Session], P]) -> P:
        """Return the one object of a kind that goes with the running loop's session; made when first needed."""
        session = await self.get()
        opened = self._open.get(asyncio.get_running_loop())
        if opened is None:  # closed meanwhile by somebody else: whoever uses it is told
            return make(session)
        if kind not in opened.beside:
            opened.beside[kind] = make(session)
        found: P = opened.beside[kind]
        return found

    def peek_beside(self, kind: type[P]) -> P | None:
        """Return that object, or None if there is none."""
        opened = self._open.get(asyncio.get_running_loop())
        return None if opened is None else opened.beside.get(kind)


class NestedSessions(Sessions):
    """Sessions that stand before those of others, one before each; both are closed together."""

    def __init__(self, inner: Sessions, make: Callable[[Session], Session]) -> None:
        super().__init__(inner.storage)
        self._inner = inner
        self._make = make

    async def close(self) -> None:
        """Close the running loop's sessions, this one first."""
        await super().close()
        await self._inner.close()

    async def _connect(self) -> Session:
        return self._make(await self._inner.get())
