"""What a serializer with types does for the rest of hueyio; whoever does it is loaded only where it is asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Protocol

__all__ = ["TypedCall", "Types"]


class TypedCall(Protocol):
    """The arguments and the result of one function, by its annotations."""

    def prepare(self) -> None:
        """Read the annotations; raises ConfigurationError for one that cannot be used."""
        ...

    def check(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Raise TaskArgumentError for the first argument that would not arrive as it is given."""
        ...

    def read(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], collects: bool
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return what the function is called with, given what a message has; raises TaskArgumentError.

        ``collects``: the last one is what the members of a chord returned.
        """
        ...

    def to_plain(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the format has in the place of these arguments, defaults too; raises TaskArgumentError."""
        ...

    def check_result(self, value: Any) -> None:
        """Raise SerializationError unless what the function returned would arrive as it is."""
        ...

    def read_result(self, plain: Any) -> Any:
        """Return what the function returned, given what is stored; raises SerializationError."""
        ...


class Types(Protocol):
    """Turns arguments and results into what a format has, and back by their annotations."""

    def to_plain(self, value: Any) -> Any:
        """Return what the format has in the place of a value; raises SerializationError."""
        ...

    def call_of(self, path: str, function: Callable[..., Any], signature: inspect.Signature) -> TypedCall:
        """Return what reads the arguments of a function; its annotations are not looked at yet."""
        ...

    def reader_of(self, returns: Any) -> Callable[[Any], Any]:
        """Return what reads values of a type, and raises SerializationError; raises ConfigurationError."""
        ...
