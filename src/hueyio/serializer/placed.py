"""What is around another serializer, and makes its bytes good for one place only: signatures, encryption.

The place says what the data is and where it belongs, such as the result of one task of one queue; it is not stored,
because the reader knows where he reads. Each part of it stands behind its length, and so does the whole, so that no
two places and data are the same bytes.
"""

from __future__ import annotations

import copy
from typing import Any, Final, Self

from hueyio.exceptions import ConfigurationError
from hueyio.serializer.base import Serializer, check_serializer

__all__ = ["Placed"]


class Placed(Serializer):
    """A serializer around ``serializer``, or around a new one with ``options``; ``mark`` is what its data begins with.

    ``before`` are the bytes that say the place.
    """

    mark: bytes

    def __init__(self, serializer: Serializer | None, options: dict[str, Any]) -> None:
        if serializer is not None and options:
            raise ConfigurationError(f"give a serializer, or {', '.join(sorted(options))} for a new one, not both")
        super().__init__(**options)
        self.serializer = Serializer(**options) if serializer is None else serializer
        check_serializer(self.serializer)
        self.types = self.serializer.types
        self.place: tuple[str, ...] = ()
        self.before = _describe(self.mark, ())
        self._kinds: dict[str, Self] = {}

    def within(self, *place: str) -> Self:
        """Return a serializer that writes for a place inside this one's, and reads only what was written for it."""
        if len(place) != 1:
            return self._within(place)
        kind = place[0]  # one of a few, and messages are the most frequent
        if kind not in self._kinds:
            self._kinds[kind] = self._within(place)
        return self._kinds[kind]

    def _within(self, place: tuple[str, ...]) -> Self:
        other = copy.copy(self)
        other.serializer = self.serializer.within(*place)
        other.place = (*self.place, *place)
        other.before = _describe(self.mark, other.place)
        other._kinds = {}
        return other


_LENGTH: Final = 4
"""Bytes that say how long something is."""


def _describe(mark: bytes, place: tuple[str, ...]) -> bytes:
    parts = [part.encode("utf-8", "surrogatepass") for part in place]
    described = b"".join(len(part).to_bytes(_LENGTH, "big") + part for part in parts)
    return mark + len(described).to_bytes(_LENGTH, "big") + described
