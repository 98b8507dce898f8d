"""Bytes that only those who know a secret can have made.

What is stored is ``HMAC-SHA256(key, data) + data``. The signature is outermost: of bytes that were forged nothing is
decompressed or unpickled. It covers each value by itself, not where or when it is stored: whoever can write to the
storage can still delete what is there, or put a signed message there a second time.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from hueyio.exceptions import ConfigurationError, SerializationError
from hueyio.serializer.base import Serializer

__all__ = ["Secret", "SignedSerializer"]

Secret: TypeAlias = str | bytes

_SIGNATURE_LENGTH: Final = 32


class SignedSerializer(Serializer):
    """Signs what another serializer makes, and reads only what is signed.

    ``secret`` is a text or bytes, or several of them: the first signs, and all are accepted, so that a secret can be
    replaced without losing what is queued. ``salt`` keeps apart what several applications sign with one secret.
    ``serializer`` is what makes the bytes; without it pickle does, with the ``options`` of ``Serializer``. Data that
    was tampered with, or signed with another secret, is a SerializationError, which is a ValueError.
    """

    def __init__(
        self,
        secret: Secret | Iterable[Secret] | None = None,
        salt: Secret = "huey",
        *,
        serializer: Serializer | None = None,
        **options: Any,
    ) -> None:
        if serializer is not None and options:
            raise ConfigurationError(f"give a serializer, or {', '.join(sorted(options))} for a new one, not both")
        super().__init__(**options)
        self.serializer = Serializer(**options) if serializer is None else serializer
        salt_bytes = _to_bytes(salt, "salt")
        # A key of its own for each salt, derived the same way for any length of secret.
        self._keys = [hmac.digest(secret, salt_bytes, "sha256") for secret in _secrets_of(secret)]

    def serialize(self, value: Any) -> bytes:
        """Return the value as signed bytes; raises SerializationError."""
        data = self.serializer.serialize(value)
        return hmac.digest(self._keys[0], data, "sha256") + data

    def deserialize(self, data: bytes) -> Any:
        """Return the value of signed bytes; raises SerializationError, before it reads any that are not."""
        signature, data = data[:_SIGNATURE_LENGTH], data[_SIGNATURE_LENGTH:]
        for key in self._keys:
            if hmac.compare_digest(signature, hmac.digest(key, data, "sha256")):
                return self.serializer.deserialize(data)
        raise SerializationError("the signature does not fit: made with another secret or salt, or tampered with")


def _secrets_of(secret: Secret | Iterable[Secret] | None) -> list[bytes]:
    if secret is None:
        raise ConfigurationError("SignedSerializer needs a secret: a text or bytes that only its users know")
    if isinstance(secret, str | bytes) or not isinstance(secret, Iterable):
        return [_to_bytes(secret, "secret")]
    secrets = [_to_bytes(it, "secret") for it in secret]
    if not secrets:
        raise ConfigurationError("SignedSerializer needs at least one secret")
    return secrets


def _to_bytes(value: object, what: str) -> bytes:
    # The value itself is never shown: errors end up in logs.
    if not isinstance(value, str | bytes):
        raise ConfigurationError(f"the {what} of SignedSerializer must be a text or bytes, not {type(value).__name__}")
    if not value:
        raise ConfigurationError(f"the {what} of SignedSerializer must not be empty")
    return value.encode() if isinstance(value, str) else value
