"""The default of a parameter that callers leave out: it says which function gives its value."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Final, TypeVar, overload

from hueyio.exceptions import ConfigurationError

__all__ = ["Depends", "Marker"]

T = TypeVar("T")


class Marker:
    """What ``Depends`` returns, whatever type checkers are told."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function: Final = function

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{self!r} has no {name!r}: nothing has filled it; put @inject below @huey.task")

    def __repr__(self) -> str:
        return f"Depends({getattr(self.function, '__qualname__', self.function)})"


# An iterator is awaitable to nobody and a value to everybody: the order says which is meant.
@overload
def Depends(function: Callable[..., AsyncIterator[T]], /) -> T: ...


@overload
def Depends(function: Callable[..., Iterator[T]], /) -> T: ...


@overload
def Depends(function: Callable[..., Awaitable[T]], /) -> T: ...


@overload
def Depends(function: Callable[..., T], /) -> T: ...


def Depends(function: Callable[..., Any], /) -> Any:  # noqa: N802  # the name by which it is known
    """Say which function gives a parameter its value: ``session: Session = Depends(open_session)``.

    The function is plain, a coroutine function, or a generator function of either kind, which yields the value and goes
    on when the attempt is over. Its own parameters may have ``Depends`` too. Raises ConfigurationError.
    """
    if not callable(function):
        raise ConfigurationError(f"Depends takes the function that gives the value, not {function!r}")
    return Marker(function)
