"""What a consumer tells of itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import Lane

__all__ = ["RunningTask", "State", "Statistics"]

State = Literal["starting", "consuming", "stopping", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """A consumer at one moment; durations are in seconds."""

    state: State
    storage_reachable: bool = False
    """Whether the last heartbeat got through."""
    held: int = 0
    """Tasks under its lease, running or not."""
    running: dict[Lane, int] = field(default_factory=dict)
    lent: dict[Lane, int] = field(default_factory=dict)
    """How many of the running ones wait for other tasks, with their slots lent."""
    outcomes: dict[str, int] = field(default_factory=dict)
    """How the runs of tasks ended, counted since the start, by the names of ``docs/explanation/execution.md``."""
    lag: float = 0.0
    """How late the loop answered the last time."""
    silent_for: float = 0.0
    """For how long the loop has owed an answer: 0 while it moves."""
    stuck: int = 0
    """Tasks that ignore that they were cancelled or ran out of time."""
    abandoned_threads: int = 0
    """Threads of tasks that were cancelled or ran out of time, which still run."""
    pool_processes: int = 0
    """Processes that are there for ``run_in="process"`` tasks, busy or not."""
    blocks: int = 0
    """How often the loop was found blocked."""

    @property
    def finished(self) -> int:
        """How many runs of tasks have ended."""
        return sum(self.outcomes.values())


class RunningTask(NamedTuple):
    """A task whose body runs now."""

    name: str
    id: str
    lane: Lane
    seconds: float
