"""psycopg's connections, with another end: what was sent is carried through, and nothing is said about it.

psycopg cancels a statement on the server when whoever awaits it is cancelled. Ours are writes that must be carried
through: the connection is let go of instead, and the server ends what it has begun. A program that forgets to close a
session, or a heartbeat, is told nothing when its connection goes.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, TypeVar

import psycopg
from psycopg import waiting
from psycopg.abc import PQGen

__all__ = ["AsyncConnection", "Connection"]

R = TypeVar("R")

_INTERVAL: Final = 1.0
"""Seconds after which psycopg looks at the socket without having been told to."""


class AsyncConnection(psycopg.AsyncConnection[tuple[Any, ...]]):
    """For the loop."""

    async def wait(self, gen: PQGen[R], *args: Any, **kwargs: Any) -> R:
        """Wait for an answer; when cancelled, let go of the connection."""
        try:
            return await waiting.wait_async(gen, self.pgconn.socket, *args, **{"interval": _INTERVAL, **kwargs})
        except asyncio.CancelledError:
            self.pgconn.finish()
            raise

    def __del__(self, _: Any = None, /) -> None:
        """Say nothing."""


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """For a thread."""

    def __del__(self, _: Any = None, /) -> None:
        """Say nothing."""
