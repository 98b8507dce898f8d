"""Lists of tasks by their states, a page at a time, in bounded steps of the storage.

A page comes from one or more sources: what the storage lists, one after another. Where a filter leaves out much, the
search is cut after ``PATIENCE`` seconds, and the page says where to go on.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Final, Literal, NamedTuple, TypeAlias, assert_never

from hueyio.control.task_info import TaskInfo, info_of_letter, info_of_listed
from hueyio.control.wish import Wish
from hueyio.control.workers import NO_WORKERS, Workers, read_workers
from hueyio.exceptions import HueyException
from hueyio.storage.contract import Session
from hueyio.storage.records import LISTED_AT_ONCE, Cursor
from hueyio.storage.shared.places import read_place, write_place
from hueyio.tasks.states import ENDED_STATES, TaskState

__all__ = ["COUNTED", "PATIENCE", "TaskPage", "list_tasks"]

COUNTED: Final = 10_000
"""How far a count goes that need not be exact."""

PATIENCE: Final = 0.04
"""Seconds after which no further step of a search is begun."""

Source: TypeAlias = Literal["running", "ready", "scheduled", "waiting", "letters"]

_SOURCES: Final[dict[Source, frozenset[TaskState]]] = {
    "running": frozenset({"running"}),
    "ready": frozenset({"ready", "retrying"}),
    "scheduled": frozenset({"scheduled", "retrying"}),
    "waiting": frozenset({"waiting"}),
    "letters": frozenset(ENDED_STATES),
}
"""In which order they come, and what stands in each. A further list is a line here, and a case in ``_read``."""


class TaskPage(NamedTuple):
    """A part of a list of tasks. ``next`` is the ``after`` of the following part; None: nothing was left out."""

    tasks: list[TaskInfo]
    next: str | None = None

    @property
    def complete(self) -> bool:
        """Whether there is nothing behind it. If not, the limit was reached, or the search was cut."""
        return self.next is None


class _Place(NamedTuple):
    """A source, and where in it; None: from its beginning."""

    source: Source
    inside: str | None = None

    def __str__(self) -> str:
        return f"{self.source}:{self.inside or ''}"


class _Row(NamedTuple):
    task: TaskInfo
    place: str


class _Step(NamedTuple):
    """What one step of the storage gave: a part of a source, and where that goes on."""

    rows: list[_Row]
    next: str | None


async def list_tasks(
    session: Session,
    wish: Wish,
    limit: int,
    after: str | None = None,
    *,
    clock: Callable[[], float] = perf_counter,
    patience: float = PATIENCE,
) -> TaskPage:
    """List the tasks that are wished for behind the place ``after``; raises HueyException if that is none.

    Takes at least one step, so that whoever goes on comes to the end.
    """
    sources: list[Source] = [source for source, states in _SOURCES.items() if states & wish.states]
    at: _Place | None = _Place(sources[0]) if after is None else _read_after(after, sources)
    workers = read_workers(await session.owners()) if "running" in sources else NO_WORKERS
    found: list[TaskInfo] = []
    size = LISTED_AT_ONCE if wish.is_filtered else limit
    until = clock() + patience
    while at is not None and (len(found) < limit or at.inside is None):
        room = limit - len(found)
        step = await _read(session, at, wish, size, workers)
        size = LISTED_AT_ONCE  # what was looked at is not what was looked for
        fitting = [row for row in step.rows if _is_meant(row.task, at.source, wish)]
        found += [row.task for row in fitting[:room]]
        at = _behind(at, step, fitting, room, sources)
        if (fitting and not room) or clock() >= until:
            break
    return TaskPage(found, None if at is None else str(at))


def _behind(at: _Place, step: _Step, fitting: list[_Row], room: int, sources: list[Source]) -> _Place | None:
    """Return where to go on when ``room`` of the fitting rows were taken."""
    if len(fitting) > room:
        return _Place(at.source, fitting[room - 1].place) if room else at
    if step.next is not None:
        return _Place(at.source, step.next)
    following = sources[sources.index(at.source) + 1 :]
    return _Place(following[0]) if following else None


def _is_meant(task: TaskInfo, source: Source, wish: Wish) -> bool:
    """Say whether a row is listed. A damaged one has no state of its own: it stands where it would have one."""
    is_damaged = task.state == "unreadable" and source != "letters"
    return (is_damaged or task.state in wish.states) and wish.fits(task)


async def _read(session: Session, at: _Place, wish: Wish, limit: int, workers: Workers) -> _Step:
    match at.source:
        case "running" | "ready" | "scheduled" | "waiting":
            part = await session.page(at.source, limit, at.inside)
            rows = [_Row(info_of_listed(it, workers), it.place) for it in part.items if wish.may_fit(it)]
            return _Step(rows, part.next)
        case "letters":
            page = await session.failed(limit, _read_cursor(at.inside), wish.wanted)
            rows = [_Row(info_of_letter(it), write_place(it.buried_at, it.header.id)) for it in page.items]
            return _Step(rows, None if page.next is None else write_place(*page.next))
        case _:
            assert_never(at.source)


def _read_after(after: str, sources: list[Source]) -> _Place:
    name, _, inside = after.partition(":")
    for source in sources:
        if source == name:
            return _Place(source, inside or None)
    raise HueyException(f"{after!r} is no place in this list: `after` is the `next` of the page before")


def _read_cursor(inside: str | None) -> Cursor | None:
    if inside is None:
        return None
    buried_at, id = read_place(inside, float, str)
    return buried_at, id
