"""Who asks, and what they may do."""

from __future__ import annotations

import inspect
import logging
from typing import Final

from starlette.requests import HTTPConnection, Request

from hueyio.control.audit import check_actor
from hueyio.exceptions import HueyException
from hueyio.named_tuple import NamedTuple
from hueyio.web.refusal import Refusal
from hueyio.web.settings import LEVELS, Level, Permission, Settings

__all__ = ["Visitor", "check_host", "host_of", "recognise"]

logger = logging.getLogger(__name__)

_NOBODY: Final = "somebody"


class Visitor(NamedTuple):
    """Whoever sent a request. ``allowed`` are the actions they may take."""

    level: Level
    actor: str
    allowed: frozenset[Permission]

    @property
    def may_operate(self) -> bool:
        """Whether they may act at all."""
        return self.level == "operate"


async def recognise(request: Request, settings: Settings) -> Visitor:
    """Ask who it is."""
    level = await _level_of(request, settings)
    if level == "operate" and settings.read_only:
        level = "read"
    allowed = frozenset(settings.actions) if level == "operate" else frozenset()
    return Visitor(level, _actor_of(request, settings), allowed)


async def _level_of(request: Request, settings: Settings) -> Level:
    authorize = settings.authorize
    if authorize == "open":
        return "operate"
    assert authorize is not None
    answer = authorize(request)
    said = await answer if inspect.isawaitable(answer) else answer
    for level in LEVELS:
        if said == level:
            return level
    logger.error("authorize answered %r, which is none of %s: nobody is let in", said, ", ".join(LEVELS))
    return "none"


def _actor_of(request: Request, settings: Settings) -> str:
    said = settings.actor(request) if settings.actor is not None else _name_of_user(request) or _address_of(request)
    try:
        return check_actor(said)
    except HueyException:
        return _NOBODY


def _name_of_user(connection: HTTPConnection) -> str | None:
    """Return the name of the user that the framework around has found, if it says one."""
    user = connection.scope.get("user")
    named = getattr(user, "display_name", None) or getattr(user, "username", None)
    return named if isinstance(named, str) and named.strip() else None


def _address_of(connection: HTTPConnection) -> str:
    return f"dashboard from {connection.client.host}" if connection.client is not None else "dashboard"


def check_host(request: Request, settings: Settings) -> None:
    """Refuse a request for a name that is not ours: a page of another site whose name was made to mean this address."""
    if settings.host_names is None:
        return
    host = host_of(request)
    if host not in {it.lower() for it in settings.host_names}:
        raise Refusal(421, "This dashboard does not answer to that host name. Start it with --host-name to add one.")


def host_of(request: Request) -> str:
    """Return the host name of a request, without its port."""
    host = request.headers.get("host", "").lower()
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
