"""Tombstones as storages write them: a letter for each way to end, and the bound that options give."""

from __future__ import annotations

from typing import Final

from hueyio.storage.records import EndKind
from hueyio.storage.shared.bounds import check_count

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
    check_count(whose, "keep_ended", keep_ended)
