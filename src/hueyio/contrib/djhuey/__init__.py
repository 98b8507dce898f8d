"""The names of Huey's Django app, for a project that comes from it: blocking tasks on the queue ``default``.

``from huey.contrib.djhuey import task, db_task`` becomes ``from hueyio.contrib.djhuey import task, db_task``.
"""

from __future__ import annotations

from hueyio.contrib.djhuey.names import (
    HUEY,
    close_db,
    db_periodic_task,
    db_task,
    disconnect_signal,
    enqueue,
    is_revoked,
    lock_task,
    on_commit_task,
    on_shutdown,
    on_startup,
    periodic_task,
    post_execute,
    pre_execute,
    restore,
    restore_all,
    restore_by_id,
    result,
    revoke,
    revoke_all,
    revoke_by_id,
    scheduled,
    signal,
    task,
)

__all__ = [
    "HUEY",
    "close_db",
    "db_periodic_task",
    "db_task",
    "disconnect_signal",
    "enqueue",
    "is_revoked",
    "lock_task",
    "on_commit_task",
    "on_shutdown",
    "on_startup",
    "periodic_task",
    "post_execute",
    "pre_execute",
    "restore",
    "restore_all",
    "restore_by_id",
    "result",
    "revoke",
    "revoke_all",
    "revoke_by_id",
    "scheduled",
    "signal",
    "task",
]
