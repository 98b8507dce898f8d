"""Answers on their way to those who wait for them, some of whom have gone. All of it belongs to their loop."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from hueyio.named_tuple import NamedTuple

__all__ = ["Refused", "fulfil", "reject", "resolve"]

T = TypeVar("T")


class Refused(NamedTuple):
    """The answer of an operation that raised."""

    error: BaseException


def fulfil(future: asyncio.Future[Any], answer: Any) -> None:
    """Hand over an operation's answer, unless nobody waits any more."""
    if future.done():
        return
    if isinstance(answer, Refused):
        future.set_exception(answer.error)
    else:
        future.set_result(answer)


def resolve(future: asyncio.Future[T], result: T) -> None:
    """End the wait for a future, unless nobody waits any more."""
    if not future.done():
        future.set_result(result)


def reject(future: asyncio.Future[Any], error: BaseException) -> None:
    """Fail the wait for a future, unless nobody waits any more."""
    if not future.done():
        future.set_exception(error)
