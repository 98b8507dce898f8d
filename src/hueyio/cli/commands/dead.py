"""``hueyio dead``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click

from hueyio.cli.commands.ls import list_tasks
from hueyio.cli.failures import EXIT_NOTHING, NothingFound
from hueyio.cli.options import FULL, NAME, YES, command, ids_from, limit
from hueyio.cli.seen import Filter, find_ids, look
from hueyio.cli.text import counted
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.control.failed_tasks import requeue_by_id
from hueyio.core import core_of

__all__ = ["dead"]

_MOST: Final = 10_000

_ERROR: Final = click.option("--error", metavar="TEXT", help="only those whose reason has this text")
_ALL: Final = click.option("--all", "everything", is_flag=True, help="all dead letters, or all that fit the filter")
_IDS: Final = click.argument("ids", nargs=-1, metavar="[ID]...")


@command(["dead list -a app:huey", "dead list --file app.db --error signature"], NAME, _ERROR, limit(50), FULL)
def list_(asked: Asked, name: str | None, error: str | None, limit: int) -> int:
    """List the dead letters, the latest first: what `hueyio ls dead` does."""
    return visit(asked, lambda at: list_tasks(at, "dead", limit, Filter(name, error)))


@command(
    ["dead requeue 0c1d2f7be813 -a app:huey", "dead requeue --all --name 'shop.loyalty.*' --file app.db"],
    _IDS,
    _ALL,
    NAME,
    _ERROR,
    YES,
)
def requeue(asked: Asked, ids: Sequence[str], everything: bool, name: str | None, error: str | None) -> int:
    """Put dead letters back to the queue, as new.

    Name them by their ids (`-` reads ids from standard input), or say --all, with a filter or without.
    """
    which = _which(ids, everything, Filter(name, error))
    return visit(asked, lambda at: _requeue(at, ids, which))


@command(
    ["dead purge 0c1d2f7be813 -a app:huey", "dead purge --all --error 'signature' --file app.db"],
    _IDS,
    _ALL,
    NAME,
    _ERROR,
    YES,
)
def purge(asked: Asked, ids: Sequence[str], everything: bool, name: str | None, error: str | None) -> int:
    """Delete dead letters for good.

    Name them by their ids (`-` reads ids from standard input), or say --all, with a filter or without.
    """
    which = _which(ids, everything, Filter(name, error))
    return visit(asked, lambda at: _purge(at, ids, which))


def _which(ids: Sequence[str], everything: bool, which: Filter) -> Filter:
    if bool(ids) == everything:
        raise click.UsageError("name dead letters by their ids, or say --all")
    if which.is_given and ids:
        raise click.UsageError("--name and --error go with --all, not with ids")
    return which


async def _requeue(at: Visit, parts: Sequence[str], which: Filter) -> int:
    ids, missing = await _meant(at, parts, which)
    if not parts:
        at.confirm(f"Put {counted(len(ids), 'dead letter')} of {at.where} back? What is put back is ready at once.")
    at.take_long()
    answers = list((await requeue_by_id(core_of(at.huey), at.session, ids)).values())
    late = answers.count("late")
    done = answers.count("added") + late
    refused = len(ids) - done
    text = f"Put back {counted(done, 'task')}."
    text += f" {late} of them for themselves alone: the chord that had them as members is over." if late else ""
    text += f" {refused} not: gone meanwhile, or a task of their id or unique key is alive." if refused else ""
    facts = {"requeued": done, "late": late, "refused": refused, "unknown": list(missing)}
    at.output.done(text, queue=at.huey.name, **facts)
    return EXIT_NOTHING if refused or missing else 0


async def _purge(at: Visit, parts: Sequence[str], which: Filter) -> int:
    ids, missing = await _meant(at, parts, which)
    at.confirm(f"Delete {counted(len(ids), 'dead letter')} of {at.where} for good?", len(ids))
    at.take_long()
    done = await at.session.purge(ids)
    at.output.done(f"Deleted {counted(done, 'dead letter')}.", queue=at.huey.name, deleted=done, unknown=list(missing))
    return EXIT_NOTHING if done < len(ids) or missing else 0


async def _meant(at: Visit, parts: Sequence[str], which: Filter) -> tuple[list[str], dict[str, str]]:
    """Return the ids of the dead letters that are meant: those that there are now, however long the user thinks."""
    if not parts:
        sight = await look(at.session, "dead", _MOST, which)
        if not sight.tasks:
            raise NothingFound(f"no dead letter{' that fits' if which.is_given else ''} in {at.where}")
        return [task.id for task in sight.tasks], {}
    ids, missing = await find_ids(at.session, ids_from(parts))
    for reason in missing.values():
        at.output.say(reason)
    return ids, missing


dead = click.Group("dead", commands=[list_, requeue, purge], help="List, requeue or purge the dead letters.")
