"""Huey's bytes to values: what it compresses, signs and pickles."""

from __future__ import annotations

import hashlib
import hmac
import re
import zlib
from typing import Any, Final

from hueyio.exceptions import SerializationError
from hueyio.migration.unpickling import NotTrusted, Trust, unpickle, unpickle_around
from hueyio.serializer.base import MAX_SIZE

__all__ = ["Codec"]

_COMPRESSED: Final = (b"\x1f", b"\x78")
"""How gzip and zlib begin, which no pickle does; Huey looks at this one byte too."""

_SIGNATURE: Final = re.compile(rb":[0-9a-f]{40}\Z")


class Codec:
    """Reads what one Huey wrote; ``secret`` is that of its SignedSerializer, None without one.

    Whether something is compressed shows by itself. What is signed is only read with the secret, and with a secret
    nothing else is.
    """

    def __init__(self, trust: Trust, secret: bytes | None = None, salt: bytes = b"huey") -> None:
        self._trust = trust
        self._key = None if secret is None else hashlib.sha1(salt + secret).digest()

    def read(self, data: bytes) -> Any:
        """Return the value; raises SerializationError that says why it cannot be read."""
        try:
            return unpickle(self._unsign(_decompress(data)), self._trust)
        except SerializationError:
            raise
        except NotTrusted as error:
            raise SerializationError(str(error)) from error
        except Exception as error:  # a pickle that is damaged may raise anything, and so may what is trusted
            raise SerializationError(f"no pickle that can be read: {type(error).__name__}: {error}") from error

    def read_around(self, data: bytes) -> Any:
        """Return the value without what is not trusted; raises SerializationError."""
        try:
            return unpickle_around(self._unsign(_decompress(data)))
        except Exception as error:  # as above
            raise SerializationError(str(error)) from error

    def _unsign(self, data: bytes) -> bytes:
        found = _SIGNATURE.search(data)
        if self._key is None:
            if found:
                raise SerializationError("it is signed, and the secret was not given: --secret")
            return data
        if not found:
            raise SerializationError("it is not signed, and a secret was given")
        plain = data[: found.start()]
        expected = hmac.new(self._key, plain, hashlib.sha1).hexdigest().encode()
        if not hmac.compare_digest(found[0][1:], expected):
            raise SerializationError("another secret or salt has signed it")
        return plain


def _decompress(data: bytes) -> bytes:
    if not data.startswith(_COMPRESSED):
        return data
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # either format, by its beginning
    plain = unpacker.decompress(data, MAX_SIZE + 1)
    if len(plain) > MAX_SIZE:
        raise SerializationError(f"it unpacks to more than {MAX_SIZE:,} bytes")
    if not unpacker.eof:
        raise SerializationError("it is compressed, and cut short")
    return plain
