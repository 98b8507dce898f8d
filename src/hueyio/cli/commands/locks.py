"""``hueyio locks``."""

from __future__ import annotations

from typing import Any

import click

from hueyio.cli.failures import NothingFound
from hueyio.cli.options import AS, FULL, YES, command, limit
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.limits.held import Held, find_held, free_held, held_under

__all__ = ["locks"]


@command(["locks list -a app:huey", "locks list --file app.db --json"], limit(200), FULL)
def list_(asked: Asked, limit: int) -> int:
    """List the locks and semaphores that are held, and by which task.

    A holder that is no task of this queue is a program that took it outside of a worker.
    """
    return visit(asked, lambda at: _list(at, limit))


async def _list(at: Visit, limit: int) -> int:
    found = await find_held(at.session, limit)
    columns = ("name", "kind", "held", "by", "worker")
    at.output.print_list("locks", columns, [_row(it) for it in found], queue=at.huey.name)
    if not found and not at.output.as_json:
        at.output.say(f"nothing is locked in {at.where}")
    return 0


def _row(it: Held) -> dict[str, Any]:
    return {
        "name": it.name,
        "kind": it.kind,
        "held": len(it.holders),
        "by": sorted({task.name or "?" for task in it.tasks}) or None,
        "worker": sorted({task.worker or "?" for task in it.tasks}) or None,
        "holders": it.holders,
    }


@command(["locks free report -a app:huey", "locks free report --file app.db --yes"], click.argument("name"), YES, AS)
def free(asked: Asked, name: str) -> int:
    """Free a lock or a semaphore, whoever holds it.

    Nothing needs this after a crash: a lock ends with its holder. A task that runs inside goes on, and so another one
    may run beside it.
    """
    return visit(asked, lambda at: _free(at, name))


async def _free(at: Visit, name: str) -> int:
    held = await held_under(at.session, name)
    if not held:
        raise NothingFound(f"nobody holds a lock or a semaphore named {name!r} in {at.where}")
    count = sum(map(len, held.values()))
    at.confirm(f"Free {name} of {at.where}, which {count} hold?")
    await free_held(at.session, name)
    await at.note("free lock", name, count)
    at.output.done(f"{name} is free.", queue=at.huey.name, freed=list(held))
    return 0


locks = click.Group("locks", commands=[list_, free], help="List or free locks and semaphores.")
