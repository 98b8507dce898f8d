"""``hueyio ls``."""

from __future__ import annotations

from typing import Any, Final, get_args

import click

from hueyio.cli.failures import EXIT_NOTHING
from hueyio.cli.options import FULL, NAME, command, limit
from hueyio.cli.seen import Filter, Seen, SeenState, Sight, look
from hueyio.cli.visit import Asked, Visit, visit

__all__ = ["list_tasks", "ls"]

_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "ready": ("id", "name", "lane", "made"),
    "scheduled": ("id", "name", "lane", "due"),
    "running": ("id", "name", "lane", "worker", "delivery", "made"),
    "dead": ("id", "name", "buried", "reason"),
}


@command(
    ["ls ready -a app:huey", "ls dead --url redis://cache:6379/0 --queue shop --name 'shop.mail.*'"],
    click.argument("state", type=click.Choice(get_args(SeenState)), metavar="ready|scheduled|running|dead"),
    NAME,
    click.option("--error", metavar="TEXT", help="only dead ones whose reason has this text"),
    limit(50),
    FULL,
)
def ls(asked: Asked, state: SeenState, name: str | None, error: str | None, limit: int) -> int:
    """List the tasks that are ready, scheduled, running or dead.

    Ready ones come lane by lane in the order in which workers take them, scheduled ones the earliest first, dead
    letters the latest first. Running are those that a worker has, begun or not. A filter looks at the first 1,000
    tasks of the state. What a task carries is not read: `hueyio show` does, if it is asked to.
    """
    return visit(asked, lambda at: list_tasks(at, state, limit, Filter(name, error)))


async def list_tasks(at: Visit, state: SeenState, limit: int, which: Filter) -> int:
    """Print the tasks of a state; return the exit code."""
    sight = await look(at.session, state, limit, which)
    rows = [_row(task) for task in sight.tasks]
    at.output.print_list("tasks", _COLUMNS[state], rows, queue=at.huey.name, complete=sight.is_complete)
    _tell_rest(at, state, sight, which)
    return 0 if rows or not which.is_given else EXIT_NOTHING


def _tell_rest(at: Visit, state: SeenState, sight: Sight, which: Filter) -> None:
    if at.output.as_json:
        return
    if not sight.tasks:
        filtered = " that fits" if which.is_given else ""
        at.output.say(f"no {state} task{filtered} in {at.where}")
    elif not sight.is_complete:
        at.output.say(f"{len(sight.tasks)} shown, there are more: --limit")


def _row(task: Seen) -> dict[str, Any]:
    header = task.header
    row: dict[str, Any] = {
        "id": task.id,
        "name": task.name,
        "state": task.state,
        "lane": header.lane,
        "priority": header.priority,
        "made": task.made,
    }
    match task.state:
        case "scheduled":
            row["due"] = task.due
        case "running":
            row.update(worker=task.worker, delivery=task.deliveries, started=task.started)
        case "dead":
            row.update(buried=task.buried, reason=task.reason)
    return row
