"""Lists of tasks by their states, a page at a time, in bounded steps of the storage.

A page comes from one or more sources: what the storage lists, one after another. Where a filter leaves out much, the
search is cut after ``PATIENCE`` seconds, and the page says where to go on.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, Final, Literal, TypeAlias, assert_never

from hueyio.control.ended_tasks import Row, Step, read_ended, read_letters
from hueyio.control.task_info import TaskInfo, info_of_listed
from hueyio.control.wish import Wish
from hueyio.control.workers import NO_WORKERS, Workers, read_workers
from hueyio.exceptions import HueyException
from hueyio.named_tuple import NamedTuple
from hueyio.storage.contract import Session
from hueyio.storage.records import LISTED_AT_ONCE
from hueyio.tasks.states import KEPT_STATES, TaskState

__all__ = ["PATIENCE", "TaskPage", "checked_page_size", "list_tasks"]

PATIENCE: Final = 0.04
"""Seconds after which no further step of a search is begun."""

Source: TypeAlias = Literal["running", "ready", "scheduled", "waiting", "letters", "ended"]

_SOURCES: Final[dict[Source, frozenset[TaskState]]] = {
    "running": frozenset({"running"}),
    "ready": frozenset({"ready", "retrying"}),
    "scheduled": frozenset({"scheduled", "retrying"}),
    "waiting": frozenset({"waiting"}),
    "letters": frozenset(KEPT_STATES),
    "ended": frozenset({"done"}),
}
"""In which order they come, and what stands in each. A further list is a line here, and a case in ``_read``.

``ended`` has the letters too, merged with the history, and so takes their place.
"""


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
    sources = _sources_of(wish)
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


def _sources_of(wish: Wish) -> list[Source]:
    """Return the lists to go through. Which worker ended a task stands in the history only."""
    wanted: list[Source] = [source for source, states in _SOURCES.items() if states & wish.states]
    if "done" not in wish.states and wish.worker is None:
        return wanted
    return list(dict.fromkeys("ended" if it == "letters" else it for it in wanted))


def _behind(at: _Place, step: Step, fitting: list[Row], room: int, sources: list[Source]) -> _Place | None:
    """Return where to go on when ``room`` of the fitting rows were taken."""
    if len(fitting) > room:
        return _Place(at.source, fitting[room - 1].place) if room else at
    if step.next is not None:
        return _Place(at.source, step.next)
    following = sources[sources.index(at.source) + 1 :]
    return _Place(following[0]) if following else None


def _is_meant(task: TaskInfo, source: Source, wish: Wish) -> bool:
    """Say whether a row is listed. A damaged one has no state of its own: it stands where it would have one."""
    is_damaged = task.state == "unreadable" and source not in ("letters", "ended")
    return (is_damaged or task.state in wish.states) and wish.fits(task)


async def _read(session: Session, at: _Place, wish: Wish, limit: int, workers: Workers) -> Step:
    match at.source:
        case "running" | "ready" | "scheduled" | "waiting":
            part = await session.page(at.source, limit, at.inside)
            rows = [Row(info_of_listed(it, workers), it.place) for it in part.items if wish.may_fit(it)]
            return Step(rows, part.next)
        case "letters":
            return await read_letters(session, wish, limit, at.inside)
        case "ended":
            return await read_ended(session, wish, limit, at.inside)
        case _:
            assert_never(at.source)


def _read_after(after: str, sources: list[Source]) -> _Place:
    name, _, inside = after.partition(":") if isinstance(after, str) else ("", "", "")
    for source in sources:
        if source == name:
            return _Place(source, inside or None)
    raise HueyException(f"{after!r} is no place in this list: `after` is the `next` of the page before")


def checked_page_size(limit: Any) -> int:
    """Return how many tasks a page has; raises HueyException."""
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise HueyException(f"limit must be a whole number of at least 1, not {limit!r}")
    return limit
