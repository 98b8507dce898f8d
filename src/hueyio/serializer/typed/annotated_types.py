"""Types by annotations, as a serializer has them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from hueyio.exceptions import SerializationError
from hueyio.serializer.typed.call import AnnotatedCall
from hueyio.serializer.typed.converters import WrongTypeError, converter_of
from hueyio.serializer.typed.plain import to_plain

__all__ = ["AnnotatedTypes"]


class AnnotatedTypes:
    """Models, dates and the like to JSON, and back by annotations; see ``Types``."""

    def to_plain(self, value: Any) -> Any:
        """Return the JSON form of a value; raises SerializationError."""
        return to_plain(value)

    def call_of(self, path: str, function: Callable[..., Any], signature: inspect.Signature) -> AnnotatedCall:
        """Return what reads the arguments of a function; its annotations are not looked at yet."""
        return AnnotatedCall(path, function, signature)

    def reader_of(self, returns: Any) -> Callable[[Any], Any]:
        """Return what reads values of a type, and raises SerializationError; raises ConfigurationError."""
        converter = converter_of(returns, "returns")

        def read(plain: Any) -> Any:
            try:
                return converter.read(plain)
            except WrongTypeError as wrong:
                raise SerializationError(f"it {wrong.sentence('value')}") from None

        return read
