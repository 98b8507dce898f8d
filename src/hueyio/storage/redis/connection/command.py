"""A command as bytes, packed in C."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, cast

import hiredis

__all__ = ["Command", "pack", "pack_parts"]

pack_parts: Final = cast("Callable[[tuple[Any, ...]], bytes]", hiredis.pack_command)
"""Pack a command; the stub of hiredis allows for one part only."""


class Command(NamedTuple):
    """A packed command, and what to send instead when the server does not know the script."""

    packed: bytes
    in_full: Callable[[], bytes] | None = None


def pack(*command: bytes | str | int | float) -> Command:
    """Return a plain command."""
    return Command(pack_parts(command))
