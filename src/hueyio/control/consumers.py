"""Who runs tasks: the consumers of a queue, as each of them told the storage."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hueyio.storage.records import Owner

__all__ = ["ConsumerInfo", "read_consumers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerInfo:
    """One consumer with a live lease."""

    id: str
    host: str
    pid: int
    started: datetime
    """By the clock of its host."""
    slots: Mapping[str, int]
    """How many tasks of each kind it runs at the same time: ``loop``, ``thread``, ``process``."""
    running: int
    """Tasks under its lease, those included that it has fetched and not begun."""
    silence: float
    """Seconds since its last heartbeat, on the storage's clock."""
    lease: float
    """Seconds of silence after which the others give it up; it beats three times as often."""
    version: str | None = None
    """Of its hueyio; None: one before 0.2.0, which does not say it."""
    ahead: float | None = None
    """Seconds that the clock of its host was ahead of the storage's when it started; None: it does not say."""
    periodic: bool = True
    """Whether it enqueues periodic tasks and schedules."""


def read_consumers(owners: Sequence[Owner]) -> list[ConsumerInfo]:
    """Read the consumers among the owners; others hold tasks only for a moment, to cancel them."""
    consumers = [_read(owner) for owner in owners]
    return [it for it in consumers if it is not None]


def _read(owner: Owner) -> ConsumerInfo | None:
    try:
        info: dict[str, Any] = json.loads(owner.info)
        return ConsumerInfo(
            id=owner.owner,
            host=str(info["host"]),
            pid=int(info["pid"]),
            started=datetime.fromtimestamp(info["started"], UTC),
            slots={str(lane): int(size) for lane, size in info["slots"].items()},
            running=owner.held,
            silence=owner.silence,
            lease=float(info["lease"]),
            version=None if info.get("version") is None else str(info["version"]),
            ahead=None if info.get("ahead") is None else float(info["ahead"]),
            periodic=bool(info.get("periodic", True)),
        )
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, OSError):
        return None
