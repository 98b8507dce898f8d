"""How consumers name themselves as owners of what they hold."""

from __future__ import annotations

import os
import socket
from secrets import token_hex
from typing import Final

__all__ = ["make_owner_name", "owner_length"]

_LONGEST_PID: Final = 7
_RANDOM: Final = 12


def make_owner_name() -> str:
    """Return a new name: the host, the process, and what tells it from all others.

    On one host all are equally long, which ``storage/sqlite/large.py`` makes use of.
    """
    start = f"{socket.gethostname()}-{os.getpid()}-"
    return start + token_hex(_LONGEST_PID + _RANDOM)[: max(owner_length() - len(start), _RANDOM)]


def owner_length() -> int:
    """Return how long the names of owners on this host are."""
    return len(socket.gethostname()) + 1 + _LONGEST_PID + 1 + _RANDOM
