"""The serializer of a command that does not know the app: what tasks carry is never read here."""

from __future__ import annotations

from typing import Any

from hueyio.exceptions import SerializationError
from hueyio.serializer import Serializer

__all__ = ["SealedSerializer"]


class SealedSerializer(Serializer):
    """Writes pickle as the default does, and refuses to read: a pickle of anybody's would run what it says."""

    def _deserialize(self, data: bytes) -> Any:
        raise SerializationError("it is read only by its app: say -a module:attribute")
