"""An outage of the storage, as all parts of a consumer see it: said once when it begins and once when it is over.

It is over when the first part that failed gets through. The others may be in the middle of an attempt, or wait for
something that does not come for a while; what they still say of the old outage is not news.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from hueyio.consumer.side_log import side_log
from hueyio.exceptions import StorageDamaged, StorageUnavailable

__all__ = ["Outage"]

logger = logging.getLogger(__name__)

_AFTERMATH: Final = 5.0
"""Seconds in which the other parts may still fail because of what is over."""


class Outage:
    """Which parts cannot do their work at the moment. The heartbeat's thread is one of them, so there is a lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failing: set[str] = set()
        self._lagging: set[str] = set()
        self._damaged: set[str] = set()
        self._began = 0.0
        self._ended = 0.0

    @property
    def is_damaged(self) -> bool:
        """Whether any part found the storage damaged, and has not got through since."""
        return bool(self._damaged)

    def note_failure(self, part: str, error: StorageUnavailable) -> None:
        """Say so if this is the first part that fails."""
        now = time.monotonic()
        with self._lock:
            if isinstance(error, StorageDamaged):
                self._damaged.add(part)
            is_old = part in self._lagging and now - self._ended < _AFTERMATH
            is_news = not self._failing and not is_old
            if not is_old:
                self._failing.add(part)
            if is_news:
                self._began = now
        if is_news:
            side_log.say(logger, logging.WARNING, "%s; trying again until it works", error)
        else:
            side_log.say(logger, logging.DEBUG, "%s: %s", part, error)

    def note_success(self, part: str) -> None:
        """Say so if this part had failed."""
        with self._lock:
            self._lagging.discard(part)
            self._damaged.discard(part)
            if part not in self._failing:
                return
            self._lagging = self._failing - {part}
            self._failing = set()
            self._ended = time.monotonic()
        side_log.say(logger, logging.INFO, "the storage works again, after %.1f s", self._ended - self._began)
