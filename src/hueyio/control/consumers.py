"""Who runs tasks: the consumers of a queue, as each of them told the storage."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hueyio.storage.records import Owner

__all__ = ["BlockInfo", "ConsumerInfo", "RunningInfo", "read_consumers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockInfo:
    """A time for which a consumer's loop was blocked."""

    by: str
    """By what: a task with its id, or another callback."""
    seconds: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningInfo:
    """A task that runs, and since when, to the second."""

    id: str
    name: str
    since: datetime


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
    used: Mapping[str, int] = field(default_factory=dict)
    """How many slots of each kind have a task that runs. This and what follows is 5 s old at most."""
    stopping: bool = False
    memory: int | None = None
    """Of its process, in bytes, to within 4 MB; None: it does not say."""
    lag: float | None = None
    """How late its loop answered the last time, in seconds; 0.0 below 0.05."""
    blocks: int = 0
    """How often its loop was found blocked."""
    last_block: BlockInfo | None = None
    longest: Sequence[RunningInfo] = ()
    """What has run for more than a second: the 200 that have run longest, these first."""

    @property
    def is_silent(self) -> bool:
        """Whether it has missed two heartbeats: it is away, or hangs, and is soon given up."""
        return self.silence > self.lease * 2 / 3


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
            used={str(lane): int(count) for lane, count in info.get("used", {}).items()},
            stopping=bool(info.get("stopping", False)),
            memory=None if info.get("memory") is None else int(info["memory"]) * 2**20,
            lag=None if info.get("lag") is None else float(info["lag"]),
            blocks=int(info.get("blocks", 0)),
            last_block=None if info.get("block") is None else _read_block(*info["block"]),
            longest=[_read_running(*it) for it in info.get("longest", ())],
        )
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, OSError):
        return None


def _read_block(by: object, seconds: float, at: float) -> BlockInfo:
    return BlockInfo(by=str(by), seconds=float(seconds), at=datetime.fromtimestamp(at, UTC))


def _read_running(id: object, name: object, since: float) -> RunningInfo:
    return RunningInfo(id=str(id), name=str(name), since=datetime.fromtimestamp(since, UTC))
