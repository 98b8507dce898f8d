"""``hueyio dead``."""

from __future__ import annotations

import click

from hueyio.cli.commands.ls import list_tasks
from hueyio.cli.options import FULL, NAME, command, limit
from hueyio.cli.seen import Filter
from hueyio.cli.visit import Asked, visit

__all__ = ["dead"]


@command(
    ["dead -a app:huey", "dead --file app.db --error signature"],
    NAME,
    click.option("--error", metavar="TEXT", help="only those whose reason has this text"),
    limit(50),
    FULL,
)
def dead(asked: Asked, name: str | None, error: str | None, limit: int) -> int:
    """List the dead letters, the latest first: what `hueyio ls dead` does.

    `hueyio retry --dead` runs them again, `hueyio purge dead` deletes them.
    """
    return visit(asked, lambda at: list_tasks(at, "dead", limit, Filter(name, error)))
