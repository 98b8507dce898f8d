"""Which locks and semaphores are held, by whom, and how one is freed whoever holds it: for commands and pages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hueyio.control.listing import list_tasks
from hueyio.control.task_info import TaskInfo
from hueyio.control.wish import make_wish
from hueyio.storage.contract import Session
from hueyio.storage.shared import permits

__all__ = ["Held", "find_held", "free_held", "held_under"]

_KINDS: Final = ("lock", "semaphore")
_SCANNED: Final = 1000
_PATIENCE: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A lock or a semaphore that somebody holds."""

    kind: str
    name: str
    holders: Sequence[str]
    """Ids of tasks; else tokens of programs that took it outside of a worker."""
    tasks: Sequence[TaskInfo]
    """The holders that run in this queue now."""


async def find_held(session: Session, most: int) -> list[Held]:
    """List what is held, by name; looks at so many keys."""
    rows, now = await asyncio.gather(session.scan_keys("locks", most), session.time())
    holders = await _holders_in(session, rows, now)
    if not any(holders.values()):
        return []
    page = await list_tasks(session, make_wish("running", None, None), _SCANNED, patience=_PATIENCE)
    running = {task.id: task for task in page.tasks}
    found = [_held(key, tokens, [running[it] for it in tokens if it in running]) for key, tokens in holders.items()]
    return sorted((it for it in found if it.holders), key=lambda it: (it.name, it.kind))


async def held_under(session: Session, name: str) -> dict[str, list[str]]:
    """Say who holds the lock and the semaphore of a name, by their keys; what nobody holds is left out."""
    holders = await _holders(session, [f"{kind}:{name}" for kind in _KINDS])
    return {key: tokens for key, tokens in holders.items() if tokens}


async def free_held(session: Session, name: str) -> dict[str, list[str]]:
    """Free the lock and the semaphore of a name; return what was held, as ``held_under`` does."""
    held = await held_under(session, name)
    if held:
        await session.delete("locks", list(held))
    return held


async def _holders_in(session: Session, rows: Sequence[tuple[str, bytes]], now: float) -> dict[str, list[str]]:
    """Say who holds each key, by its value, or, where that says nothing, by the storage, which may be a user's own."""
    read = {key: _read_holders(value, now) for key, value in rows}
    asked = await _holders(session, [key for key, tokens in read.items() if not tokens])
    return {**read, **asked}


def _read_holders(value: bytes, now: float) -> list[str]:
    try:
        return permits.holders(value, now)
    except (TypeError, ValueError):
        return []


async def _holders(session: Session, keys: Sequence[str]) -> dict[str, list[str]]:
    return dict(zip(keys, await asyncio.gather(*(session.holders(key) for key in keys)), strict=True))


def _held(key: str, tokens: list[str], tasks: list[TaskInfo]) -> Held:
    kind, _, name = key.partition(":")
    return Held(kind=kind, name=name, holders=tokens, tasks=tasks)
