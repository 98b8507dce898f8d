"""Which calls of one Huey run their tasks now, in any thread, and who waits for one of those to end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from hueyio.storage.memory.waiters import Pokes, Wait

__all__ = ["UnderWay"]


class UnderWay:
    """A context manager around each call that runs tasks; true while there is one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._waits: Pokes[None] = Pokes()

    def __bool__(self) -> bool:
        return self._count > 0

    def __enter__(self) -> None:
        with self._lock:
            self._count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._count -= 1
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
