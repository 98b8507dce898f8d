"""One file that says it all: a header, a snapshot, and a record for each step since.

A record is a length, a checksum and bytes; what follows the last whole one is a write that was cut short, which
readers pass over and the next writer cuts off. When the steps outgrow the snapshot, a new file with a snapshot of now
is written beside it, synced, and renamed over it. So whoever opens the file sees all of one journal, and whoever has
the old one open finds at its path another file: it reads the old one to its end, where the new one goes on.

Writers hold the folder's lock; readers need none.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import stat
import struct
import threading
import weakref
from typing import Final
from zlib import crc32

from hueyio.exceptions import ConfigurationError
from hueyio.storage.shared.private_files import NO_LINK, check_path, create_file

__all__ = ["Journal"]

_MAGIC: Final = b"hueyio journal 2"
_OLD_MAGIC: Final = b"hueyio journal 1"
"""That of hueyio 0.1 and 0.2, which cannot read what is written now: the first writer begins a new file."""
_HEADER: Final = struct.Struct("<16sQ")
_RECORD: Final = struct.Struct("<II")
_CHUNK: Final = 1 << 20
_sync: Final = getattr(os, "fdatasync", os.fsync)

log = logging.getLogger(__name__)


class Journal:
    """The file as one session reads it. ``generation`` counts the files that stood at this path."""

    def __init__(self, path: str, mode: int) -> None:
        self.path = path
        self._mode = mode
        self.generation = 0
        self.is_old = False
        """Whether an earlier hueyio began the open file, and may go on writing to it."""
        self._fd: int | None = None
        self._end = 0
        self._first = 0
        self._synced = 0
        with _journals_lock:
            _journals.add(self)

    @property
    def size(self) -> int:
        """Bytes of the steps that were read or written."""
        return self._end - self._first

    @property
    def snapshot_size(self) -> int:
        """Bytes in front of the steps."""
        return self._first

    def is_current(self) -> bool:
        """Whether the open file is the one at the path, and all of it was read. Raises FileNotFoundError."""
        at_path = os.stat(self.path)
        return self._is_open_file(at_path) and at_path.st_size == self._end

    def is_replaced(self) -> bool:
        """Whether another file is at the path, or none was opened yet. Raises FileNotFoundError."""
        return not self._is_open_file(os.stat(self.path))

    def open(self) -> bytes:
        """Open the file at the path; return its snapshot. Raises FileNotFoundError, ConfigurationError."""
        check_path(self.path, self._mode)
        fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC | NO_LINK)
        try:
            head = os.pread(fd, _HEADER.size, 0)
            magic, generation = _HEADER.unpack(head) if len(head) == _HEADER.size else (b"", 0)
            if magic not in (_MAGIC, _OLD_MAGIC):
                raise ConfigurationError(f"{self.path} is no journal of this version of hueyio")
            snapshots, end = _read(fd, _HEADER.size, most=1)
            if not snapshots:
                raise ConfigurationError(f"{self.path} is damaged: its snapshot cannot be read")
        except BaseException:
            os.close(fd)
            raise
        self._take(fd, generation, end)
        self.is_old = magic == _OLD_MAGIC
        return snapshots[0]

    def read(self) -> list[bytes]:
        """Read the whole records that follow what was read or written before."""
        if self._fd is None:
            return []
        found, self._end = _read(self._fd, self._end)
        return found

    def mend(self) -> None:
        """Cut off a write that was cut short. For writers, after ``read``."""
        assert self._fd is not None
        over = os.fstat(self._fd).st_size - self._end
        if over > 0:
            log.warning("%s: the last %d bytes were never written to their end, they are cut off", self.path, over)
            os.ftruncate(self._fd, self._end)

    def append(self, data: bytes) -> None:
        """Write a record behind what was read; for writers."""
        assert self._fd is not None
        record = _to_record(data)
        try:
            _write(self._fd, record, self._end)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self._end)
            raise
        self._end += len(record)

    def sync(self) -> None:
        """Wait until all that was read or written is on the disk; needs no lock."""
        if self._fd is not None and self._end > self._synced:
            end = self._end
            _sync(self._fd)
            self._synced = end

    def replace(self, snapshot: bytes, *, goes_on: bool = True) -> None:
        """Begin a new file with this snapshot, which ``goes_on`` where the open one ends, or not; for writers."""
        beside = f"{self.path}.new"
        generation = self.generation + 1 if goes_on else secrets.randbits(62)
        data = _HEADER.pack(_MAGIC, generation) + _to_record(snapshot)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)  # of a process that died; a file that is made anew is nobody else's
        fd = create_file(beside, self._mode if self._fd is None else stat.S_IMODE(os.fstat(self._fd).st_mode))
        try:
            _write(fd, data, 0)
            _sync(fd)
            os.replace(beside, self.path)
        except BaseException:
            os.close(fd)
            with contextlib.suppress(OSError):
                os.unlink(beside)  # the disk may be full of it
            raise
        self._take(fd, generation, len(data))
        self._synced = len(data)
        _sync_folder(os.path.dirname(self.path))

    def close(self) -> None:
        """Close the file."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def _is_open_file(self, at_path: os.stat_result) -> bool:
        return self._fd is not None and os.path.samestat(at_path, os.fstat(self._fd))

    def _take(self, fd: int, generation: int, end: int) -> None:
        self.close()
        self._fd, self.generation, self._first, self._end, self._synced = fd, generation, end, end, 0
        self.is_old = False


def _read(fd: int, start: int, most: int | None = None) -> tuple[list[bytes], int]:
    """Read whole records from an offset; return them, and where they end."""
    data = _read_all(fd, start)
    found: list[bytes] = []
    at = 0
    while len(found) != most and at + _RECORD.size <= len(data):
        length, checksum = _RECORD.unpack_from(data, at)
        record = data[at + _RECORD.size : at + _RECORD.size + length]
        if not length or len(record) != length or crc32(record) != checksum:
            break
        found.append(record)
        at += _RECORD.size + length
    return found, start + at


def _read_all(fd: int, start: int) -> bytes:
    parts: list[bytes] = []
    while part := os.pread(fd, _CHUNK, start):
        parts.append(part)
        start += len(part)
        if len(part) < _CHUNK:
            break
    return b"".join(parts)


def _to_record(data: bytes) -> bytes:
    return _RECORD.pack(len(data), crc32(data)) + data


def _write(fd: int, data: bytes, start: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, start)
        view = view[written:]
        start += written


def _sync_folder(path: str) -> None:
    """Have a rename on the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


_journals: weakref.WeakSet[Journal] = weakref.WeakSet()
_journals_lock = threading.Lock()


def _in_child() -> None:
    """Close the child's copies of its parent's files."""
    global _journals_lock
    _journals_lock = threading.Lock()
    for journal in list(_journals):
        journal.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
