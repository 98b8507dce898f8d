"""The heartbeats of owners: a small file for each, with its count and its time.

Not in the journal: a beat changes nothing but its own count, is worth nothing after a power failure, and comes
every few seconds for as long as a worker runs. The file is made and deleted with the lease; all that touch it hold the
folder's lock, so that an owner is given up either before a beat or after it.
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import time
from typing import Final

from hueyio.exceptions import SessionClosed, StorageUnavailable
from hueyio.named_tuple import NamedTuple
from hueyio.storage.beat_recipe import FileBeat
from hueyio.storage.file.lock import FolderLock
from hueyio.storage.file.options import FileOptions
from hueyio.storage.shared.private_files import NO_LINK, create_file, make_folders

__all__ = ["Beat", "FileLeaseKeeper", "begin", "end", "read"]

_BEAT: Final = struct.Struct("<Qd")


class Beat(NamedTuple):
    """``number``: how often an owner beat, and when last (epoch seconds, 0 for never)."""

    number: int = 0
    at: float = 0.0


def begin(options: FileOptions, owner: str) -> None:
    """Make the file of a new lease."""
    path = options.beat(owner)
    make_folders(os.path.dirname(path), options.mode)
    end(options, owner)  # whatever was left there
    _write(create_file(path, options.mode), Beat())


def end(options: FileOptions, owner: str) -> None:
    """Delete the file of a lease that has ended."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(options.beat(owner))


def read(options: FileOptions, owner: str) -> Beat:
    """Read an owner's heartbeat."""
    try:
        fd = os.open(options.beat(owner), os.O_RDONLY | os.O_CLOEXEC | NO_LINK)
    except FileNotFoundError:
        return Beat()
    try:
        data = os.read(fd, _BEAT.size)
    finally:
        os.close(fd)
    return Beat(*_BEAT.unpack(data)) if len(data) == _BEAT.size else Beat()


class FileLeaseKeeper:
    """Raises the count of one owner, from a thread of its own."""

    def __init__(self, options: FileOptions, owner: str) -> None:
        self._options = options
        self._owner = owner
        self._lock = FolderLock(options.lock, options.timeout, options.mode)
        self._is_closed = False

    def beat(self) -> bool:
        """Raise the owner's counter; False if the owner was given up."""
        if self._is_closed:
            raise SessionClosed(f"the lease keeper of owner {self._owner!r} is closed")
        try:
            make_folders(self._options.folder, self._options.mode)
            with self._lock.held():
                return self._raise()
        except OSError as error:
            raise StorageUnavailable(f"folder {self._options.root}: {error}") from error

    def to_recipe(self) -> FileBeat | None:
        """Say what a beat is; None where the clock is not the system's, or files are locked in another way."""
        options = self._options
        if sys.platform == "win32" or options.clock is not time.time:
            return None
        return FileBeat(options.lock, options.beat(self._owner), options.timeout, options.mode)

    def has_moved(self) -> bool:
        """Say that it never does."""
        return False

    def close(self) -> None:
        """Beat no more."""
        self._is_closed = True

    def _raise(self) -> bool:
        number = read(self._options, self._owner).number
        try:
            fd = os.open(self._options.beat(self._owner), os.O_WRONLY | os.O_CLOEXEC | NO_LINK)
        except FileNotFoundError:
            return False
        _write(fd, Beat(number + 1, self._options.clock()))
        return True


def _write(fd: int, beat: Beat) -> None:
    try:
        os.pwrite(fd, _BEAT.pack(*beat), 0)
    finally:
        os.close(fd)
