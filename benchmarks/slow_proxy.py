"""A network between a client and a server: every byte arrives later than it was sent, and none waits for another.

It is a process of its own (``python -m benchmarks.slow_proxy PORT SECONDS``), which prints the port to connect to.
"""

from __future__ import annotations

import asyncio
import selectors
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

__all__ = ["slowed"]

_ROOT: Final = Path(__file__).resolve().parent.parent


@contextmanager
def slowed(url: str, round_trip: float) -> Iterator[str]:
    """Put a network with this round trip, in seconds, before a server; give the URL that goes through it."""
    parts = urlsplit(url)
    command = [sys.executable, "-m", "benchmarks.slow_proxy", str(parts.port), str(round_trip / 2)]
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield urlunsplit(parts._replace(netloc=f"{parts.hostname}:{port}"))
    finally:
        process.kill()
        process.communicate()


class _End(asyncio.Protocol):
    """One end of a connection; what it receives the other end sends, after the delay."""

    def __init__(self, delay: float, made: Callable[[_End], None] | None = None) -> None:
        self.other: _End | None = None
        self.transport: asyncio.Transport | None = None
        self._delay = delay
        self._made = made
        self._early: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self._made is not None:
            self._made(self)

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._early.append(data)
        else:
            self._loop.call_later(self._delay, self.other.send, data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None and self.other.transport is not None:
            self._loop.call_later(self._delay, self.other.transport.close)

    def send(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def join(self, other: _End) -> None:
        self.other, other.other = other, self
        for data in self._early:
            self.data_received(data)
        self._early.clear()


async def _serve(port: int, delay: float) -> None:
    loop = asyncio.get_running_loop()
    joining: set[asyncio.Task[None]] = set()

    async def connect(client: _End) -> None:
        _, server = await loop.create_connection(lambda: _End(delay), "127.0.0.1", port)
        client.join(server)

    def made(client: _End) -> None:
        task = loop.create_task(connect(client))
        joining.add(task)
        task.add_done_callback(joining.discard)

    listener = await loop.create_server(lambda: _End(delay, made), "127.0.0.1", 0)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await listener.serve_forever()


def main() -> None:
    """Serve until killed."""
    port, delay = int(sys.argv[1]), float(sys.argv[2])
    # epoll waits for whole milliseconds; select does not.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    loop.run_until_complete(_serve(port, delay))


if __name__ == "__main__":
    main()
