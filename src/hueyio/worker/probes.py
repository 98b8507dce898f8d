"""HTTP probes, served from a thread: they answer also while the loop is blocked.

``/live``: the loop moves. ``/ready``: tasks are taken, the storage can be reached. ``/metrics``: Prometheus's text
format, where ``hueyio[metrics]`` is installed.
"""

from __future__ import annotations

import logging
import socket
import socketserver
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from hueyio.exceptions import ConfigurationError
from hueyio.worker.status import Status

__all__ = ["Probes", "check_free"]

logger = logging.getLogger(__name__)

_TIMEOUT: Final = 10.0
"""Seconds that a client gets to send its request."""


class Probes:
    """A server on ``host`` and ``port``; port 0 takes a free one. ``metrics`` returns (content type, body).

    ``shared``: another process of the same user that says so too may serve the port at the same time; the process that
    this one replaces does.
    """

    def __init__(
        self,
        host: str,
        port: int,
        status: Status,
        metrics: Callable[[], tuple[str, bytes]] | None,
        *,
        shared: bool = False,
    ) -> None:
        self._server = _bind(host, port, _handler(status, metrics), shared)
        self._thread = threading.Thread(target=self._server.serve_forever, name="hueyio-probes", daemon=True)
        self._thread.start()
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self._server.server_port}"

    def close(self) -> None:
        """Serve no more. May be called from any thread, and again."""
        self._server.shutdown()
        self._server.server_close()


def check_free(host: str, port: int) -> None:
    """Raise ConfigurationError where nobody could serve."""
    _bind(host, port, BaseHTTPRequestHandler, shared=False).server_close()


def _bind(host: str, port: int, handler: type[BaseHTTPRequestHandler], shared: bool) -> _Server:
    try:
        return _Server(host, port, handler, shared)
    except OSError as error:
        raise ConfigurationError(f"cannot serve the probes on {host}:{port}: {error.strerror or error}") from error


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler], shared: bool) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.allow_reuse_port = shared
        super().__init__((host, port), handler)

    def server_bind(self) -> None:
        """Bind, without the look-up of the host's name that HTTPServer makes, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.debug("probe: %s went away", client_address)


def _handler(status: Status, metrics: Callable[[], tuple[str, bytes]] | None) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _TIMEOUT

        def do_GET(self) -> None:  # the name is the standard library's
            match self.path.partition("?")[0]:
                case "/live":
                    self._answer_question(*status.is_live())
                case "/ready":
                    self._answer_question(*status.is_ready())
                case "/metrics" if metrics is not None:
                    self._answer(HTTPStatus.OK, *metrics())
                case "/metrics":
                    self._answer(HTTPStatus.NOT_IMPLEMENTED, "text/plain", b"pip install 'hueyio[metrics]'\n")
                case _:
                    self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"/live, /ready or /metrics\n")

        do_HEAD = do_GET  # noqa: N815 - the standard library's name

        def _answer_question(self, good: bool, why: str) -> None:
            code = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
            self._answer(code, "text/plain; charset=utf-8", f"{why}\n".encode())

        def _answer(self, code: HTTPStatus, kind: str, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            logger.debug("probe: %s", format % args)

    return Handler
