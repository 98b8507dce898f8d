"""A TCP proxy in front of a Redis server that breaks connections at the worst moments.

It understands the protocol enough to know which reply belongs to which command. A fault is armed for commands that
contain some bytes, such as the digest of a script, and strikes so many times.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, Literal, TypeAlias

import hiredis

__all__ = ["FaultKind", "FaultProxy"]

FaultKind: TypeAlias = Literal["cut", "swallow"]
"""``cut`` closes the connection when the command has gone to the server, ``swallow`` when its reply is there."""

_CHUNK: Final = 65536


class FaultProxy:
    """``async with FaultProxy(port) as proxy``: connect to ``proxy.port`` in place of the server's."""

    def __init__(self, server_port: int) -> None:
        self.port = 0
        self.latency = 0.0
        """Seconds by which each reply is late."""
        self._server_port = server_port
        self._listener: asyncio.Server | None = None
        self._passes = asyncio.Event()
        self._passes.set()
        self._kind: FaultKind = "swallow"
        self._needle = b""
        self._left = 0
        self._wanted = 0
        self._struck = asyncio.Event()
        self._links: set[_Link] = set()
        self._serving: set[asyncio.Task[Any]] = set()

    def arm(self, kind: FaultKind, needle: bytes, times: int = 1) -> None:
        """Have commands that contain ``needle`` struck, so many times from now on."""
        self._kind, self._needle, self._left = kind, needle, times
        self._wanted = times
        self._struck.clear()

    @property
    def struck(self) -> int:
        """How often the armed fault has struck."""
        return self._wanted - self._left

    async def wait_struck(self) -> None:
        """Wait until the fault has struck as often as it was armed for."""
        await self._struck.wait()

    def hold(self) -> None:
        """Become a black hole: nothing passes, nothing is closed, new connections get no answer."""
        self._passes.clear()

    def release(self) -> None:
        """Let everything pass again."""
        self._passes.set()

    def cut_all(self) -> None:
        """Close all connections."""
        for link in tuple(self._links):
            link.cut()

    async def __aenter__(self) -> FaultProxy:
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listener is not None
        self._listener.close()
        self.release()
        self.cut_all()
        if self._serving:
            await asyncio.wait(self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        try:
            await self._passes.wait()
            server = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:
            writer.close()
            return
        link = _Link(self, (reader, writer), server)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)

    def _strike(self, command: Any) -> FaultKind | None:
        """Say which fault strikes a command; its bytes are a list of parts."""
        if self._left <= 0 or not any(self._needle in part for part in command):
            return None
        self._left -= 1
        if self._left == 0:
            self._struck.set()
        return self._kind


_Stream: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Link:
    """One client's connection."""

    def __init__(self, proxy: FaultProxy, client: _Stream, server: _Stream) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._pending: deque[bool] = deque()
        """For each command that is not answered: whether its reply is to be swallowed."""
        self._commands = hiredis.Reader()
        self._replies = hiredis.Reader()

    async def run(self) -> None:
        """Pass bytes in both directions until one side ends."""
        pumps = [
            asyncio.ensure_future(self._pump(self._client, self._server, self._see_commands)),
            asyncio.ensure_future(self._pump(self._server, self._client, self._see_replies)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            self.cut()

    def cut(self) -> None:
        """Close both sides."""
        for _, writer in (self._client, self._server):
            writer.transport.abort()

    async def _pump(self, source: _Stream, target: _Stream, see: Callable[[bytes], Awaitable[bool]]) -> None:
        with suppress(OSError):
            while data := await source[0].read(_CHUNK):
                await self._proxy._passes.wait()
                if not await see(data):
                    return
                target[1].write(data)
                await target[1].drain()

    async def _see_commands(self, data: bytes) -> bool:
        self._commands.feed(data)
        goes_on = True
        while (command := self._commands.gets()) is not False:
            fault = self._proxy._strike(command)
            self._pending.append(fault == "swallow")
            goes_on = goes_on and fault != "cut"
        if not goes_on:
            self._server[1].write(data)
            await self._server[1].drain()
        return goes_on

    async def _see_replies(self, data: bytes) -> bool:
        if self._proxy.latency:
            await asyncio.sleep(self._proxy.latency)
        self._replies.feed(data)
        while self._replies.gets() is not False:
            if self._pending and self._pending.popleft():
                return False
        return True
