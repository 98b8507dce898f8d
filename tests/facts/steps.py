"""Dequeue and execute one task at a time, and listen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hueyio import Huey, Task

__all__ = ["NOW", "later", "listen", "run_all", "run_next"]

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


def later(seconds: float) -> datetime:
    """Return a moment that many seconds from now."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def run_next(huey: Huey, timestamp: datetime | None = None) -> Any:
    """Dequeue one task, there must be one, and execute it; return its value."""
    task = await huey.dequeue()
    assert task is not None
    return await huey.execute(task, timestamp)


async def run_all(huey: Huey, timestamp: datetime | None = None) -> list[Any]:
    """Dequeue and execute until the queue is empty; return the values."""
    values = []
    while (task := await huey.dequeue()) is not None:
        values.append(await huey.execute(task, timestamp))
    return values


def listen(huey: Huey) -> list[str]:
    """Return a list that is filled with the names of all signals."""
    heard: list[str] = []

    @huey.signal()
    async def hear(signal: str, task: Task, *args: Any) -> None:
        heard.append(signal)

    return heard
