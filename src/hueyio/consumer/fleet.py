"""Which tasks the consumers of a queue know, so that one that does not know a task leaves it to those that do.

Each consumer tells the names of its tasks in what it registers with, as numbers of 32 bits: two names of the same
number cost a few put-offs, nothing else. The reaper looks at the owners anyway; a task that nobody seems to know makes
it look again.
"""

from __future__ import annotations

import base64
import json
import struct
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from hueyio.storage.records import Owner

__all__ = ["Fleet", "is_told", "write_names"]

_SHORTEST_LOOK: Final = 0.5
"""Seconds between two looks that unknown tasks ask for."""


class Fleet:
    """What the other consumers know. ``look`` asks for what they tell now."""

    def __init__(
        self, own: Callable[[], str], look: Callable[[], None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._own = own
        self._look = look
        self._monotonic = monotonic
        self._known: frozenset[int] = frozenset()
        self._looked = 0.0

    def observe(self, owners: Sequence[Owner]) -> None:
        """Take over what they tell."""
        self._known = frozenset().union(*(_read_names(it.info) for it in owners if it.owner != self._own()))

    def knows(self, path: str) -> bool:
        """Say whether one of the others knows the task of this path."""
        if _number(path) in self._known:
            return True
        now = self._monotonic()
        if now - self._looked >= _SHORTEST_LOOK:
            self._looked = now
            self._look()
        return False


def write_names(paths: Iterable[str]) -> str:
    """Return the names of tasks as a consumer tells them."""
    numbers = sorted({_number(path) for path in paths})
    return base64.b64encode(struct.pack(f"<{len(numbers)}I", *numbers)).decode()


def is_told(info: bytes, path: str) -> bool:
    """Say whether a consumer that registered with ``info`` knows the task of this path."""
    return _number(path) in _read_names(info)


def _read_names(info: bytes) -> frozenset[int]:
    """Read them; none where an owner tells nothing, or something else."""
    try:
        packed = base64.b64decode(json.loads(info)["names"])
        return frozenset(struct.unpack(f"<{len(packed) // 4}I", packed))
    except (ValueError, KeyError, TypeError, struct.error):
        return frozenset()


def _number(path: str) -> int:
    return zlib.crc32(path.encode(errors="surrogatepass"))
