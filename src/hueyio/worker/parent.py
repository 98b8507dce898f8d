"""The line between a supervisor and its children: a socket pair that every child inherits one end of.

A child says ``ready`` and ``recycle``; the supervisor says ``replaced`` before it stops a child that has a successor.
What matters most needs no words: when the supervisor is gone, however it ended, the child reads the end of the stream,
and stops.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from typing import Final

__all__ = ["FD_VARIABLE", "FIRST_VARIABLE", "Parent"]

FD_VARIABLE: Final = "HUEYIO_SUPERVISOR_FD"
FIRST_VARIABLE: Final = "HUEYIO_SUPERVISOR_FIRST"
"""Set for a child beside which no other one runs."""


class Parent:
    """The child's end."""

    def __init__(self, line: socket.socket, is_first: bool) -> None:
        self._line = line
        self.is_first = is_first
        """Whether no other child has run before."""

    @classmethod
    def find(cls) -> Parent | None:
        """Return the line to the supervisor that started this process; None if none did."""
        number = os.environ.pop(FD_VARIABLE, "")
        is_first = os.environ.pop(FIRST_VARIABLE, "") != ""
        if not number.isdecimal():
            return None
        line = socket.socket(fileno=int(number))
        line.set_inheritable(False)  # what tasks start must not hold the line open
        return cls(line, is_first)

    def say(self, word: str) -> None:
        """Tell the supervisor something; does nothing when it is gone."""
        try:
            self._line.sendall(f"{word}\n".encode())
        except OSError:
            return

    def listen(self, replaced: Callable[[], None], gone: Callable[[], None]) -> None:
        """Call these, from a thread, when another process takes over, and when the supervisor is gone."""

        def wait() -> None:
            try:
                while self._line.recv(64):
                    replaced()  # the only word that there is
            except OSError:
                pass  # broken is gone
            gone()

        threading.Thread(target=wait, name="hueyio-parent", daemon=True).start()
