"""The doorbell: an idle consumer blocks here, on a connection of its own, and never on the tasks themselves.

Theory of operation. A bell is a list of tokens. One task, the porter, pops them with BLPOP for all who listen in this
session. A call that is cancelled or runs out leaves the BLPOP where it is, for the next call to profit from; so no
token is lost between two waits, and waiting again costs nothing. A token for which nobody listens any more goes back.
When somebody listens for a bell that the BLPOP under way does not cover, it is unblocked and begun again. No BLPOP
lasts longer than ``timeout`` seconds, and its connection allows ``timeout`` seconds more for the reply.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import Any, Final

from hueyio.exceptions import HueyException, SessionClosed
from hueyio.storage.records import Bell
from hueyio.storage.redis.connection.command import pack
from hueyio.storage.redis.connection.deployment import Deployment
from hueyio.storage.redis.connection.options import RedisOptions
from hueyio.storage.redis.connection.wire import Link, Wire
from hueyio.storage.redis.layout import Layout
from hueyio.storage.shared.lifetime import Lifetime

__all__ = ["Doorbell"]

_LONGEST_ROUND: Final = 5.0
_UNBLOCK_AGAIN: Final = 0.01
_LONGEST_FAREWELL: Final = 1.0
_BELLS: Final[tuple[Bell, ...]] = ("loop", "thread", "process", "schedule")


class _Listener:
    __slots__ = ("bells", "has_heard", "rung")

    def __init__(self, bells: frozenset[Bell], rung: asyncio.Future[frozenset[Bell]]) -> None:
        self.bells = bells
        self.rung = rung
        self.has_heard = False


class Doorbell:
    """Waits at the bells of one queue. ``wire`` is the session's ordinary connection; the porter opens another.

    Where nothing may block on the server, the bells are looked at every ``poll_rest`` seconds instead.
    """

    def __init__(
        self, deployment: Deployment, layout: Layout, wire: Wire, lifetime: Lifetime, poll_rest: float | None
    ) -> None:
        self._keys: dict[Bell, bytes] = {bell: layout.key(f"BELL_{bell}") for bell in _BELLS}
        self._bells: dict[bytes, Bell] = {key: bell for bell, key in self._keys.items()}
        self._ordinary = wire
        self._poll_rest = poll_rest
        self._round = min(_LONGEST_ROUND, deployment.options.timeout)
        self._blocking = Wire(deployment, lifetime, self._round + deployment.options.timeout)
        self._lifetime = lifetime
        self._listeners: list[_Listener] = []
        self._porter: asyncio.Task[None] | None = None
        self._covered: frozenset[Bell] = frozenset()
        self._link: Link | None = None
        self._connection_id = 0

    async def wait(self, bells: Collection[Bell], timeout: float) -> frozenset[Bell]:
        """Return the bells that rang, or none after ``timeout`` seconds."""
        if self._poll_rest is not None:
            return await self._poll(bells, timeout, self._poll_rest)
        if timeout <= 0:
            return await self._look(bells)
        listener = _Listener(frozenset(bells), asyncio.get_running_loop().create_future())
        self._listeners.append(listener)
        try:
            self._call_porter(listener.bells)
            async with asyncio.timeout(timeout):
                rung = await listener.rung
            listener.has_heard = True
            return rung
        except TimeoutError:
            return frozenset()
        finally:
            self._listeners.remove(listener)
            self._put_back_unheard(listener)

    def leave(self, master: RedisOptions) -> None:
        """Give up the BLPOP, unless it is on this server."""
        self._blocking.leave(master)

    async def close(self) -> None:
        """End every wait and let go of the BLPOP, without losing a token."""
        for listener in self._listeners:
            if not listener.rung.done():
                listener.rung.set_exception(SessionClosed("the session was closed, or its loop has ended"))
        porter = self._porter
        if porter is not None:
            unblocking = self._lifetime.spawn(self._unblock(self._covered))
            await asyncio.wait({porter}, timeout=_LONGEST_FAREWELL)
            unblocking.cancel()

    async def _poll(self, bells: Collection[Bell], timeout: float, rest: float) -> frozenset[Bell]:
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout
        while True:
            rung = await self._look(bells)
            left = until - loop.time()
            if rung or left <= 0:
                return rung
            await asyncio.sleep(min(rest, left))
            self._lifetime.check()

    async def _look(self, bells: Collection[Bell]) -> frozenset[Bell]:
        """Return the bells that have rung, without waiting."""
        asked: list[Bell] = [bell for bell in _BELLS if bell in bells]
        tokens = await asyncio.gather(*[self._ordinary.call(pack("LPOP", self._keys[bell])) for bell in asked])
        return frozenset([bell for bell, token in zip(asked, tokens, strict=True) if token is not None])

    def _call_porter(self, bells: frozenset[Bell]) -> None:
        if self._porter is None:
            self._porter = self._lifetime.spawn(self._serve())
        elif self._covered and not bells <= self._covered:
            self._lifetime.spawn(self._unblock(self._covered))

    async def _serve(self) -> None:
        try:
            while any(not listener.rung.done() for listener in self._listeners):
                await self._serve_once()
        except HueyException as error:
            for listener in self._listeners:
                if not listener.rung.done():
                    listener.rung.set_exception(type(error)(str(error)))
        finally:
            self._porter = None
            self._covered = frozenset()

    async def _serve_once(self) -> None:
        link = await self._blocking.open()
        if link is not self._link:
            self._connection_id = await link.send(pack("CLIENT", "ID"))
            self._link = link
        self._covered = frozenset[Bell]().union(*(it.bells for it in self._listeners if not it.rung.done()))
        if not self._covered:
            return
        keys = [self._keys[bell] for bell in _BELLS if bell in self._covered]
        popped = await link.send(pack("BLPOP", *keys, self._round))
        self._covered = frozenset()
        if popped is not None:
            await self._hand_out(self._bells[popped[0]])

    async def _hand_out(self, bell: Bell) -> None:
        for listener in self._listeners:
            if bell in listener.bells and not listener.rung.done():
                listener.rung.set_result(frozenset([bell]))
                return
        await self._put_back(bell)

    def _put_back_unheard(self, listener: _Listener) -> None:
        """Put tokens back that came at the moment at which their listener went away."""
        rung = listener.rung
        if listener.has_heard or not rung.done() or rung.cancelled() or rung.exception() is not None:
            return
        for bell in rung.result():
            with suppress(SessionClosed):
                self._lifetime.spawn(self._put_back(bell))

    async def _put_back(self, bell: Bell) -> None:
        try:
            await self._ordinary.call(pack("RPUSH", self._keys[bell], "1"))
        except HueyException:
            return  # a ring that gets lost costs one wait

    async def _unblock(self, covered: frozenset[Bell]) -> None:
        """Cut the BLPOP short. It may not have reached the server yet: then once more."""
        try:
            while self._covered is covered:
                unblocked: Any = await self._ordinary.call(pack("CLIENT", "UNBLOCK", self._connection_id))
                if unblocked:
                    return
                await asyncio.sleep(_UNBLOCK_AGAIN)
        except HueyException:
            return  # not allowed, or not reachable: the round ends by itself
