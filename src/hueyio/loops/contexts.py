"""Context variables on their way from one context to another."""

from __future__ import annotations

from contextvars import Context
from typing import Final

__all__ = ["carry_over"]

_UNSET: Final = object()


def carry_over(context: Context) -> None:
    """Give each variable here the value that it has in another context; what is not set there stays as it is."""
    for variable, value in context.items():
        if variable.get(_UNSET) is not value:
            variable.set(value)
