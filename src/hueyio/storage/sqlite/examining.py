"""What is in the file beside the tasks of this queue: for somebody who wonders why nothing is consumed."""

from __future__ import annotations

from typing import Final

from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.statements import statements
from hueyio.wording import up_to

__all__ = ["find_tasks_of_huey", "list_queues"]

_SQL = statements("examining.sql")

_OF_HUEY: Final = {
    "task": frozenset({"queue", "data", "priority"}),
    "schedule": frozenset({"queue", "data", "timestamp"}),
}
"""Tables of Huey's that hold tasks, and by which columns they are known."""

_MOST: Final = 1000
"""Tasks that are counted in a table: a worker that starts need not wait for a count of millions."""


def list_queues(tx: Transaction) -> list[str]:
    """List the queues of this file."""
    return [name for (name,) in tx.execute(_SQL["list_queues"]).fetchall()]


def find_tasks_of_huey(tx: Transaction, name: str) -> list[str]:
    """Say how many tasks Huey has under this name in the same file, ready or scheduled."""
    count = sum(_count(tx, table, columns, name) for table, columns in _OF_HUEY.items())
    told = up_to(_MOST, count)
    return [f"the file holds {told} tasks of Huey under this name; `hueyio import-huey` moves them"] if count else []


def _count(tx: Transaction, table: str, columns: frozenset[str], name: str) -> int:
    # A table of this name may be the application's own: then it lacks the columns, or the name.
    if not columns <= {column for (column,) in tx.execute(_SQL["list_columns"], (table,)).fetchall()}:
        return 0
    (count,) = tx.execute(_SQL[f"count_{table}"], (name, _MOST)).fetchone()
    return int(count)
