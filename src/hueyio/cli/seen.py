"""Tasks as a command sees them: lists with a filter, and the task that an id or a part of it means.

What is listed, and how, is that of ``control/listing.py``, as for ``Huey.tasks`` and ``Inspector``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Final, Literal, TypeAlias

from hueyio.cli.failures import NothingFound
from hueyio.control.history import recall
from hueyio.control.listing import list_tasks
from hueyio.control.task_info import TaskInfo
from hueyio.control.wish import LISTS, Wish, make_wish
from hueyio.named_tuple import NamedTuple
from hueyio.storage.contract import Session
from hueyio.storage.records import Found
from hueyio.tasks.states import ENDED_STATES, LIVE_STATES, ListName, TaskState

__all__ = ["SEARCH", "STATES", "Filter", "Seen", "SeenState", "Sight", "find_id", "find_ids", "look"]

Seen: TypeAlias = TaskInfo

SeenState: TypeAlias = ListName | Literal["dead"]
"""``dead`` are all that could not be run."""

STATES: Final[tuple[SeenState, ...]] = (*LISTS, "dead")
"""What can be listed."""

_DEAD: Final[tuple[TaskState, ...]] = ("lost", "undeclared", "unreadable")
_FAILED: Final[tuple[TaskState, ...]] = ("failed", "expired", "cancelled")

SEARCH: Final = 1.0
"""Seconds after which a search through a list is cut."""

_SEARCHED: Final = 1000
"""How many tasks of a list are looked at for a part of an id."""

_LEAST_PART: Final = 4
"""Characters of an id that can stand for all of it."""


class Sight(NamedTuple):
    """What a look found; ``next`` is where to go on, if there may be more."""

    tasks: list[TaskInfo]
    next: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether there is no more that was not looked at."""
        return self.next is None


class Filter(NamedTuple):
    """Which tasks are meant: see ``make_wish``. ``since`` and ``until`` are in epoch seconds."""

    name: str | None = None
    error: str | None = None
    text: str | None = None
    worker: str | None = None
    since: float | None = None
    until: float | None = None

    def wish(self, states: Sequence[ListName]) -> Wish:
        """Return what this and the states wish for."""
        wish = make_wish(states, self.name, self.text, error=self.error, worker=self.worker)
        return wish._replace(wanted=wish.wanted._replace(since=self.since, until=self.until))

    @property
    def is_given(self) -> bool:
        """Whether it leaves anything out."""
        return self != NO_FILTER


NO_FILTER: Final = Filter()


async def look(
    session: Session,
    state: SeenState,
    limit: int,
    which: Filter = NO_FILTER,
    after: str | None = None,
    *,
    search: float = SEARCH,
    clock: Callable[[], float] = perf_counter,
) -> Sight:
    """List at most ``limit`` tasks of a state, in the order in which they come up.

    The search for what fits is cut after ``search`` seconds.
    """
    wish = which.wish(_DEAD if state == "dead" else (state,))
    tasks: list[TaskInfo] = []
    until = clock() + search
    while True:
        page = await list_tasks(session, wish, limit - len(tasks), after)
        tasks += page.tasks
        after = page.next
        if after is None or len(tasks) >= limit or clock() >= until:
            return Sight(tasks, after)


async def find_id(session: Session, part: str) -> Found:
    """Find a task by its id or a part at either end of it; raises NothingFound, which names those that have the part.

    A part is looked for in the first 1,000 tasks of each list.
    """
    found = await _find(session, part)
    if found.state != "unknown" or len(part) < _LEAST_PART:
        return _known(found)
    # Retrying ones are looked for among the ready and the scheduled.
    lists: list[tuple[TaskState, ...]] = [(it,) for it in LIVE_STATES if it != "retrying"]
    ids = [id for states in (*lists, _FAILED, _DEAD, ENDED_STATES) for id in await _list_ids(session, states)]
    fitting = list(dict.fromkeys(id for id in ids if id.startswith(part) or id.endswith(part)))
    if len(fitting) > 1:
        raise NothingFound(f"{part} is a part of {len(fitting)} ids: {', '.join(fitting[:5])}")
    return _known(await _find(session, fitting[0]) if fitting else found)


async def _find(session: Session, id: str) -> Found:
    (found,) = await session.locate([id])
    return await recall(session, found)


async def _list_ids(session: Session, states: Sequence[TaskState]) -> list[str]:
    also: tuple[TaskState, ...] = ("retrying",) if states[0] in ("ready", "scheduled") else ()
    page = await list_tasks(session, NO_FILTER.wish((*states, *also)), _SEARCHED)
    return [task.id for task in page.tasks]


async def find_ids(session: Session, parts: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the ids that are meant by these, and for each that is not found the reason."""
    ids: list[str] = []
    missing: dict[str, str] = {}
    for part, found in zip(parts, await session.locate(parts), strict=True):
        try:
            ids.append(found.id if found.state != "unknown" else (await find_id(session, part)).id)
        except NothingFound as error:
            missing[part] = str(error)
    return ids, missing


def _known(found: Found) -> Found:
    if found.state == "unknown":
        raise NothingFound(f"nothing is known of a task {found.id}")
    return found
