"""The loop that all parts of a consumer are, written once.

A service does one short ``step`` after another; a step returns how many seconds to rest. What a step raises is
logged, once while it goes on failing, and followed by a rest that doubles. ``stop`` ends the loop after the step
under way: a step is never cancelled, only the waits inside it that are made by ``interruptible``.
"""

from __future__ import annotations

import asyncio
import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from hueyio.consumer.outage import Outage
from hueyio.exceptions import HueyException, SessionClosed, StorageDamaged, StorageUnavailable
from hueyio.storage.shared.background import make_task

__all__ = ["Service"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

_FIRST_BACK_OFF: Final = 0.05
_LONGEST_BACK_OFF: Final = 1.0
_MOST_DAMAGES: Final = 8
"""Times in a row, some 4 s, that a part finds the storage damaged before the consumer ends."""


class Service(ABC):
    """One verb of the consumer, again and again until it is stopped."""

    def __init__(self) -> None:
        self.stopping = False
        self._woken = False
        self._wait: asyncio.Future[Any] | None = None
        self._failures = 0
        self._damages = 0
        self.outage = Outage()
        """What the parts of one consumer share; a service by itself has its own."""

    @abstractmethod
    async def step(self) -> float:
        """Do one piece of work; return how many seconds to rest before the next."""

    async def run(self) -> None:
        """Step until stopped."""
        while not self.stopping:
            try:
                rest = await self.step()
            except SessionClosed:
                # Somebody closed the app under us. At a stop that is the end; else the consumer cannot go on.
                if self.stopping:
                    return
                raise
            except StorageUnavailable as error:
                self.outage.note_failure(str(self), error)
                self._count_damage(error)
                rest = self._back_off()
            except HueyException as error:
                if self._failures == 0:
                    logger.warning("%s: %s; trying again until it works", self, error)
                rest = self._back_off()
            except Exception:
                if self._failures == 0:
                    logger.exception("%s failed", self)
                rest = self._back_off()
            else:
                self._recover()
            if rest > 0:
                await self.interruptible(self.rest(rest))
            self._woken = False

    async def rest(self, seconds: float) -> None:
        """Rest between two steps; cut short by ``wake``."""
        await asyncio.sleep(seconds)

    def stop(self) -> None:
        """End the loop after the step under way; cut short what it waits for."""
        self.stopping = True
        self.wake()

    def wake(self) -> None:
        """Cut a rest, or an interruptible wait, short."""
        self._woken = True
        if self._wait is not None:
            self._wait.cancel()

    async def interruptible(self, waiting: Coroutine[Any, Any, T]) -> T | None:
        """Await something that may be cancelled at any time; None if ``wake`` or ``stop`` cut it short."""
        if self._woken or self.stopping:
            waiting.close()
            return None
        wait: asyncio.Future[T] = make_task(waiting)
        self._wait = wait
        try:
            return await wait
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if not self._woken or (current is not None and current.cancelling()):
                raise
            return None
        finally:
            self._wait = None

    def __str__(self) -> str:
        return type(self).__name__.lower()

    def _back_off(self) -> float:
        self._failures += 1
        longest = min(_FIRST_BACK_OFF * 2.0 ** min(self._failures, 10), _LONGEST_BACK_OFF)
        return longest * random.uniform(0.5, 1.0)

    def _count_damage(self, error: StorageUnavailable) -> None:
        """Raise what says that the storage is damaged, if it was said again and again: it does not heal."""
        self._damages = self._damages + 1 if isinstance(error, StorageDamaged) else 0
        if self._damages >= _MOST_DAMAGES:
            raise error

    def _recover(self) -> None:
        self._damages = 0
        if self._failures:
            self.outage.note_success(str(self))
            logger.debug("%s: works again after %d failures", self, self._failures)
            self._failures = 0
