"""The line between a supervisor and its children: a socket pair that every child inherits one end of.

A child says ``ready`` and ``recycle``; the supervisor says nothing. What matters most needs no words: when the
supervisor is gone, however it ended, the child reads the end of the stream, and stops.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from typing import Final

__all__ = ["FD_VARIABLE", "Parent"]

FD_VARIABLE: Final = "HUEYIO_SUPERVISOR_FD"


class Parent:
    """The child's end."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    @classmethod
    def find(cls) -> Parent | None:
        """Return the line to the supervisor that started this process; None if none did."""
        number = os.environ.pop(FD_VARIABLE, "")
        if not number.isdecimal():
            return None
        line = socket.socket(fileno=int(number))
        line.set_inheritable(False)  # what tasks start must not hold the line open
        return cls(line)

    def say(self, word: str) -> None:
        """Tell the supervisor something; does nothing when it is gone."""
        try:
            self._line.sendall(f"{word}\n".encode())
        except OSError:
            return

    def when_gone(self, call: Callable[[], None]) -> None:
        """Call this, from a thread, when the supervisor is gone."""

        def wait() -> None:
            try:
                while self._line.recv(64):
                    pass
            except OSError:
                pass  # broken is gone
            call()

        threading.Thread(target=wait, name="hueyio-parent", daemon=True).start()
