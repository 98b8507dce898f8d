"""Unique keys: what makes two calls the same, and what becomes of the second."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, Final, Literal, TypeAlias, get_args
from uuid import UUID

from hueyio.exceptions import ConfigurationError, TaskArgumentError
from hueyio.named_tuple import NamedTuple
from hueyio.storage.texts import check_text

__all__ = ["Unique", "UniqueKey", "UniqueMode", "check_unique", "key_of_arguments", "key_of_call", "scoped"]

UniqueMode: TypeAlias = Literal["skip", "replace", "raise"]
"""What a call does while another one with its key is pending or running."""

UniqueKey: TypeAlias = Callable[..., object] | str
"""What makes calls the same: a text, or a function of the arguments. Otherwise: equal arguments."""

_MODES: Final = get_args(UniqueMode)
_PLAIN: Final = (
    *(type(None), bool, int, float, complex, str, bytes),
    *(date, time, datetime, timedelta, Decimal, UUID, PurePath),
)


class Unique(NamedTuple):
    """How one call is unique."""

    mode: UniqueMode
    key: UniqueKey | None = None


def check_unique(unique: Any, key: Any) -> Unique | None:
    """Return what is declared, or None; raises ConfigurationError. A key alone means ``skip``."""
    if unique is None and key is None:
        return None
    if unique is not None and unique not in _MODES:
        raise ConfigurationError(f"unique must be 'skip', 'replace' or 'raise', not {unique!r}")
    if key is not None and not callable(key) and not (isinstance(key, str) and key):
        raise ConfigurationError(f"unique_key must be a function of the arguments or a text, not {key!r}")
    return Unique(unique or "skip", key)


def scoped(name: str, key: object) -> str:
    """Return the storage's key: each task has its own. Raises ConfigurationError."""
    return check_text("the unique key", f"{name}:{key}")


def key_of_call(name: str, key: UniqueKey, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Return the storage's key of a call that says what makes it unique."""
    return scoped(name, key if isinstance(key, str) else key(*args, **kwargs))


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
