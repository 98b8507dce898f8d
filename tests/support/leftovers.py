"""Find what a test left running: threads of hueyio's, and Python processes.

Such a thread or process does its last work in the middle of a later test: it logs there, or takes its tasks. That test
then fails for the fault of another.
"""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from pathlib import Path
from typing import Final

from hueyio.loops.threads import ThreadPool

__all__ = ["Leftovers"]

_END_TIME: Final = 10.0
"""Seconds that all of them together get to end, on a machine that is busy."""

_OF_ALL_TESTS: Final = "hueyio-sync"
"""The thread that serves all blocking calls of this process."""

_known: Final[set[int]] = set()
"""Processes that were looked at after an earlier test: to read of all what they are would take 2 ms each time."""

_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Leftovers:
    """What was started since this was made, and has not ended."""

    def __init__(self) -> None:
        self._before = frozenset(threading.enumerate())
        self._begun = time.clock_gettime(time.CLOCK_BOOTTIME)

    def find(self) -> list[str]:
        """Wait until all have ended; name those that did not in time."""
        deadline = time.monotonic() + _END_TIME
        while (threads := self._threads()) and time.monotonic() < deadline:
            threads[0].join(0.001)
        processes = [name for pid, name in self._children() if not _wait_ended(pid, deadline - time.monotonic())]
        return [f"thread {thread.name}" for thread in threads] + processes

    def _threads(self) -> list[threading.Thread]:
        started = [thread for thread in threading.enumerate() if thread not in self._before]
        ours = [it for it in started if it.name.startswith("hueyio-") and it.name != _OF_ALL_TESTS]
        return [thread for thread in ours if not _is_idle(thread)]

    def _children(self) -> list[tuple[int, str]]:
        """List the Python processes; servers are started once for many tests."""
        if not _has_children():
            return []
        found = []
        processes = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        new = processes - _known
        _known.clear()
        _known.update(processes)
        for pid in new:
            command = _command_of(pid) if _is_child_since(pid, self._begun) else []
            if command and Path(command[0]).name.startswith("python"):
                found.append((pid, f"process {pid}: {' '.join(command)[:200]}"))
        return found


def _is_idle(thread: threading.Thread) -> bool:
    """Say whether it is of a pool and waits for work, as it does for seconds before it ends."""
    frame = sys._current_frames().get(thread.ident or 0)
    while frame is not None and frame.f_code is not ThreadPool._next_call.__code__:
        frame = frame.f_back
    return frame is not None


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _is_child_since(pid: int, moment: float) -> bool:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return False
    state, parent, started = fields[0], int(fields[1]), int(fields[19]) / _TICKS
    return parent == os.getpid() and state != "Z" and started >= moment - 1 / _TICKS


def _command_of(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def _wait_ended(pid: int, seconds: float) -> bool:
    try:
        ended = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([ended], [], [], max(seconds, 0.0))[0])
    finally:
        os.close(ended)
