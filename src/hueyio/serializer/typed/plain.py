"""Values to what JSON has, by their own types: the one way in which all of them are written."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from typing import Any

from msgspec import to_builtins

from hueyio.exceptions import SerializationError
from hueyio.serializer.json_values import SIMPLE

__all__ = ["to_plain"]


def to_plain(value: Any) -> Any:
    """Return the JSON form of a value; raises SerializationError.

    JSON itself stays as it is. What no library knows is refused; whether the form says all of the value is not asked.
    """
    if type(value) in SIMPLE:
        return value
    if isinstance(value, BaseException):  # a data class too: errors have a way of their own
        raise SerializationError(f"it is of type {type(value).__qualname__}, which has no JSON form")
    try:
        return to_builtins(value, str_keys=True, enc_hook=_to_less)
    except SerializationError:
        raise
    except RecursionError:
        raise SerializationError("it is nested too deep, or in itself") from None
    except Exception as error:  # of a model's own code too
        raise SerializationError(f"{error}") from error


def _to_less(value: Any) -> Any:
    """Return something that msgspec knows in the place of what it does not know."""
    kind = type(value)
    serializer = getattr(kind, "__pydantic_serializer__", None)
    if serializer is not None:
        return serializer.to_python(value, mode="json", by_alias=True, round_trip=True)
    if kind is deque:
        return list(value)
    pydantic = sys.modules.get("pydantic_core")
    # It would use up an iterator, and write what it gave.
    if pydantic is not None and not isinstance(value, Iterator | BaseException):
        try:
            return pydantic.to_jsonable_python(value, by_alias=True, round_trip=True)
        except pydantic.PydanticSerializationError:
            pass
    raise SerializationError(f"it has something of type {kind.__qualname__}, which has no JSON form")
