"""What is examined of a queue for a diagnosis: bounded reads of its storage, as commands and pages make them."""

from __future__ import annotations

import time
from collections import Counter
from typing import Final

from hueyio.control.consumers import read_consumers
from hueyio.control.listing import list_tasks
from hueyio.control.pause import read_pause
from hueyio.control.revoke import find_revoked_names
from hueyio.control.task_info import TaskInfo
from hueyio.control.wish import make_wish
from hueyio.core import Core
from hueyio.doctor.diagnosis import Facts, Worker
from hueyio.storage.contract import Examined, Session
from hueyio.storage.records import EndKind, Owner
from hueyio.tasks.states import TaskState

__all__ = ["examine"]

_MOST: Final = 1000
"""How many tasks of a state are looked at."""

_PATIENCE: Final = 1.0
"""Seconds after which the look at a state is cut."""


async def examine(core: Core, session: Session, *, app: str | None = None, most: int | None = None) -> Facts:
    """Find out what there is to know.

    ``app`` is the path of the application, if it is there: its periodic tasks count too. A count above ``most`` is a
    lower bound.
    """
    owners = await session.owners()
    examined = session if isinstance(session, Examined) else None
    stored = [data for _, data in await session.scan_keys("schedules", _MOST) if data]
    declared = [] if app is None else [spec for spec in core.registry if spec.timetable is not None]
    return Facts(
        name=core.name,
        where=str(core.storage),
        now=await session.time(),
        counts=await session.counts(most),
        pause=read_pause(await session.paused()),
        workers=_workers(owners),
        ready=await _look(session, "ready"),
        running=await _look(session, "running"),
        scheduled=await _look(session, "scheduled"),
        dead_kinds=await _dead_kinds(session),
        revoked_names=await find_revoked_names(session, _MOST),
        schedules=len(stored) + len(declared),
        ahead=await _ahead(session),
        dangers=[] if examined is None else await examined.find_dangers(),
        neighbours=[] if examined is None else await examined.find_neighbours(),
        start=f"hueyio worker {app or 'MODULE:ATTRIBUTE'}",
    )


async def _look(session: Session, state: TaskState) -> list[TaskInfo]:
    page = await list_tasks(session, make_wish(state, None, None), _MOST, patience=_PATIENCE)
    return page.tasks


def _workers(owners: list[Owner]) -> list[Worker]:
    told = {owner.owner: owner.info for owner in owners}
    return [Worker(info, told[info.id]) for info in read_consumers(owners)]


async def _dead_kinds(session: Session) -> Counter[EndKind]:
    return Counter(letter.kind or "lost" for letter in await session.dead(_MOST))


async def _ahead(session: Session) -> float:
    """Compare with the middle of the question: the answer takes its time."""
    before = time.time()
    told = await session.time()
    return (before + time.time()) / 2 - told
