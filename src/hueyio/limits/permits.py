"""Take permits of locks and semaphores, and give them back whatever happens.

Theory of operation. In a body that a consumer runs, a permit has the task's id as its token and the consumer as its
owner: it lives as long as that lease, needs no renewal, and a redelivered task takes it over. Elsewhere it has a token
of its own and a lease that a task of the loop renews. ``_mine`` says what this process holds, because the storage
gives a permit to its token as often as it asks: a second entry by the same task must be refused here.

Neither way of a permit is left half done. Whether a permit was taken is unknown when the storage fails or the caller is
cancelled in between: then it is given back in the background. Giving back is repeated until the storage has answered,
and so is taking in a body that a consumer runs: the permit is that of its task, however often it asks.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Coroutine
from typing import Any, Final

from hueyio.core import DEFAULT_LEASE, Core
from hueyio.exceptions import HueyException, StorageUnavailable
from hueyio.execution.context import running
from hueyio.execution.run_context import RUN_CONTEXT
from hueyio.execution.unavailable import wait_while_unavailable
from hueyio.storage.contract import Limits
from hueyio.storage.shared.background import make_task

__all__ = ["Permit", "Permits"]

logger = logging.getLogger(__name__)

_REST: Final = 0.5
"""Seconds between two tries to give a permit back."""


class Permit:
    """One permit that this process holds."""

    __slots__ = ("key", "owner", "renewal", "session", "token")

    def __init__(self, session: Limits, key: str, token: str, owner: str | None) -> None:
        self.session = session
        self.key = key
        self.token = token
        self.owner = owner
        self.renewal: asyncio.Task[None] | None = None


class Permits:
    """The permits that one Huey holds."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._mine: set[tuple[str, str]] = set()
        self._running: set[asyncio.Task[None]] = set()

    async def take(self, key: str, size: int, ttl: float | None) -> Permit | None:
        """Take one of ``size`` permits for the task that runs here, or for this caller; None if all are held."""
        session = await wait_while_unavailable(self._core.session)
        context, task = RUN_CONTEXT.get(), running.get(None)
        receipt = None if task is None else task.receipt
        if context is not None and context.is_leased and receipt is not None and context.storage is self._core.storage:
            permit, lease = Permit(session, key, receipt.id, receipt.owner), context.lease
        else:
            permit, lease = Permit(session, key, secrets.token_hex(16), None), DEFAULT_LEASE
        mine = (key, permit.token)
        if mine in self._mine:
            return None
        self._mine.add(mine)

        def acquire() -> Awaitable[bool]:
            return session.acquire(key, permit.token, size, lease, permit.owner, ttl)

        taking = make_task(wait_while_unavailable(acquire))
        try:
            taken = await asyncio.shield(taking)
        except BaseException:
            self._spawn(self._undo(taking, permit))
            raise
        if not taken:
            self._mine.discard(mine)
            return None
        if permit.owner is None:
            permit.renewal = self._spawn(_renew(permit, lease))
        return permit

    async def give_back(self, permit: Permit) -> None:
        """Give a permit back; goes on in the background if this call is cancelled."""
        if permit.renewal is not None:
            permit.renewal.cancel()
        await asyncio.shield(self._spawn(self._release(permit)))

    async def _undo(self, taking: asyncio.Future[bool], permit: Permit) -> None:
        try:
            taken = await taking
        except StorageUnavailable:
            taken = True  # unknown
        except HueyException:
            taken = False
        if taken:
            await self._release(permit)
        self._mine.discard((permit.key, permit.token))

    async def _release(self, permit: Permit) -> None:
        try:
            while not await _try_to_release(permit):  # noqa: ASYNC110 - nothing tells when a storage is back
                await asyncio.sleep(_REST)
        except HueyException as error:
            logger.warning("could not give %s back: %s; it ends with its lease", permit.key, error)
        finally:
            self._mine.discard((permit.key, permit.token))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = make_task(work, name="hueyio-lock")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task


async def _try_to_release(permit: Permit) -> bool:
    try:
        await permit.session.release(permit.key, permit.token, permit.owner)
    except StorageUnavailable:
        return False
    return True


async def _renew(permit: Permit, lease: float) -> None:
    """Prolong a permit until it is given back or gone."""
    while True:
        await asyncio.sleep(lease / 3)
        try:
            if not await permit.session.renew(permit.key, permit.token, lease):
                logger.warning("%s is lost: its ttl is over, or somebody freed it", permit.key)
                return
        except StorageUnavailable as error:
            logger.warning("could not renew %s: %s", permit.key, error)
        except HueyException:
            return  # the session is closed
