"""Wait for what gives no notice of itself: states, and ends of processes that are not children."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

__all__ = ["is_alive", "until", "until_gone", "until_stopped"]


async def until(question: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    """Ask until the answer is yes; fails after so many seconds. Only for states that nothing announces."""
    async with asyncio.timeout(seconds):
        while not await question():
            await asyncio.sleep(0.001)


def is_alive(pid: int) -> bool:
    """Say whether a process runs; a zombie does not."""
    return _state_of(pid) not in ("", "Z")


async def until_gone(*pids: int) -> None:
    """Wait until none of these processes runs."""

    async def are_gone() -> bool:
        return not any(is_alive(pid) for pid in pids)

    await until(are_gone)


async def until_stopped(pid: int) -> None:
    """Wait until SIGSTOP has stopped this process."""

    async def is_stopped() -> bool:
        return _state_of(pid) == "T"

    await until(is_stopped)


def _state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # the second: it ended between opening and reading
        return ""
