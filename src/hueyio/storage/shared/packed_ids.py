"""Ids as one blob: each on a line of its own, escaped, and delimited on both sides, since any text is an id."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["escape", "mark_of", "pack_ids", "unpack_ids"]

_ESCAPED: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n"})
_UNESCAPED: Final = {"\\\\": "\\", "\\t": "\t", "\\n": "\n"}
_NONE: Final = "\t"
"""Stands where there is no id: none is written like this."""


def escape(id: str) -> str:
    """Return an id without tabs and line ends."""
    return id.translate(_ESCAPED) if "\\" in id or "\t" in id or "\n" in id else id


def mark_of(id: str) -> bytes:
    """Return what stands in the blob of an id, and in no other."""
    return f"\n{escape(id)}\n".encode()


def pack_ids(ids: Iterable[str | None]) -> bytes:
    """Write ids; raises UnicodeEncodeError."""
    lines = [_NONE if id is None else escape(id) for id in ids]
    return "\n".join(("", *lines, "")).encode()


def unpack_ids(data: bytes) -> tuple[str | None, ...]:
    """Read what ``pack_ids`` wrote."""
    return tuple([None if line == _NONE else _unescape(line) for line in data.decode().split("\n")[1:-1]])


def _unescape(line: str) -> str:
    return re.sub(r"\\[\\tn]", lambda match: _UNESCAPED[match[0]], line) if "\\" in line else line
