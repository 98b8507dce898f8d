"""``hueyio ls``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from math import inf
from typing import Any, Final

import click

from hueyio.cli.failures import EXIT_NOTHING
from hueyio.cli.moments import before, read_moment
from hueyio.cli.options import FULL, NAME, command, limit
from hueyio.cli.seen import SEARCH, STATES, Filter, Seen, SeenState, Sight, look
from hueyio.cli.text import Id, bounded, span
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.storage.records import COUNTED, Counts
from hueyio.tasks.states import LIVE_STATES

__all__ = ["ENDED_COLUMNS", "list_tasks", "ls", "task_row"]

ENDED_COLUMNS: Final = ("id", "name", "ended", "attempt", "error")
_COLUMNS: Final[Mapping[SeenState, tuple[str, ...]]] = {
    "ready": ("id", "name", "lane", "made"),
    "scheduled": ("id", "name", "lane", "due"),
    "waiting": ("id", "name", "waits for"),
    "running": ("id", "name", "lane", "worker", "since", "delivery", "progress", "made"),
    "retrying": ("id", "name", "lane", "attempt", "due"),
    "done": ("id", "name", "ended", "ran", "attempt", "worker"),
    "ended": ("id", "name", "state", "ended", "ran", "error"),
    "dead": ("id", "name", "state", "ended", "error"),
}
_COUNTS: Final[Mapping[SeenState, Callable[[Counts], int]]] = {
    "ready": lambda counts: sum(counts.queued.values()) + counts.suspects,
    "scheduled": lambda counts: counts.scheduled,
    "running": lambda counts: counts.running,
    "waiting": lambda counts: counts.expected,
    "dead": lambda counts: counts.dead,
}
"""What is counted by states; retrying ones are counted as ready or scheduled."""

_EVERYTHING: Final = 2**62


@command(
    ["ls ready -a app:huey", "ls failed --url redis://cache:6379/0 --queue shop --name 'shop.mail.*' --since 2h"],
    click.argument("state", type=click.Choice(STATES), metavar="STATE"),
    NAME,
    click.option("--error", metavar="TEXT", help="only those whose error has this text, in upper or lower case"),
    click.option("--text", metavar="TEXT", help="only those whose name or error has this text"),
    click.option("--worker", metavar="HOST:PID", help="only what this worker runs, or has ended"),
    click.option("--since", type=read_moment, metavar="MOMENT", help="only what ended then or later: 15m back, or ISO"),
    click.option("--until", type=read_moment, metavar="MOMENT", help="only what ended before, written likewise"),
    limit(50),
    click.option("--after", metavar="PLACE", help="go on behind this place, which the list before has named"),
    click.option("--all", "everything", is_flag=True, help="all of them, however many; no --limit"),
    FULL,
)
def ls(
    asked: Asked,
    state: SeenState,
    name: str | None,
    error: str | None,
    text: str | None,
    worker: str | None,
    since: datetime | timedelta | None,
    until: datetime | timedelta | None,
    limit: int,
    after: str | None,
    everything: bool,
) -> int:
    """List the tasks of a state: those that are alive, those that are kept because they failed, and what else ended.

    STATE is one of ready, scheduled, waiting, running and retrying; or of failed, expired, cancelled, lost, undeclared
    and unreadable, which are kept and can be retried, or dead, which is the last three together; or done, as far as
    the history reaches; or ended, which is all that has ended. Ready ones come lane by lane in the order in which
    workers take them, scheduled ones the earliest first, those that ended the latest first. Running are those that a
    worker has, begun or not. A search for what fits a filter is cut after a second, and says where to go on. What a
    task carries is not read: `hueyio show` does, if it is asked to.
    """
    if state in LIVE_STATES and (since, until) != (None, None):
        raise click.UsageError("--since and --until are about the end of a task, and these have not ended")

    def work(at: Visit) -> Awaitable[int]:
        moments = [before(at.output.now, moment) for moment in (since, until)]
        which = Filter(name, error, text, worker, *moments)
        if everything:
            at.take_long()
        return list_tasks(at, state, _EVERYTHING if everything else limit, which, after)

    return visit(asked, work)


async def list_tasks(at: Visit, state: SeenState, limit: int, which: Filter, after: str | None = None) -> int:
    """Print the tasks of a state; return the exit code."""
    search = inf if limit == _EVERYTHING else SEARCH
    sight = await look(at.session, state, limit, which, after, search=search)
    rows = [task_row(task) for task in sight.tasks]
    more = {"next": sight.next, "complete": sight.is_complete}
    at.output.print_list("tasks", _COLUMNS.get(state, ENDED_COLUMNS), rows, queue=at.huey.name, **more)
    await _tell_rest(at, state, sight, which, limit)
    return 0 if rows or not which.is_given else EXIT_NOTHING


async def _tell_rest(at: Visit, state: SeenState, sight: Sight, which: Filter, limit: int) -> None:
    if at.output.as_json:
        return
    if not sight.is_complete:
        found = f"{len(sight.tasks)} shown"
        if len(sight.tasks) < limit:
            found += ", and the search was cut"
        elif not which.is_given and state in _COUNTS:
            found = f"{len(sight.tasks)} of {_count(await at.session.counts(COUNTED), state)}"
        at.output.say(f"{found}. More: --after {sight.next}")
    elif not sight.tasks:
        filtered = " that fits" if which.is_given else ""
        at.output.say(f"no {state} task{filtered} in {at.where}")


def _count(counts: Counts, state: SeenState) -> str:
    return bounded(_COUNTS[state](counts), COUNTED)


def task_row(task: Seen) -> dict[str, Any]:
    """Return the line of a list that a task has."""
    row: dict[str, Any] = {
        "id": Id(task.id),
        "name": task.name,
        "state": task.state,
        "lane": task.lane,
        "priority": task.priority,
        "made": task.made,
        "attempt": task.attempt,
    }
    if task.due is not None:
        row["due"] = task.due
    if task.waits_for:
        row["waits for"] = [Id(id) for id in task.waits_for]
    if task.ended is not None:
        return {**row, "ended": task.ended, "error": task.error, "ran": span(task.duration), "worker": task.worker}
    if task.worker is not None:
        row.update(worker=task.worker, delivery=task.delivery, started=task.started, since=task.since)
        row["progress"] = _progress(task)
    return row


def _progress(task: Seen) -> str | None:
    return None if task.progress is None else f"{task.progress.fraction:.0%} {task.progress.message}".strip()
