"""Bytes that only those who know a secret can have made, and for one place only.

What is stored is a mark, a signature and the data: ``b"\\x93hs2" + HMAC-SHA256(key, place + data) + data``. The place
says what the data is and where it belongs, such as the result of one task of one queue; it is not stored, because the
reader knows where he reads. Each part of it stands behind its length, and so does the whole, so that no two places and
data are the same bytes. A message has its id among its data.

The signature is outermost: of bytes that were forged nothing is decompressed or unpickled. It does not say when they
were made: whoever can write to the storage can still delete what is there, or put an old message there a second time.
"""

from __future__ import annotations

import copy
import hmac
from collections.abc import Iterable
from typing import Any, Final, Self, TypeAlias

from hueyio.exceptions import ConfigurationError, SerializationError
from hueyio.serializer.base import Serializer

__all__ = ["Secret", "SignedSerializer"]

Secret: TypeAlias = str | bytes

_MARK: Final = b"\x93hs2"
"""What the data of this format begins with; that of hueyio 0.1 began with the signature."""
_SIGNATURE_LENGTH: Final = 32
_START: Final = len(_MARK) + _SIGNATURE_LENGTH


class SignedSerializer(Serializer):
    """Signs what another serializer makes, and reads only what is signed.

    ``secret`` is a text or bytes, or several of them: the first signs, and all are accepted, so that a secret can be
    replaced without losing what is queued. ``salt`` keeps apart what several applications sign with one secret.
    A signature holds for one place: see ``within``.
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
        self._place: tuple[str, ...] = ()
        self._before = _before_data(())
        self._kinds: dict[str, Self] = {}

    def within(self, *place: str) -> Self:
        """Return a serializer that signs for a place inside this one's, and reads only what was signed for it."""
        if len(place) != 1:
            return self._within(place)
        kind = place[0]  # one of a few, and messages are the most frequent
        if kind not in self._kinds:
            self._kinds[kind] = self._within(place)
        return self._kinds[kind]

    def serialize(self, value: Any) -> bytes:
        """Return the value as signed bytes; raises SerializationError."""
        data = self.serializer.serialize(value)
        return b"".join((_MARK, hmac.digest(self._keys[0], self._before + data, "sha256"), data))

    def deserialize(self, data: bytes) -> Any:
        """Return the value of signed bytes; raises SerializationError, before it reads any that are not."""
        if not isinstance(data, bytes):
            raise SerializationError(f"signed data is bytes, not {type(data).__name__}")
        if not data.startswith(_MARK):
            raise SerializationError(self._say_what_is_wrong(data))
        signature, inner = data[len(_MARK) : _START], data[_START:]
        for key in self._keys:
            if hmac.compare_digest(signature, hmac.digest(key, self._before + inner, "sha256")):
                return self.serializer.deserialize(inner)
        place = "/".join(self._place) or "none"
        raise SerializationError(
            "the signature does not fit: made with another secret or salt, or for another place than this one "
            f"({place}), or tampered with"
        )

    def _within(self, place: tuple[str, ...]) -> Self:
        other = copy.copy(self)
        other.serializer = self.serializer.within(*place)
        other._place = (*self._place, *place)
        other._before = _before_data(other._place)
        other._kinds = {}
        return other

    def _say_what_is_wrong(self, data: bytes) -> str:
        signature, inner = data[:_SIGNATURE_LENGTH], data[_SIGNATURE_LENGTH:]
        if any(hmac.compare_digest(signature, hmac.digest(key, inner, "sha256")) for key in self._keys):
            return "it was signed by hueyio 0.1, whose signatures do not say what for: such data is not read any more"
        return "it is not signed, and only signed data is read here"


def _before_data(place: tuple[str, ...]) -> bytes:
    """Return what is signed in front of the data."""
    parts = [part.encode("utf-8", "surrogatepass") for part in place]
    described = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return _MARK + len(described).to_bytes(4, "big") + described


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
