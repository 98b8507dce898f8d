"""Django's ``async_unsafe``, with its types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.utils import asyncio

__all__ = ["async_unsafe"]

F = TypeVar("F", bound=Callable[..., Any])


def async_unsafe(message: str) -> Callable[[F], F]:
    """Have a function raise SynchronousOnlyOperation with this message on the thread of a running loop."""
    decorate: Any = asyncio.async_unsafe
    return cast("Callable[[F], F]", decorate(message))
