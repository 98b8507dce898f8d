"""Which calls of one Huey run their tasks now, in any thread, and who waits for one of those to end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from hueyio.storage.memory.waiters import Pokes, Wait

__all__ = ["UnderWay"]


_OWN: Final[ContextVar[tuple[object, ...]]] = ContextVar("hueyio_own_runs", default=())
"""The calls in whose bodies this is."""


class UnderWay:
    """Knows each call that runs tasks; a wait for something that only the asking body's own call would run is vain."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: set[object] = set()
        self._waits: Pokes[None] = Pokes()

    def has_others(self) -> bool:
        """Say whether there is a call but those which wait for the body that asks."""
        with self._lock:
            return not self._calls.issubset(_OWN.get())

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Be there while a call runs tasks; those who wait hear of its end."""
        call = object()
        with self._lock:
            self._calls.add(call)
        own = _OWN.set((*_OWN.get(), call))
        try:
            yield
        finally:
            _OWN.reset(own)
            with self._lock:
                self._calls.discard(call)
            self.tell_end()

    def tell_end(self) -> None:
        """Wake all who wait for an end."""
        with self._lock:
            self._waits.poke(None)

    @contextmanager
    def next_end(self) -> Iterator[asyncio.Future[None]]:
        """Give a future that is done when the next task has ended; ask for it before looking whether one has."""
        wait = Wait(asyncio.get_running_loop())
        with self._lock:
            self._waits.add([None], wait)
        try:
            yield wait.future
        finally:
            with self._lock:
                self._waits.discard([None], wait)
