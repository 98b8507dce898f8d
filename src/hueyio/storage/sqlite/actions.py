"""What each operation of the contract that does not wait does in a transaction."""

from __future__ import annotations

from typing import Final

from hueyio.storage.operations import actions_of
from hueyio.storage.sqlite import (
    consuming,
    counting,
    dead,
    history,
    keys,
    limits,
    listing,
    looking,
    producing,
    settling,
    waiting,
)

__all__ = ["ACTIONS", "LONG"]

ACTIONS: Final = actions_of(
    producing, consuming, settling, waiting, keys, limits, dead, history, looking, listing, counting
)

LONG: Final = frozenset(
    {
        *("owners", "dead", "failed", "history", "find_ended", "counts", "page", "scan_tasks", "scan_keys"),
        *("read_slots", "read_counts", "heads"),
    }
)
"""Questions that may read the whole file: they must hold up no write, and need not see what is still being written."""
