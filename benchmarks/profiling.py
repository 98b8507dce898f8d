"""Where the time of a process goes, function by function, in all its threads.

cProfile makes each call dearer, so the figures are for comparison among each other; what a drain costs without it is
what ``drain`` measures.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import threading
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final

__all__ = ["ThreadProfiles"]

_WAITS: Final = (
    "method 'poll' of 'select.",
    "method 'acquire' of '_thread",
    "method 'get' of '_queue",
    "{built-in method time.sleep}",
    "method 'readline' of '_io.",
)
"""Where a thread that has nothing to do is."""


class ThreadProfiles:
    """Profiles this thread and every thread that is started within the ``with`` block."""

    def __init__(self) -> None:
        self._profiles: dict[str, cProfile.Profile] = {}

    def __enter__(self) -> ThreadProfiles:
        threading.setprofile(self._begin)
        self._add()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        threading.setprofile(None)
        self._profiles[threading.current_thread().name].disable()

    def print_all(self, tasks: int, lines: int) -> None:
        """Print the dearest functions of each thread to stderr, per task."""
        for name, profile in list(self._profiles.items()):
            _print_one(name, profile, tasks, lines)

    def _begin(self, frame: FrameType, event: str, argument: Any) -> None:
        """Be called at the first event of a new thread; the profile then takes this function's place."""
        self._add()

    def _add(self) -> None:
        profile = cProfile.Profile()
        try:
            profile.enable()
        except ValueError:
            return  # from Python 3.12 on there is one profile per process: the first thread's
        self._profiles[threading.current_thread().name] = profile


def _print_one(name: str, profile: cProfile.Profile, tasks: int, lines: int) -> None:
    rows: list[tuple[float, float, int, str]] = []
    waited = 0.0
    # Each value: primitive calls, calls, own seconds, seconds with what it called, callers.
    for function, (_, calls, own, total, _callers) in _stats_of(profile).items():
        label = _label(function)
        if any(wait in label for wait in _WAITS):
            waited += own
        else:
            rows.append((own, total, calls, label))
    own_time = sum(row[0] for row in rows)
    if own_time / tasks < 0.5e-6:
        return
    say = sys.stderr.write
    say(f"\nthread {name}: {1e6 * own_time / tasks:.1f} us per task, and {1e6 * waited / tasks:.1f} us waiting\n")
    say(f"{'own us':>8} {'share':>6} {'with callees':>13} {'calls':>7}   function, all per task\n")
    for own, total, calls, label in sorted(rows, reverse=True)[:lines]:
        costs = f"{1e6 * own / tasks:8.2f} {own / own_time:6.1%} {1e6 * total / tasks:13.2f} {calls / tasks:7.2f}"
        say(f"{costs}   {label}\n")


def _stats_of(profile: cProfile.Profile) -> dict[tuple[str, int, str], tuple[int, int, float, float, Any]]:
    statistics: Any = pstats.Stats(profile)
    table: dict[tuple[str, int, str], tuple[int, int, float, float, Any]] = statistics.stats
    return table


def _label(function: tuple[str, int, str]) -> str:
    """Name a function by the last parts of its file's path."""
    file, line, name = function
    if file == "~":
        return name
    return f"{'/'.join(Path(file).parts[-3:])}:{line} {name}"
