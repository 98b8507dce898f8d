"""``hueyio cancel``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import click

from hueyio.cli.failures import EXIT_NOTHING, NothingFound
from hueyio.cli.options import NAME, YES, command, ids_from
from hueyio.cli.seen import Filter, SeenState, find_ids, look
from hueyio.cli.text import counted
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.control.cancel import cancel as cancel_task

__all__ = ["cancel"]

_STATES: Final[dict[str, SeenState]] = {"ready": "ready", "scheduled": "scheduled", "running": "running"}
_MOST: Final = 1000


@command(
    ["cancel 0c1d2f7be813 -a app:huey", "cancel scheduled --name 'shop.mail.*' --url redis://cache:6379/0"],
    click.argument("what", nargs=-1, required=True, metavar="ID...|STATE"),
    NAME,
    click.option("--dry-run", is_flag=True, help="only say how many there are"),
    YES,
)
def cancel(asked: Asked, what: Sequence[str], name: str | None, dry_run: bool) -> int:
    """Cancel tasks, wherever they are.

    Either by their ids (`-` reads ids from standard input), or all that are ready, scheduled or running, at most the
    first 1,000 in one go. Who waits for one gets TaskCancelled. A worker is told of one that runs; that is over when
    its body ends.
    """
    state = _STATES.get(what[0]) if len(what) == 1 else None
    if state is not None:
        return visit(asked, lambda at: _cancel_all(at, state, Filter(name), dry_run))
    if name is not None:
        raise click.UsageError(f"--name goes with one of {', '.join(_STATES)}, not with ids")
    ids = ids_from(what)
    return visit(asked, lambda at: _cancel_ids(at, ids, dry_run))


async def _cancel_all(at: Visit, state: SeenState, which: Filter, dry_run: bool) -> int:
    sight = await look(at.session, state, _MOST, which)
    if not sight.tasks:
        raise NothingFound(f"no {state} task to cancel in {at.where}")
    more = "" if sight.is_complete else " (there are more)"
    if not dry_run:
        at.confirm(f"Cancel {counted(len(sight.tasks), f'{state} task')}{more} of {at.where}?", len(sight.tasks))
    return await _cancel(at, [task.id for task in sight.tasks], dry_run, is_complete=sight.is_complete)


async def _cancel_ids(at: Visit, parts: Sequence[str], dry_run: bool) -> int:
    ids, missing = await find_ids(at.session, parts)
    for reason in missing.values():
        at.output.say(reason)
    return await _cancel(at, ids, dry_run, missing=list(missing))


async def _cancel(
    at: Visit, ids: Sequence[str], dry_run: bool, missing: Sequence[str] = (), *, is_complete: bool = True
) -> int:
    at.take_long()
    alive = [True] * len(ids) if dry_run else await asyncio.gather(*(cancel_task(at.core, id) for id in ids))
    cancelled = [id for id, was_alive in zip(ids, alive, strict=True) if was_alive]
    over = [id for id, was_alive in zip(ids, alive, strict=True) if not was_alive]
    verb = "would be cancelled" if dry_run else "cancelled"
    parts = [f"{counted(len(cancelled), 'task')} {verb}."]
    parts += [f"{len(over)} had ended already."] if over else []
    parts += [f"{len(missing)} not known."] if missing else []
    parts += [] if is_complete else ["There are more."]
    at.output.done(
        " ".join(parts), queue=at.huey.name, cancelled=cancelled, over=over, unknown=list(missing), complete=is_complete
    )
    return EXIT_NOTHING if over or missing else 0
