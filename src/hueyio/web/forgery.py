"""Keeps pages of other sites from acting in a visitor's name.

Two checks, each of which is enough in a browser of today, and both must hold: the browser says that the request comes
from a page of this origin, and the form has the token of the session. The session is a random text in a cookie that no
script reads; its token is computed from it, so that several processes behind one address need no common secret.
"""

from __future__ import annotations

import hmac
import json
import secrets
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from hueyio.storage.texts import is_storable
from hueyio.web.refusal import Refusal

__all__ = [
    "SESSION",
    "TOKEN",
    "Form",
    "begin_session",
    "is_sealed",
    "keep_session",
    "read_form",
    "read_json",
    "seal_of",
    "token_of",
]

SESSION: Final = "hueyio_session"
TOKEN: Final = "token"

_MOST_BYTES: Final = 1_000_000
_MOST_FIELDS: Final = 10_000
_LEAST: Final = 32


class Form:
    """The fields of a form that came with its session's token."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def get(self, key: str) -> str:
        """Return the last value of a field, empty if there is none."""
        return next((value for name, value in reversed(self._fields) if name == key), "")

    def all(self, key: str) -> list[str]:
        """Return all values of a field."""
        return [value for name, value in self._fields if name == key]

    def to_dict(self) -> dict[str, str]:
        """Return the last value of each field."""
        return dict(self._fields)


def begin_session(request: Request) -> str:
    """Return the session of a request, a new one if it has none."""
    session = request.cookies.get(SESSION, "")
    return session if len(session) >= _LEAST and session.isascii() else secrets.token_urlsafe(32)


def keep_session(request: Request, response: Response, session: str) -> None:
    """Let the browser keep a session that it has not yet."""
    if request.cookies.get(SESSION) != session:
        path = request.scope.get("root_path", "") or "/"
        is_secure = request.url.scheme == "https"
        response.set_cookie(SESSION, session, path=path, secure=is_secure, httponly=True, samesite="lax")


def token_of(session: str) -> str:
    """Return what a form of this session carries."""
    return hmac.new(session.encode(), b"hueyio form", "sha256").hexdigest()


def seal_of(session: str, text: str) -> str:
    """Return what shows that we have said a text to this session."""
    return hmac.new(session.encode(), b"hueyio said " + text.encode(), "sha256").hexdigest()


def is_sealed(session: str, text: str, seal: str) -> bool:
    """Say whether we have said it."""
    return hmac.compare_digest(seal_of(session, text).encode(), seal.encode(errors="surrogatepass"))


def _check_origin(request: Request) -> None:
    """Refuse what a page of another origin sent."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        is_ours = site == "same-origin"
    else:
        origin = urlsplit(request.headers.get("origin", "")).netloc.lower()
        is_ours = bool(origin) and origin == request.headers.get("host", "").lower()
    if not is_ours:
        raise Refusal(403, "Refused: this was not sent from a page of the dashboard.")


async def read_json(request: Request) -> Form:
    """Read the same as a JSON object, whose values are texts or lists of texts.

    It needs no token: no page of another origin can send this type without asking first, and nobody would allow it. A
    browser says where it comes from all the same.
    """
    if "sec-fetch-site" in request.headers or "origin" in request.headers:
        _check_origin(request)
    if _type_of(request) != "application/json":
        raise Refusal(415, "This takes JSON, as application/json.")
    try:
        read = json.loads(await _read_body(request))
        fields = [(key, it) for key, value in read.items() for it in (value if isinstance(value, list) else [value])]
    except (ValueError, AttributeError, RecursionError):
        raise _no_object() from None
    if not all(isinstance(value, str) and is_storable(value) for _, value in fields):
        raise _no_object()
    return Form(fields)


def _no_object() -> Refusal:
    return Refusal(400, "This takes an object whose values are texts, or lists of texts.")


async def _read_body(request: Request) -> bytes:
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > _MOST_BYTES:
            raise Refusal(413, "That is too much for one form.")
    return bytes(data)


def _type_of(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_form(request: Request) -> Form:
    """Read a form; raises Refusal if it is too large, no form, or not of this session."""
    _check_origin(request)
    if _type_of(request) != "application/x-www-form-urlencoded":
        raise Refusal(415, "This takes the form of a page.")
    data = await _read_body(request)
    try:
        fields = parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise Refusal(400, "This form cannot be read.") from None
    form = Form(fields)
    session = request.cookies.get(SESSION, "")
    if not session or not hmac.compare_digest(form.get(TOKEN).encode(), token_of(session).encode()):
        raise Refusal(403, "Refused: the page is older than your session. Go back, reload it, and try again.")
    return form
