"""Values to bytes and back, by pickle or by a format of the user's; and compression."""

from __future__ import annotations

import gzip
import logging
import pickle
import zlib
from typing import Any, Final

from hueyio.exceptions import ConfigurationError, SerializationError
from hueyio.serializer.moved import loads_moved

__all__ = ["Serializer"]

logger = logging.getLogger(__name__)

_GZIP_START: Final = b"\x1f\x8b"
_ZLIB_START: Final = b"\x78"


class Serializer:
    """Pickle, optionally compressed.

    ``compression_level`` is 0 to 9; ``use_zlib`` compresses with zlib in place of gzip. Data that was written without
    compression stays readable after it is switched on, with a warning in the log; what was compressed either way is
    read by both. Override ``_serialize`` and ``_deserialize`` for another format: compression works on top of any,
    and whatever they raise becomes a SerializationError.
    """

    def __init__(
        self,
        compression: bool = False,
        compression_level: int = 6,
        use_zlib: bool = False,
        pickle_protocol: int = pickle.HIGHEST_PROTOCOL,
    ) -> None:
        if not _is_whole(compression_level, 0, 9):
            raise ConfigurationError(f"compression_level must be 0 to 9, not {compression_level!r}")
        if not _is_whole(pickle_protocol, 0, pickle.HIGHEST_PROTOCOL):
            raise ConfigurationError(f"pickle_protocol must be 0 to {pickle.HIGHEST_PROTOCOL}, not {pickle_protocol!r}")
        self.compression = compression
        self.compression_level = compression_level
        self.use_zlib = use_zlib
        self.pickle_protocol = pickle_protocol

    def serialize(self, value: Any) -> bytes:
        """Return the value as bytes; raises SerializationError."""
        try:
            data = self._serialize(value)
        except (SerializationError, KeyboardInterrupt):
            raise
        except BaseException as error:  # SystemExit too: it would end the consumer that keeps a result
            raise SerializationError(f"{type(value).__name__} cannot be serialised: {error}") from error
        if not isinstance(data, bytes):
            raise SerializationError(f"{type(self).__name__} made {type(data).__name__} of a value, not bytes")
        return self._compress(data) if self.compression else data

    def deserialize(self, data: bytes) -> Any:
        """Return the value of the bytes; raises SerializationError."""
        try:
            return self._deserialize(self._decompress(data) if self.compression else data)
        except (SerializationError, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise SerializationError(f"{type(error).__name__}: {error}") from error

    def _serialize(self, value: Any) -> bytes:
        return pickle.dumps(value, self.pickle_protocol)

    def _deserialize(self, data: bytes) -> Any:
        try:
            return pickle.loads(data)
        except ModuleNotFoundError as error:
            if error.name is None or not error.name.startswith("hueyio."):
                raise
            return loads_moved(data)

    def _compress(self, data: bytes) -> bytes:
        if self.use_zlib:
            return zlib.compress(data, self.compression_level)
        return gzip.compress(data, self.compression_level)

    def _decompress(self, data: bytes) -> bytes:
        try:
            if data.startswith(_GZIP_START):
                return gzip.decompress(data)
            if data.startswith(_ZLIB_START):
                return zlib.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            # Another format's bytes may begin alike; if it is damaged instead, the format says so.
            logger.warning("what looks compressed cannot be decompressed, it is read as it is: %s", error)
            return data
        logger.warning("read uncompressed data although compression is on")
        return data


def _is_whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
