"""Which processes read a file's log at this moment, as far as Linux tells.

A reader holds a lock on one of five bytes of the log's index (``-shm``); ``/proc/locks`` lists all locks with the
process, the device and inode, and the bytes.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Final

__all__ = ["name_processes", "reading_processes"]

_FIRST: Final = 123
_LAST: Final = 127
"""SQLite's WAL_READ_LOCK(0) to (4); 128 is held by everybody who has the file open."""


def reading_processes(path: str) -> set[int]:
    """Return the ids of processes that have a read transaction open; empty where nobody can tell."""
    try:
        index = os.stat(f"{path}-shm")
        with open("/proc/locks", encoding="ascii", errors="replace") as locks:
            lines = locks.readlines()
    except OSError:
        return set()
    where = f"{os.major(index.st_dev):02x}:{os.minor(index.st_dev):02x}:{index.st_ino}"
    return {pid for line in lines if (pid := _reader_in(line, where)) is not None}


def _reader_in(line: str, where: str) -> int | None:
    """Read one line: ``1: POSIX  ADVISORY  READ 4711 fe:00:131 124 124``; a waiting lock has an arrow in front."""
    fields = line.split()
    if len(fields) != 8 or fields[3] != "READ" or fields[5] != where:
        return None
    first, last = int(fields[6]), _LAST if fields[7] == "EOF" else int(fields[7])
    pid = int(fields[4])
    return pid if first <= _LAST and last >= _FIRST and pid > 0 else None


def name_processes(pids: Collection[int]) -> str:
    """Name them for a log line."""
    if not pids:
        return "a process that cannot be found out here"
    return ", ".join(f"process {pid} ({_name(pid)})" for pid in sorted(pids))


def _name(pid: int) -> str:
    if pid == os.getpid():
        return "this one"
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as comm:
            return comm.read().strip()
    except OSError:
        return "it has ended"
