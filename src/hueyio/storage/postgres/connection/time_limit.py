"""How long a connection may be used: when that is over it is cut, by a thread, whatever the loop or the body does.

The server rolls back what is open on a connection that was cut, at once, or when the statement under way has ended.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Final

from hueyio.storage.shared.threaded import start_for_session

__all__ = ["TimeLimit"]


class TimeLimit:
    """So many ``seconds`` from ``start`` on; whoever has begun to commit by then has ``patience`` more.

    ``start`` and ``end`` by the owner of the connection, all else by any thread.
    """

    def __init__(self, seconds: float, patience: float) -> None:
        self.seconds: Final = seconds
        self._patience = patience
        self._ends_at = float("inf")
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._left = threading.Event()
        self._lock = threading.Lock()
        self._is_committing = False

    @property
    def is_over(self) -> bool:
        """Whether the time was over before anybody began to commit."""
        return not self._is_committing and time.monotonic() >= self._ends_at

    def start(self, descriptor: int) -> None:
        """Begin; raises StorageUnavailable if no thread can be started."""
        self._ends_at = time.monotonic() + self.seconds
        # A duplicate: the number of one that the body closes may be given to another file.
        self._socket = socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM)
        self._thread = start_for_session(self._watch, "hueyio-postgres-block")

    def begin_commit(self) -> bool:
        """Say whether it is time yet; then nobody cuts the connection but after ``patience``."""
        with self._lock:
            self._is_committing = self._is_committing or not self.is_over
            return self._is_committing

    def end(self) -> None:
        """Let nobody cut it any more."""
        self._left.set()
        if self._thread is not None:
            self._thread.join()
        if self._socket is not None:
            self._socket.close()

    def _watch(self) -> None:
        if self._left.wait(self.seconds):
            return
        with self._lock:
            is_committing = self._is_committing
        if is_committing and self._left.wait(self._patience):
            return
        if self._socket is not None:
            with suppress(OSError):  # the other side has gone already
                self._socket.shutdown(socket.SHUT_RDWR)
