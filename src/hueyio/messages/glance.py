"""Read a little out of what tasks left, without running what is in it: names, progress, which way a task ended.

The first fields of a message are its version, the task's id and its path, in whatever format. A pickle is read as the
list of instructions that it is, up to the values that are needed; no instruction is carried out. So whoever lists tasks
needs neither the application's classes nor trust in the one who wrote the arguments.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from importlib import import_module
from itertools import islice
from typing import Any, Final, get_args

from hueyio.messages.message import CUT
from hueyio.messages.stored_result import ErrorKind
from hueyio.storage.records import EndKind
from hueyio.storage.stages import first
from hueyio.tasks.progress import Progress

__all__ = ["glance_at_end", "glance_at_path", "glance_at_progress"]

_MOST: Final = 4096
"""Bytes of a message that are looked at: far more than two texts at its beginning take."""

_SIGNED: Final = (36, 32)
"""Bytes of mark and signature in front of what a SignedSerializer writes; that of hueyio 0.1 had no mark."""

_USUAL_STARTS: Final = (b"\x80\x05\x95", b"\x80\x04\x95")
_FIRST_FIELD: Final = b"(K\x01\x8c"
"""A tuple whose first value is a 1, then a short text: how nearly all messages go on behind the start and a length."""

_KINDS: Final = "|".join(get_args(ErrorKind)).encode()
_ERRORS: Final = re.compile(
    rb"\x80[\x04\x05]\x95.{8}\]\x94\(\x8c.(%b)\x94\}|\[\s*\"(%b)\"\s*,\s*\{" % (_KINDS, _KINDS), re.DOTALL
)
"""How a stored error begins, as a pickle and as JSON: a list of its kind and a dict."""

_SILENT: Final = frozenset(
    {"PROTO", "FRAME", "MARK", "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT", "LIST", "EMPTY_LIST", "EMPTY_TUPLE", "APPEND"}
)
"""Instructions that stand before and between the first values of a sequence and are no values."""


def glance_at_path(data: bytes, id: str | None = None) -> str | None:
    """Return the path of a message's task; None if its format is not known.

    ``id``: the id that it must have, where that is known. It tells a format that only looks like another.
    """
    data = first(data)
    path = _path_of_usual(data, id)
    if path is None:
        path = _path_of_any(data, id)
    return None if path is None else path.removeprefix(CUT)


def glance_at_progress(data: bytes) -> Progress | None:
    """Return what a body reported of its progress; None if its format is not known."""
    for start in _starts(data):
        match _fields(start, 2):
            case [float(fraction), str(message)]:
                return Progress(fraction, message)
    return None


def glance_at_end(data: bytes) -> EndKind | None:
    """Return which way a task ended that left these bytes as its result; None if their format is not known."""
    for start in _starts(data):
        found = _ERRORS.match(start)
        if found is not None:
            kinds: dict[str, EndKind] = {kind: kind for kind in get_args(ErrorKind)}
            return kinds[(found[1] or found[2]).decode()]
        if start.startswith((b"[", *_USUAL_STARTS)):
            return "done"
    return None


def _path_of_any(data: bytes, id: str | None) -> str | None:
    for start in _starts(data):
        match _fields(start, 3):
            case [1, str(its_id), str(path)] if id in (None, its_id):  # 1: the version of all messages until now
                return path
    return None


def _path_of_usual(data: bytes, id: str | None) -> str | None:
    """Read the path of a message that looks as nearly all do: 0.5 us, where the instructions one by one take 15."""
    if data[:3] not in _USUAL_STARTS or data[11:15] != _FIRST_FIELD or len(data) < 16:
        return None
    stop = 16 + data[15]
    path = stop + 3  # behind MEMOIZE, SHORT_BINUNICODE and a length
    if data[stop : stop + 2] != b"\x94\x8c" or len(data) < path or len(data) < path + data[path - 1]:
        return None
    try:
        if id is not None and data[16:stop].decode("utf-8", "surrogatepass") != id:
            return None
        return data[path : path + data[path - 1]].decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None


def _starts(data: bytes) -> Iterator[bytes]:
    """Give the beginning of the data, and of that behind a signature, each inflated."""
    for start in (0, *_SIGNED):
        yield _inflated(data[start : start + _MOST])


def _fields(start: bytes, count: int) -> list[Any]:
    return _from_json(start, count) if start.startswith(b"[") else _from_pickle(start, count)


def _inflated(data: bytes) -> bytes:
    if not data.startswith((b"\x1f\x8b", b"\x78")):
        return data
    try:
        # Whatever the rest grows to, this is all of it that is made.
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(data, _MOST)
    except zlib.error:
        return data


def _from_pickle(data: bytes, count: int) -> list[Any]:
    read = import_module("pickletools").genops  # for those who look at a message that they do not run
    try:
        told = ((code.name, argument) for code, argument, _ in read(data) if code.name not in _SILENT)
        return [argument for _, argument in islice(told, count)]
    except Exception:  # genops raises what comes to its hand for bytes that are no pickle: there is no name in them
        return []


def _from_json(data: bytes, count: int) -> list[Any]:
    text = data.decode(errors="ignore")
    decoder = json.JSONDecoder()
    fields: list[Any] = []
    position = 1
    try:
        while len(fields) < count:
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
