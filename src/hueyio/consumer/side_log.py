"""Log from a thread that may hang alone: for those that must act whatever a log handler does.

A handler may wait for ever, with its lock held: standard error can be a pipe that nobody reads, a file can be on a disk
that is gone. Watchdog, heartbeat and whoever ends the process therefore act first, and hand over here what they have to
say. The thread ends when there is nothing to say.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, Final

__all__ = ["SideLog", "side_log"]

_MOST: Final = 1000
"""Lines that are kept while a handler hangs; of more, the oldest go."""


_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


class SideLog:
    """Lines that are written soon, in order. No lock that it takes is held while a line is written."""

    def __init__(self) -> None:
        self._lines: deque[tuple[logging.Logger, int, str, tuple[Any, ...], Mapping[str, object]]] = deque(maxlen=_MOST)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def say(
        self, logger: logging.Logger, level: int, text: str, *args: Any, extra: Mapping[str, object] = _NOTHING
    ) -> None:
        """Have a line logged soon; never waits for a handler."""
        self._lines.append((logger, level, text, args, extra))
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            thread = threading.Thread(target=self._write, name="hueyio-side-log", daemon=True)
            with suppress(RuntimeError):  # no thread to be had: what had to be done is done, and nobody hears of it
                thread.start()
                self._thread = thread

    def flush(self, seconds: float) -> bool:
        """Wait until all is written, at most so many seconds; False if it is not."""
        deadline = time.monotonic() + seconds
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(max(deadline - time.monotonic(), 0.0))
        return thread is None or not thread.is_alive()

    def _write(self) -> None:
        while True:
            with self._lock:
                if not self._lines:
                    self._thread = None
                    return
                logger, level, text, args, extra = self._lines.popleft()
            with suppress(Exception):  # a handler that raises: the next line may get through, and nobody is to be told
                logger.log(level, text, *args, extra=extra)


side_log: Final = SideLog()
"""That of this process."""
