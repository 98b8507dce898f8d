"""``hueyio cancel``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import click

from hueyio.cli.bulk import in_steps
from hueyio.cli.failures import EXIT_INTERRUPTED, EXIT_NOTHING, NothingFound
from hueyio.cli.moments import before
from hueyio.cli.options import AS, DRY_RUN, NAME, SINCE, UNTIL, YES, command, ids_from
from hueyio.cli.seen import Filter, Seen, SeenState, find_ids, look
from hueyio.cli.text import counted
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.control.audit import name_some
from hueyio.control.cancel import cancel as cancel_task

__all__ = ["cancel"]

_STATES: Final[dict[str, SeenState]] = {"ready": "ready", "scheduled": "scheduled", "running": "running"}
_MOST: Final = 1000


@command(
    ["cancel 0c1d2f7be813 -a app:huey", "cancel scheduled --name 'shop.mail.*' --url redis://cache:6379/0"],
    click.argument("what", nargs=-1, required=True, metavar="ID...|STATE"),
    NAME,
    click.option("--worker", metavar="HOST:PID", help="only what this worker has; of running ones"),
    SINCE,
    UNTIL,
    DRY_RUN,
    YES,
    AS,
)
def cancel(
    asked: Asked,
    what: Sequence[str],
    name: str | None,
    worker: str | None,
    since: datetime | timedelta | None,
    until: datetime | timedelta | None,
    dry_run: bool,
) -> int:
    """Cancel tasks, wherever they are.

    Either by their ids (`-` reads ids from standard input), or all that are ready, scheduled or running, at most the
    first 1,000 in one go; --since and --until are about when a call was made. Who waits for one gets TaskCancelled. A
    worker is told of one that runs; that is over when its body ends.
    """
    state = _STATES.get(what[0]) if len(what) == 1 else None
    filters = {"name": name, "worker": worker, "since": since, "until": until}
    said = [f"{key} {value}" for key, value in filters.items() if value is not None]
    if state is None and said:
        raise click.UsageError(f"a filter goes with one of {', '.join(_STATES)}, not with ids")
    if worker is not None and state != "running":
        raise click.UsageError("--worker goes with running: what waits is no worker's")
    if state is None:
        ids = ids_from(what)
        return visit(asked, lambda at: _cancel_ids(at, ids, dry_run))

    def fits(task: Seen, now: datetime) -> bool:
        return worker in (None, task.worker) and _is_between(task.made, before(now, since), before(now, until))

    target = "; ".join([state, *said])
    return visit(asked, lambda at: _cancel_all(at, state, Filter(name), fits, target, dry_run))


async def _cancel_all(
    at: Visit, state: SeenState, which: Filter, fits: Callable[[Seen, datetime], bool], target: str, dry_run: bool
) -> int:
    sight = await look(at.session, state, _MOST, which)
    ids = [task.id for task in sight.tasks if fits(task, at.output.now)]
    if not ids:
        raise NothingFound(f"no {state} task to cancel in {at.where}")
    more = "" if sight.is_complete else " (there are more)"
    if not dry_run:
        at.confirm(f"Cancel {counted(len(ids), f'{state} task')}{more} of {at.where}?", len(ids))
    return await _cancel(at, ids, target, dry_run, is_complete=sight.is_complete)


async def _cancel_ids(at: Visit, parts: Sequence[str], dry_run: bool) -> int:
    ids, missing = await find_ids(at.session, parts)
    for reason in missing.values():
        at.output.say(reason)
    return await _cancel(at, ids, name_some(ids), dry_run, missing=list(missing))


async def _cancel(
    at: Visit, ids: Sequence[str], target: str, dry_run: bool, missing: Sequence[str] = (), *, is_complete: bool = True
) -> int:
    answers: dict[str, bool] = {}

    async def cancel_some(some: Sequence[str]) -> None:
        answers.update(zip(some, await asyncio.gather(*(cancel_task(at.core, id) for id in some)), strict=True))

    is_whole = True
    if dry_run:
        answers = dict.fromkeys(ids, True)
    else:
        is_whole = await in_steps(at, "Cancelling", ids, cancel_some)
    cancelled = [id for id, was_alive in answers.items() if was_alive]
    over = [id for id, was_alive in answers.items() if not was_alive]
    if ids and not dry_run:
        await at.note("cancel", target, len(cancelled))
    verb = "would be cancelled" if dry_run else "cancelled"
    parts = [] if is_whole else [f"Interrupted after {len(answers):,} of {len(ids):,}."]
    parts += [f"{counted(len(cancelled), 'task')} {verb}."]
    parts += [f"{len(over)} had ended already."] if over else []
    parts += [f"{len(missing)} not known."] if missing else []
    parts += [] if is_complete else ["There are more."]
    at.output.done(
        " ".join(parts), queue=at.huey.name, cancelled=cancelled, over=over, unknown=list(missing),
        complete=is_complete and is_whole,
    )  # fmt: skip
    if not is_whole:
        return EXIT_INTERRUPTED
    return EXIT_NOTHING if over or missing else 0


def _is_between(made: datetime | None, since: float | None, until: float | None) -> bool:
    """Compare when a call was made; of an id of the user's own that is not known, and fits no bound."""
    if made is None:
        return since is None and until is None
    at = made.timestamp()
    return (since is None or at >= since) and (until is None or at < until)
