"""A TLS terminator, as it stands in front of servers that talk no TLS themselves."""

from __future__ import annotations

import asyncio
import ssl
import threading
from contextlib import suppress
from typing import Final

__all__ = ["Terminator"]

_CHUNK: Final = 65536


class Terminator:
    """Takes TLS at ``port`` and passes what comes on to ``server_port``, both on this machine; runs in a thread."""

    def __init__(self, port: int, server_port: int, context: ssl.SSLContext) -> None:
        self._port = port
        self._server_port = server_port
        self._context = context
        self._listening = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),), name="terminator", daemon=True)

    def start(self) -> None:
        """Begin; return when it listens."""
        self._thread.start()
        self._listening.wait()

    def stop(self) -> None:
        """End, with all connections."""
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await asyncio.start_server(self._pass_on, "127.0.0.1", self._port, ssl=self._context)
        finally:
            self._listening.set()
        await self._stop.wait()
        server.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(_pump(reader, behind_writer), _pump(behind_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with suppress(OSError):
            while chunk := await reader.read(_CHUNK):
                writer.write(chunk)
                await writer.drain()
    finally:
        writer.transport.abort()
