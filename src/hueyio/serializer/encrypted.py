"""Bytes that only those who have a key can read or have made, and for one place only.

What is stored is a mark, 16 random bytes, a nonce of 12 and what AES-256-GCM makes of the data:
``b"\\x93he1" + random + nonce + ciphertext + tag``. The place (see ``placed``) is authenticated with it and not stored.
Each piece of data has a key of its own, ``HMAC-SHA256(key, b"hueyio encrypt" + random)``: under one key alone two
random nonces could be the same after 4 billion messages, which a busy queue has in weeks.

What stands outside of messages and results is not encrypted: ids, times, priorities, lanes, unique keys, and the names
and errors of tasks that have ended.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, TypeAlias

from hueyio.exceptions import ConfigurationError, SerializationError
from hueyio.serializer.base import Serializer
from hueyio.serializer.placed import Placed

__all__ = ["EncryptedSerializer", "Key"]

Key: TypeAlias = str | bytes
"""32 bytes, or their base64 text."""

_MARK: Final = b"\x93he1"
_RANDOM: Final = 16
_NONCE: Final = 12
_TAG: Final = 16
_KEY: Final = 32
_NONCE_AT: Final = len(_MARK) + _RANDOM
_DATA_AT: Final = _NONCE_AT + _NONCE
_LABEL: Final = b"hueyio encrypt"
"""What the keys are for: nobody else derives the same ones from them."""


class EncryptedSerializer(Placed):
    """Encrypts what another serializer makes, and reads only what is encrypted; ``pip install 'hueyio[crypto]'``.

    ``key`` is made by ``EncryptedSerializer.new_key()``, or is any 32 secret bytes. Of several keys the first encrypts,
    and all decrypt, so that a key can be replaced without losing what is queued. What was encrypted for one place is
    refused at every other; see ``within``. ``serializer`` is what makes the bytes; without it pickle does, with the
    ``options`` of ``Serializer``. Data that was tampered with, or encrypted with another key, is a SerializationError.
    Raises ConfigurationError for what is no key.
    """

    mark = _MARK

    def __init__(
        self, key: Key | Iterable[Key] | None = None, *, serializer: Serializer | None = None, **options: Any
    ) -> None:
        super().__init__(serializer, options)
        self._keys = _keys_of(key)
        if not find_spec("cryptography"):
            raise ConfigurationError("EncryptedSerializer needs cryptography: pip install 'hueyio[crypto]'")
        self._cipher: Any = import_module("cryptography.hazmat.primitives.ciphers.aead").AESGCM
        self._wrong_tag: type[Exception] = import_module("cryptography.exceptions").InvalidTag

    @staticmethod
    def new_key() -> str:
        """Return a new key, as text for an environment variable or a file of secrets."""
        return base64.urlsafe_b64encode(os.urandom(_KEY)).decode()

    def serialize(self, value: Any) -> bytes:
        """Return the value as encrypted bytes; raises SerializationError."""
        data = self.serializer.serialize(value)
        random = os.urandom(_RANDOM + _NONCE)
        cipher = self._cipher_of(self._keys[0], random[:_RANDOM])
        return b"".join((_MARK, random, cipher.encrypt(random[_RANDOM:], data, self.before)))

    def deserialize(self, data: bytes) -> Any:
        """Return the value of encrypted bytes; raises SerializationError, before it reads any that were forged."""
        if not isinstance(data, bytes):
            raise SerializationError(f"encrypted data is bytes, not {type(data).__name__}")
        if not data.startswith(_MARK) or len(data) < _DATA_AT + _TAG:
            raise SerializationError("it is not encrypted, and only encrypted data is read here")
        random, nonce, ciphertext = data[len(_MARK) : _NONCE_AT], data[_NONCE_AT:_DATA_AT], data[_DATA_AT:]
        for key in self._keys:
            try:
                plain = self._cipher_of(key, random).decrypt(nonce, ciphertext, self.before)
            except self._wrong_tag:
                continue
            return self.serializer.deserialize(plain)
        place = "/".join(self.place) or "none"
        raise SerializationError(
            f"it cannot be decrypted: made with another key, or for another place than this one ({place}), or tampered "
            "with"
        )

    def _cipher_of(self, key: bytes, random: bytes) -> Any:
        return self._cipher(hmac.digest(key, _LABEL + random, "sha256"))


def _keys_of(key: Key | Iterable[Key] | None) -> list[bytes]:
    given = [key] if key is None or isinstance(key, str | bytes) else list(key) if isinstance(key, Iterable) else [key]
    if not given:
        raise ConfigurationError("EncryptedSerializer needs at least one key")
    return [_key_from(it) for it in given]


def _key_from(key: object) -> bytes:
    # The key itself is never shown: errors end up in logs.
    found: object = key
    if isinstance(key, str):
        try:
            found = base64.b64decode(key.encode("ascii"), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            found = None
    if not isinstance(found, bytes) or len(found) != _KEY:
        raise ConfigurationError(
            f"a key of EncryptedSerializer is {_KEY} bytes, or their base64 text: "
            "EncryptedSerializer.new_key() makes one"
        )
    return found
