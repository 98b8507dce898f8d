"""All of Huey for code that blocks: what ``huey.sync`` is."""

from __future__ import annotations

from typing import Any

from hueyio.app.cancelling import Cancelling
from hueyio.app.dead_letters import DeadLetters
from hueyio.app.driving import Driving
from hueyio.app.enqueueing import Enqueueing
from hueyio.app.keeping import Keeping
from hueyio.app.limiting import Limiting
from hueyio.app.looking import Looking
from hueyio.app.pausing import Pausing
from hueyio.app.periodic import Periodic
from hueyio.app.revoking import Revoking
from hueyio.app.sync_handles import SyncChordResult, SyncSchedules
from hueyio.handles.blocking import blocking
from hueyio.handles.chord_result import ChordResult
from hueyio.handles.sync_result import SyncResult, to_sync
from hueyio.loops.portal import block_here, block_on
from hueyio.tasks.canvas import chord, group
from hueyio.tasks.task import Task

__all__ = ["SyncHuey"]


class SyncHuey:
    """Every coroutine method of ``Huey`` under its own name, as one that blocks.

    For threads that run no event loop: views of Django and Flask, scripts, ``def`` tasks, the REPL. All threads share
    one loop and its connections.
    """

    def __init__(self, huey: Periodic) -> None:
        self._wrapped = huey

    def enqueue(self, task: Task | group | chord) -> Any:
        """Enqueue a task, a group or a chord; return the blocking form of what ``Huey.enqueue`` returns."""
        handle = block_on(self._wrapped.enqueue(task))
        return SyncChordResult(handle) if isinstance(handle, ChordResult) else to_sync(handle)

    def enqueue_in(self, connection: Any, task: Task) -> Any:
        """Enqueue a task as part of the application's own transaction; see ``Huey.enqueue_in``."""
        return to_sync(block_here(self._wrapped.enqueue_in(connection, task)))

    enqueue_many = blocking(Enqueueing.enqueue_many)
    result = blocking(Enqueueing.result)
    close = blocking(Enqueueing.close)

    cancel = blocking(Cancelling.cancel)
    pause = blocking(Pausing.pause)
    resume = blocking(Pausing.resume)
    is_paused = blocking(Pausing.is_paused)
    is_locked = blocking(Limiting.is_locked)
    flush_locks = blocking(Limiting.flush_locks)

    revoke = blocking(Revoking.revoke)
    revoke_by_id = blocking(Revoking.revoke_by_id)
    revoke_all = blocking(Revoking.revoke_all)
    restore = blocking(Revoking.restore)
    restore_by_id = blocking(Revoking.restore_by_id)
    restore_all = blocking(Revoking.restore_all)
    is_revoked = blocking(Revoking.is_revoked)

    dequeue = blocking(Driving.dequeue)
    execute = blocking(Driving.execute)
    add_schedule = blocking(Driving.add_schedule)
    read_schedule = blocking(Driving.read_schedule)

    put = blocking(Keeping.put)
    get = blocking(Keeping.get)
    get_raw = blocking(Keeping.get_raw)
    put_if_empty = blocking(Keeping.put_if_empty)
    delete = blocking(Keeping.delete)
    put_result = blocking(Keeping.put_result)

    count = blocking(Looking.count)
    counts = blocking(Looking.counts)
    pending_count = blocking(Looking.pending_count)
    scheduled_count = blocking(Looking.scheduled_count)
    result_count = blocking(Looking.result_count)
    consumers = blocking(Looking.consumers)
    pending = blocking(Looking.pending)
    scheduled = blocking(Looking.scheduled)
    all_results = blocking(Looking.all_results)
    flush = blocking(Looking.flush)

    dead = blocking(DeadLetters.dead)
    requeue = blocking(DeadLetters.requeue)
    purge = blocking(DeadLetters.purge)

    def schedules(self) -> SyncSchedules:
        """Return the schedules that are kept in the storage."""
        return SyncSchedules(self._wrapped.schedules())

    def result_of(self, task_id: str) -> SyncResult[object]:
        """Return a handle on the result of a task whose id is known."""
        handle: SyncResult[object] = to_sync(self._wrapped.result_of(task_id))
        return handle

    def __repr__(self) -> str:
        return f"<SyncHuey {self._wrapped.name!r}>"
