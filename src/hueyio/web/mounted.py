"""What frameworks and proxies make of a path before a mounted application gets it, made even."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from hueyio.exceptions import ConfigurationError
from hueyio.web.addresses import ASSETS, LOGIN, LOGOUT

__all__ = ["Mounted", "check_prefix"]

_OWN: Final = (ASSETS, LOGIN, LOGOUT)


class Mounted:
    """Gives an application whole paths, as browsers know them, without a slash at their end.

    ``prefix`` is the path at which it is mounted, where the framework does not tell it as ``root_path``. A proxy may
    have taken it away. Where a queue has the name of the prefix, both could be meant by what a path begins with: then
    what follows tells it, which is one of ``heads`` (the first parts of our addresses) if the prefix is still there.
    """

    def __init__(self, app: ASGIApp, prefix: str, heads: Collection[str] = ()) -> None:
        self._app = app
        self._prefix = prefix.rstrip("/")
        self._heads = frozenset(heads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(self._evened(scope) if scope["type"] == "http" else scope, receive, send)

    def _evened(self, scope: Scope) -> Scope:
        root = self._prefix or scope.get("root_path", "").rstrip("/")
        path = scope["path"].rstrip("/")
        whole = path if self._has(root, path) else root + path
        return {**scope, "root_path": root, "path": f"{whole}/" if whole in ("", root) else whole}

    def _has(self, root: str, path: str) -> bool:
        """Say whether a path begins with the root, and not with a queue of that name."""
        if path != root and not path.startswith(f"{root}/"):
            return False
        following, first = (it.partition("/")[0] for it in (path[len(root) + 1 :], path[1:]))
        return not following or following in self._heads or first not in self._heads


def check_prefix(prefix: str, queues: Collection[str], pages: Collection[str]) -> None:
    """Refuse a prefix with which an address could be read in two ways; raises ConfigurationError.

    ``queues`` and ``pages`` are the first parts of our addresses, and the second ones.
    """
    first, _, rest = prefix.strip("/").partition("/")
    if first in _OWN:
        raise ConfigurationError(f"prefix {prefix!r} is an address of the dashboard's own: take another one")
    if first not in queues:
        return
    alike = sorted({rest.partition("/")[0]} & set(pages)) if rest else sorted(set(queues) & set(pages))
    if alike:
        raise ConfigurationError(
            f"prefix {prefix!r} begins as the addresses of the queue {first!r}, and {alike[0]!r} is also the name of a "
            "page: an address could be read in two ways. Take another prefix"
        )
