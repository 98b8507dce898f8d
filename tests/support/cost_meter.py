"""Counts what this process does, exactly: calls of functions, turns of the loop, syncs, statements, requests, commands.

The profiler of the standard library counts each call of a function, Python's and C's, in every thread, so that the same
numbers also say how often the loop turned, a socket was written to and a file synced. Threads that act because time
passes are left out: how often they do depends on how fast the machine is.
"""

from __future__ import annotations

import cProfile
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import CodeType, FrameType, TracebackType
from typing import Any, Final

__all__ = ["Meter"]

_WATCHES_TIME: Final = ("hueyio-watchdog", "hueyio-heartbeat", "hueyio-side-log", "hueyio-sqlite-poll")
_SYNCS: Final = ("<built-in method posix.fsync>", "<built-in method posix.fdatasync>")
_WRITE: Final = "<method 'send' of '_socket.socket' objects>"


class Meter(AbstractContextManager["Meter"]):
    """``with meter:`` counts into ``meter.counted``; make it before anything starts a thread or opens a file.

    ``commands`` says how many commands a server has run until now, those inside scripts too.
    """

    def __init__(self, commands: Callable[[], int] | None = None) -> None:
        self.counted: Counter[str] = Counter()
        self._commands = commands
        self._loop_profile = cProfile.Profile()
        self._others: list[cProfile.Profile] = []
        self._statements: list[list[str]] = []
        self._before: Counter[str] = Counter()
        threading.setprofile(self._begin_thread)

    def connection_class(self) -> type[sqlite3.Connection]:
        """Make the ``factory`` of connections to SQLite, whose statements are counted from their opening on."""
        listed = self._statements

        class Traced(sqlite3.Connection):
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                statements: list[str] = []
                # A method of C's that C calls: it adds no call to those that are counted.
                self.set_trace_callback(statements.append)
                listed.append(statements)

        return Traced

    def __enter__(self) -> Meter:
        self._before = self._read()
        self._loop_profile.enable()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop_profile.disable()
        now = self._read()
        self.counted = Counter({name: now[name] - self._before[name] for name in now})

    def _begin_thread(self, frame: FrameType, event: str, argument: Any) -> None:
        """Be called at the first event of a new thread; the profile then takes this function's place."""
        if threading.current_thread().name in _WATCHES_TIME:
            sys.setprofile(None)
            return
        profile = cProfile.Profile()
        profile.enable()
        self._others.append(profile)

    def _read(self) -> Counter[str]:
        count = self._read_calls()
        for statements in self._statements:
            count += _read_statements(statements)
        if self._commands is not None:
            count["commands"] = self._commands()
        return count

    def _read_calls(self) -> Counter[str]:
        count: Counter[str] = Counter()
        for profile in (self._loop_profile, *self._others):
            for entry in profile.getstats():
                count["calls"] += entry.callcount
                count[_kind(entry.code, on_loop=profile is self._loop_profile)] += entry.callcount
        del count[""]
        return count


def _kind(code: CodeType | str, *, on_loop: bool) -> str:
    """Say what else it is that was called; empty for nothing that is counted."""
    if isinstance(code, CodeType):
        return "loop turns" if code.co_name == "_run_once" and code.co_filename.endswith("base_events.py") else ""
    if code in _SYNCS:
        return "syncs"
    # The other threads write to the loop's own socket, to wake it.
    return "writes to sockets" if on_loop and code == _WRITE else ""


def _read_statements(statements: list[str]) -> Counter[str]:
    """Count the statements, and the commits that were synced: SQLite syncs by itself, inside a call."""
    count: Counter[str] = Counter()
    is_synced = False
    for statement in list(statements):
        if statement.startswith("PRAGMA synchronous"):
            is_synced = statement.endswith("FULL")
        if statement != "PRAGMA data_version":  # asked from time to time
            count["statements"] += 1
        if statement == "COMMIT":
            count["commits"] += 1
            count["syncs"] += is_synced
    return count
