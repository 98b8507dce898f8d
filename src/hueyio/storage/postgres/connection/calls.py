"""Calls of functions on the server, on a few connections of one session.

Theory of operation. A call waits in line until one of the runners takes it; each runner has a connection, made when it
is needed. Two or more run side by side, so that a claim does not wait for the flush of a settlement. Nobody who awaits
a call can cancel it: it is carried through by its runner, and whatever the session asks afterwards waits for what its
callers have left, so that it sees it. A call that met another transaction (a deadlock, a lock time-out) is repeated.
All state belongs to the loop.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import psycopg

from hueyio.exceptions import SessionClosed
from hueyio.storage.postgres.connection.connecting import connect
from hueyio.storage.postgres.connection.errors import NothingDone, is_collision, translate
from hueyio.storage.postgres.options import PostgresOptions
from hueyio.storage.shared.answers import reject, resolve
from hueyio.storage.shared.lifetime import Lifetime

__all__ = ["Calls", "Rows"]

Rows: TypeAlias = list[tuple[Any, ...]]

_TRIES: Final = 10
"""How often a call that meets others is repeated at least; and for its whole time-out."""
_PAUSE: Final = 0.002


class _Call:
    __slots__ = ("after", "args", "done", "future", "sql")

    def __init__(self, sql: bytes, args: Sequence[Any], after: list[asyncio.Future[None]]) -> None:
        loop = asyncio.get_running_loop()
        self.sql = sql
        self.args = args
        self.after = after
        self.future: asyncio.Future[Rows] = loop.create_future()
        self.done: asyncio.Future[None] = loop.create_future()


class Calls:
    """The calls of one session. ``on_broken`` is told that a connection broke: another server may answer next."""

    def __init__(self, options: PostgresOptions, lifetime: Lifetime, on_broken: Callable[[], None]) -> None:
        self._options = options
        self._lifetime = lifetime
        self._on_broken = on_broken
        self._line: deque[_Call] = deque()
        self._open: dict[_Call, None] = {}
        self._idle: deque[asyncio.Future[None]] = deque()
        self._runners = 0

    def call(self, sql: bytes, args: Sequence[Any]) -> asyncio.Future[Rows]:
        """Run a statement; return the future of its rows."""
        after = [it.done for it in self._open if it.future.cancelled()]
        call = _Call(sql, args, after)
        self._open[call] = None
        self._line.append(call)
        self._wake()
        return call.future

    async def drain(self) -> None:
        """Wait until all that was asked is done."""
        while self._open:
            await asyncio.wait({it.done for it in self._open})

    def _wake(self) -> None:
        while self._idle:
            rest = self._idle.pop()  # the one that was busy last
            if not rest.done():
                rest.set_result(None)
                return
        if self._runners < self._options.max_connections:
            self._runners += 1
            try:
                self._lifetime.spawn(self._run())
            except SessionClosed:
                self._runners -= 1
                self._fail_all()

    async def _run(self) -> None:
        connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None
        try:
            while True:
                while not self._line:
                    rest: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._idle.append(rest)
                    await rest
                call = self._line.popleft()
                try:
                    for other in call.after:
                        await asyncio.wait({other})
                    connection = await self._answer(call, connection)
                finally:
                    self._end(call)
        finally:
            self._runners -= 1
            if self._lifetime.is_over:
                self._fail_all()
            if connection is not None:
                await connection.close()

    async def _answer(
        self, call: _Call, connection: psycopg.AsyncConnection[tuple[Any, ...]] | None
    ) -> psycopg.AsyncConnection[tuple[Any, ...]] | None:
        """Carry out a call, and return the connection if it is of further use."""
        try:
            if connection is None or connection.closed:
                connection = await self._connect()
            resolve(call.future, await self._execute(connection, call))
        except Exception as error:
            reject(call.future, translate(error, self._options.where))
            if call.future.done() and not call.future.cancelled():
                call.future.exception()  # whoever went away without it must not be told by the loop
            if connection is not None and (connection.closed or isinstance(error, TimeoutError)):
                await connection.close()
                connection = None
                self._on_broken()
        return connection

    async def _connect(self) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        try:
            return await connect(self._options.dsn, self._options.prepare_threshold)
        except (psycopg.Error, OSError) as error:
            self._on_broken()
            known = translate(error, self._options.where)
            raise (NothingDone(str(known)) if type(known).__name__ == "StorageUnavailable" else known) from error

    async def _execute(self, connection: psycopg.AsyncConnection[tuple[Any, ...]], call: _Call) -> Rows:
        now = asyncio.get_running_loop().time
        until = now() + self._options.timeout
        tries = 0
        while True:
            try:
                async with asyncio.timeout(self._options.timeout):
                    cursor = connection.cursor(binary=True)
                    await cursor.execute(call.sql, call.args)
                    return await cursor.fetchall()
            except psycopg.Error as error:
                tries += 1
                if not is_collision(error) or (tries > _TRIES and now() > until):
                    raise
            await asyncio.sleep(_PAUSE * random.random() * min(tries, _TRIES))

    def _end(self, call: _Call) -> None:
        self._open.pop(call, None)
        resolve(call.done, None)
        reject(call.future, SessionClosed("the session was closed, or its loop has ended"))
        if not call.future.cancelled():
            call.future.exception()

    def _fail_all(self) -> None:
        self._line.clear()
        for call in list(self._open):
            self._end(call)
