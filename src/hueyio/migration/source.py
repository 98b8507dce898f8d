"""What is read from, and taken out of, one queue of Huey's: the same on each of its storages.

Theory of operation. A message is never out of a storage: it stands in Huey's queue, or *aside*, in a place of ours
beside Huey's queue in the same storage, or in hueyio's queue. ``take`` moves messages aside in one step; whoever reads
Huey's queue does not see them any more. Then they are enqueued here, each with its token, by which hueyio adds a
message once only; then they are dropped from aside. Whoever is killed in between leaves them aside, and the next one
begins with those. What cannot be moved is never taken, and Huey's consumer can still run it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Protocol, TypeAlias

from hueyio.named_tuple import NamedTuple

__all__ = ["PLACES", "Aside", "Held", "Place", "Source", "make_tokens"]

Place: TypeAlias = Literal["queue", "schedule"]

PLACES: Final[tuple[Place, ...]] = ("queue", "schedule")


class Held(NamedTuple):
    """A message in Huey's queue or schedule; ``mark`` is by what the storage finds it again."""

    place: Place
    mark: Any
    data: bytes


class Aside(NamedTuple):
    """A message that was taken, and is not dropped yet."""

    token: str
    data: bytes


class Source(Protocol):
    """One queue of Huey's. Operations raise StorageUnavailable; each that changes something is one atomic step."""

    @property
    def name(self) -> str:
        """Return the name of the queue."""
        ...

    async def count(self) -> dict[Place, int]:
        """Count what is ready, and what is scheduled."""
        ...

    async def page(self, place: Place, skip: int, limit: int) -> list[Held]:
        """List messages in the order in which Huey's consumer would take them, without the first ``skip``."""
        ...

    async def take(self, messages: Mapping[str, Held], *, all_or_none: bool = False) -> set[str]:
        """Move messages aside, each under its token; return the tokens of those that were still there."""
        ...

    async def aside(self) -> list[Aside]:
        """List what is aside, in the order in which it was taken."""
        ...

    async def drop(self, tokens: Sequence[str]) -> None:
        """Forget what is aside under these tokens: it is in hueyio's queue."""
        ...

    async def give_back(self, tokens: Sequence[str]) -> None:
        """Move what is aside under these tokens to where it was taken from."""
        ...

    async def keys(self) -> list[str]:
        """List the keys of Huey's results, revocations, locks and values."""
        ...

    async def values(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return what stands under those of these keys that are there."""
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete keys."""
        ...

    async def wait(self, timeout: float) -> None:
        """Return when something may have come, after ``timeout`` seconds at the latest."""
        ...

    async def close(self) -> None:
        """Give back connections, and what was made beside Huey's queue if nothing is aside."""
        ...


def make_tokens(count: int) -> list[str]:
    """Make tokens that nobody made before; sorted they are in their order."""
    begin = f"huey-{time.time_ns():016x}{os.urandom(6).hex()}"
    return [f"{begin}-{number:05}" for number in range(count)]
