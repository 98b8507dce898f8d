"""Take tasks back, and see who runs them.

A module of this room is imported when ``control.NAME`` is first looked up. Programs that enqueue, and workers, seldom
look at the history or the dead letters, and the data classes for that take long to make.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hueyio.control import (
        audit,
        consumers,
        dead_letters,
        failed_tasks,
        history,
        listing,
        pause,
        statistics,
        task_details,
        wish,
    )

__all__ = [
    "audit",
    "consumers",
    "dead_letters",
    "failed_tasks",
    "history",
    "listing",
    "pause",
    "statistics",
    "task_details",
    "wish",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name in __all__:
            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
