"""Take places of locks and semaphores, and give them back whatever happens.

Theory of operation. In a body that a consumer runs, a place has the task's id as its token and the consumer as its
owner: it lives as long as that lease, needs no renewal, and a redelivered task takes it over. Elsewhere it has a token
of its own and a lease that a task of the loop renews. ``_mine`` says what this process holds, because the storage
gives a place to its token as often as it asks: a second entry by the same task must be refused here.

Neither way of a place is left half done. Whether a place was taken is unknown when the storage fails or the caller is
cancelled in between: then it is given back in the background. Giving back is repeated until the storage has answered,
and so is taking in a body that a consumer runs: the place is that of its task, however often it asks.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Coroutine
from typing import Any, Final, Protocol

from hueyio.exceptions import HueyException, StorageUnavailable
from hueyio.execution.context import running
from hueyio.execution.outlast import outlast
from hueyio.execution.site import SITE
from hueyio.storage.contract import Limits, Session, Storage

__all__ = ["Holding", "Places"]

logger = logging.getLogger(__name__)

_LEASE: Final = 15.0
"""Seconds for which a place outside of a consumer outlives its holder."""

_REST: Final = 0.5
"""Seconds between two tries to give a place back."""


class _App(Protocol):
    @property
    def storage(self) -> Storage: ...

    async def session(self) -> Session: ...


class Holding:
    """One place that this process holds."""

    __slots__ = ("key", "owner", "renewal", "session", "token")

    def __init__(self, session: Limits, key: str, token: str, owner: str | None) -> None:
        self.session = session
        self.key = key
        self.token = token
        self.owner = owner
        self.renewal: asyncio.Task[None] | None = None


class Places:
    """The places that one Huey holds."""

    def __init__(self, app: _App) -> None:
        self._app = app
        self._mine: set[tuple[str, str]] = set()
        self._running: set[asyncio.Task[None]] = set()

    async def take(self, key: str, size: int, ttl: float | None) -> Holding | None:
        """Take one of ``size`` places for the task that runs here, or for this caller; None if all are held."""
        session = await outlast(self._app.session)
        site, task = SITE.get(), running.get(None)
        receipt = None if task is None else task.receipt
        if site is not None and receipt is not None and site.storage is self._app.storage:
            holding, lease = Holding(session, key, receipt.id, receipt.owner), site.lease
        else:
            holding, lease = Holding(session, key, secrets.token_hex(16), None), _LEASE
        mine = (key, holding.token)
        if mine in self._mine:
            return None
        self._mine.add(mine)

        def acquire() -> Awaitable[bool]:
            return session.acquire(key, holding.token, size, lease, holding.owner, ttl)

        taking = asyncio.ensure_future(outlast(acquire))
        try:
            taken = await asyncio.shield(taking)
        except BaseException:
            self._spawn(self._undo(taking, holding))
            raise
        if not taken:
            self._mine.discard(mine)
            return None
        if holding.owner is None:
            holding.renewal = self._spawn(_renew(holding, lease))
        return holding

    async def give_back(self, holding: Holding) -> None:
        """Give a place back; goes on in the background if this call is cancelled."""
        if holding.renewal is not None:
            holding.renewal.cancel()
        await asyncio.shield(self._spawn(self._release(holding)))

    async def _undo(self, taking: asyncio.Future[bool], holding: Holding) -> None:
        try:
            taken = await taking
        except StorageUnavailable:
            taken = True  # unknown
        except HueyException:
            taken = False
        if taken:
            await self._release(holding)
        self._mine.discard((holding.key, holding.token))

    async def _release(self, holding: Holding) -> None:
        try:
            while not await _try_to_release(holding):  # noqa: ASYNC110 - nothing tells when a storage is back
                await asyncio.sleep(_REST)
        except HueyException as error:
            logger.warning("could not give %s back: %s; it ends with its lease", holding.key, error)
        finally:
            self._mine.discard((holding.key, holding.token))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name="hueyio-lock")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task


async def _try_to_release(holding: Holding) -> bool:
    try:
        await holding.session.release(holding.key, holding.token, holding.owner)
    except StorageUnavailable:
        return False
    return True


async def _renew(holding: Holding, lease: float) -> None:
    """Prolong a place until it is given back or gone."""
    while True:
        await asyncio.sleep(lease / 3)
        try:
            if not await holding.session.renew(holding.key, holding.token, lease):
                logger.warning("%s is lost: its ttl is over, or somebody freed it", holding.key)
                return
        except StorageUnavailable as error:
            logger.warning("could not renew %s: %s", holding.key, error)
        except HueyException:
            return  # the session is closed
