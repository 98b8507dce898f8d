"""Values to bytes and back."""

from __future__ import annotations

import gzip
import logging
import pickle
import zlib
from typing import Any, Final

from hueyio.exceptions import ConfigurationError, SerializationError

__all__ = ["Serializer"]

logger = logging.getLogger(__name__)

_GZIP_START: Final = b"\x1f\x8b"
_ZLIB_START: Final = b"\x78"


class Serializer:
    """Pickle, optionally compressed.

    Override ``_serialize`` and ``_deserialize`` for another format; compression works on top of any. Data that was
    written without compression stays readable after it is switched on.
    """

    def __init__(
        self,
        compression: bool = False,
        compression_level: int = 6,
        use_zlib: bool = False,
        pickle_protocol: int = pickle.HIGHEST_PROTOCOL,
    ) -> None:
        if not 0 <= compression_level <= 9:
            raise ConfigurationError(f"compression_level must be 0 to 9, not {compression_level!r}")
        self.compression = compression
        self.compression_level = compression_level
        self.use_zlib = use_zlib
        self.pickle_protocol = pickle_protocol

    def serialize(self, value: Any) -> bytes:
        """Return the value as bytes; raises SerializationError."""
        try:
            data = self._serialize(value)
        except Exception as error:
            raise SerializationError(f"{type(value).__name__} cannot be serialised: {error}") from error
        return self._compress(data) if self.compression else data

    def deserialize(self, data: bytes) -> Any:
        """Return the value of the bytes; raises SerializationError."""
        try:
            return self._deserialize(self._decompress(data) if self.compression else data)
        except Exception as error:
            raise SerializationError(f"{type(error).__name__}: {error}") from error

    def _serialize(self, value: Any) -> bytes:
        return pickle.dumps(value, self.pickle_protocol)

    def _deserialize(self, data: bytes) -> Any:
        return pickle.loads(data)

    def _compress(self, data: bytes) -> bytes:
        if self.use_zlib:
            return zlib.compress(data, self.compression_level)
        return gzip.compress(data, self.compression_level)

    def _decompress(self, data: bytes) -> bytes:
        if data.startswith(_GZIP_START):
            return gzip.decompress(data)
        if data.startswith(_ZLIB_START):
            return zlib.decompress(data)
        logger.warning("read uncompressed data although compression is on")
        return data
