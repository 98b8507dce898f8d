"""What all roles of a session share: where to send what."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from hueyio.exceptions import StorageError, StorageUnavailable
from hueyio.storage.clock import ServerClock
from hueyio.storage.redis.connection.deployment import Deployment, Sentinels
from hueyio.storage.redis.connection.errors import NothingDone
from hueyio.storage.redis.connection.mailbox import Mailbox
from hueyio.storage.redis.connection.options import RedisOptions
from hueyio.storage.redis.connection.succession import Succession
from hueyio.storage.redis.connection.wire import Wire
from hueyio.storage.redis.doorbell import Doorbell
from hueyio.storage.redis.layout import CLIENT_LENGTH, Layout
from hueyio.storage.redis.notices import RedisNotices
from hueyio.storage.redis.progress import RedisProgress
from hueyio.storage.redis.scripts import Argument, Scripts
from hueyio.storage.redis.settlements import Bounds
from hueyio.storage.redis.waiting import RedisWaiters
from hueyio.storage.shared.batching import Batcher
from hueyio.storage.shared.lifetime import Lifetime
from hueyio.storage.shared.notices import NoticeBoard
from hueyio.storage.shared.progress import ProgressBoard

__all__ = ["RedisCore"]

A = TypeVar("A")
T = TypeVar("T")

_FIRST_REST: Final = 0.02
_LONGEST_REST: Final = 0.5
_FLEET_CHANGES: Final = 20
"""How often owners may come and go between two tries; more is a fault."""


class RedisCore:
    """The connections of one session: for scripts, and on demand for the bell and for pub/sub."""

    def __init__(
        self,
        deployment: Deployment,
        layout: Layout,
        writer: str,
        clock: ServerClock,
        *,
        dead_limit: int,
        keep_ended: int,
        keep_failed: int,
        failed_bytes: int,
        failed_ttl: float,
        keep_history: int,
        history_ttl: float,
        poll_rest: float | None,
        outage_timeout: float,
    ) -> None:
        self.deployment: Final = deployment
        self.layout: Final = layout
        self.half_kept: Final = min(keep_ended, max(keep_ended // 2, 1))
        """How many ended ids are kept before the older ones are dropped; 0: none."""
        self.failed_ttl: Final = failed_ttl
        self.bounds: Final = Bounds(
            dead_limit,
            self.half_kept,
            keep_failed if failed_ttl > 0 and failed_bytes > 0 else 0,
            failed_bytes,
            keep_history if history_ttl > 0 else 0,
            history_ttl,
        )
        self.is_blocking: Final = poll_rest is None
        """Whether consumers may block on the server."""
        self._outage_timeout = outage_timeout
        self.time: Final = asyncio.get_running_loop().time
        """The loop's clock."""
        client = secrets.token_hex(CLIENT_LENGTH // 2)
        self.lifetime: Final = Lifetime(self._end_waits)
        self.clock: Final = clock
        self.wire: Final = Wire(deployment, self.lifetime, deployment.options.timeout, clock.doubt)
        self.scripts: Final = Scripts(layout, self.wire)
        self.mailbox: Final = Mailbox(deployment, self.lifetime, self._needs_mail, self._catch_up)
        self.doorbell: Final = Doorbell(deployment, layout, self.wire, self.lifetime, poll_rest)
        self.waiters: Final = RedisWaiters(client, layout, self.wire, self.scripts, self.mailbox, self.lifetime)
        self.notice_board: Final = NoticeBoard(
            RedisNotices(layout, self.scripts, self.mailbox, lambda: self.notice_board.ring_all()), self.lifetime
        )
        self.progress_board: Final = ProgressBoard(
            RedisProgress(layout, self.wire, self.mailbox), self.waiters.wait, self.lifetime
        )
        self.writer: Final = writer
        """The class of the storage."""
        self.may_consume = False
        """Whether all was tried that a consumer needs."""
        self._drains: list[Callable[[], Awaitable[None]]] = [self.waiters.drain]
        """What ``close`` waits for before it lets go of the connections."""
        self._fleet: tuple[str, ...] = ()

    def listen_for_successors(self) -> None:
        """Leave the present master as soon as Sentinels announce another."""
        if isinstance(self.deployment, Sentinels):
            Succession(self.deployment, self.lifetime, self._leave).begin()

    def batch(self, act: Callable[[list[A]], Awaitable[list[T]]], limit: int) -> Batcher[A, T]:
        """Return what gathers small calls into large ones, of which ``close`` lets none be lost."""
        batcher = Batcher(act, limit, self.lifetime.spawn)
        self._drains.append(batcher.drain)
        return batcher

    def run(self, script: str, args: Sequence[Argument] = (), keys: Sequence[bytes] = ()) -> Awaitable[Any]:
        """Run a script, unless the session is closed."""
        self.lifetime.check()
        return self.scripts.run(script, args, keys)

    async def run_over_fleet(self, script: str, args: Sequence[Argument] = ()) -> Any:
        """Run a script that looks at what every owner holds; ``args`` follow the fleet's names.

        The script declares all owners' keys, so it is told who they are; if it finds others, it says whom.
        """
        for _ in range(_FLEET_CHANGES):
            fleet = self._fleet
            reply = await self.run(script, [len(fleet), *fleet, *args], self.layout.helds(fleet))
            if reply is None:
                return None
            kind, content = reply
            if kind == b"ok":
                return content
            self._fleet = tuple([owner.decode() for owner in content])
        raise StorageError(f"{self.deployment}: the owners change faster than they can be looked at")

    async def through_outage(self, call: Callable[[], Awaitable[T]], *, is_idempotent: bool) -> T:
        """Do what callers wait for, and ``ride_out`` an outage. Consumers have a patience of their own."""
        since = self.time()
        try:
            return await call()
        except StorageUnavailable as error:
            return await self.ride_out(call, error, since, is_idempotent=is_idempotent)

    async def ride_out(
        self, repeat: Callable[[], Awaitable[T]], error: StorageUnavailable, since: float, *, is_idempotent: bool = True
    ) -> T:
        """Repeat what has failed, until it works or ``outage_timeout`` is over.

        ``since`` is the loop's time at which the first attempt began. What is not idempotent is repeated only while it
        is certain that nothing was done.
        """
        until = since + self._outage_timeout
        rest = _FIRST_REST
        while (left := until - self.time()) > 0:
            if not (is_idempotent or isinstance(error, NothingDone)):
                break
            await asyncio.sleep(min(rest * random.uniform(0.5, 1.0), left))
            rest = min(2 * rest, _LONGEST_REST)
            self.lifetime.check()
            try:
                return await repeat()
            except StorageUnavailable as again:
                error = again
        raise StorageUnavailable(str(error)) from error.__cause__

    async def close(self) -> None:
        """Finish what is being written, end every wait, let go of all connections."""
        if self.lifetime.is_closing or self.lifetime.is_over or not self.lifetime.is_here:
            return  # closed already, or its loop has ended and took all with it
        self.lifetime.is_closing = True
        self._end_waits()
        await self.doorbell.close()
        await asyncio.gather(*[drain() for drain in self._drains])
        await self.wire.drain()
        await self.lifetime.end()

    def _leave(self, master: RedisOptions) -> None:
        self.wire.leave(master)
        self.doorbell.leave(master)
        self.mailbox.leave(master)

    def _needs_mail(self) -> bool:
        return self.waiters.is_awaited or self.notice_board.is_awaited

    async def _catch_up(self) -> None:
        self.notice_board.note_connection()
        await self.waiters.register_again()
        await self.progress_board.read_again()

    def _end_waits(self) -> None:
        self.waiters.close()
        self.notice_board.ring_all()
