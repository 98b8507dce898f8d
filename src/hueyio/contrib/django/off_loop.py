"""Refuses a call that blocks where an event loop runs, with Django's own error and switch."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from django.utils.asyncio import async_unsafe

__all__ = ["off_loop"]

P = ParamSpec("P")
R = TypeVar("R")


def off_loop(message: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function raise SynchronousOnlyOperation with this message on a running loop.

    It is Django's ``async_unsafe``, which has no types. DJANGO_ALLOW_ASYNC_UNSAFE switches it off, as everywhere in
    Django.
    """
    return cast("Callable[[Callable[P, R]], Callable[P, R]]", async_unsafe(message))
