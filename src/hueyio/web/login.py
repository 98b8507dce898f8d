"""Logging in with a password, or a token: who knows it gets a cookie that says so, signed by this process.

Neither is kept or sent anywhere, and both are compared in constant time. Wrong ones are counted, by address and in all:
above the bound nobody is asked until a minute has passed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

__all__ = ["LOGIN_COOKIE", "Login"]

LOGIN_COOKIE: Final = "hueyio_login"

_LASTS: Final = 12 * 3600.0
"""Seconds after which a visitor logs in again."""

_WINDOW: Final = 60.0
_MOST_BY_ADDRESS: Final = 5
_MOST_IN_ALL: Final = 30
_MOST_NOTED: Final = 1000


@dataclass(kw_only=True)
class Login:
    """The password, and who got it wrong lately. Owned by the process: another one does not know its cookies."""

    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    clock: Callable[[], float] = time.time
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _wrong: deque[tuple[float, str]] = field(default_factory=deque, repr=False)
    _wrong_tokens: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=_MOST_NOTED), repr=False)

    def is_known(self, connection: HTTPConnection) -> bool:
        """Say whether a request comes from who has logged in, or carries the token."""
        return self._has_cookie(connection) or self._has_token(connection)

    def may_try(self, address: str) -> bool:
        """Say whether another password may be tried from this address now."""
        by_address = _count(self._wrong, address, self.clock())
        return by_address < _MOST_BY_ADDRESS and len(self._wrong) < _MOST_IN_ALL

    def try_password(self, given: str, address: str) -> bool:
        """Compare what somebody typed; the token is a password too."""
        is_right = _is_same(given, self.password) or _is_same(given, self.token)
        if not is_right:
            self._wrong.append((self.clock(), address))
        return is_right

    def let_in(self, response: Response, *, path: str, is_secure: bool) -> None:
        """Give the cookie."""
        said = f"{self.clock() + _LASTS:.0f}.{secrets.token_urlsafe(16)}"
        value = f"{said}.{self._sign(said)}"
        response.set_cookie(
            LOGIN_COOKIE, value, max_age=int(_LASTS), path=path, secure=is_secure, httponly=True, samesite="lax"
        )

    def let_out(self, response: Response, *, path: str) -> None:
        """Take it away."""
        response.delete_cookie(LOGIN_COOKIE, path=path, httponly=True, samesite="lax")

    def _has_cookie(self, connection: HTTPConnection) -> bool:
        said, _, signature = connection.cookies.get(LOGIN_COOKIE, "").rpartition(".")
        if not said or not _is_same(signature, self._sign(said)):
            return False
        return float(said.partition(".")[0]) > self.clock()

    def _has_token(self, connection: HTTPConnection) -> bool:
        kind, _, given = connection.headers.get("authorization", "").partition(" ")
        if not self.token or kind.lower() != "bearer":
            return False
        address = "" if connection.client is None else connection.client.host
        # By address alone: who guesses must not keep the token's owners out.
        if _count(self._wrong_tokens, address, self.clock()) >= _MOST_BY_ADDRESS:
            return False
        if _is_same(given.strip(), self.token):
            return True
        self._wrong_tokens.append((self.clock(), address))
        return False

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), "sha256").hexdigest()


def _count(wrong: deque[tuple[float, str]], address: str, now: float) -> int:
    """Forget what is long ago; count what came from this address since."""
    while wrong and wrong[0][0] < now - _WINDOW:
        wrong.popleft()
    return sum(it == address for _, it in wrong)


def _is_same(given: str, known: str | None) -> bool:
    """Compare in a time that tells nothing of the known text, its length neither."""
    if not known:
        return False
    digests = [hashlib.sha256(it.encode(errors="surrogatepass")).digest() for it in (given, known)]
    return hmac.compare_digest(*digests)
