"""``hueyio locks``."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import click

from hueyio.cli.failures import NothingFound
from hueyio.cli.options import AS, FULL, YES, command, limit
from hueyio.cli.seen import look
from hueyio.cli.visit import Asked, Visit, visit

__all__ = ["locks"]

_KINDS: Final = ("lock", "semaphore")
_SCANNED: Final = 1000


@command(["locks list -a app:huey", "locks list --file app.db --json"], limit(200), FULL)
def list_(asked: Asked, limit: int) -> int:
    """List the locks and semaphores that are held, and by which task.

    A holder that is no task of this queue is a program that took it outside of a worker.
    """
    return visit(asked, lambda at: _list(at, limit))


async def _list(at: Visit, limit: int) -> int:
    keys = [key for key, _ in await at.session.scan_keys("locks", limit)]
    held = [it for it in zip(keys, await _holders(at, keys), strict=True) if it[1]]
    running = {str(task.id): task for task in (await look(at.session, "running", _SCANNED)).tasks}
    rows: list[dict[str, Any]] = []
    for key, tokens in held:
        kind, _, name = key.partition(":")
        tasks = [running[token] for token in tokens if token in running]
        rows.append(
            {
                "name": name,
                "kind": kind,
                "held": len(tokens),
                "by": sorted({task.name or "?" for task in tasks}) or None,
                "worker": sorted({task.worker or "?" for task in tasks}) or None,
                "holders": tokens,
            }
        )
    rows.sort(key=lambda row: (row["name"], row["kind"]))
    at.output.print_list("locks", ("name", "kind", "held", "by", "worker"), rows, queue=at.huey.name)
    if not rows and not at.output.as_json:
        at.output.say(f"nothing is locked in {at.where}")
    return 0


async def _holders(at: Visit, keys: list[str]) -> list[list[str]]:
    return list(await asyncio.gather(*(at.session.holders(key) for key in keys)))


@command(["locks free report -a app:huey", "locks free report --file app.db --yes"], click.argument("name"), YES, AS)
def free(asked: Asked, name: str) -> int:
    """Free a lock or a semaphore, whoever holds it.

    Nothing needs this after a crash: a lock ends with its holder. A task that runs inside goes on, and so another one
    may run beside it.
    """
    return visit(asked, lambda at: _free(at, name))


async def _free(at: Visit, name: str) -> int:
    keys = [f"{kind}:{name}" for kind in _KINDS]
    holders = await _holders(at, keys)
    held = [key for key, tokens in zip(keys, holders, strict=True) if tokens]
    if not held:
        raise NothingFound(f"nobody holds a lock or a semaphore named {name!r} in {at.where}")
    count = sum(map(len, holders))
    at.confirm(f"Free {name} of {at.where}, which {count} hold?")
    await at.session.delete("locks", held)
    await at.note("free lock", name, count)
    at.output.done(f"{name} is free.", queue=at.huey.name, freed=held)
    return 0


locks = click.Group("locks", commands=[list_, free], help="List or free locks and semaphores.")
