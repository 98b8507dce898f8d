"""Large messages, which an update should not write again.

SQLite writes a row as a whole, but for one case: if it is as long as before, only those of its pages are written in
which something has changed. A claim enters the name of the owner. So a large task that is ready has spaces in its
place, as many as that is long: nobody reads them before the task is held. A claim of 1 MB writes 12 kB then. Where the
guess is wrong, it writes the megabyte.
"""

from __future__ import annotations

from typing import Final

from hueyio.storage.owner_names import owner_length

__all__ = ["LARGE", "room_for_owner"]

LARGE: Final = 65_536
"""Bytes from which on a message counts as large."""

_GROWTH: Final = 1
"""Bytes by which the state of a held task is longer than that of one that is ready."""


def room_for_owner() -> str:
    """Return what takes as many bytes as the name of an owner of this host and the growth of the state."""
    return " " * (owner_length() + _GROWTH)
