"""What a worker process knows of itself, for its probes, metrics and logs: read from any thread, without I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hueyio.app import Huey
from hueyio.consumer import Consumer

__all__ = ["Status"]

_STILL: Final = 10.0
"""Seconds after which a loop that does not answer is no longer called alive."""


@dataclass(frozen=True, slots=True)
class Status:
    """The consumers of one process, each with its app, and their loop."""

    loop: asyncio.AbstractEventLoop
    consumers: Sequence[tuple[Huey, Consumer]]

    def is_live(self) -> tuple[bool, str]:
        """Say whether the loop moves, and why not."""
        silent = max((consumer.statistics().silent_for for _, consumer in self.consumers), default=0.0)
        if silent > _STILL:
            return False, f"the loop has been blocked for {silent:.0f} s"
        return True, "the loop moves"

    def is_ready(self) -> tuple[bool, str]:
        """Say whether this process takes tasks, and why not."""
        for huey, consumer in self.consumers:
            now = consumer.statistics()
            if now.state != "consuming":
                return False, f"{huey.name}: {now.state}"
            if not now.storage_reachable:
                return False, f"{huey.name}: its storage cannot be reached"
        return self.is_live()

    def finished(self) -> int:
        """Return how many runs of tasks have ended in this process."""
        return sum(consumer.statistics().finished for _, consumer in self.consumers)
