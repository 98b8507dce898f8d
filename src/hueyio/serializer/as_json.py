"""JSON, that other languages read, and that runs no code when it is read.

A value is checked before it is written: only what comes back as it was is let through, save that a tuple comes back
as a list. The libraries differ in what they quietly turn into something else (keys that are numbers, enumerations,
dates, NaN); after the check they all agree. Where the fast one gives up (a lone surrogate), the standard one goes on.

Anybody may have written what is read here. So depth and the length of integers are bounded, as for what is written:
turning digits into a number takes time that grows with the square of their count. Of a key that an object has twice
the last one counts, as for both libraries.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from itertools import chain
from math import isfinite
from secrets import token_hex
from typing import Any, Final, Literal, TypeAlias

from hueyio.exceptions import ConfigurationError, SerializationError
from hueyio.named_tuple import NamedTuple
from hueyio.serializer.base import MAX_SIZE, Serializer
from hueyio.serializer.json_values import DEEPEST, MisfitError, check_json
from hueyio.serializer.types import Types

__all__ = ["JSONSerializer"]

Library: TypeAlias = Literal["msgspec", "json"]

_MOST_DIGITS: Final = 10_000
"""Of an integer. Python itself turns texts of 4,300 digits into numbers, and no longer ones unless it is told to."""

_TOO_DEEP: Final = f"it is nested in more than {DEEPEST} others"

_LONG: Final = 2_000
"""Bits that Python always writes: its limit is never below 640 digits."""

_MOST_BITS: Final = int(_MOST_DIGITS * 3.33)


class JSONSerializer(Serializer):
    """JSON, optionally compressed: None, bool, int, float, str, list, tuple, and dict with str keys.

    ``library`` is ``msgspec`` (``pip install 'hueyio[json]'``) or ``json``, the standard one; by default msgspec
    where it is installed. Both give and take the same. Integers may have 10,000 digits, and lists and objects may
    be nested 200 deep. Anything else is a SerializationError, which for what is written says where it is: bytes, sets,
    dates, NaN and infinity, instances and subclasses.

    With ``typed`` arguments and results are written and read by the annotations of the task's function: data classes,
    Structs, models of pydantic, dates, UUIDs and the like; it needs msgspec.
    """

    def __init__(
        self,
        compression: bool = False,
        compression_level: int = 6,
        use_zlib: bool = False,
        *,
        library: Library | None = None,
        typed: bool = False,
        max_size: int = MAX_SIZE,
    ) -> None:
        super().__init__(compression, compression_level, use_zlib, max_size=max_size)
        self.library: Library = _best_library() if library is None else library
        self._format = _format_of(self.library)
        if not isinstance(typed, bool):
            raise ConfigurationError(f"typed must be True or False, not {typed!r}")
        self.types = _make_types() if typed else None

    def _serialize(self, value: Any) -> bytes:
        try:
            check_json(value)
        except MisfitError as misfit:
            raise SerializationError(str(misfit)) from None
        try:
            return self._format.encode(value)
        except Exception:  # what is valid here and not there, such as a lone surrogate
            return _STANDARD.encode(value)

    def _deserialize(self, data: bytes) -> Any:
        try:
            try:
                value = self._format.decode(data)
            except Exception:  # likewise; what is no JSON at all is refused again
                value = _STANDARD.decode(data)
        except RecursionError:
            raise SerializationError(_TOO_DEEP) from None
        if data.count(b"[") + data.count(b"{") > DEEPEST and _is_deep(value):
            raise SerializationError(_TOO_DEEP)
        return value


class _Format(NamedTuple):
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]


def _encode_standard(value: Any) -> bytes:
    try:
        return _dump(value).encode()
    except ValueError:  # an integer that is longer than Python writes
        return _dump_long_integers(value).encode()


def _decode_standard(data: bytes) -> Any:
    try:
        return json.loads(data, parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError:
        raise
    except ValueError:  # one that is longer than Python reads
        return json.loads(data, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_whole)


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _dump_long_integers(value: Any) -> str:
    """Write each integer as a text that nothing else can contain, and then put its digits there."""
    token = token_hex(16)
    digits: list[str] = []

    def stand_in(it: Any) -> Any:
        if type(it) is int and it.bit_length() > _LONG:
            digits.append(_digits_of(it))
            return f"{token}{len(digits) - 1}"
        if isinstance(it, dict):
            return {key: stand_in(inner) for key, inner in it.items()}
        return [stand_in(inner) for inner in it] if isinstance(it, list | tuple) else it

    return re.sub(f'"{token}([0-9]+)"', lambda found: digits[int(found[1])], _dump(stand_in(value)))


def _digits_of(number: int) -> str:
    text = str(Decimal(number)) if number.bit_length() <= _MOST_BITS else ""
    if not text or len(text.lstrip("-")) > _MOST_DIGITS:
        raise SerializationError(f"an integer has more than {_MOST_DIGITS:,} digits")
    return text


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > _MOST_DIGITS:
        raise SerializationError(f"an integer has more than {_MOST_DIGITS:,} digits")
    return int(Decimal(text))


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


def _make_types() -> Types:
    if not find_spec("msgspec"):
        raise ConfigurationError("typed=True needs msgspec: pip install 'hueyio[json]'")
    types: Types = import_module("hueyio.serializer.typed").AnnotatedTypes()  # whoever has no types does not load it
    return types


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


def _is_deep(value: Any) -> bool:
    """Say whether lists and objects that were read are nested too deep; level by level, as there may be many."""
    level = [value] if isinstance(value, list | dict) else []
    for _ in range(DEEPEST):
        level = [it for it in chain.from_iterable(map(_inside, level)) if isinstance(it, list | dict)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Iterator[Any]:
    return iter(value.values() if isinstance(value, dict) else value)
