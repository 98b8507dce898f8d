"""What waits for a transaction, and what came of one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeAlias, TypeVar

from hueyio.named_tuple import NamedTuple
from hueyio.storage.operations import Durability
from hueyio.storage.sqlite.engine.transaction import Transaction

__all__ = ["TOO_MUCH", "Attempt", "Call", "Commit", "Operation"]

T = TypeVar("T")

Operation: TypeAlias = Callable[[Transaction], T]

TOO_MUCH: Final = 1_000_000
"""The effort of what may take long."""


class Call(NamedTuple):
    """One operation, and who is told what it answered."""

    operation: Operation[Any]
    durability: Durability
    done: Callable[[Any], object]
    effort: int = TOO_MUCH
    """About how many rows it touches, or pages of 4 kB that it writes."""
    future: asyncio.Future[Any] | None = None
    """What somebody awaits, until he is cancelled."""


class Commit(NamedTuple):
    """The calls of one transaction, and what each is answered. Without a transaction all of them failed."""

    calls: list[Call]
    answers: list[Any]
    transaction: Transaction | None


class Attempt:
    """What the loop attempts; known to the caller also where a signal handler raised in the middle."""

    __slots__ = ("calls", "commit")

    def __init__(self, calls: list[Call]) -> None:
        self.calls = calls
        self.commit: Commit | None = None
        """None: nothing was changed."""
