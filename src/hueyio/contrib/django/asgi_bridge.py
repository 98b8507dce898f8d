"""From a request of Django's to an ASGI application, and from what that sends to a response of Django's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from http.cookies import SimpleCookie
from typing import Any, Final

from django.http import HttpResponse, StreamingHttpResponse

from hueyio.storage.shared.background import make_task
from hueyio.web.settings import ASGIApp

__all__ = ["answer", "scope_of"]

_STREAM: Final = "text/event-stream"

Message = MutableMapping[str, Any]


def scope_of(request: Any, root: str) -> dict[str, Any]:
    """Return the scope of a request for an application at ``root``.

    The host is the one that Django takes it for: it knows the allowed ones, and the proxies.
    """
    host = request.get_host()
    headers = {name.lower(): value for name, value in request.headers.items()} | {"host": host}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "root_path": root,
        "query_string": request.META.get("QUERY_STRING", "").encode("latin-1"),
        "headers": [(key.encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()],
        "client": (request.META.get("REMOTE_ADDR") or "", 0),
        "server": None,
    }


async def answer(app: ASGIApp, scope: dict[str, Any], body: bytes, *, streams: bool) -> Any:
    """Return what the application answers; with ``streams`` events are passed on as they come."""
    exchange = _Exchange(body)
    running = make_task(_run(app, scope, exchange))
    running.add_done_callback(lambda _: exchange.end())
    try:
        first = await exchange.sent.get()
        if first is None:
            await running  # raises what kept it from answering
            raise RuntimeError("the dashboard answered nothing")
        status, headers = first["status"], _read_headers(first)
        if streams and any(key == "content-type" and it.startswith(_STREAM) for key, it in headers):
            return _with_headers(StreamingHttpResponse(_follow(exchange, running), status=status), headers)
        content = b"".join([part async for part in exchange.parts()])
        await running
    except BaseException:
        await _stop(running)
        raise
    return _with_headers(HttpResponse(content, status=status), headers)


class _Exchange:
    """What goes to and fro between the application and us, for one request."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._over = asyncio.Event()
        self.sent: asyncio.Queue[Message | None] = asyncio.Queue()

    async def receive(self) -> Message:
        """Give the body, and later the end of it all."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take what is answered."""
        self.sent.put_nowait(message)

    def end(self) -> None:
        """Let both sides know that there is no more."""
        self._over.set()
        self.sent.put_nowait(None)

    async def parts(self) -> AsyncIterator[bytes]:
        """Yield the content, part by part."""
        while (message := await self.sent.get()) is not None:
            yield message.get("body", b"")
            if not message.get("more_body", False):
                return


async def _run(app: ASGIApp, scope: dict[str, Any], exchange: _Exchange) -> None:
    await app(scope, exchange.receive, exchange.send)


async def _follow(exchange: _Exchange, running: asyncio.Task[None]) -> AsyncIterator[bytes]:
    try:
        async for part in exchange.parts():
            yield part
    finally:
        await _stop(running)


async def _stop(running: asyncio.Task[None]) -> None:
    """End an application that nobody listens to."""
    running.cancel()
    await asyncio.wait([running])


def _read_headers(start: Message) -> list[tuple[str, str]]:
    return [(key.decode("latin-1").lower(), value.decode("latin-1")) for key, value in start["headers"]]


def _with_headers(response: Any, headers: list[tuple[str, str]]) -> Any:
    for name, value in headers:
        if name == "set-cookie":
            response.cookies.update(SimpleCookie(value))
        elif name != "content-length":
            response.headers[name] = value
    return response
