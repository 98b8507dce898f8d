"""What every blocking class is: another object, whose coroutines it waits for."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from hueyio.loops.portal import block_on

__all__ = ["Blocking"]

T = TypeVar("T")


class Blocking:
    """The blocking form of an object; ``aio`` is that object.

    Most methods of its subclasses are made from those of their twins: see ``tests/support/facade.py``.
    """

    __slots__ = ("_wrapped",)

    _wrapped: Any

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped

    @property
    def aio(self) -> Any:
        """The same for coroutines."""
        return self._wrapped

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._wrapped is self._wrapped

    def __hash__(self) -> int:
        return hash(id(self._wrapped))

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return block_on(coroutine)
