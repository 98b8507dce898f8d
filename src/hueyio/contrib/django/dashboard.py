"""The dashboard as a view of the admin: its log-in, its permissions, its users' names in the audit log.

Under ASGI it is live. Under WSGI a server has one thread for each open page, so that pages are plain there: they show
what was when they were loaded.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.urls import reverse

from hueyio.contrib.django.asgi_bridge import answer, scope_of
from hueyio.contrib.django.queues import all_hueys
from hueyio.contrib.django.settings import SettingsError
from hueyio.exceptions import ConfigurationError
from hueyio.loops.portal import block_on
from hueyio.named_tuple import NamedTuple
from hueyio.web.settings import ASGIApp

__all__ = ["dashboard_in"]

View = Callable[..., Awaitable[Any]]

_VISITOR: Final = "hueyio.visitor"
"""The key of a scope under which the dashboard finds who it is."""


class _Visitor(NamedTuple):
    level: str
    name: str


def dashboard_in(site: Any) -> View:
    """Return the view for an admin site, at an address whose rest it is given."""
    made: list[ASGIApp] = []

    async def dashboard(request: Any, rest: str = "") -> Any:
        visitor = await sync_to_async(_visitor_of)(site, request)
        if not isinstance(visitor, _Visitor):
            return visitor
        if not made:
            made.append(_make())
        root = request.path[: len(request.path) - len(rest)].rstrip("/")
        scope = {**scope_of(request, root), _VISITOR: visitor}
        if hasattr(request, "scope"):  # it came by ASGI
            return await answer(made[0], scope, request.body, streams=True)
        if rest.endswith("/events") and "once" not in request.GET:
            return HttpResponse(status=204)
        # Not on this loop, which is the request's own: sessions of storages live on that of all blocking calls.
        return await sync_to_async(partial(_answer_blocking, made[0], scope, request.body))()

    # It has tokens of its own, and asks where a request comes from; Django's would be missing in its forms.
    dashboard.csrf_exempt = True  # type: ignore[attr-defined]
    return dashboard


def _answer_blocking(app: ASGIApp, scope: dict[str, Any], body: bytes) -> Any:
    return block_on(answer(app, scope, body, streams=False))


def _visitor_of(site: Any, request: Any) -> Any:
    """Return who it is, or what to answer to somebody who is not logged in; raises PermissionDenied."""
    if not site.has_permission(request):
        login = reverse("admin:login", current_app=site.name)
        return redirect_to_login(request.get_full_path(), login)
    user = request.user
    for permission, level in (("hueyio.operate_queue", "operate"), ("hueyio.view_queue", "read")):
        if user.has_perm(permission):
            return _Visitor(level, user.get_username())
    raise PermissionDenied


def _make() -> ASGIApp:
    first, *others = all_hueys().values()
    options = getattr(settings, "HUEYIO_DASHBOARD", {})
    if taken := {"authorize", "actor", "prefix"} & set(options):
        raise SettingsError(f"HUEYIO_DASHBOARD: the admin says itself what {', '.join(sorted(taken))} is")
    try:
        return first.dashboard(
            *others,
            authorize=lambda request: request.scope[_VISITOR].level,
            actor=lambda request: request.scope[_VISITOR].name,
            **options,
        )
    except ConfigurationError as error:
        raise SettingsError(f"HUEYIO_DASHBOARD: {error}") from error
