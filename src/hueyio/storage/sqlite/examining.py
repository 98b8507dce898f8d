"""What is in the file beside the tasks of this queue: for somebody who wonders why nothing is consumed."""

from __future__ import annotations

from hueyio.storage.sqlite.engine.transaction import Transaction
from hueyio.storage.sqlite.statements import statements

__all__ = ["find_dangers", "list_queues"]

_SQL = statements("examining.sql")


def list_queues(tx: Transaction) -> list[str]:
    """List the queues of this file."""
    return [name for (name,) in tx.execute(_SQL["list_queues"]).fetchall()]


def find_dangers(tx: Transaction, name: str) -> list[str]:
    """Say how many tasks Huey has queued under this name in the same file."""
    # A table of this name may be the application's own: then it lacks the columns, or the name.
    columns = {column for (column,) in tx.execute(_SQL["list_columns_of_huey"]).fetchall()}
    if not {"queue", "data", "priority"} <= columns:
        return []
    (count,) = tx.execute(_SQL["count_tasks_of_huey"], (name,)).fetchone()
    return [f"the file holds {count} tasks of Huey under this name, which hueyio does not read"] if count else []
