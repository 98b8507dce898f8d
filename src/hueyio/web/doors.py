"""Who is let in where the dashboard runs by itself: who has the password or a token, whom a proxy names, or anybody.

Forwarded headers count from trusted proxies only: whoever reaches the port can write them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from hueyio.exceptions import ConfigurationError
from hueyio.web.login import Login
from hueyio.web.settings import Level

__all__ = ["Doors", "FromProxies", "Networks", "is_loopback", "read_networks"]

Networks: TypeAlias = Sequence[IPv4Network | IPv6Network]

_PROXIED: Final = "hueyio.proxied"
"""In the scope: the request came through a trusted proxy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """``authorize`` and ``actor`` of such a dashboard. With neither a login nor a header everybody is let in."""

    login: Login | None = None
    user_header: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether everybody is let in."""
        return self.login is None and self.user_header is None

    def authorize(self, request: Request) -> Level:
        """Say what a visitor may do."""
        if self.is_open or self._user_of(request):
            return "operate"
        return "operate" if self.login is not None and self.login.is_known(request) else "none"

    def actor(self, request: Request) -> str:
        """Say who acts, for the audit log."""
        address = request.client.host if request.client is not None else "unknown"
        return self._user_of(request) or f"dashboard from {address}"

    def _user_of(self, request: Request) -> str | None:
        if self.user_header is None or not request.scope.get(_PROXIED):
            return None
        lines = request.headers.getlist(self.user_header)
        # Of two, one may be the client's own: a proxy has to set this header, and not to add a line.
        return lines[0].strip() or None if len(lines) == 1 else None


class FromProxies:
    """Takes from the headers of trusted proxies where a request comes from."""

    def __init__(self, app: ASGIApp, proxies: Networks) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, _PROXIED: False}
            client = scope.get("client")
            if client is not None and _is_among(client[0], self._proxies):
                scope.update(_said_by_proxy(scope))
        await self._app(scope, receive, send)


def _said_by_proxy(scope: Scope) -> Scope:
    headers = Headers(scope=scope)
    found: Scope = {_PROXIED: True}
    address = _last(headers, "x-forwarded-for")
    if address:
        found["client"] = (address, 0)
    scheme = _last(headers, "x-forwarded-proto")
    if scheme in ("http", "https"):
        found["scheme"] = scheme
    return found


def _last(headers: Headers, name: str) -> str:
    """Return what our proxy says: it adds to the line, or a line. What stands before is what the client says."""
    return ",".join(headers.getlist(name)).rpartition(",")[2].strip()


def read_networks(texts: Sequence[str]) -> Networks:
    """Read the addresses of proxies: ``10.0.0.7`` or ``10.0.0.0/8``; raises ConfigurationError."""
    try:
        return [ip_network(text, strict=False) for text in texts]
    except ValueError as error:
        raise ConfigurationError(f"--trusted-proxy takes an address or a network, such as 10.0.0.7: {error}") from None


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_among(address: str, networks: Networks) -> bool:
    try:
        read = ip_address(address)
    except ValueError:
        return False
    return any(read in network for network in networks)
