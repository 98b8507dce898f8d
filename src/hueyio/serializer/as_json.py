"""JSON, that other languages read, and that runs no code when it is read.

A value is checked before it is written: only what comes back as it was is let through, save that a tuple comes back
as a list. The libraries differ in what they quietly turn into something else (keys that are numbers, enumerations,
dates, NaN); after the check they all agree. Where the fast one gives up (a lone surrogate), the standard one goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from math import isfinite
from types import NoneType
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from hueyio.exceptions import ConfigurationError, SerializationError
from hueyio.serializer.base import Serializer

__all__ = ["JSONSerializer"]

Library: TypeAlias = Literal["msgspec", "json"]

_DEEPEST: Final = 200
"""Lists and objects inside each other; the libraries' own limits differ, and end in different errors."""

_SIMPLE: Final = frozenset({str, int, bool, NoneType})


class JSONSerializer(Serializer):
    """JSON, optionally compressed: None, bool, int, float, str, list, tuple, and dict with str keys.

    ``library`` is ``msgspec`` (``pip install 'hueyio[json]'``) or ``json``, the standard one; by default msgspec
    where it is installed. Both give and take the same. Integers of any size are kept. Anything else is a
    SerializationError that says where it is: bytes, sets, dates, NaN and infinity, instances and subclasses.
    """

    def __init__(
        self,
        compression: bool = False,
        compression_level: int = 6,
        use_zlib: bool = False,
        *,
        library: Library | None = None,
    ) -> None:
        super().__init__(compression, compression_level, use_zlib)
        self.library: Library = _best_library() if library is None else library
        self._format = _format_of(self.library)

    def _serialize(self, value: Any) -> bytes:
        try:
            _check(value, 0)
        except _MisfitError as misfit:
            raise SerializationError(str(misfit)) from None
        try:
            return self._format.encode(value)
        except Exception:  # what is valid here and not there, such as a lone surrogate
            return _STANDARD.encode(value)

    def _deserialize(self, data: bytes) -> Any:
        try:
            return self._format.decode(data)
        except Exception:  # likewise; what is no JSON at all is refused again
            return _STANDARD.decode(data)


class _Format(NamedTuple):
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]


def _encode_standard(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _decode_standard(data: bytes) -> Any:
    return json.loads(data, parse_constant=_refuse_constant, parse_float=_finite)


def _refuse_constant(text: str) -> Any:
    raise SerializationError(f"{text} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise SerializationError(f"the number {text[:40]} is too large")
    return number


_STANDARD: Final = _Format(_encode_standard, _decode_standard)


def _best_library() -> Library:
    return "msgspec" if find_spec("msgspec") else "json"


def _format_of(library: str) -> _Format:
    if library == "json":
        return _STANDARD
    if library != "msgspec":
        raise ConfigurationError(f"library must be 'msgspec' or 'json', not {library!r}")
    try:
        fast = import_module("msgspec.json")
    except ImportError:
        raise ConfigurationError("msgspec is not installed: pip install 'hueyio[json]'") from None
    return _Format(fast.encode, fast.decode)


class _MisfitError(Exception):
    """A value that JSON does not have; the steps to it are added on the way out."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.steps: list[str] = []

    def __str__(self) -> str:
        return f"value{''.join(reversed(self.steps))} {self.reason}"


def _check(value: Any, depth: int) -> None:
    """Raise _MisfitError unless the value and all in it is JSON."""
    kind = type(value)
    if kind in _SIMPLE:
        return
    if kind is list or kind is tuple:
        _check_items(enumerate(value), depth)
    elif kind is dict:
        for key in value:
            if type(key) is not str:
                raise _MisfitError(f"has the key {key!r}, and JSON has only texts as keys")
        _check_items(value.items(), depth)
    elif kind is float:
        if not isfinite(value):
            raise _MisfitError(f"is {value!r}, which JSON does not have")
    else:
        raise _MisfitError(f"is of type {kind.__qualname__}, which JSON does not have")


def _check_items(items: Any, depth: int) -> None:
    if depth == _DEEPEST:
        raise _MisfitError(f"is nested in more than {_DEEPEST} others, or in itself")
    for key, value in items:
        if type(value) not in _SIMPLE:
            try:
                _check(value, depth + 1)
            except _MisfitError as misfit:
                misfit.steps.append(f"[{key!r}]")
                raise
