"""End this process whatever hangs: a log handler, a hook, a storage, a thread that nobody can stop."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from typing import Final

from hueyio.consumer.side_log import side_log
from hueyio.consumer.stop_times import MARGIN
from hueyio.worker.exit_codes import EXIT_CRASHED

__all__ = ["STOP_MARGIN", "Deadline", "leave"]

logger = logging.getLogger(__name__)

STOP_MARGIN: Final = MARGIN + 0.5
"""Seconds beside the shutdown timeout that the stop of a whole process may take."""

_LAST_WORDS: Final = 0.4
"""Seconds that the log gets to take what was said."""


def leave(code: int, seconds: float = _LAST_WORDS) -> None:
    """End the process with this code, after at most so many seconds; may be called from any thread."""
    # Handlers have locks that the loop's thread may hold for ever: only this thread may hang on them.
    closing = threading.Thread(target=_close_log, args=(seconds,), name="hueyio-leaving", daemon=True)
    with suppress(RuntimeError):  # no thread to be had: what is buffered is lost
        closing.start()
        closing.join(seconds)
    os._exit(code)


def _close_log(seconds: float) -> None:
    side_log.flush(seconds)
    logging.shutdown()


class Deadline:
    """The last moment of a process that was told to stop. A thread ends it then, whatever its loop waits for."""

    def __init__(self) -> None:
        self._at: float | None = None
        self._timer: threading.Timer | None = None

    def set(self, seconds: float) -> None:
        """End the process in so many seconds; a later call never prolongs it."""
        at = time.monotonic() + seconds
        if self._at is not None and self._at <= at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._at = at
        self._timer = threading.Timer(seconds, _end_late)
        self._timer.name = "hueyio-deadline"
        self._timer.daemon = True
        self._timer.start()

    def left(self, most: float) -> float:
        """Return how many seconds something may take that is over well before, at most ``most``."""
        return most if self._at is None else min(max(self._at - time.monotonic() - _LAST_WORDS, 0.0), most)


def _end_late() -> None:
    side_log.say(logger, logging.ERROR, "the stop took too long: something hangs; ending the process now")
    leave(EXIT_CRASHED)
