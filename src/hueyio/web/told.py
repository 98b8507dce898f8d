"""What an action did, on its way to the page that comes after it: in a cookie that is sealed with the session.

The seal matters for the undo: a page of a neighbouring site may set cookies too, and must not offer an action.
"""

from __future__ import annotations

import base64
import json
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from hueyio.web.actions.verb import Done, Undo
from hueyio.web.forgery import is_sealed, seal_of

__all__ = ["forget_told", "keep_told", "read_told"]

_TOLD: Final = "hueyio_answer"
_LASTS: Final = 60
_MOST_SAID: Final = 700
_MOST_BYTES: Final = 2800
"""In base64 with its seal that is less than 4 kB, beyond which browsers drop a cookie."""


def keep_told(request: Request, response: Response, session: str, done: Done, path: str) -> None:
    """Let the next page say it. What is too long for a cookie is cut, and not offered to be undone."""
    data = _to_bytes(done)
    if len(data) > _MOST_BYTES:
        data = _to_bytes(Done(done.said[:_MOST_SAID]))
    text = base64.urlsafe_b64encode(data).decode()
    response.set_cookie(
        _TOLD,
        f"{text}.{seal_of(session, text)}",
        max_age=_LASTS,
        path=path,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def read_told(request: Request, session: str) -> Done | None:
    """Return what the action before did; None: there is nothing, or nothing that we have said to this session."""
    text, _, seal = request.cookies.get(_TOLD, "").rpartition(".")
    if not text or not is_sealed(session, text, seal):
        return None
    try:
        said, verb, fields = json.loads(base64.urlsafe_b64decode(text))
    except ValueError:
        return None
    return Done(said, None if verb is None else Undo(verb, [(key, value) for key, value in fields]))


def forget_told(response: Response, path: str) -> None:
    """Say it once."""
    response.delete_cookie(_TOLD, path=path)


def _to_bytes(done: Done) -> bytes:
    verb, fields = (None, ()) if done.undo is None else done.undo
    return json.dumps([done.said, verb, list(fields)], ensure_ascii=False).encode(errors="backslashreplace")
