"""HTTP probes, served from a thread: they answer also while the loop is blocked.

``/live``: the loop moves. ``/ready``: tasks are taken, the storage can be reached. ``/metrics``: Prometheus's text
format, where ``hueyio[metrics]`` is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from hueyio.exceptions import ConfigurationError
from hueyio.worker.small_server import Answer, Page, SmallServer
from hueyio.worker.status import Status

__all__ = ["Probes", "check_free"]


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
        pages = {
            "/live": Page(lambda: _answer_question(*status.is_live())),
            "/ready": Page(lambda: _answer_question(*status.is_ready())),
            "/metrics": Page(partial(_show, metrics), is_slow=True),
        }
        self._server = _serve(host, port, pages, shared)
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self._server.port}"

    def close(self) -> None:
        """Serve no more. May be called from any thread, and again."""
        self._server.close()


def check_free(host: str, port: int) -> None:
    """Raise ConfigurationError where nobody could serve."""
    _serve(host, port, {}, shared=False).close()


def _serve(host: str, port: int, pages: dict[str, Page], shared: bool) -> SmallServer:
    try:
        return SmallServer(host, port, pages, shared=shared)
    except OSError as error:
        raise ConfigurationError(f"cannot serve the probes on {host}:{port}: {error.strerror or error}") from error


def _answer_question(good: bool, why: str) -> Answer:
    code = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
    return Answer(code, "text/plain; charset=utf-8", f"{why}\n".encode())


def _show(metrics: Callable[[], tuple[str, bytes]] | None) -> Answer:
    if metrics is None:
        return Answer(HTTPStatus.NOT_IMPLEMENTED, "text/plain", b"pip install 'hueyio[metrics]'\n")
    return Answer(HTTPStatus.OK, *metrics())
