"""``hueyio purge``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias, cast, get_args

import click

from hueyio.cli.bulk import in_steps
from hueyio.cli.failures import EXIT_INTERRUPTED, EXIT_NOTHING, NothingFound
from hueyio.cli.letters import KINDS, Letter, LetterFilter, find_parts, kinds_of, letters_of, say_what
from hueyio.cli.options import AS, DRY_RUN, NAME, SINCE, UNTIL, YES, command, ids_from
from hueyio.cli.text import counted
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.control.audit import name_some
from hueyio.storage.records import Burial, Clearable, Counts

__all__ = ["purge"]

_Area: TypeAlias = Literal["ready", "scheduled", "results"]

_AREAS: Final[dict[_Area, Clearable]] = {"ready": "queue", "scheduled": "schedule", "results": "results"}
_STORES: Final[tuple[Burial, ...]] = ("failed", "dead")


@command(
    ["purge failed --name 'shop.mail.*' -a app:huey", "purge scheduled --file app.db --yes"],
    click.argument("what", nargs=-1, required=True, metavar="ID...|STATE..."),
    NAME,
    click.option("--error", metavar="TEXT", help="only those whose error has this text"),
    SINCE,
    UNTIL,
    DRY_RUN,
    YES,
    AS,
)
def purge(
    asked: Asked,
    what: Sequence[str],
    name: str | None,
    error: str | None,
    since: datetime | timedelta | None,
    until: datetime | timedelta | None,
    dry_run: bool,
) -> int:
    """Delete failed tasks, dead letters, waiting tasks or results, for good.

    Failed tasks and dead letters by their ids (`-` reads ids from standard input), or by their states: failed,
    expired, cancelled, lost, undeclared, unreadable, or dead for the last three; with a filter or without, as they are
    at the moment of the question. All tasks that are ready or scheduled, or all results: then there is no filter. What
    a worker has is left alone; who waits for a task that is deleted gets TaskCancelled. To end waiting tasks one by one
    or by their names there is `hueyio cancel`.
    """
    kinds = kinds_of(what)
    which = LetterFilter(kinds=kinds, name=name, error=error, since=since, until=until)
    is_filtered = which != LetterFilter(kinds=kinds)
    if all(word in KINDS for word in what):
        return visit(asked, lambda at: _purge_all(at, which, " or ".join(what), dry_run))
    if is_filtered:
        raise click.UsageError(f"--name, --error, --since and --until go with {', '.join(KINDS)} alone")
    if what[0] in _AREAS and len(what) == 1:
        return visit(asked, lambda at: _clear(at, cast("_Area", what[0]), dry_run))
    if any(word in KINDS or word in get_args(_Area) for word in what):
        raise click.UsageError("name ids, or states; ready, scheduled and results are purged one at a time")
    return visit(asked, lambda at: _purge_ids(at, ids_from(what), dry_run))


async def _purge_all(at: Visit, which: LetterFilter, noun: str, dry_run: bool) -> int:
    letters = await letters_of(at, which)
    if not letters:
        raise NothingFound(f"there is no {noun} task in {at.where}")
    say_what(at, letters)
    return await _purge(at, letters, which.describe(at.output.now), f"{noun} task", dry_run, {})


async def _purge_ids(at: Visit, words: Sequence[str], dry_run: bool) -> int:
    ids, missing = await find_parts(at.session, words)
    for reason in missing.values():
        at.output.say(reason)
    # An id has one letter, in one of the two stores.
    letters = [Letter(id, None, store) for id in ids for store in _STORES]
    return await _purge(at, letters, name_some(ids), "task", dry_run, missing, len(ids))


async def _purge(
    at: Visit,
    letters: Sequence[Letter],
    target: str,
    noun: str,
    dry_run: bool,
    missing: Mapping[str, str],
    count: int | None = None,
) -> int:
    meant = len(letters) if count is None else count
    if dry_run:
        at.output.done(f"{counted(meant, noun)} would be deleted.", queue=at.huey.name, would=meant)
        return EXIT_NOTHING if missing else 0
    if meant:
        at.confirm(f"Delete {counted(meant, noun)} of {at.where} for good?", meant)
    deleted = 0

    async def delete(some: Sequence[Letter]) -> None:
        nonlocal deleted
        for store in _STORES:
            ids = [it.id for it in some if it.store == store]
            until = None if some[0].buried_at is None else at.now
            deleted += await at.session.purge(ids, store, until)

    is_whole = await in_steps(at, "Deleting", letters, delete)
    if letters:
        await at.note("purge", target, deleted)
    text = f"{'' if is_whole else 'Interrupted. '}Deleted {counted(deleted, noun)}."
    at.output.done(text, queue=at.huey.name, deleted=deleted, unknown=list(missing), complete=is_whole)
    if not is_whole:
        return EXIT_INTERRUPTED
    return EXIT_NOTHING if missing or deleted < meant else 0


async def _clear(at: Visit, what: _Area, dry_run: bool) -> int:
    count = _count(await at.session.counts(), what)
    noun = "result" if what == "results" else f"{what} task"
    if not count:
        raise NothingFound(f"there are no {noun}s in {at.where}")
    if dry_run:
        at.output.done(f"{counted(count, noun)} would be deleted.", queue=at.huey.name, would=count)
        return 0
    at.confirm(f"Delete {counted(count, noun)} of {at.where} for good?", count)
    at.take_long()
    await at.session.clear([_AREAS[what]])
    deleted = max(count - _count(await at.session.counts(), what), 0)
    await at.note("purge", what, deleted)
    at.output.done(f"Deleted {counted(deleted, noun)}.", queue=at.huey.name, purged=what, deleted=deleted)
    return 0


def _count(counts: Counts, what: _Area) -> int:
    match what:
        case "ready":
            return sum(counts.queued.values()) + counts.suspects
        case "scheduled":
            return counts.scheduled
        case "results":
            return counts.results
