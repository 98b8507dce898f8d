"""A pause of a queue: whose it is, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from hueyio.control.audit import check_actor, record, this_user
from hueyio.storage.contract import Session
from hueyio.storage.records import Pause

__all__ = ["PauseInfo", "pause_queue", "read_pause", "resume_queue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseInfo:
    """Who paused a queue, and when; neither is known of a pause by hueyio 0.1."""

    by: str | None = None
    at: datetime | None = None
    """By the storage's clock."""


def read_pause(pause: Pause | None) -> PauseInfo | None:
    """Read what the storage says; None: it is not paused."""
    if pause is None:
        return None
    return PauseInfo(by=pause.by or None, at=None if pause.at is None else datetime.fromtimestamp(pause.at, UTC))


async def pause_queue(session: Session, actor: str | None) -> None:
    """Let no consumer start another task. Who does it without saying so is the user of this process."""
    by = this_user() if actor is None else check_actor(actor)
    await session.pause(by)
    if actor is not None:
        await record(session, by, "pause")


async def resume_queue(session: Session, actor: str | None) -> None:
    """Let consumers go on."""
    by = None if actor is None else check_actor(actor)
    await session.resume()
    if by is not None:
        await record(session, by, "resume")
