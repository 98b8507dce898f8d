"""What each operation of the contract that does not wait does to the state."""

from __future__ import annotations

from typing import Final

from hueyio.storage.memory import (
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
from hueyio.storage.operations import actions_of

__all__ = ["ACTIONS"]

ACTIONS: Final = actions_of(
    producing, consuming, settling, waiting, keys, limits, dead, history, looking, listing, counting
)
