"""Revocations: which tasks must not be run, as keys and bytes, and the rule that reads them."""

from __future__ import annotations

import json
import logging
from typing import Final

from hueyio.named_tuple import NamedTuple

__all__ = ["STRAY_TTL", "Revocation", "class_key", "instance_key", "pick_revocation"]

logger = logging.getLogger(__name__)

_INSTANCE: Final = "r:"
_CLASS: Final = "rt:"

STRAY_TTL: Final = 7 * 86400.0
"""Seconds that the revocation of one task stays, if it has no end, from when it stopped its task or found none."""


class Revocation(NamedTuple):
    """``until`` is epoch seconds (None: for good); a revocation made ``once`` is used up by the task it stops."""

    until: float | None = None
    once: bool = False

    def to_bytes(self) -> bytes:
        """Encode for the storage."""
        return json.dumps([self.until, self.once]).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Revocation:
        """Decode what ``to_bytes`` made; raises ValueError or TypeError for anything else."""
        until, once = json.loads(data)
        if not (until is None or type(until) in (int, float)) or type(once) is not bool:
            raise ValueError("not a revocation")
        return cls(until, once)

    def is_in_force(self, now: float) -> bool:
        """Say whether it stops a task that would start at ``now``."""
        return self.until is None or now < self.until


def instance_key(task_id: str) -> str:
    """Return the key of the revocation of one task."""
    return _INSTANCE + task_id


def class_key(name: str) -> str:
    """Return the key of the revocation of all tasks of a name."""
    return _CLASS + name


def pick_revocation(
    keys: tuple[str, ...], values: tuple[bytes | None, ...], now: float
) -> tuple[str, Revocation] | None:
    """Return the first revocation in force among these keys, with its key."""
    for key, value in zip(keys, values, strict=True):
        if value is None:
            continue
        try:
            revocation = Revocation.from_bytes(value)
        except (ValueError, TypeError, RecursionError):
            logger.warning("the revocation %r cannot be read and is left out of account", key)
            continue
        if revocation.is_in_force(now):
            return key, revocation
    return None
