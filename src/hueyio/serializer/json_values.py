"""Which values JSON has: the check of what is written, which says where the first one is that it has not."""

from __future__ import annotations

from math import isfinite
from types import NoneType
from typing import Any, Final

__all__ = ["DEEPEST", "SIMPLE", "MisfitError", "check_json"]

DEEPEST: Final = 200
"""Lists and objects inside each other; the libraries' own limits differ, and end in different errors."""

SIMPLE: Final = frozenset({str, int, bool, NoneType})
"""The types whose every value JSON has."""


class MisfitError(Exception):
    """A value that JSON does not have; the steps to it are added on the way out."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.steps: list[str] = []

    def __str__(self) -> str:
        return f"value{''.join(reversed(self.steps))} {self.reason}"


def check_json(value: Any, depth: int = 0) -> None:
    """Raise MisfitError unless the value and all in it is JSON; ``depth`` is in how many others it is."""
    kind = type(value)
    if kind in SIMPLE:
        return
    if kind is list or kind is tuple:
        _check_items(enumerate(value), depth)
    elif kind is dict:
        for key in value:
            if type(key) is not str:
                raise MisfitError(f"has the key {key!r}, and JSON has only texts as keys")
        _check_items(value.items(), depth)
    elif kind is float:
        if not isfinite(value):
            raise MisfitError(f"is {value!r}, which JSON does not have")
    else:
        raise MisfitError(f"is of type {kind.__qualname__}, which JSON does not have")


def _check_items(items: Any, depth: int) -> None:
    if depth == DEEPEST:
        raise MisfitError(f"is nested in more than {DEEPEST} others, or in itself")
    for key, value in items:
        if type(value) not in SIMPLE:
            try:
                check_json(value, depth + 1)
            except MisfitError as misfit:
                misfit.steps.append(f"[{key!r}]")
                raise
