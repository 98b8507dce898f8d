"""What a consumer tells of itself while it lives: how busy it is, how it is, and what has run longest.

The numbers are coarse, so that an idle consumer says the same again and again, which is written once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from hueyio.consumer.memory import memory_in_use
from hueyio.consumer.statistics import RunningTask
from hueyio.consumer.watchdog import Block

__all__ = ["describe_presence"]

_MOST_NAMED: Final = 200
"""Tasks that are named; 100 bytes each."""
_LONG: Final = 1.0
"""Seconds after which a task is named."""
_SMALL_LAG: Final = 0.05
_MEMORY_STEP: Final = 8
"""Megabytes."""


def describe_presence(
    running: Sequence[RunningTask], *, now: float, stopping: bool, lag: float, blocks: int, block: Block | None
) -> dict[str, Any]:
    """Return it. ``running`` are all tasks that run, the longest first; ``now`` is epoch seconds."""
    return {
        "used": dict(Counter(task.lane for task in running)),
        "memory": round(memory_in_use() / _MEMORY_STEP) * _MEMORY_STEP,
        "lag": round(lag, 1) if lag >= _SMALL_LAG else 0.0,
        "blocks": blocks,
        "block": None if block is None else [block.by, round(block.seconds, 1), round(now - block.ago)],
        "stopping": stopping,
        "longest": [
            [task.id, task.name, round(now - task.seconds)] for task in running[:_MOST_NAMED] if task.seconds >= _LONG
        ],
    }
