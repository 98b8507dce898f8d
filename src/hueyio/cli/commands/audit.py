"""``hueyio audit``."""

from __future__ import annotations

from typing import Any

import click

from hueyio.cli.options import FULL, command, limit
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.control.audit import AuditEntry, read_audit

__all__ = ["audit"]


@command(
    ["audit -a app:huey", "audit --url redis://cache:6379/0 --queue shop --json"],
    limit(50),
    click.option("--after", type=int, metavar="NUMBER", help="only entries before the one of this number"),
    FULL,
)
def audit(asked: Asked, limit: int, after: int | None) -> int:
    """List who changed what in the queue, the latest first.

    Every command that changes something writes an entry, and so do calls of the API that say who makes them. The last
    1,000 are kept.
    """
    return visit(asked, lambda at: _list(at, limit, after))


async def _list(at: Visit, limit: int, after: int | None) -> int:
    # One more than is wanted tells whether there is more.
    found = await read_audit(at.session, limit + 1, after)
    entries, more = found[:limit], len(found) > limit
    rows = [_row(it) for it in entries]
    columns = ("at", "actor", "action", "count", "target")
    next_after = entries[-1].number if more else None
    at.output.print_list("entries", columns, rows, queue=at.huey.name, complete=not more, next=next_after)
    if not at.output.as_json:
        if more:
            at.output.say(f"{len(entries)} shown, there are more: --after {next_after}")
        if not rows:
            at.output.say(f"nobody changed anything in {at.where}")
    return 0


def _row(entry: AuditEntry) -> dict[str, Any]:
    return {
        "number": entry.number,
        "at": entry.at,
        "actor": entry.actor,
        "action": entry.action,
        "count": entry.count,
        "target": entry.target,
    }
