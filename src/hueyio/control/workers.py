"""What consumers tell of the tasks that they run: where that is, and since when."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from hueyio.control.consumers import read_consumers
from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import Owner

__all__ = ["NO_WORKERS", "Workers", "read_workers"]

_ID: Final = re.compile(r"(.+)-(\d+)-[0-9a-f]{12,}")
"""That of a consumer: its host, its process, and what makes it unique."""


class Workers(NamedTuple):
    """``names`` are hosts and processes by the ids of consumers, ``since`` when bodies began by the ids of tasks.

    A consumer tells of the tasks that have run longest, every few seconds; of the others nobody knows.
    """

    names: Mapping[str, str]
    since: Mapping[str, datetime]

    def name_of(self, owner: str) -> str:
        """Return the host and the process of a consumer, also of one that is gone; else the id."""
        known = self.names.get(owner)
        if known is not None:
            return known
        parts = _ID.fullmatch(owner)
        return owner if parts is None else f"{parts[1]}:{parts[2]}"


NO_WORKERS: Final = Workers({}, {})


def read_workers(owners: Sequence[Owner]) -> Workers:
    """Read what owners tell; what is no consumer, or cannot be read, tells nothing."""
    consumers = read_consumers(owners)
    return Workers(
        names={it.id: f"{it.host}:{it.pid}" for it in consumers},
        since={task.id: task.since for it in consumers for task in it.longest},
    )
