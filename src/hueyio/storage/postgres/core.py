"""What all roles of a session share: its connections, its waits, and how a function of the server is called."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from hueyio.exceptions import StorageUnavailable
from hueyio.storage.clock import ServerClock
from hueyio.storage.postgres.bounds import bounds_of
from hueyio.storage.postgres.connection.calls import Calls, Rows
from hueyio.storage.postgres.connection.connecting import check_isolation, connect
from hueyio.storage.postgres.connection.errors import NothingDone, translate
from hueyio.storage.postgres.connection.mailbox import Mailbox
from hueyio.storage.postgres.doorbell import Doorbell
from hueyio.storage.postgres.floors import Floors
from hueyio.storage.postgres.functions import call_of
from hueyio.storage.postgres.migrations import migrate
from hueyio.storage.postgres.notices import PostgresNotices
from hueyio.storage.postgres.options import PostgresOptions
from hueyio.storage.postgres.progress import PostgresProgress
from hueyio.storage.postgres.waiting import PostgresWaiters
from hueyio.storage.shared.batching import Batcher
from hueyio.storage.shared.lifetime import Lifetime
from hueyio.storage.shared.notices import NoticeBoard
from hueyio.storage.shared.progress import ProgressBoard

__all__ = ["PostgresCore"]

A = TypeVar("A")
T = TypeVar("T")

_FIRST_REST: Final = 0.02
_LONGEST_REST: Final = 0.5


class PostgresCore:
    """The connections of one session: for calls, and on demand for what the server sends by itself."""

    def __init__(self, options: PostgresOptions, clock: ServerClock) -> None:
        self.options: Final = options
        self.clock: Final = clock
        self.client: Final = secrets.token_hex(8)
        self.queue = 0
        """The number of the queue, once it is open."""
        self.floors: Final = Floors()
        self.time: Final = asyncio.get_running_loop().time
        """The loop's clock."""
        self.lifetime: Final = Lifetime(self._end_waits)
        self.calls: Final = Calls(options, self.lifetime, clock.doubt)
        self.mailbox: Final = Mailbox(options, self.lifetime, self._receive, self._catch_up, self._needs_mail)
        self._drains: list[Callable[[], Awaitable[None]]] = []
        self._batchers: dict[Callable[..., Any], Batcher[Any, Any]] = {}
        self.doorbell: Final = Doorbell(self.call_own, self.mailbox, self.lifetime)
        self.waiters: Final = PostgresWaiters(self.call_own, self.mailbox, self.lifetime, bounds_of(options))
        self.notice_board: Final = NoticeBoard(PostgresNotices(self.call_queue, self.mailbox), self.lifetime)
        self.progress: Final = PostgresProgress(self.call_own, self.mailbox)
        self.progress_board: Final = ProgressBoard(self.progress, self.waiters.wait, self.lifetime)
        self._drains.append(self.waiters.drain)

    async def open(self) -> None:
        """Find the queue, and make the tables where they are missing."""
        options = self.options
        try:
            async with asyncio.timeout(options.timeout + 60):
                async with await connect(options.dsn, None) as connection:
                    await check_isolation(connection, options.where)
                    await migrate(connection, options)
        except Exception as error:
            known = translate(error, options.where)
            raise (NothingDone(str(known)) if type(known) is StorageUnavailable else known) from error
        asked_at = self.clock.steady()
        ((self.queue, now),) = await self.call("open_1", options.name)
        self.clock.hear(now, asked_at)
        self.mailbox.set_channels(f"{options.schema}.{self.queue}", f"{options.schema}.c{self.client}")

    def call(self, function: str, *args: Any) -> asyncio.Future[Rows]:
        """Call a function of the server, unless the session is closed; return the future of its rows."""
        self.lifetime.check()
        return self.calls.call(call_of(function, self.options.schema), args)

    def call_queue(self, function: str, *args: Any) -> asyncio.Future[Rows]:
        """Call a function about the queue, also while the session closes."""
        return self.calls.call(call_of(function, self.options.schema), (self.queue, *args))

    def call_own(self, function: str, *args: Any) -> asyncio.Future[Rows]:
        """Call a function about what this client waits for, also while the session closes."""
        return self.calls.call(call_of(function, self.options.schema), (self.queue, self.client, *args))

    def batched(
        self, act: Callable[[PostgresCore, list[A]], Awaitable[list[T]]], items: Sequence[A], limit: int
    ) -> asyncio.Future[list[T]]:
        """Have ``act`` done with these items and those of other callers in one call, in the order in which they came.

        ``close`` lets none be lost.
        """
        batcher = self._batchers.get(act)
        if batcher is None:
            batcher = Batcher(partial(act, self), limit, self.lifetime.spawn)
            self._batchers[act] = batcher
            self._drains.append(batcher.drain)
        return batcher.submit(items)

    async def through_outage(self, call: Callable[[], Awaitable[T]], *, is_idempotent: bool) -> T:
        """Do what callers wait for; while the server is away repeat it, until ``outage_timeout`` is over.

        What is not idempotent is repeated only while it is certain that nothing was done. Consumers have a patience of
        their own.
        """
        until = self.time() + self.options.outage_timeout
        rest = _FIRST_REST
        while True:
            try:
                return await call()
            except StorageUnavailable as error:
                left = until - self.time()
                if left <= 0 or not (is_idempotent or isinstance(error, NothingDone)):
                    raise
            await asyncio.sleep(min(rest * random.uniform(0.5, 1.0), left))
            rest = min(2 * rest, _LONGEST_REST)
            self.lifetime.check()

    async def close(self) -> None:
        """Finish what is being written, end every wait, let go of all connections."""
        if self.lifetime.is_closing or self.lifetime.is_over or not self.lifetime.is_here:
            return  # closed already, or its loop has ended and took all with it
        self.lifetime.is_closing = True
        self._end_waits()
        await asyncio.gather(*[drain() for drain in self._drains])
        if self.mailbox.was_used:
            forgetting = self.call_own("forget_client_1")
            await asyncio.wait({forgetting})
            forgetting.exception()  # if it cannot be reached its rows go by their time
        await self.calls.drain()
        await self.lifetime.end()

    def _receive(self, channel: str, message: str) -> None:
        kind, content = message[:1], message[1:]
        match kind:
            case "l":
                mask, place = content.split()
                self.floors.lower(int(place))
                self.doorbell.hear(int(mask))
            case "r":
                self.doorbell.hear(int(content))
            case "n":
                self.notice_board.ring_all()
            case "p":
                too_large = self.progress.receive(content)
                if too_large is not None:
                    self.progress_board.read_soon(too_large)
            case "e" | "m":
                self.waiters.receive(kind, content)
            case _:
                pass  # of a newer hueyio

    def _needs_mail(self) -> bool:
        return self.waiters.is_awaited or self.notice_board.is_awaited or self.doorbell.is_awaited

    async def _catch_up(self) -> None:
        self.notice_board.note_connection()
        self.floors.forget()
        self.doorbell.look_again()
        await self.waiters.register_again()
        await self.progress_board.read_again()

    def _end_waits(self) -> None:
        self.waiters.close()
        self.notice_board.ring_all()
        self.doorbell.close()
