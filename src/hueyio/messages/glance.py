"""Read the name out of a message without running what is in it.

The first fields of a message are its version, the task's id and its path, in whatever format. A pickle is read as the
list of instructions that it is, up to the third value; no instruction is carried out. So whoever lists tasks needs
neither the application's classes nor trust in the one who wrote the arguments.
"""

from __future__ import annotations

import json
import pickletools
import zlib
from itertools import islice
from typing import Any, Final

__all__ = ["glance_at_path"]

_MOST: Final = 4096
"""Bytes of a message that are looked at: far more than two texts at its beginning take."""

_SIGNED: Final = (36, 32)
"""Bytes of mark and signature in front of what a SignedSerializer writes; that of hueyio 0.1 had no mark."""

_FIELDS: Final = 3

_SILENT: Final = frozenset(
    {"PROTO", "FRAME", "MARK", "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT", "EMPTY_LIST", "EMPTY_TUPLE", "APPEND"}
)
"""Instructions that stand before and between the first values of a sequence and are no values."""


def glance_at_path(data: bytes, id: str | None = None) -> str | None:
    """Return the path of a message's task; None if its format is not known.

    ``id``: the id that it must have, where that is known. It tells a format that only looks like another.
    """
    for start in (0, *_SIGNED):
        inflated = _inflated(data[start : start + _MOST])
        match _from_json(inflated) if inflated.startswith(b"[") else _from_pickle(inflated):
            case [1, str(its_id), str(path)] if id in (None, its_id):  # 1: the version of all messages until now
                return path
    return None


def _inflated(data: bytes) -> bytes:
    if not data.startswith((b"\x1f\x8b", b"\x78")):
        return data
    try:
        # Whatever the rest grows to, this is all of it that is made.
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(data, _MOST)
    except zlib.error:
        return data


def _from_pickle(data: bytes) -> list[Any]:
    try:
        told = ((code.name, argument) for code, argument, _ in pickletools.genops(data) if code.name not in _SILENT)
        return [argument for _, argument in islice(told, _FIELDS)]
    except Exception:  # genops raises what comes to its hand for bytes that are no pickle: there is no name in them
        return []


def _from_json(data: bytes) -> list[Any]:
    text = data.decode(errors="ignore")
    decoder = json.JSONDecoder()
    fields: list[Any] = []
    position = 1
    try:
        while len(fields) < _FIELDS:
            value, position = decoder.raw_decode(text, _after_blank(text, position))
            fields.append(value)
            position = _after_blank(text, position) + 1  # a comma, or the end
    except (ValueError, RecursionError):
        return []
    return fields


def _after_blank(text: str, position: int) -> int:
    while text[position : position + 1].isspace():
        position += 1
    return position
