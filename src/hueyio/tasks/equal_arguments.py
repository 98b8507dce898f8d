"""A text that is the same for equal arguments: the unique key of a call that has no other.

``TaskSpec`` imports it when the first such key is needed: it knows types of which most programs have none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

from hueyio.exceptions import TaskArgumentError

__all__ = ["key_of_arguments"]

_PLAIN: Final = (
    *(type(None), bool, int, float, complex, str, bytes),
    *(date, time, datetime, timedelta, Decimal, UUID, PurePath),
)


def key_of_arguments(name: str, arguments: Mapping[str, Any]) -> str:
    """Return a text that is the same for equal arguments; raises TaskArgumentError for one without a stable form."""
    described = []
    for argument, value in sorted(arguments.items()):
        try:
            described.append(f"{argument}={_describe(value)}")
        except TypeError as error:
            raise TaskArgumentError(
                f"task {name}: argument {argument!r} cannot make a call unique: {error}; "
                "give the task a unique_key= that computes one"
            ) from None
    return hashlib.sha256("\n".join(described).encode(errors="surrogatepass")).hexdigest()


def _describe(value: Any) -> str:
    match value:
        case Enum():
            return f"{type(value).__qualname__}.{value.name}"
        case _ if isinstance(value, _PLAIN):
            return repr(value)
        case set() | frozenset():
            return f"{{{','.join(sorted(map(_describe, value)))}}}"
        case Mapping():
            items = sorted(f"{_describe(key)}:{_describe(item)}" for key, item in value.items())
            return f"{{{','.join(items)}}}"
        case Sequence():
            return f"[{','.join(map(_describe, value))}]"
        case _ if is_dataclass(value) and not isinstance(value, type):
            parts = [f"{field.name}={_describe(getattr(value, field.name))}" for field in fields(value)]
            return f"{type(value).__qualname__}({','.join(parts)})"
        case _:
            raise TypeError(f"a {type(value).__name__} has no form that is the same for equal ones")
