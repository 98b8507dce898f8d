"""Checks of what a caller gave: a text is neither a switch nor a list of things, and a name may be misspelt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any, Final

from hueyio.exceptions import ConfigurationError, HueyException

__all__ = ["check_switches", "closest", "items_of"]

_LEAST_BEGINNING: Final = 4
"""Letters of a name that is taken for the beginning of a longer one: ``retry`` of ``retry_delay``."""


def check_switches(switches: Mapping[str, object]) -> None:
    """Raise ConfigurationError for a switch that is neither True nor False: a text such as "False" would be true."""
    for name, value in switches.items():
        if not isinstance(value, bool):
            raise ConfigurationError(f"{name} must be True or False, not {value!r}")


def closest(name: str, known: Iterable[str], cutoff: float = 0.7) -> str | None:
    """Return the known name that was probably meant; None if it is like none. A lower ``cutoff`` finds more."""
    known = sorted(known)
    found: list[str] = import_module("difflib").get_close_matches(name, known, 1, cutoff)  # for a mistake only
    if not found and len(name) >= _LEAST_BEGINNING:
        found = [other for other in known if other.startswith(name)]
    return found[0] if found else None


def items_of(value: Any, takes: str, error: type[Exception] = HueyException) -> tuple[Any, ...]:
    """Return the items of an iterable; ``takes`` says what takes which.

    A text would be taken apart into letters, bytes into numbers, and a mapping would lose its values.
    """
    if isinstance(value, (str, bytes, bytearray, memoryview, Mapping)) or not isinstance(value, Iterable):
        raise error(f"{takes}, not {value!r:.200}")
    return tuple(value)
