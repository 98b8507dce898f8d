"""Values to bytes and back, by pickle or by a format of the user's; and compression."""

from __future__ import annotations

import gzip
import logging
import pickle
import zlib
from typing import Any, Final

from hueyio.exceptions import ConfigurationError, SerializationError
from hueyio.serializer.main_module import names_main
from hueyio.serializer.moved import loads_moved
from hueyio.serializer.types import Types

__all__ = ["MAX_SIZE", "Serializer", "check_serializer"]

logger = logging.getLogger(__name__)

MAX_SIZE: Final = 64_000_000
"""Bytes, before compression, that a message, a result or a value may have unless it is said otherwise."""

_GZIP_START: Final = b"\x1f\x8b"
_ZLIB_START: Final = b"\x78"


class Serializer:
    """Pickle, optionally compressed.

    ``compression_level`` is 0 to 9; ``use_zlib`` compresses with zlib in place of gzip. Data that was written without
    compression stays readable after it is switched on, with a warning in the log; what was compressed either way is
    read by both. Override ``_serialize`` and ``_deserialize`` for another format: compression works on top of any,
    and whatever they raise becomes a SerializationError.

    ``max_size`` bounds the bytes of one message, result or value before compression: what is larger is neither written
    nor read, and what was compressed is unpacked no further than that.
    """

    max_size: int = MAX_SIZE  # for subclasses that do not call __init__, too
    types: Types | None = None
    """What writes and reads arguments and results by annotations; None: they are taken as they are."""

    def __init__(
        self,
        compression: bool = False,
        compression_level: int = 6,
        use_zlib: bool = False,
        pickle_protocol: int = pickle.HIGHEST_PROTOCOL,
        *,
        max_size: int = MAX_SIZE,
    ) -> None:
        if not _is_whole(compression_level, 0, 9):
            raise ConfigurationError(f"compression_level must be 0 to 9, not {compression_level!r}")
        if not _is_whole(pickle_protocol, 0, pickle.HIGHEST_PROTOCOL):
            raise ConfigurationError(f"pickle_protocol must be 0 to {pickle.HIGHEST_PROTOCOL}, not {pickle_protocol!r}")
        _check_max_size(max_size)
        self.max_size = max_size
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
        self._check_size(len(data))
        return self._compress(data) if self.compression else data

    def deserialize(self, data: bytes) -> Any:
        """Return the value of the bytes; raises SerializationError."""
        try:
            plain = self._decompress(data) if self.compression else data
            self._check_size(len(plain))
            return self._deserialize(plain)
        except (SerializationError, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise SerializationError(f"{type(error).__name__}: {error}") from error

    def within(self, *place: str) -> Serializer:
        """Return the serializer for what is stored at a place inside this one's; here that is this one.

        hueyio writes and reads at ``queue/message``, ``queue/result/id``, ``queue/value/key``, ``queue/progress/id``,
        ``queue/schedule/name/message``, ``queue/member/chord/position`` and ``queue/absent/chord``. A format that
        signs or encrypts overrides it, so that the bytes of one place are refused at every other.
        """
        return self

    def _serialize(self, value: Any) -> bytes:
        return pickle.dumps(value, self.pickle_protocol)

    def _deserialize(self, data: bytes) -> Any:
        if names_main(data):
            return loads_moved(data)
        try:
            return pickle.loads(data)
        except ModuleNotFoundError as error:
            if error.name is None or not error.name.startswith(("hueyio.", "__mp_main__")):
                raise
            return loads_moved(data)
        except AttributeError:
            if b"__main__" not in data:
                raise
            return loads_moved(data)

    def _compress(self, data: bytes) -> bytes:
        if self.use_zlib:
            return zlib.compress(data, self.compression_level)
        return gzip.compress(data, self.compression_level)

    def _decompress(self, data: bytes) -> bytes:
        if not data.startswith((_GZIP_START, _ZLIB_START)):
            logger.warning("read uncompressed data although compression is on")
            return data
        try:
            return self._unpack(data)
        except zlib.error as error:
            # Another format's bytes may begin alike; if it is damaged instead, the format says so.
            logger.warning("what looks compressed cannot be decompressed, it is read as it is: %s", error)
            return data

    def _unpack(self, data: bytes) -> bytes:
        """Unpack no more than the bound: a small thing may grow very large."""
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # either format, by its beginning
        plain = unpacker.decompress(data, self.max_size + 1)
        self._check_size(len(plain))
        if not unpacker.eof or unpacker.unused_data:
            raise zlib.error("it is cut short, or something follows it")
        return plain

    def _check_size(self, size: int) -> None:
        if size > self.max_size:
            raise SerializationError(
                f"it takes {size:,} bytes or more, and at most {self.max_size:,} are written and read: keep large data "
                "elsewhere and pass where, or raise max_size of the serializer"
            )


def _check_max_size(max_size: object) -> None:
    """Raise ConfigurationError unless it is a number of bytes."""
    if not isinstance(max_size, int) or isinstance(max_size, bool) or max_size < 1:
        raise ConfigurationError(f"max_size must be a number of bytes, at least 1, not {max_size!r}")


def _is_whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def check_serializer(serializer: object) -> None:
    """Raise ConfigurationError for what is no serializer."""
    if not isinstance(serializer, Serializer):
        raise ConfigurationError(f"serializer must be a hueyio.Serializer or of a subclass, not {serializer!r}")
