"""What frameworks make of a path before a mounted application gets it, made even."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Mounted"]


class Mounted:
    """Gives an application paths without a slash at their end, which some frameworks add.

    ``prefix`` is the path at which it is mounted, where the framework does not tell it as ``root_path``.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(self._evened(scope) if scope["type"] == "http" else scope, receive, send)

    def _evened(self, scope: Scope) -> Scope:
        root = self._prefix or scope.get("root_path", "").rstrip("/")
        path = scope["path"].rstrip("/")
        return {**scope, "root_path": root, "path": f"{path}/" if path in ("", root) else path}
