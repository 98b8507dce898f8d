"""Answers to requests: a page of a queue, a sentence, the form of the login, a file."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from hueyio.web.actions.jobs import jobs_of
from hueyio.web.actions.verb import Done
from hueyio.web.addresses import ASSETS, LOGOUT, Addresses
from hueyio.web.api.routes import API
from hueyio.web.assets import Assets
from hueyio.web.forgery import begin_session, keep_session, token_of
from hueyio.web.frame import read_frame
from hueyio.web.refusal import Refusal
from hueyio.web.rendering import FOLDER, make_environment, render
from hueyio.web.shown import plain
from hueyio.web.told import forget_told, keep_told, read_told
from hueyio.web.view import Page, Source, View

__all__ = ["Answers", "cookie_path", "here_of", "is_api", "is_ours", "page_before", "page_wanted", "root_of"]

logger = logging.getLogger(__name__)

_TITLES: Final = {403: "Not allowed", 404: "Not there", 503: "The storage is away"}


class Answers:
    """Makes them. ``has_login``: visitors can log out."""

    def __init__(self, *, has_login: bool) -> None:
        self._templates = make_environment()
        self._assets = Assets(FOLDER / "static")
        self._has_login = has_login

    async def page(self, request: Request, view: View, page: Page, path: str, sources: Sequence[Source]) -> Response:
        """Return a page of a queue, with all that stands around it."""
        frame = await read_frame(view, sources)
        jobs = (await jobs_of(view.source.core)).shown()
        session = begin_session(request)
        told = read_told(request, session)
        values = {
            **frame,
            **page.values,
            **self._about(request, page.title),
            "queue": view.source.name,
            "path": path,
            "part": view.part,
            "here": view.here,
            "at": view.at,
            "now": view.now,
            "zone": view.zone,
            "visitor": view.visitor,
            "may": view.may,
            "token": token_of(session),
            "kind": view.source.core.kind,
            "start": view.source.app or "app:huey",
            "jobs": [job for job in jobs if not job.answer],
            "answer": " ".join(it for it in (told.said if told else "", *(job.answer for job in jobs)) if it),
            "undo": told.undo if told else None,
            "logout": view.at.own(LOGOUT) if self._has_login else None,
        }
        response = self._html(request, page.template, values, page.status, session)
        if told:
            forget_told(response, cookie_path(request))
        return response

    def login(self, request: Request, wanted: str, refused: str = "", status: int = 200) -> Response:
        """Return the form that asks for the password."""
        session = begin_session(request)
        values = {**self._about(request, "Log in"), "token": token_of(session), "next": wanted, "refused": refused}
        return self._html(request, "login.html", values, status, session)

    def done(self, request: Request, done: Done, back: str) -> Response:
        """Go to a page that says what an action did."""
        response = RedirectResponse(back, 303)
        keep_told(request, response, begin_session(request), done, cookie_path(request))
        return response

    def file(self, name: str) -> Response:
        """Return a stylesheet, a script or a picture; raises Refusal."""
        found = self._assets.answer(name)
        if found is None:
            raise Refusal(404, "There is no such file.")
        return found

    async def refusal(self, request: Request, error: Exception) -> Response:
        """Say why a request was refused."""
        assert isinstance(error, Refusal)
        if "location" in error.headers:
            return RedirectResponse(error.headers["location"], error.status)
        response = self._message(request, error.status, error.sentence)
        response.headers.update(error.headers)
        return response

    async def http_error(self, request: Request, error: Exception) -> Response:
        """Say what the router refused."""
        assert isinstance(error, HTTPException)
        response = self._message(request, error.status_code, f"{error.detail}.")
        response.headers.update(error.headers or {})
        return response

    async def away(self, request: Request, error: Exception) -> Response:
        """Say that the storage does not answer."""
        logger.warning("the storage does not answer: %s", error)
        response = self._message(request, 503, f"The storage does not answer: {error}")
        response.headers["retry-after"] = "5"
        return response

    def _message(self, request: Request, status: int, sentence: str) -> Response:
        if is_api(request):
            return JSONResponse({"error": {"status": status, "text": plain(sentence)}}, status)
        title = _TITLES.get(status, "That does not work")
        back = None if status == 403 else f"{root_of(request)}/"
        values = {**self._about(request, title), "sentence": sentence, "back": back}
        return HTMLResponse(render(self._templates, "message.html", values), status)

    def _html(
        self, request: Request, template: str, values: Mapping[str, Any], status: int, session: str
    ) -> HTMLResponse:
        response = HTMLResponse(render(self._templates, template, values), status)
        keep_session(request, response, session)
        return response

    def _about(self, request: Request, title: str) -> dict[str, Any]:
        root = root_of(request)
        return {
            "title": title,
            "queue": None,
            "asset": lambda name: f"{root}/{ASSETS}/{self._assets.names[name]}",
        }


def root_of(request: Request) -> str:
    """Return where the dashboard is mounted, without a slash at its end."""
    root: str = request.scope.get("root_path", "")
    return root.rstrip("/")


def here_of(request: Request) -> str:
    """Return the address of a request, as browsers know it: a proxy may have taken the prefix away."""
    root, path, query = root_of(request), request.scope["path"], request.url.query
    inside = path.removeprefix(root) if path.startswith(f"{root}/") else path
    return f"{root}{inside}{f'?{query}' if query else ''}"


def is_api(request: Request) -> bool:
    """Say whether a request is for the API, whose answers are JSON."""
    return here_of(request).removeprefix(root_of(request)).startswith(f"/{API}/")


def cookie_path(request: Request) -> str:
    """Return for which paths cookies are."""
    return root_of(request) or "/"


def is_ours(address: str, root: str) -> bool:
    """Say whether an address is a page of the dashboard, whoever says it."""
    is_path = address.startswith(f"{root}/") and not address.startswith(("//", "/\\"))
    return is_path and address.isprintable() and address.isascii()


def page_wanted(wanted: str, at: Addresses) -> str:
    """Return the page to go to: one of ours, whatever is wanted."""
    return wanted if is_ours(wanted, at.root) else at.page("overview")


def page_before(request: Request, at: Addresses) -> str:
    """Return the page from which the visitor comes."""
    said = urlsplit(request.headers.get("referer", ""))
    return page_wanted(f"{said.path}{'?' if said.query else ''}{said.query}", at)
