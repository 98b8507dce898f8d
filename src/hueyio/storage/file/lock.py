"""The lock of one queue among threads and processes, by the library filelock.

The lock is that of the operating system: it goes with the process that holds it, however that ends. The library waits
in steps of a length; here each attempt returns at once, and the pauses between them are short and random. A fork may
not happen while a lock is held, because the child would hold it too, for as long as it lives: so ``before`` takes the
gate of every lock of this process, which is free while somebody else's lock is waited for.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import stat
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

from hueyio.exceptions import ConfigurationError, StorageUnavailable
from hueyio.storage.shared.private_files import check_path, create_file

if TYPE_CHECKING:
    from filelock import BaseFileLock

__all__ = ["FolderLock", "require_library"]

_SHORTEST_PAUSE: Final = 0.0002
_LONGEST_PAUSE: Final = 0.005


class FolderLock:
    """``with lock.held():`` in one thread at a time."""

    def __init__(self, path: str, timeout: float, mode: int) -> None:
        self._path = path
        self._timeout = timeout
        self._mode = mode
        self._is_checked = False
        self._gate = threading.Lock()
        self._lock = _make(path, mode)
        with _locks_lock:
            _locks.add(self)

    @contextlib.contextmanager
    def held(self, meanwhile: Callable[[], object] = lambda: None) -> Iterator[None]:
        """Hold it; call ``meanwhile`` now and then while others do, for as long as the time-out allows.

        Raises StorageUnavailable if they hold it for longer.
        """
        deadline = time.monotonic() + self._timeout
        pause = _SHORTEST_PAUSE
        while not self._try():
            if time.monotonic() >= deadline:
                raise StorageUnavailable(
                    f"{self._path} is locked: another process has held it for more than {self._timeout:g} s"
                )
            meanwhile()
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        try:
            yield
        finally:
            try:
                self._lock.release()
            finally:
                self._gate.release()

    def _try(self) -> bool:
        """Take the gate and the lock; keep neither if the lock is somebody else's."""
        from filelock import Timeout

        self._gate.acquire()
        try:
            self._prepare()
            self._lock.acquire(blocking=False)
        except BaseException as error:
            self._gate.release()
            if isinstance(error, Timeout):
                return False
            raise
        return True

    def _prepare(self) -> None:
        """Make the file if it is missing: some versions of the library would empty what a link points to."""
        try:
            is_link = stat.S_ISLNK(os.lstat(self._path).st_mode)
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):
                os.close(create_file(self._path, self._mode))
            return
        if not self._is_checked:
            check_path(self._path, self._mode)
            self._is_checked = True
        if is_link:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), self._path)

    def before_fork(self) -> None:
        self._gate.acquire()

    def after_fork(self) -> None:
        self._gate.release()


def require_library() -> None:
    """Raise ConfigurationError if filelock is not installed."""
    try:
        import filelock  # noqa: F401
    except ImportError:
        raise ConfigurationError("FileStorage needs the library filelock: pip install 'hueyio[file]'") from None


def _make(path: str, mode: int) -> BaseFileLock:
    from filelock import FileLock

    _watch_forks()
    return FileLock(path, mode=mode, thread_local=False)


_locks: weakref.WeakSet[FolderLock] = weakref.WeakSet()
_locks_lock = threading.Lock()
_forking: list[FolderLock] = []


def _before_fork() -> None:
    _locks_lock.acquire()
    _forking.extend(_locks)
    for lock in _forking:
        lock.before_fork()


def _after_fork() -> None:
    for lock in _forking:
        lock.after_fork()
    _forking.clear()
    _locks_lock.release()


@cache
def _watch_forks() -> None:
    """After filelock was imported, so that the gates are taken before its own locks are, as everywhere else."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
