"""How a run ended, and what is written of it."""

from __future__ import annotations

from hueyio.execution.effects import Effects
from hueyio.execution.outcome import Outcome
from hueyio.named_tuple import NamedTuple
from hueyio.storage.records import Settlement

__all__ = ["End"]


class End(NamedTuple):
    """How a run ended, what that means, and what is written."""

    outcome: Outcome
    effects: Effects
    settlement: Settlement
