"""Whether a value arrives as it was given: what its JSON form does not say must not be lost without a word.

Such as: the fields of a subclass, a secret that is masked, a private attribute, an Invoice that looks like an Order.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

__all__ = ["is_kept"]

_LISTS: Final = (list, tuple)
_SETS: Final = (set, frozenset)


def is_kept(value: Any, plain: Any, arrived: Any) -> bool:
    """Say whether ``arrived`` is the value. One that was given in its JSON form, ``plain``, may arrive as any type."""
    if type(arrived) is type(value) and _is_equal(arrived, value):
        return True
    if type(plain) is type(value) and _is_equal(plain, value):
        return True
    return _is_alike(value, arrived)


def _is_equal(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except Exception:  # whatever a class of the user's does to compare itself, it does not say that they are equal
        return False


def _is_alike(value: Any, arrived: Any) -> bool:
    """Do the same for what does not compare equal: other lists, zones, and classes that compare by identity."""
    kind, other = type(value), type(arrived)
    if kind is int and other is float:
        return _is_equal(value, arrived)
    if kind in _LISTS and other in _LISTS:
        return len(value) == len(arrived) and all(map(_is_alike, value, arrived))
    if kind in _SETS and other in _SETS:
        return _is_equal(value, arrived)
    if isinstance(value, dict) and isinstance(arrived, dict):
        return value.keys() == arrived.keys() and all(_is_alike(it, arrived[key]) for key, it in value.items())
    if kind is not other:
        return False
    return _is_equal(value, arrived) or _is_same_inside(value, arrived)


def _is_same_inside(value: Any, arrived: Any) -> bool:
    """Compare two of one type by what they consist of."""
    if isinstance(value, datetime):
        # With two zones they are never equal in an hour that occurs twice.
        return None not in (value.tzinfo, arrived.tzinfo) and value.astimezone(UTC) == arrived.astimezone(UTC)
    if isinstance(value, tuple):
        return all(map(_is_alike, value, arrived))
    mine, others = _inside(value), _inside(arrived)
    if mine is None or others is None:
        return False
    return mine.keys() == others.keys() and all(_is_alike(it, others[name]) for name, it in mine.items())


def _inside(value: Any) -> Mapping[str, Any] | None:
    """Return the fields of an instance of a data class, a Struct or a model; None for anything else."""
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    if hasattr(value, "__struct_fields__"):
        return {name: getattr(value, name, None) for name in value.__struct_fields__}
    if hasattr(value, "__pydantic_fields__"):
        extra, private = value.__pydantic_extra__ or {}, value.__pydantic_private__ or {}
        return {**value.__dict__, **extra, **private}
    return None
