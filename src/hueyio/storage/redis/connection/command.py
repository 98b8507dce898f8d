"""A command as bytes, packed in C."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

import hiredis

from hueyio.named_tuple import NamedTuple

__all__ = ["Command", "pack", "pack_end", "pack_parts"]

pack_parts: Final = cast("Callable[[tuple[Any, ...]], bytes]", hiredis.pack_command)
"""Pack a command; the stub of hiredis allows for one part only."""

_LARGE: Final = 65_536
"""Bytes from which on a view is cheaper than a copy."""


class Command(NamedTuple):
    """A packed command, and what to send instead when the server does not know the script."""

    packed: bytes
    in_full: Callable[[], bytes] | None = None


def pack(*command: bytes | str | int | float) -> Command:
    """Return a plain command."""
    return Command(pack_parts(command))


def pack_end(parts: tuple[Any, ...]) -> bytes | memoryview:
    """Return the end of a command: its last parts, without the number of parts that a whole command begins with."""
    packed = pack_parts(parts) if parts else b"\n"
    begin = packed.index(b"\n") + 1
    return packed[begin:] if len(packed) < _LARGE else memoryview(packed)[begin:]
