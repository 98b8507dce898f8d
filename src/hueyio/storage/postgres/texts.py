"""Texts as PostgreSQL takes them.

Any text is an id, and PostgreSQL has none with a NUL. So NUL is written as U+0001 "0", and U+0001 itself as U+0001 "1",
in texts and in the strings of JSON alike; the connections of this package do it both ways.
"""

from __future__ import annotations

import json
from typing import Any, Final

__all__ = ["escape", "from_json", "to_json", "unescape"]

_ESCAPED: Final = {0: "\x010", 1: "\x011"}
_MARKED: Final = ("\\u0000", "\\u0001")
"""How ``json`` writes what must be escaped; an ordinary text may have these letters too, which is harmless."""


def escape(text: str) -> str:
    """Return a text without NUL."""
    return text.translate(_ESCAPED) if "\x00" in text or "\x01" in text else text


def unescape(text: str) -> str:
    """Return the text that ``escape`` was given."""
    if "\x01" not in text:
        return text
    return text.replace("\x010", "\x00").replace("\x011", "\x01")


def to_json(value: Any) -> str:
    """Write a value for a jsonb parameter."""
    text = json.dumps(value)
    if any(mark in text for mark in _MARKED):
        return json.dumps(_walk(value, escape))
    return text


def from_json(data: bytes | str) -> Any:
    """Read a value of a jsonb column."""
    value = json.loads(data)
    is_escaped = b"\\u0001" in data if isinstance(data, bytes) else "\\u0001" in data
    return _walk(value, unescape) if is_escaped else value


def _walk(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, (list, tuple)):
        return [_walk(it, change) for it in value]
    if isinstance(value, dict):
        return {change(key): _walk(it, change) for key, it in value.items()}
    return value
