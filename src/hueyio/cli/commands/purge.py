"""``hueyio purge``."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

import click

from hueyio.cli.failures import NothingFound
from hueyio.cli.options import YES, command
from hueyio.cli.text import counted
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.storage.records import Clearable, Counts

__all__ = ["purge"]

_What: TypeAlias = Literal["ready", "scheduled", "dead", "results"]

_AREAS: Final[dict[_What, Clearable]] = {
    "ready": "queue",
    "scheduled": "schedule",
    "dead": "dead",
    "results": "results",
}


@command(
    ["purge ready -a app:huey", "purge scheduled --file app.db --yes"],
    click.argument("what", type=click.Choice(get_args(_What)), metavar="ready|scheduled|dead|results"),
    YES,
)
def purge(asked: Asked, what: _What) -> int:
    """Delete all tasks that are ready, scheduled or dead, or all results, for good.

    What a worker has is left alone. Who waits for a task that is deleted gets TaskCancelled. To end tasks one by one
    or by their names there is `hueyio cancel`, and `hueyio dead purge`.
    """
    return visit(asked, lambda at: _purge(at, what))


async def _purge(at: Visit, what: _What) -> int:
    count = _count(await at.session.counts(), what)
    noun = "result" if what == "results" else "dead letter" if what == "dead" else f"{what} task"
    if not count:
        raise NothingFound(f"there are no {noun}s in {at.where}")
    at.confirm(f"Delete {counted(count, noun)} of {at.where} for good?", count)
    at.take_long()
    await at.session.clear([_AREAS[what]])
    deleted = max(count - _count(await at.session.counts(), what), 0)
    at.output.done(f"Deleted {counted(deleted, noun)}.", queue=at.huey.name, purged=what, deleted=deleted)
    return 0


def _count(counts: Counts, what: _What) -> int:
    match what:
        case "ready":
            return sum(counts.queued.values()) + counts.suspects
        case "scheduled":
            return counts.scheduled
        case "dead":
            return counts.dead
        case "results":
            return counts.results
