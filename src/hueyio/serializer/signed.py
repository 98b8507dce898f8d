"""Bytes that only those who know a secret can have made, and for one place only.

What is stored is a mark, a signature and the data: ``b"\\x93hs2" + HMAC-SHA256(key, place + data) + data``. The place
is not stored; see ``placed``. A message has its id among its data.

The signature is outermost: of bytes that were forged nothing is decompressed or unpickled. It does not say when they
were made: whoever can write to the storage can still delete what is there, or put an old message there a second time.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from hueyio.exceptions import ConfigurationError, SerializationError
from hueyio.serializer.base import Serializer
from hueyio.serializer.placed import Placed

__all__ = ["Secret", "SignedSerializer"]

Secret: TypeAlias = str | bytes

_MARK: Final = b"\x93hs2"
"""What the data of this format begins with; that of hueyio 0.1 began with the signature."""
_SIGNATURE_LENGTH: Final = 32
_START: Final = len(_MARK) + _SIGNATURE_LENGTH


class SignedSerializer(Placed):
    """Signs what another serializer makes, and reads only what is signed.

    ``secret`` is a text or bytes, or several of them: the first signs, and all are accepted, so that a secret can be
    replaced without losing what is queued. ``salt`` keeps apart what several applications sign with one secret.
    A signature holds for one place: see ``within``.
    ``serializer`` is what makes the bytes; without it pickle does, with the ``options`` of ``Serializer``. Data that
    was tampered with, or signed with another secret, is a SerializationError, which is a ValueError.

    Example::

        huey = SqliteHuey("app", filename="app.db", serializer=SignedSerializer("read me from a safe place"))
    """

    mark = _MARK

    def __init__(
        self,
        secret: Secret | Iterable[Secret] | None = None,
        salt: Secret = "huey",
        *,
        serializer: Serializer | None = None,
        **options: Any,
    ) -> None:
        super().__init__(serializer, options)
        salt_bytes = _to_bytes(salt, "salt")
        # A key of its own for each salt, derived the same way for any length of secret.
        self._keys = [hmac.digest(secret, salt_bytes, "sha256") for secret in _secrets_of(secret)]

    def serialize(self, value: Any) -> bytes:
        """Return the value as signed bytes; raises SerializationError."""
        data = self.serializer.serialize(value)
        return b"".join((_MARK, hmac.digest(self._keys[0], self.before + data, "sha256"), data))

    def deserialize(self, data: bytes) -> Any:
        """Return the value of signed bytes; raises SerializationError, before it reads any that are not."""
        if not isinstance(data, bytes):
            raise SerializationError(f"signed data is bytes, not {type(data).__name__}")
        if not data.startswith(_MARK):
            raise SerializationError(self._say_what_is_wrong(data))
        signature, inner = data[len(_MARK) : _START], data[_START:]
        for key in self._keys:
            if hmac.compare_digest(signature, hmac.digest(key, self.before + inner, "sha256")):
                return self.serializer.deserialize(inner)
        place = "/".join(self.place) or "none"
        raise SerializationError(
            "the signature does not fit: made with another secret or salt, or for another place than this one "
            f"({place}), or tampered with"
        )

    def _say_what_is_wrong(self, data: bytes) -> str:
        signature, inner = data[:_SIGNATURE_LENGTH], data[_SIGNATURE_LENGTH:]
        if any(hmac.compare_digest(signature, hmac.digest(key, inner, "sha256")) for key in self._keys):
            return "it was signed by hueyio 0.1, whose signatures do not say what for: such data is not read any more"
        return "it is not signed, and only signed data is read here"


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
    try:
        return value.encode() if isinstance(value, str) else value
    except UnicodeEncodeError:
        raise ConfigurationError(f"the {what} of SignedSerializer has half of a pair of surrogates") from None
