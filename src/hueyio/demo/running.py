"""Runs the shop: a worker in a process of its own, customers who order, and the dashboard, until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from hueyio.demo.shop import FILE, open_shop, place_order

__all__ = ["order", "working"]

_PAUSE: Final = 0.4
"""Seconds between two orders."""

_STOP: Final = 10.0
"""Seconds in which the worker ends what it runs."""


@contextmanager
def working(file: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker of the shop; stop it at the end."""
    line = [sys.executable, "-m", "hueyio", "worker", "hueyio.demo.shop:huey", "--workers", "12", "--threads", "4"]
    # A session of its own: Ctrl-C reaches us alone, and we stop it when the dashboard has ended.
    process = subprocess.Popen(
        [*line, "--shutdown-timeout", "1", "--quiet"],
        env={**os.environ, FILE: file},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def order(number: int = 1) -> None:
    """Let customers order until it is cancelled, from this number on."""
    await open_shop()
    while True:
        await place_order(number)
        number += 1
        await asyncio.sleep(_PAUSE)
