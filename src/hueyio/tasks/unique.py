"""Unique keys: what makes two calls the same, and what becomes of the second."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, get_args

from hueyio.exceptions import ConfigurationError
from hueyio.named_tuple import NamedTuple
from hueyio.storage.texts import check_text

__all__ = ["Unique", "UniqueKey", "UniqueMode", "check_unique", "key_of_call", "scoped"]

UniqueMode: TypeAlias = Literal["skip", "replace", "raise"]
"""What a call does while another one with its key is pending or running."""

UniqueKey: TypeAlias = Callable[..., object] | str
"""What makes calls the same: a text, or a function of the arguments. Otherwise: equal arguments."""

_MODES: Final = get_args(UniqueMode)


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
