"""The names of many tasks in one line of the log, the most frequent first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from hueyio.execution.job import Job

__all__ = ["count_names", "names_of"]

_MOST_NAMES: Final = 5


def count_names(names: Iterable[str]) -> str:
    """Say how often there are which names, as ``app.add (3), app.pay``."""
    counts = Counter(names)
    told = [name if count == 1 else f"{name} ({count})" for name, count in counts.most_common(_MOST_NAMES)]
    others = len(counts) - len(told)
    return ", ".join(told) + (f", and tasks of {others} more names" if others else "")


def names_of(jobs: Iterable[Job]) -> str:
    """Say of which tasks jobs are."""
    return count_names(job.task.path for job in jobs) or "nothing that is known"
