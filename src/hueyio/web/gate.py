"""The addresses at which visitors log in and out."""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from hueyio.web.access import check_host
from hueyio.web.addresses import LOGIN, LOGOUT
from hueyio.web.answers import Answers, cookie_path, is_ours, root_of
from hueyio.web.forgery import read_form
from hueyio.web.login import Login
from hueyio.web.settings import Settings

__all__ = ["Gate"]

logger = logging.getLogger(__name__)


class Gate:
    """Asks for the password."""

    def __init__(self, login: Login, settings: Settings, answers: Answers) -> None:
        self._login = login
        self._settings = settings
        self._answers = answers

    def routes(self) -> list[Route]:
        """Return its addresses."""
        return [
            Route(f"/{LOGIN}", self._ask, methods=["GET"]),
            Route(f"/{LOGIN}", self._let_in, methods=["POST"]),
            Route(f"/{LOGOUT}", self._let_out, methods=["POST"]),
        ]

    async def _ask(self, request: Request) -> Response:
        check_host(request, self._settings)
        return self._answers.login(request, request.query_params.get("next", ""))

    async def _let_in(self, request: Request) -> Response:
        check_host(request, self._settings)
        form = await read_form(request)
        wanted = form.get("next")
        address = "" if request.client is None else request.client.host
        if not self._login.may_try(address):
            return self._answers.login(request, wanted, "Too many tries. Wait a minute.", 429)
        if not self._login.try_password(form.get("password"), address):
            logger.warning("a wrong password from %s", address)
            return self._answers.login(request, wanted, "That is not the password.", 401)
        root = root_of(request)
        response = RedirectResponse(wanted if is_ours(wanted, root) else f"{root}/", 303)
        self._login.let_in(response, path=cookie_path(request), is_secure=request.url.scheme == "https")
        return response

    async def _let_out(self, request: Request) -> Response:
        check_host(request, self._settings)
        await read_form(request)
        response = RedirectResponse(f"{root_of(request)}/{LOGIN}", 303)
        self._login.let_out(response, path=cookie_path(request))
        return response
