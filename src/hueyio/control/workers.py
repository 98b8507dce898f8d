"""What consumers tell of the tasks that they run: where that is, and since when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from hueyio.control.consumers import read_consumers
from hueyio.storage.records import Owner

__all__ = ["NO_WORKERS", "Workers", "read_workers"]


class Workers(NamedTuple):
    """``names`` are hosts and processes by the ids of consumers, ``since`` when bodies began by the ids of tasks.

    A consumer tells of the tasks that have run longest, every few seconds; of the others nobody knows.
    """

    names: Mapping[str, str]
    since: Mapping[str, datetime]


NO_WORKERS: Final = Workers({}, {})


def read_workers(owners: Sequence[Owner]) -> Workers:
    """Read what owners tell; what is no consumer, or cannot be read, tells nothing."""
    consumers = read_consumers(owners)
    return Workers(
        names={it.id: f"{it.host}:{it.pid}" for it in consumers},
        since={task.id: task.since for it in consumers for task in it.longest},
    )
