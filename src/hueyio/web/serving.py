"""The dashboard by itself, under uvicorn, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn

from hueyio.exceptions import ConfigurationError
from hueyio.web.settings import ASGIApp

__all__ = ["listen", "serve"]

_GRACE: Final = 5
"""Seconds that requests under way get at a stop."""


class _Server(uvicorn.Server):
    """Leaves signals alone: uvicorn would raise them again when it has stopped, and a stop is no failure."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises ConfigurationError."""
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        raise ConfigurationError(f"cannot listen on {host}, port {port}: {error}") from None
    # What it accepts inherits this. asyncio sets it only where a socket names its protocol, which these do not; the
    # second part of each answer would wait 40 ms for the browser's word that the first has come.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    return listening


async def serve(
    app: ASGIApp, listening: socket.socket, stop: Callable[[], None], close: Callable[[], Awaitable[None]]
) -> None:
    """Serve until SIGINT or SIGTERM; then call ``stop``, which ends streams, and ``close`` at the end."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def leave() -> None:
        server.force_exit = server.should_exit  # the second time
        server.should_exit = True
        stop()

    for number in signals:
        loop.add_signal_handler(number, leave)
    try:
        await server.serve(sockets=[listening])
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
        await close()
