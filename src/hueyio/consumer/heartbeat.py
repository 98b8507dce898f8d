"""Keep the own lease alive, from a thread.

A task that blocks the loop makes the others late and not double: the heartbeat does not need the loop. (Code that
holds the interpreter lock stops this thread too; the fence covers that.)
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from hueyio.consumer.outage import Outage
from hueyio.exceptions import HueyException, StorageUnavailable
from hueyio.storage.contract import LeaseKeeper

__all__ = ["Heartbeat"]

logger = logging.getLogger(__name__)

_BEATS_PER_LEASE: Final = 3


class Heartbeat:
    """One thread that raises one owner's counter three times per lease.

    ``steady_since`` is the monotonic time since which no beat failed or came late, None while they do: the reaper
    trusts its own observations only from there on. ``on_lost`` is called once, in the thread, if the owner was
    given up.
    """

    def __init__(self, keeper: LeaseKeeper, lease: float, on_lost: Callable[[], None], outage: Outage) -> None:
        self._keeper = keeper
        self._outage = outage
        self._interval = lease / _BEATS_PER_LEASE
        self.tell_lost = on_lost
        self._stop = threading.Event()
        self._last_beat = time.monotonic()
        self.steady_since: float | None = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="hueyio-heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Send no further beat; does not wait for one under way."""
        self._stop.set()

    def _run(self) -> None:
        try:
            while not self._stop.wait(self._interval):
                if not self._beat():
                    break
        finally:
            self._keeper.close()

    def _beat(self) -> bool:
        """Beat once; False if there is no lease any more."""
        try:
            alive = self._keeper.beat()
        except StorageUnavailable as error:
            self._outage.note_failure("heartbeat", error)
            self.steady_since = None
            return True
        except HueyException as error:
            if self.steady_since is not None:
                logger.warning("heartbeat: %s; trying again until it works", error)
            self.steady_since = None
            return True
        except Exception:
            logger.exception("heartbeat failed")
            self.steady_since = None
            return True
        self._outage.note_success("heartbeat")
        now = time.monotonic()
        # A gap means that this process, or its whole machine, stood still: others may just be waking up too.
        if self.steady_since is None or now - self._last_beat > 2 * self._interval:
            self.steady_since = now
        self._last_beat = now
        if not alive and not self._stop.is_set():
            self.tell_lost()
        return alive
