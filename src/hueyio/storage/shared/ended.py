"""Tombstones as storages write them: a letter for each way to end, and the bound that options give."""

from __future__ import annotations

from typing import Final

from hueyio.exceptions import ConfigurationError
from hueyio.storage.records import EndKind

__all__ = ["KINDS", "LETTERS", "check_keep_ended"]

LETTERS: Final[dict[EndKind, str]] = {
    "done": "d",
    "failed": "f",
    "expired": "e",
    "cancelled": "c",
    "revoked": "r",
    "lost": "l",
    "undeclared": "u",
    "unreadable": "x",
}

KINDS: Final[dict[str, EndKind]] = {letter: kind for kind, letter in LETTERS.items()}


def check_keep_ended(whose: str, keep_ended: object) -> None:
    """Raise ConfigurationError unless this is a bound of tombstones; 0 switches them off."""
    if type(keep_ended) is not int or keep_ended < 0:
        raise ConfigurationError(f"{whose}: keep_ended must be a whole number, 0 or more, not {keep_ended!r}")
