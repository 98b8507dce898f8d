"""``HueyQueue`` for tests without a loop."""

from __future__ import annotations

from hueyio.handles.blocking import Blocking
from hueyio.tasks.task import Task
from hueyio.testing.ran import Ran

__all__ = ["SyncHueyQueue"]


class SyncHueyQueue(Blocking):
    """Runs tasks where it is called: the body of a ``def`` task in this thread, with its connections.

    What a ``HueyQueue`` does without waiting, such as ``assert_enqueued``, is asked of that.
    """

    def drain(self, *, raise_errors: bool = False) -> list[Ran]:
        """Run all that is due now, and what follows from it; see ``HueyQueue.drain``."""
        ran: list[Ran] = self._wait(self._wrapped.drain(raise_errors=raise_errors))
        return ran

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0, raise_errors: bool = False
    ) -> list[Ran]:
        """Let time pass, and run all that becomes due, each at its moment; see ``HueyQueue.advance``."""
        spans = {"days": days, "hours": hours, "minutes": minutes, "seconds": seconds}
        ran: list[Ran] = self._wait(self._wrapped.advance(**spans, raise_errors=raise_errors))
        return ran

    def kill_worker(self) -> Task | None:
        """Have a worker take the next task, begin it and be killed; see ``HueyQueue.kill_worker``."""
        task: Task | None = self._wait(self._wrapped.kill_worker())
        return task
