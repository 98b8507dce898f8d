"""What each operation of the contract that does not wait does: a coroutine function of the session's core."""

from __future__ import annotations

from typing import Final

from hueyio.storage.operations import OPERATIONS, actions_of
from hueyio.storage.postgres import (
    consuming,
    counting,
    history,
    keys,
    latches,
    letters,
    limits,
    listing,
    looking,
    producing,
    tombstones,
)

__all__ = ["ACTIONS", "RIDES_OUT"]

ACTIONS: Final = actions_of(
    producing, consuming, latches, tombstones, keys, limits, letters, history, looking, listing, counting
)

RIDES_OUT: Final = frozenset(
    name for name, operation in OPERATIONS.items() if operation.role != "consuming" or name == "owners"
)
"""What is repeated while the server is away, since its caller waits for it; consumers have a patience of their own."""
